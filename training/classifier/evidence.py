"""Two kinds of evidence in one score: what n-grams say of a text, and what the encoder's heads say of it.

In: scores of both for rows that neither was fitted on, and the rows' labels. Out: by what each is multiplied before
they are added (a product of experts with fitted exponents; Hinton 2002), and how well the sum tells the labels. Both
maps are linear, so the factors vanish into their weights and serving pays nothing for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from models.classifier.heads import LinearHeads
from models.classifier.labels import HEADS, Ints
from models.classifier.ngrams import NgramModel

Floats = npt.NDArray[np.floating]
MOST = 50.0
"""Of a factor: margins of an SVM need some 5 to become log-probabilities."""
TEMPERATURES = (0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.5)
"""Calibration comes later, so nothing is chosen for how sure it is of itself."""


@dataclass(frozen=True)
class Factors:
    """By what the scores of each head are multiplied."""

    ngrams: Mapping[str, float]
    encoder: Mapping[str, float]

    def combined(self, ngrams: Mapping[str, Floats], encoder: Mapping[str, Floats]) -> dict[str, Floats]:
        """The sum, shape (n, labels of the head)."""
        return {head: self.ngrams[head] * ngrams[head] + self.encoder[head] * encoder[head] for head in HEADS}

    def of_ngrams(self, model: NgramModel) -> NgramModel:
        """N-grams whose scores are multiplied already."""
        weights = {head: self.ngrams[head] * model.weights[head] for head in HEADS}
        return NgramModel(model.space, weights, {head: self.ngrams[head] * model.bias[head] for head in HEADS})

    def of_heads(self, heads: LinearHeads) -> LinearHeads:
        """Heads whose scores are multiplied already."""
        weights = {head: self.encoder[head] * heads.weights[head] for head in HEADS}
        bias = {head: self.encoder[head] * heads.bias[head] for head in HEADS}
        return LinearHeads(weights, bias, heads.mean, heads.deviation)


def fit_factors(
    ngrams: Mapping[str, Floats],
    encoder: Mapping[str, Floats],
    targets: Mapping[str, Ints],
    row_weights: Mapping[str, Floats],
) -> Factors:
    """The factors, none below zero, that give the true labels the highest weighted likelihood; one by one head."""
    from scipy.optimize import minimize

    factors = {}
    for head in HEADS:
        known = np.flatnonzero(targets[head] >= 0)
        truth, weight = targets[head][known], row_weights[head][known]
        both = ngrams[head][known], encoder[head][known]

        def loss(
            point: Floats,
            both: tuple[Floats, Floats] = both,
            truth: Ints = truth,
            weight: Floats = weight,
        ) -> float:
            return cross_entropy(point[0] * both[0] + point[1] * both[1], truth, weight)

        factors[head] = (1.0, 1.0)
        if len(known):
            best = minimize(loss, (1.0, 1.0), method="L-BFGS-B", bounds=[(0.0, MOST)] * 2).x
            factors[head] = (float(best[0]), float(best[1]))
    return Factors({head: factors[head][0] for head in HEADS}, {head: factors[head][1] for head in HEADS})


def cross_entropy(logits: Floats, truth: Ints, weight: Floats) -> float:
    """Weighted mean of the negative log-likelihood, in nats a row; `truth` holds no -100."""
    log_probabilities = log_softmax(logits, axis=1)[np.arange(len(truth)), truth]
    return -float((log_probabilities * weight).sum() / weight.sum())


def least_cross_entropy(logits: Floats, targets: Ints, weight: Floats) -> float:
    """The cross-entropy of the rows whose label is known, at the temperature that suits it best; 0 without a row."""
    known = np.flatnonzero(targets >= 0)
    if not len(known):
        return 0.0
    of_known = logits[known]
    return min(cross_entropy(of_known / t, targets[known], weight[known]) for t in TEMPERATURES)
