"""Fitting the lexical half, and what it says of rows it was not fitted on.

In: normalised texts and label indices. Out: an `NgramModel`; for the network's training also the
out-of-fold log-probabilities of the same rows. The regression is solved in the span of the texts
(at most 4,000 of them, drawn by seed): n-grams are many, texts are few.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from rich.progress import track

from models.labels import HEADS, Ints
from models.ngrams import NgramModel, NgramSpace
from training.regression import fit_regression

Floats = npt.NDArray[np.floating]
PENALTY = 0.1
MOST_TEXTS = 4000
FOLDS = 5
SMALLEST_EIGENVALUE = 1e-6


def fit_ngrams(
    texts: Sequence[str], targets: Mapping[str, Ints], label_counts: Mapping[str, int], seed: int
) -> NgramModel:
    """Learn the n-grams and one regression a head; rows with target -100 do not teach that head."""
    space = NgramSpace.fit(texts)
    vectors = space.transform(texts)
    drawn = np.random.default_rng(seed).permutation(len(texts))[:MOST_TEXTS]
    span = vectors[np.sort(drawn)]
    values, directions = np.linalg.eigh((span @ span.T).toarray().astype(np.float64))
    kept = values > SMALLEST_EIGENVALUE * values[-1]
    basis = directions[:, kept] / np.sqrt(values[kept])
    features = (vectors @ span.T).toarray() @ basis
    weights, bias = {}, {}
    for head in HEADS:
        found, bias[head] = fit_regression(features, targets[head], label_counts[head], PENALTY)
        weights[head] = (span.T @ (basis @ found)).astype(np.float32)
    return NgramModel(space, weights, bias)


def silent(model: NgramModel) -> NgramModel:
    """The same n-grams without a say: the network alone decides."""
    weights = {head: np.zeros_like(weight) for head, weight in model.weights.items()}
    return NgramModel(model.space, weights, {head: np.zeros_like(bias) for head, bias in model.bias.items()})


def out_of_fold(
    texts: Sequence[str],
    targets: Mapping[str, Ints],
    label_counts: Mapping[str, int],
    seed: int,
    folds: npt.NDArray[np.int64],
) -> dict[str, Floats]:
    """Log-probabilities of each row by a model fitted without its fold, shape (n, labels of the head)."""
    out = {head: np.zeros((len(texts), label_counts[head]), dtype=np.float32) for head in HEADS}
    for fold in track(np.unique(folds), description="fitting the n-grams fold by fold", transient=True):
        train, rest = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        part = {head: target[train] for head, target in targets.items()}
        model = fit_ngrams([texts[int(i)] for i in train], part, label_counts, seed)
        for head, logits in model.logits([texts[int(i)] for i in rest]).items():
            out[head][rest] = logits
    return out


def draw_folds(groups: npt.NDArray[np.generic], seed: int, folds: int = FOLDS) -> npt.NDArray[np.int64]:
    """The fold of each row, shape (n,); rows of one group share one."""
    from sklearn.model_selection import GroupKFold

    out = np.zeros(len(groups), dtype=np.int64)
    for fold, (_, rest) in enumerate(GroupKFold(folds, shuffle=True, random_state=seed).split(groups, groups=groups)):
        out[rest] = fold
    return out
