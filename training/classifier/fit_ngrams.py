"""Fitting the lexical half: linear maps on n-grams, alone or side by side with the encoder's features.

In: normalised texts, label indices and, if wanted, features of the texts, shape (n, width). Out: an
`NgramModel` and the weights on the features. The regression is solved in the span of the texts (at
most 4,000 of them, drawn by seed), for n-grams are many and texts are few: the answer is the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.progress import track

from models.classifier.labels import HEADS, Ints
from models.classifier.ngrams import NgramModel, NgramSpace
from training.classifier.regression import fit_regression

Floats = npt.NDArray[np.floating]
PENALTY = 0.1
MOST_TEXTS = 4000
FOLDS = 5
JITTER = 1e-5
"""Added to the diagonal, for texts that are equal."""


@dataclass(frozen=True)
class LinearMaps:
    """What was fitted; `dense` is of shape (width, labels) a head, zeros where there were no features."""

    ngrams: NgramModel
    dense: Mapping[str, Floats]


def fit_maps(
    texts: Sequence[str],
    targets: Mapping[str, Ints],
    label_counts: Mapping[str, int],
    seed: int,
    features: Floats | None = None,
    row_weights: Mapping[str, Floats] | None = None,
) -> LinearMaps:
    """Learn the n-grams and one regression a head; rows with target -100 do not teach that head."""
    from scipy.linalg import cholesky, solve_triangular

    space, vectors = NgramSpace.fit(texts)
    dense = np.zeros((len(texts), 0), dtype=np.float32) if features is None else features.astype(np.float32)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(texts))[:MOST_TEXTS])
    span, dense_span = vectors[drawn], dense[drawn]
    gram = (span.astype(np.float64) @ span.T).toarray() + dense_span.astype(np.float64) @ dense_span.T
    root = cholesky(gram + JITTER * np.eye(len(drawn)), lower=True)
    products = (vectors @ span.T).toarray() + dense @ dense_span.T
    coordinates = solve_triangular(root, products.T.astype(np.float64), lower=True).T
    weights, bias, on_features = {}, {}, {}
    for head in HEADS:
        rows = None if row_weights is None else row_weights[head]
        found, bias[head] = fit_regression(coordinates, targets[head], label_counts[head], PENALTY, rows)
        spread = solve_triangular(root, found.astype(np.float64), lower=True, trans="T").astype(np.float32)
        weights[head] = np.asarray(span.T @ spread)
        on_features[head] = dense_span.T @ spread
    return LinearMaps(NgramModel(space, weights, bias), on_features)


def out_of_fold(
    texts: Sequence[str],
    targets: Mapping[str, Ints],
    label_counts: Mapping[str, int],
    seed: int,
    folds: npt.NDArray[np.int64],
) -> dict[str, Floats]:
    """Log-probabilities of each row by n-grams fitted without its fold, shape (n, labels of the head)."""
    out = {head: np.zeros((len(texts), label_counts[head]), dtype=np.float32) for head in HEADS}
    for fold in track(np.unique(folds), description="fitting the n-grams fold by fold", transient=True):
        train, rest = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        part = {head: target[train] for head, target in targets.items()}
        maps = fit_maps([texts[int(i)] for i in train], part, label_counts, seed)
        for head, logits in maps.ngrams.logits([texts[int(i)] for i in rest]).items():
            out[head][rest] = logits
    return out


def draw_folds(groups: npt.NDArray[np.generic], seed: int, folds: int = FOLDS) -> npt.NDArray[np.int64]:
    """The fold of each row, shape (n,); rows of one group share one."""
    from sklearn.model_selection import GroupKFold

    out = np.zeros(len(groups), dtype=np.int64)
    for fold, (_, rest) in enumerate(GroupKFold(folds, shuffle=True, random_state=seed).split(groups, groups=groups)):
        out[rest] = fold
    return out


def silent(model: NgramModel) -> NgramModel:
    """The same n-grams without a say: the network alone decides."""
    weights = {head: np.zeros_like(weight) for head, weight in model.weights.items()}
    return NgramModel(model.space, weights, {head: np.zeros_like(bias) for head, bias in model.bias.items()})
