"""Multinomial logistic regression by L-BFGS, with row weights and a fixed offset to the logits.

In: dense features, shape (n, width), targets, shape (n,). Out: weights (width, labels) and a bias.
scikit-learn's has no offset, and the offset is the point: a regression fitted on top of another
model's log-probabilities learns only what that model leaves unexplained (a product of experts;
Hinton 2002, Clark et al. 2019, arXiv:1909.03683).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from models.classifier.labels import Ints
from training.long_step import Tell, quiet

Floats = npt.NDArray[np.floating]
ITERATIONS = 100
"""By then the likelihood of thousands of rows moves in its fifth digit."""
HISTORY = 10
"""Steps that L-BFGS remembers: between the 3 and 20 that Nocedal and Wright (2006) recommend."""
BIAS_PENALTY = 0.01
"""Gentle: a label without rows would run off to minus infinity."""
PRIOR_COUNT = 0.5
"""Of each label (Jeffreys), in the bias that the search starts from."""


class LinearMap(NamedTuple):
    """Weights of shape (width, labels) and a bias of shape (labels,)."""

    weights: Floats
    bias: Floats


def fit_regression(
    features: Floats,
    targets: Ints,
    labels: int,
    penalty: float,
    row_weights: Floats | None = None,
    offset: Floats | None = None,
    tell: Tell = quiet,
) -> LinearMap:
    """Minimise Σ weight · cross-entropy + penalty / 2 · ‖weights‖²; rows with target -100 are left out."""
    labelled = np.flatnonzero(targets >= 0)
    x, y = _tensor(features[labelled]), torch.from_numpy(targets[labelled])
    weight = torch.ones(len(labelled)) if row_weights is None else _tensor(row_weights[labelled])
    counts = np.bincount(targets[labelled], minlength=labels)
    if offset is None:
        prior = torch.zeros((1, labels))
        first_bias = _tensor(np.log((counts + PRIOR_COUNT) / (counts.sum() + PRIOR_COUNT * labels)))
    else:
        prior, first_bias = _tensor(offset[labelled]), torch.zeros(labels)
    weights = torch.zeros((x.shape[1], labels), requires_grad=True)
    bias = first_bias.clone().requires_grad_(True)
    solver = torch.optim.LBFGS(
        [weights, bias],
        max_iter=ITERATIONS,
        history_size=HISTORY,
        line_search_fn="strong_wolfe",
        tolerance_change=1e-7,
    )

    def loss() -> torch.Tensor:
        tell(f"step {solver.state[weights].get('n_iter', 0)} of {ITERATIONS} at most")
        solver.zero_grad()
        errors = torch.nn.functional.cross_entropy(x @ weights + bias + prior, y, reduction="none")
        total = (weight * errors).sum() + penalty / 2 * (weights**2).sum()
        total = total + BIAS_PENALTY / 2 * ((bias - first_bias) ** 2).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    if len(labelled):
        solver.step(loss)  # type: ignore[no-untyped-call]
    return LinearMap(weights.detach().numpy(), bias.detach().numpy())


def _tensor(values: Floats) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def row_weights(targets: Ints, labels: int, weighting: str) -> Floats:
    """A weight for each row: none, or balanced (1/rows of its label), or the square root of that; mean 1."""
    weights: Floats = label_weights(targets, labels, weighting)[np.maximum(targets, 0)]
    return weights


def label_weights(targets: Ints, labels: int, weighting: str) -> Floats:
    """A weight for each label, shape (labels,): none, 1/rows or its square root; their mean over labelled rows is 1."""
    if weighting == "none":
        return np.ones(labels)
    known = targets[targets >= 0]
    counts = np.bincount(known, minlength=labels).clip(min=1)
    weights: Floats = 1.0 / counts if weighting == "balanced" else 1.0 / np.sqrt(counts)
    return weights / (weights[known].mean() if len(known) else 1.0)
