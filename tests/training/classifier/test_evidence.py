"""Two kinds of evidence: each gets the say that it deserves, and serving pays nothing for it."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from models.classifier.heads import LinearHeads
from models.classifier.labels import HEADS, Ints
from models.classifier.ngrams import NgramModel, NgramSpace

pytest.importorskip("torch")

from training.classifier.evidence import (
    TEMPERATURES,
    Factors,
    Floats,
    cross_entropy,
    fit_factors,
    least_cross_entropy,
)

ROWS, LABELS = 4000, 6
NGRAMS, ENCODER = {"sector": 0.5, "topic": 2.0, "agency": 0.0}, {"sector": 1.5, "topic": 0.3, "agency": 1.0}
Scores = dict[str, Floats]


def evidence(seed: int = 0) -> tuple[Scores, Scores, dict[str, Ints]]:
    """Scores of both kinds, and labels drawn from their sum under the factors above."""
    rng = np.random.default_rng(seed)
    ngrams, encoder = ({head: rng.normal(scale=2.0, size=(ROWS, LABELS)) for head in HEADS} for _ in range(2))
    targets = {}
    for head in HEADS:
        chances = softmax(NGRAMS[head] * ngrams[head] + ENCODER[head] * encoder[head], axis=1)
        targets[head] = (chances.cumsum(axis=1) > rng.random((ROWS, 1))).argmax(axis=1)
    return ngrams, encoder, targets


def weights(of_rows: Floats | None = None) -> dict[str, Floats]:
    return dict.fromkeys(HEADS, np.ones(ROWS) if of_rows is None else of_rows)


def test_known_factors_are_recovered_and_evidence_that_says_nothing_has_no_say():
    factors = fit_factors(*evidence(), weights())
    assert factors.ngrams == pytest.approx(NGRAMS, abs=0.12)
    assert factors.encoder == pytest.approx(ENCODER, abs=0.12)
    assert factors.ngrams["agency"] < 0.05


def test_evidence_that_misleads_is_silenced_and_never_turned_round():
    ngrams, encoder, targets = evidence()
    misleading = {head: -scores for head, scores in ngrams.items()}
    factors = fit_factors(misleading, encoder, targets, weights())
    assert (factors.ngrams["sector"], factors.ngrams["topic"]) == (0.0, 0.0)


def test_rows_without_a_label_and_rows_without_weight_have_no_say():
    ngrams, encoder, targets = evidence()
    rng, others = np.random.default_rng(1), np.arange(ROWS) % 2 == 1
    wrong = {head: np.where(others, rng.integers(LABELS, size=ROWS), of_head) for head, of_head in targets.items()}
    unknown = {head: np.where(others, -100, of_head) for head, of_head in targets.items()}
    without = fit_factors(ngrams, encoder, unknown, weights())
    weightless = fit_factors(ngrams, encoder, wrong, weights(np.where(others, 0.0, 1.0)))
    counted = fit_factors(ngrams, encoder, wrong, weights())
    for head in HEADS:
        assert without.encoder[head] == pytest.approx(ENCODER[head], abs=0.15)
        assert weightless.encoder[head] == pytest.approx(without.encoder[head], abs=1e-3)
    assert counted.encoder["sector"] < 0.7 * without.encoder["sector"]


def test_a_head_without_a_known_label_leaves_both_as_they_are():
    ngrams, encoder, targets = evidence()
    targets["agency"] = np.full(ROWS, -100)
    factors = fit_factors(ngrams, encoder, targets, weights())
    assert (factors.ngrams["agency"], factors.encoder["agency"]) == (1.0, 1.0)


def test_factors_vanish_into_the_weights():
    rng = np.random.default_rng(0)
    texts = ["яма на дороге", "не вывозят мусор", "яма у дома", "мусор на дороге"]
    space, _ = NgramSpace.fit(texts)
    terms, hidden = sum(map(len, space.terms.values())), 5
    model = NgramModel(
        space,
        {head: rng.normal(size=(terms, LABELS)) for head in HEADS},
        {head: rng.normal(size=LABELS) for head in HEADS},
    )
    heads = LinearHeads(
        {head: rng.normal(size=(hidden, LABELS)) for head in HEADS},
        {head: rng.normal(size=LABELS) for head in HEADS},
        rng.normal(size=hidden),
        rng.uniform(0.5, 2.0, size=hidden),
    )
    vectors = rng.normal(size=(len(texts), hidden))
    factors = Factors(NGRAMS, ENCODER)
    apart = factors.combined(model.logits(texts), heads.logits(vectors))
    of_ngrams, of_heads = factors.of_ngrams(model).logits(texts), factors.of_heads(heads).logits(vectors)
    for head in HEADS:
        together = log_softmax(of_ngrams[head] + of_heads[head], axis=1)
        np.testing.assert_allclose(together, log_softmax(apart[head], axis=1), atol=1e-5)


def test_cross_entropy_by_hand():
    logits = np.log([[0.5, 0.5], [0.9, 0.1]])
    assert cross_entropy(logits, np.array([0, 0]), np.ones(2)) == pytest.approx(-(np.log(0.5) + np.log(0.9)) / 2)
    assert cross_entropy(logits, np.array([0, 1]), np.array([3.0, 1.0])) == pytest.approx(
        -(3 * np.log(0.5) + np.log(0.1)) / 4
    )


def test_the_least_cross_entropy_is_the_same_however_sure_of_itself_the_evidence_is():
    _, encoder, targets = evidence()
    known = np.where(np.arange(ROWS) % 3, targets["agency"], -100)
    honest = least_cross_entropy(encoder["agency"], known, np.ones(ROWS))
    boasting = least_cross_entropy(TEMPERATURES[-1] * encoder["agency"], known, np.ones(ROWS))
    assert boasting == pytest.approx(honest)
    assert honest < cross_entropy(TEMPERATURES[-1] * encoder["agency"][known >= 0], known[known >= 0], np.ones(2666))
    assert least_cross_entropy(encoder["agency"], np.full(ROWS, -100), np.ones(ROWS)) == 0.0
