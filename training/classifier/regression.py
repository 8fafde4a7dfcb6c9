"""Multinomial logistic regression by L-BFGS, with row weights and a fixed offset to the logits.

In: dense features, shape (n, width), targets, shape (n,). Out: weights (width, labels) and a bias.
scikit-learn's has no offset, and the offset is the point: a regression fitted on top of another
model's log-probabilities learns only what that model leaves unexplained (a product of experts;
Hinton 2002, Clark et al. 2019, arXiv:1909.03683).
"""

import numpy as np
import numpy.typing as npt
import torch

from models.classifier.labels import Ints

Floats = npt.NDArray[np.floating]
ITERATIONS = 100


def fit_regression(
    features: Floats,
    targets: Ints,
    labels: int,
    penalty: float,
    row_weights: Floats | None = None,
    offset: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Minimise Σ weight · cross-entropy + penalty / 2 · ‖weights‖²; rows with target -100 are left out."""
    known = np.flatnonzero(targets >= 0)
    x = torch.from_numpy(np.ascontiguousarray(features[known], dtype=np.float32))
    y = torch.from_numpy(targets[known])
    counted = np.bincount(targets[known], minlength=labels)
    start = np.log((counted + 0.5) / (counted.sum() + 0.5 * labels))
    prior = torch.zeros((1, labels)) if offset is None else torch.from_numpy(offset[known].astype(np.float32))
    weight = torch.ones(len(known)) if row_weights is None else torch.from_numpy(row_weights[known].astype(np.float32))
    weights = torch.zeros((x.shape[1], labels), requires_grad=True)
    first = torch.from_numpy((start if offset is None else np.zeros(labels)).astype(np.float32))
    bias = first.clone().requires_grad_(True)
    solver = torch.optim.LBFGS(
        [weights, bias], max_iter=ITERATIONS, history_size=10, line_search_fn="strong_wolfe", tolerance_change=1e-7
    )

    def loss() -> torch.Tensor:
        solver.zero_grad()
        errors = torch.nn.functional.cross_entropy(x @ weights + bias + prior, y, reduction="none")
        # The bias is held too, gently: a label without rows would run off to minus infinity.
        total = (weight * errors).sum() + penalty / 2 * (weights**2).sum() + 0.01 / 2 * ((bias - first) ** 2).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    if len(known):
        solver.step(loss)  # type: ignore[no-untyped-call]
    return weights.detach().numpy(), bias.detach().numpy()


def row_weights(targets: Ints, labels: int, weighting: str) -> Floats:
    """A weight for each row: none, or balanced (1/rows of its label), or the square root of that; mean 1."""
    if weighting == "none":
        return np.ones(len(targets))
    counted = np.bincount(targets[targets >= 0], minlength=labels).clip(min=1)
    each = (1.0 / counted if weighting == "balanced" else 1.0 / np.sqrt(counted))[np.maximum(targets, 0)]
    known = targets >= 0
    weights: Floats = each / (each[known].mean() if known.any() else 1.0)
    return weights
