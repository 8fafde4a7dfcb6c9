"""The regression: scikit-learn's answer without an offset, and only the unexplained rest with one."""

import numpy as np
import pytest
from scipy.special import log_softmax

from models.classifier.labels import Ints

pytest.importorskip("torch")

from training.classifier.regression import Floats, fit_regression, row_weights

ROWS, WIDTH, LABELS = 300, 5, 4


@pytest.fixture(scope="module")
def rows() -> tuple[Floats, Ints]:
    """Features, and targets drawn from a true linear model."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(ROWS, WIDTH))
    logits = features @ rng.normal(size=(WIDTH, LABELS)) + rng.normal(size=LABELS)
    return features, (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)


def log_p(features: Floats, fitted: tuple[Floats, Floats]) -> Floats:
    return log_softmax(features @ fitted[0] + fitted[1], axis=-1)


@pytest.mark.parametrize("penalty", [0.1, 1.0, 40.0])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_without_an_offset_it_is_scikit_learns(rows: tuple[Floats, Ints], penalty: float, weighted: bool):
    from sklearn.linear_model import LogisticRegression

    features, targets = rows
    weight = np.random.default_rng(1).uniform(0.2, 3.0, size=ROWS) if weighted else None
    theirs = LogisticRegression(C=1 / penalty, tol=1e-8, max_iter=2000).fit(features, targets, weight)
    ours = fit_regression(features, targets, LABELS, penalty, weight)
    np.testing.assert_allclose(ours[0].T, theirs.coef_, atol=2e-3)
    np.testing.assert_allclose(log_p(features, ours), theirs.predict_log_proba(features), atol=5e-3)


def test_shapes_hold_labels_that_no_row_has(rows: tuple[Floats, Ints]):
    weights, bias = fit_regression(*rows, LABELS + 2, penalty=1.0)
    assert (weights.shape, bias.shape) == ((WIDTH, LABELS + 2), (LABELS + 2,))


def test_a_label_without_rows_is_improbable_but_not_impossible(rows: tuple[Floats, Ints]):
    features, targets = rows
    scores = log_p(features, fit_regression(features, targets, LABELS + 1, penalty=1.0))
    assert scores[:, LABELS].max() < np.log(0.01)
    assert scores[:, LABELS].min() > np.log(1e-8)


def test_rows_without_a_label_are_left_out(rows: tuple[Floats, Ints]):
    features, targets = rows
    offset = np.random.default_rng(2).normal(size=(ROWS, LABELS))
    weight = np.linspace(0.5, 2.0, ROWS)
    some = np.where(np.arange(ROWS) % 3, targets, -100)
    known = some >= 0
    for with_offset in (None, offset):
        among = fit_regression(features, some, LABELS, 1.0, weight, with_offset)
        part = None if with_offset is None else with_offset[known]
        alone = fit_regression(features[known], targets[known], LABELS, 1.0, weight[known], part)
        for found, expected in zip(among, alone, strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("offset", [None, np.zeros((3, LABELS))], ids=["alone", "on an offset"])
def test_without_any_label_nothing_is_learnt(offset: Floats | None):
    weights, bias = fit_regression(np.ones((3, WIDTH)), np.full(3, -100), LABELS, 1.0, offset=offset)
    assert not weights.any()
    np.testing.assert_allclose(bias, bias[0])


def test_an_offset_that_explains_everything_leaves_nothing_to_learn(rows: tuple[Floats, Ints]):
    features, targets = rows
    sure = np.where(np.arange(LABELS) == targets[:, None], 0.0, -30.0)
    weights, bias = fit_regression(features, targets, LABELS, 1.0, offset=sure)
    np.testing.assert_allclose(weights, 0.0, atol=1e-6)
    np.testing.assert_allclose(bias, 0.0, atol=1e-6)


def test_an_offset_from_the_same_features_leaves_almost_nothing_to_learn(rows: tuple[Floats, Ints]):
    features, targets = rows
    alone = fit_regression(features, targets, LABELS, 0.01)
    weights, bias = fit_regression(features, targets, LABELS, 5.0, offset=log_p(features, alone))
    assert np.abs(weights).max() < 0.05 * np.abs(alone[0]).max()
    assert np.abs(bias).max() < 0.05


def test_what_an_offset_leaves_out_is_learnt(rows: tuple[Floats, Ints]):
    features, targets = rows
    half, rest = features[:, :2], features[:, 2:]
    offset = log_p(half, fit_regression(half, targets, LABELS, 1.0))
    both = log_softmax(offset + rest @ fit_regression(rest, targets, LABELS, 1.0, offset=offset)[0], axis=-1)
    assert both[np.arange(ROWS), targets].mean() > offset[np.arange(ROWS), targets].mean() + 0.1


@pytest.mark.parametrize("common", [-50.0, 7.0])
def test_a_constant_in_the_offset_changes_nothing(rows: tuple[Floats, Ints], common: float):
    features, targets = rows
    offset = np.random.default_rng(3).normal(size=(ROWS, LABELS))
    plain, moved = (fit_regression(features, targets, LABELS, 1.0, offset=o) for o in (offset, offset + common))
    np.testing.assert_allclose(log_p(features, plain), log_p(features, moved), atol=5e-3)


def test_a_row_of_weight_two_counts_as_two_rows(rows: tuple[Floats, Ints]):
    features, targets = rows
    double = np.where(np.arange(ROWS) < 50, 2.0, 1.0)
    weighted = fit_regression(features, targets, LABELS, 1.0, double)
    twice = np.concatenate([np.arange(ROWS), np.arange(50)])
    repeated = fit_regression(features[twice], targets[twice], LABELS, 1.0)
    np.testing.assert_allclose(log_p(features, weighted), log_p(features, repeated), atol=5e-3)


def test_balanced_weights_are_scikit_learns():
    from sklearn.utils.class_weight import compute_sample_weight

    targets = np.array([0] * 8 + [1] * 3 + [2])
    np.testing.assert_allclose(row_weights(targets, 3, "balanced"), compute_sample_weight("balanced", targets))


@pytest.mark.parametrize(("weighting", "ratio"), [("none", 1.0), ("sqrt", 2.0), ("balanced", 4.0)])
def test_rows_of_a_rarer_label_weigh_more_and_the_mean_is_one(weighting: str, ratio: float):
    targets = np.array([0] * 8 + [1] * 2 + [-100] * 5)
    weights = row_weights(targets, 3, weighting)
    assert weights[8] / weights[0] == pytest.approx(ratio)
    assert weights[targets >= 0].mean() == pytest.approx(1.0)
    assert weights.shape == targets.shape


@pytest.mark.parametrize("weighting", ["none", "sqrt", "balanced"])
def test_rows_without_any_label_have_weights_all_the_same(weighting: str):
    assert np.isfinite(row_weights(np.array([-100, -100]), 3, weighting)).all()
