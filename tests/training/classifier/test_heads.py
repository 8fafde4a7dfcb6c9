"""The heads: fitted on top of the n-grams or beside them, mixed as held-out rows choose."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax

from models.classifier.labels import HEADS

torch = pytest.importorskip("torch")

from tests.training.tiny import HIDDEN, LABELS, tiny_network  # noqa: E402
from training.classifier import heads as module  # noqa: E402
from training.classifier.fit_ngrams import fit_maps, scores_out_of_fold  # noqa: E402
from training.classifier.heads import (  # noqa: E402
    PENALTIES,
    SHARES,
    Choice,
    Floats,
    Rows,
    choose,
    fit_mixture,
    fit_side_by_side,
    fit_stacked,
)

COUNT = 200
WORDS = ["мусор", "яма", "вода", "свет", "лифт", "автобус", "снег", "крыша"]
LOW = dict.fromkeys(HEADS, 5.0)


@pytest.fixture(scope="module")
def rows() -> Rows:
    """Features in a narrow cone as those of e5; half of each label lies in them, half in the words."""
    rng = np.random.default_rng(0)
    deep, words = rng.normal(size=(COUNT, HIDDEN)), rng.integers(2, size=(COUNT, len(WORDS)))
    targets = {}
    for head, n in LABELS.items():
        by_features, by_words = deep @ rng.normal(size=(HIDDEN, n)), words @ rng.normal(size=(len(WORDS), n)) * 3
        targets[head] = (by_features + by_words).argmax(axis=1)
    targets["agency"][::7] = -100
    texts = [" ".join(word for word, said in zip(WORDS, line, strict=True) if said) for line in words]
    weight = np.where(np.arange(COUNT) < COUNT - 30, 1.0, 4.0)
    features = (deep * 0.01 + 0.5).astype(np.float32)
    return Rows(texts, features, targets, LABELS, weight, np.arange(COUNT) % 4, range(4), "sqrt")


@pytest.fixture(scope="module")
def priors(rows: Rows) -> dict[str, Floats]:
    return scores_out_of_fold(
        rows.texts, [rows.texts], rows.targets, LABELS, rows.folds, np.unique(rows.folds).tolist()
    )[0]


def test_rows_that_are_not_judged_have_no_say_in_the_choice(rows: Rows, priors: dict[str, Floats]):
    judged = np.arange(COUNT) % 3 == 0
    some = replace(rows, judged=judged)
    other = {head: np.where(judged, labels, 0) for head, labels in rows.targets.items()}
    for head in HEADS:
        weighed = replace(some, weighting="none")
        assert module._loss(priors[head], weighed, head) == module._loss(
            priors[head], replace(weighed, targets=other), head
        )
        assert module._loss(priors[head], rows, head) != module._loss(priors[head], some, head)


@pytest.fixture
def no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """One penalty and one mixture, so that held-out labels have nothing to choose."""
    monkeypatch.setattr(module, "PENALTIES", (20.0,))
    monkeypatch.setattr(module, "SHARES", (0.25,))


def accuracy(logits: dict[str, Floats], rows: Rows, head: str) -> float:
    known = rows.targets[head] >= 0
    return float((logits[head].argmax(axis=1) == rows.targets[head])[known].mean())


def summed(*logits: dict[str, Floats]) -> dict[str, Floats]:
    return {head: log_softmax(sum(part[head] for part in logits), axis=-1) for head in HEADS}


def test_the_installed_heads_say_in_the_network_what_they_say_alone(rows: Rows, priors: dict[str, Floats]):
    heads, network = fit_stacked(rows, priors, LOW), tiny_network()
    network.set_heads(heads)
    batch = {"input_ids": torch.randint(4, 50, (6, 9)), "attention_mask": torch.ones((6, 9), dtype=torch.int64)}
    with torch.no_grad():
        pooled, said = network.pooled(**batch).numpy(), network(**batch)
    for head, logits in heads.logits(pooled).items():
        np.testing.assert_allclose(said[head], logits, rtol=1e-3, atol=1e-2)


def test_features_are_standardised(rows: Rows, priors: dict[str, Floats]):
    heads = fit_stacked(rows, priors, LOW)
    standard = (rows.features - heads.mean) / heads.deviation
    np.testing.assert_allclose(standard.mean(axis=0), 0.0, atol=1e-3)
    np.testing.assert_allclose(standard.std(axis=0), 1.0, atol=0.01)


@pytest.mark.parametrize("head", HEADS)
def test_stacked_heads_add_to_what_the_n_grams_know(rows: Rows, priors: dict[str, Floats], head: str):
    both = summed(fit_stacked(rows, priors, LOW).logits(rows.features), priors)
    assert accuracy(both, rows, head) > accuracy(priors, rows, head) + 0.1


@pytest.mark.parametrize("head", HEADS)
def test_side_by_side_words_and_features_share_the_work(rows: Rows, head: str):
    ngrams, heads = fit_side_by_side(rows)
    words, features = ngrams.logits(rows.texts), heads.logits(rows.features)
    both = accuracy(summed(words, features), rows, head)
    assert both > max(accuracy(words, rows, head), accuracy(features, rows, head))


@pytest.mark.parametrize("weighting", ["none", "sqrt", "balanced"])
def test_held_out_logits_are_those_of_heads_fitted_without_the_fold(
    rows: Rows, priors: dict[str, Floats], weighting: str
):
    weighted = replace(rows, weighting=weighting)
    choice = choose(weighted, priors, mixtures=False)
    for fold in (0, 3):
        rest = rows.folds == fold
        known = {head: prior[~rest] for head, prior in priors.items()}
        logits = fit_stacked(weighted.part(~rest), known, choice.penalties).logits(rows.features[rest])
        for head in HEADS:
            expected = log_softmax(logits[head] + priors[head][rest], axis=-1)
            np.testing.assert_allclose(choice.held_out[head][rest], expected, atol=1e-4)


@pytest.mark.usefixtures("no_choice")
@pytest.mark.parametrize("mixtures", [False, True])
def test_a_rows_own_label_has_no_part_in_its_held_out_logits(rows: Rows, priors: dict[str, Floats], mixtures: bool):
    mine = rows.folds == 2
    other = {h: np.where(mine & (t >= 0), (t + 1) % LABELS[h], t) for h, t in rows.targets.items()}
    before = choose(rows, priors, mixtures).held_out
    after = choose(replace(rows, targets=other), priors, mixtures).held_out
    for head in HEADS:
        np.testing.assert_array_equal(before[head][mine], after[head][mine])
        assert np.abs(before[head][~mine] - after[head][~mine]).max() > 0.01


def test_choices_are_among_those_there_are(rows: Rows, priors: dict[str, Floats]):
    choice = choose(rows, priors, mixtures=True)
    for head, n in LABELS.items():
        assert choice.penalties[head] in PENALTIES
        assert choice.shares[head] in SHARES
        assert choice.held_out[head].shape == (COUNT, n)
    assert set(choose(rows, priors, mixtures=False).shares.values()) == {0.0}


def test_features_that_tell_nothing_get_a_high_penalty(rows: Rows, priors: dict[str, Floats]):
    rng = np.random.default_rng(1)
    chance = replace(rows, targets={head: rng.integers(n, size=COUNT) for head, n in LABELS.items()})
    flat = {head: np.full_like(prior, -np.log(LABELS[head])) for head, prior in priors.items()}
    assert min(choose(chance, flat, mixtures=False).penalties.values()) >= PENALTIES[-2]


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_mixture_is_one_model_that_says_what_both_say_in_their_shares(
    rows: Rows, priors: dict[str, Floats], share: float
):
    ngrams = fit_maps(rows.texts, rows.targets, LABELS).ngrams
    choice = Choice(LOW, dict.fromkeys(HEADS, share), {})
    mixed_ngrams, mixed_heads = fit_mixture(rows, ngrams, priors, choice)
    mixed = summed(mixed_ngrams.logits(rows.texts), mixed_heads.logits(rows.features))
    stacked = summed(ngrams.logits(rows.texts), fit_stacked(rows, priors, LOW).logits(rows.features))
    beside_ngrams, beside_heads = fit_side_by_side(rows)
    beside = summed(beside_ngrams.logits(rows.texts), beside_heads.logits(rows.features))
    for head in HEADS:
        expected = log_softmax((1 - share) * stacked[head] + share * beside[head], axis=-1)
        np.testing.assert_allclose(mixed[head], expected, atol=1e-3)


def test_each_head_has_its_own_share(rows: Rows, priors: dict[str, Floats]):
    ngrams = fit_maps(rows.texts, rows.targets, LABELS).ngrams
    mixed, _ = fit_mixture(rows, ngrams, priors, Choice(LOW, {"sector": 0.0, "topic": 0.5, "agency": 0.5}, {}))
    np.testing.assert_array_equal(mixed.weights["sector"], ngrams.weights["sector"])
    assert np.abs(mixed.weights["topic"] - ngrams.weights["topic"]).max() > 0.01


def test_a_heavier_row_is_fitted_closer(rows: Rows, priors: dict[str, Floats]):
    head = "topic"
    plain = summed(fit_stacked(rows, priors, LOW).logits(rows.features), priors)[head]
    row = int(plain[np.arange(COUNT), rows.targets[head]].argmin())
    losses = []
    for heavy in (1.0, 100.0):
        weight = np.where(np.arange(COUNT) == row, heavy, 1.0)
        said = summed(fit_stacked(replace(rows, weight=weight), priors, LOW).logits(rows.features), priors)
        losses.append(-said[head][row, rows.targets[head][row]])
    assert losses[1] < losses[0] / 2


@pytest.mark.parametrize("side_by_side", [False, True], ids=["stacked", "side by side"])
def test_a_rare_label_is_surer_the_more_labels_are_weighed_by_their_rows(
    rows: Rows, priors: dict[str, Floats], side_by_side: bool
):
    rare = {head: int(np.bincount(t[t >= 0], minlength=LABELS[head]).argmin()) for head, t in rows.targets.items()}
    confidences = {}
    for weighting in ("none", "sqrt", "balanced"):
        weighted = replace(rows, weighting=weighting)
        if side_by_side:
            ngrams, heads = fit_side_by_side(weighted)
            said = summed(ngrams.logits(rows.texts), heads.logits(rows.features))
        else:
            said = summed(fit_stacked(weighted, priors, LOW).logits(rows.features), priors)
        confidences[weighting] = {head: np.exp(said[head][:, rare[head]]).mean() for head in HEADS}
    for head in HEADS:
        assert confidences["none"][head] < confidences["sqrt"][head] < confidences["balanced"][head], head


def test_a_part_of_the_rows_keeps_what_belongs_together(rows: Rows):
    kept = rows.folds == 1
    part = rows.part(kept)
    at = np.flatnonzero(kept)
    assert part.texts == [rows.texts[i] for i in at]
    for mine, whole in ((part.features, rows.features), (part.weight, rows.weight), (part.folds, rows.folds)):
        np.testing.assert_array_equal(mine, whole[at])
    for head in HEADS:
        np.testing.assert_array_equal(part.targets[head], rows.targets[head][at])
