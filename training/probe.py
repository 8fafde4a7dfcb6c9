"""Linear probe first, then fine-tuning (LP-FT; Kumar et al. 2022, arXiv:2202.10054).

In: a network with a pretrained encoder, the features and targets of the training rows, and what the
n-grams say of them. Out: the same network, its features standardised and its heads set to logistic
regressions on top of the n-grams. Random heads would first pull the encoder's features apart; with
dozens of rare labels they never quite recover.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from models.labels import HEADS, Ints
from models.network import ComplaintNetwork
from training.regression import fit_regression, row_weights

PENALTY = 40.0
"""In units of standardised features."""

Floats = npt.NDArray[np.floating]


def probe_heads(
    network: ComplaintNetwork,
    features: Floats,
    targets: Mapping[str, Ints],
    priors: Mapping[str, Floats],
    weighting: str,
    weight: Floats,
) -> None:
    """Standardise the features over the training rows and fit each head on them, in place.

    Rows count by `weight`, times what `weighting` makes of their label's rows.
    """
    mean, deviation = _moments(features)
    network.feature_mean.copy_(torch.from_numpy(mean))
    network.feature_deviation.copy_(torch.from_numpy(deviation))
    for head, (weights, bias) in _fit_heads(features, targets, priors, weighting, weight).items():
        linear = network.heads[head]
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights.T))  # type: ignore[operator]
            linear.bias.copy_(torch.from_numpy(bias))  # type: ignore[operator]


def cross_fitted(
    features: Floats,
    targets: Mapping[str, Ints],
    priors: Mapping[str, Floats],
    weighting: str,
    weight: Floats,
    folds: npt.NDArray[np.int64],
) -> dict[str, Floats]:
    """Logits of each head for every row by heads fitted without its fold, shape (n, labels of the head)."""
    out = {head: np.zeros_like(prior) for head, prior in priors.items()}
    for fold in np.unique(folds):
        train, rest = folds != fold, folds == fold
        mean, deviation = _moments(features[train])
        part = {h: t[train] for h, t in targets.items()}, {h: p[train] for h, p in priors.items()}
        for head, (weights, bias) in _fit_heads(features[train], *part, weighting, weight[train]).items():
            out[head][rest] = (features[rest] - mean) / deviation @ weights + bias + priors[head][rest]
    return out


def _moments(features: Floats) -> tuple[Floats, Floats]:
    return features.mean(axis=0), features.std(axis=0) + 1e-6


def _fit_heads(
    features: Floats, targets: Mapping[str, Ints], priors: Mapping[str, Floats], weighting: str, weight: Floats
) -> dict[str, tuple[Floats, Floats]]:
    mean, deviation = _moments(features)
    standard, fitted = (features - mean) / deviation, {}
    for head in HEADS:
        labels = priors[head].shape[1]
        rows = weight * row_weights(targets[head], labels, weighting)
        fitted[head] = fit_regression(standard, targets[head], labels, PENALTY, rows, priors[head])
    return fitted
