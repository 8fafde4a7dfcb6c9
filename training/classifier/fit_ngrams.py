"""Fitting the lexical half: linear maps on n-grams, alone or side by side with the encoder's features.

In: normalised texts, label indices and, if wanted, features of the texts, shape (n, width). Out: an `NgramModel` and
the weights on the features. N-grams are many and texts are few, and penalised weights are always a combination of the
training texts' vectors (the representer theorem; Schölkopf et al. 2001): the regression is solved in the span of the
texts, at most 4,000 of them, and carried back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular

from models.classifier.labels import HEADS, Ints
from models.classifier.ngrams import NgramModel, NgramSpace
from training.classifier.regression import fit_regression
from training.long_step import Counted, Tell, quiet, within

Floats = npt.NDArray[np.floating]
PENALTY = 0.1
"""C = 10 of a logistic regression: TF-IDF vectors are short, and rare n-grams hold each other down."""
MOST_TEXTS = 4000
"""Of the span: its Gram matrix takes 128 MB then; more texts are still learnt from, in the span of these."""
FOLDS = 5
JITTER = 1e-5
"""Added to the diagonal, for texts that are equal."""
BLOCK = 1000
"""Rows whose coordinates are computed at once: between two of them, a sign of life."""


@dataclass(frozen=True)
class Vectors:
    """N-grams (sparse, of shape (n, terms)) and features (of shape (n, width)) of the same n texts."""

    ngrams: Any
    features: Floats

    def __getitem__(self, rows: Ints | slice) -> "Vectors":
        """Some of the texts."""
        return Vectors(self.ngrams[rows], self.features[rows])

    def products(self, others: "Vectors", kind: type[np.floating] = np.float32) -> Floats:
        """The inner product of each text with each of the others, shape (n, others)."""
        of_ngrams = (self.ngrams.astype(kind) @ others.ngrams.T).toarray()
        products: Floats = of_ngrams + self.features.astype(kind) @ others.features.T
        return products


class Span:
    """An orthonormal basis of the space that the vectors of some texts span (Cholesky of their Gram matrix)."""

    def __init__(self, vectors: Vectors) -> None:
        self.vectors = vectors
        gram = vectors.products(vectors, np.float64)
        self._root = cholesky(gram + JITTER * np.eye(len(gram)), lower=True)

    def coordinates(self, vectors: Vectors) -> Floats:
        """Coordinates of texts in the basis, shape (n, texts of the span)."""
        products = vectors.products(self.vectors).astype(np.float64)
        coordinates: Floats = solve_triangular(self._root, products.T, lower=True).T
        return coordinates

    def on_terms_and_features(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weights on the coordinates as weights on the n-grams (terms, labels) and the features (width, labels)."""
        on_texts = solve_triangular(self._root, weights.astype(np.float64), lower=True, trans="T").astype(np.float32)
        return np.asarray(self.vectors.ngrams.T @ on_texts), self.vectors.features.T @ on_texts


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
    tell: Tell = quiet,
) -> LinearMaps:
    """Learn the n-grams and one regression a head; rows with target -100 do not teach that head."""
    space, ngrams = NgramSpace.fit(Counted(texts, "n-grams of text", tell))
    dense = np.zeros((len(texts), 0), dtype=np.float32) if features is None else features.astype(np.float32)
    vectors = Vectors(ngrams, dense)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(texts))[:MOST_TEXTS])
    tell(f"span of {len(drawn)} texts")
    span = Span(vectors[drawn])
    blocks = Counted(range(0, len(texts), BLOCK), "coordinates, block", tell)
    coordinates = np.concatenate([span.coordinates(vectors[start : start + BLOCK]) for start in blocks])
    weights, bias, on_features = {}, {}, {}
    for head in HEADS:
        of_head = fit_regression(
            coordinates,
            targets[head],
            label_counts[head],
            PENALTY,
            row_weights=None if row_weights is None else row_weights[head],
            tell=within(tell, head),
        )
        weights[head], on_features[head] = span.on_terms_and_features(of_head.weights)
        bias[head] = of_head.bias
    return LinearMaps(NgramModel(space, weights, bias), on_features)


def out_of_fold(
    texts: Sequence[str],
    targets: Mapping[str, Ints],
    label_counts: Mapping[str, int],
    seed: int,
    folds: npt.NDArray[np.int64],
    tell: Tell = quiet,
) -> dict[str, Floats]:
    """Log-probabilities of each row by n-grams fitted without its fold, shape (n, labels of the head)."""
    log_probabilities = {head: np.zeros((len(texts), label_counts[head]), dtype=np.float32) for head in HEADS}
    numbers = np.unique(folds).tolist()
    for fold in numbers:
        taught, held_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        maps = fit_maps(
            [texts[row] for row in taught.tolist()],
            {head: target[taught] for head, target in targets.items()},
            label_counts,
            seed,
            tell=within(tell, f"fold {fold + 1} of {len(numbers)}"),
        )
        for head, logits in maps.ngrams.logits([texts[row] for row in held_out.tolist()]).items():
            log_probabilities[head][held_out] = logits
    return log_probabilities


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
