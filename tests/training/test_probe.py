"""The probe: heads set by regression on top of the n-grams; cross-fitted, no row speaks for itself."""

import numpy as np
import pytest

from models.labels import HEADS, Ints

torch = pytest.importorskip("torch")

from tests.training.tiny import HIDDEN, LABELS, tiny_network  # noqa: E402
from training.probe import cross_fitted, probe_heads  # noqa: E402
from training.regression import Floats  # noqa: E402

ROWS = 240
FOLDS = np.arange(ROWS) % 4
WEIGHT = np.where(np.arange(ROWS) < 200, 1.0, 2.0)
Given = tuple[Floats, dict[str, Ints], dict[str, Floats]]


@pytest.fixture(scope="module")
def given() -> Given:
    """Features in a narrow cone as those of e5, targets that follow them, priors that say a little."""
    rng = np.random.default_rng(0)
    deep = rng.normal(size=(ROWS, HIDDEN))
    targets = {h: (deep @ rng.normal(size=(HIDDEN, n)) * 2).argmax(axis=1) for h, n in LABELS.items()}
    targets["agency"][::7] = -100
    priors = {h: rng.normal(scale=0.3, size=(ROWS, n)).astype(np.float32) for h, n in LABELS.items()}
    return (deep * 0.01 + 0.5).astype(np.float32), targets, priors


def part(given: Given, rows: Ints | slice) -> Given:
    features, targets, priors = given
    return features[rows], {h: t[rows] for h, t in targets.items()}, {h: p[rows] for h, p in priors.items()}


def test_the_probed_network_standardises_the_features_and_knows_the_training_rows(given: Given):
    network = tiny_network()
    features, targets, priors = given
    probe_heads(network, features, targets, priors, "none", np.ones(ROWS))
    standard = (torch.from_numpy(features) - network.feature_mean) / network.feature_deviation
    np.testing.assert_allclose(standard.mean(dim=0), 0.0, atol=1e-3)
    np.testing.assert_allclose(standard.std(dim=0), 1.0, atol=0.01)
    for head in HEADS:
        known = targets[head] >= 0
        said = (network.heads[head](standard).detach().numpy() + priors[head]).argmax(axis=1)
        assert (said == targets[head])[known].mean() > 0.7


@pytest.mark.parametrize("weighting", ["none", "sqrt", "balanced"])
def test_cross_fitted_logits_are_those_of_a_network_probed_without_the_fold(given: Given, weighting: str):
    found = cross_fitted(*given, weighting, WEIGHT, FOLDS)
    for fold in (0, 3):
        train, rest = np.flatnonzero(fold != FOLDS), np.flatnonzero(fold == FOLDS)
        network = tiny_network()
        probe_heads(network, *part(given, train), weighting, WEIGHT[train])
        standard = (torch.from_numpy(given[0][rest]) - network.feature_mean) / network.feature_deviation
        for head in HEADS:
            expected = network.heads[head](standard).detach().numpy() + given[2][head][rest]
            np.testing.assert_allclose(found[head][rest], expected, atol=1e-4)


def test_a_rows_own_label_has_no_part_in_its_logits(given: Given):
    features, targets, priors = given
    other = {head: np.where((FOLDS == 2) & (t >= 0), (t + 1) % LABELS[head], t) for head, t in targets.items()}
    before, after = (cross_fitted(features, t, priors, "sqrt", WEIGHT, FOLDS) for t in (targets, other))
    for head in HEADS:
        np.testing.assert_array_equal(before[head][FOLDS == 2], after[head][FOLDS == 2])
        assert np.abs(before[head][FOLDS != 2] - after[head][FOLDS != 2]).max() > 0.01


def test_labels_that_no_feature_explains_are_not_recognised(given: Given):
    features, _, priors = given
    rng = np.random.default_rng(1)
    chance = {head: rng.integers(n, size=ROWS) for head, n in LABELS.items()}
    found = cross_fitted(features, chance, priors, "none", WEIGHT, FOLDS)
    for head, n in LABELS.items():
        assert (found[head].argmax(axis=1) == chance[head]).mean() < 1 / n + 0.12


def test_a_heavier_row_is_fitted_closer(given: Given):
    features, targets, priors = given
    row = int(
        np.flatnonzero(cross_fitted(*given, "none", WEIGHT, FOLDS)["topic"].argmax(axis=1) != targets["topic"])[0]
    )
    losses = []
    for heavy in (1.0, 100.0):
        network, weight = tiny_network(), np.ones(ROWS)
        weight[row] = heavy
        probe_heads(network, features, targets, priors, "none", weight)
        standard = (torch.from_numpy(features[[row]]) - network.feature_mean) / network.feature_deviation
        logits = network.heads["topic"](standard) + torch.from_numpy(priors["topic"][[row]])
        losses.append(float(torch.nn.functional.cross_entropy(logits, torch.tensor(targets["topic"][[row]]))))
    assert losses[1] < losses[0] / 2
