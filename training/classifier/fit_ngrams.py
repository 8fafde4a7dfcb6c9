"""Fitting the lexical half: linear maps on n-grams, alone or side by side with the encoder's features.

In: normalised texts, label indices and, if wanted, features of the texts, shape (n, width). Out: an `NgramModel` and
the weights on the features. Up to 4,000 texts the heads are multinomial regressions, solved exactly in the span of the
texts: penalised weights are always a combination of the texts' vectors (the representer theorem; Schölkopf et al.
2001). That costs the cube of the texts, so beyond them each label is a linear SVM against the rest (liblinear; Fan et
al. 2008): linear in the texts, all of which are read, and as right on 28,000 (docs/experiments.md). Its scores are no
log-probabilities before held-out rows have scaled them (`training/classifier/evidence.py`).
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
"""That are solved in their span: the Gram matrix takes 128 MB then, and a minute."""
MOST_WEIGHTS = 60_000_000
"""Of all heads together: 240 MB. With more labels the n-grams of the fewest texts are left out."""
SVM_C = 0.5
"""What the rivals' linear SVM has too (`training/evaluate/tfidf_svm.py`)."""
TOLERANCE = 0.1
"""liblinear's own. By scikit-learn's 0.0001 the fit takes nearly twice as long, and two of a thousand answers differ
(docs/experiments.md)."""
FOLDS = 5
UNSEEN = -2.0
"""Score of a label without a row: an SVM gives those that it is sure of -1 and less."""
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
    features: Floats | None = None,
    row_weights: Mapping[str, Floats] | None = None,
    tell: Tell = quiet,
) -> LinearMaps:
    """Learn the n-grams and a linear map a head; rows with target -100 do not teach that head."""
    most_terms = max(1, MOST_WEIGHTS // sum(label_counts.values()))
    space, ngrams = NgramSpace.fit(Counted(texts, "n-grams of text", tell), most_terms)
    dense = np.zeros((len(texts), 0), dtype=np.float32) if features is None else features.astype(np.float32)
    vectors = Vectors(ngrams, dense)
    weights_of_rows = row_weights or dict.fromkeys(HEADS, np.ones(len(texts)))
    fit = _in_span if len(texts) <= MOST_TEXTS else _one_against_rest
    fitted = fit(vectors, targets, label_counts, weights_of_rows, tell)
    weights = {head: of_head.on_terms for head, of_head in fitted.items()}
    bias = {head: of_head.bias for head, of_head in fitted.items()}
    return LinearMaps(NgramModel(space, weights, bias), {head: fitted[head].on_features for head in HEADS})


@dataclass(frozen=True)
class HeadMap:
    """One head: weights of shapes (terms, labels) and (width, labels), a bias of shape (labels,)."""

    on_terms: Floats
    on_features: Floats
    bias: Floats


def _in_span(
    vectors: Vectors,
    targets: Mapping[str, Ints],
    label_counts: Mapping[str, int],
    row_weights: Mapping[str, Floats],
    tell: Tell,
) -> dict[str, HeadMap]:
    """Multinomial regressions in the span of the texts."""
    count = vectors.ngrams.shape[0]
    tell(f"span of {count} texts")
    span = Span(vectors)
    blocks = Counted(range(0, count, BLOCK), "coordinates, block", tell)
    coordinates = np.concatenate([span.coordinates(vectors[start : start + BLOCK]) for start in blocks])
    fitted = {}
    for head in HEADS:
        of_head = fit_regression(
            coordinates,
            targets[head],
            label_counts[head],
            PENALTY,
            row_weights=row_weights[head],
            tell=within(tell, head),
        )
        fitted[head] = HeadMap(*span.on_terms_and_features(of_head.weights), of_head.bias)
    return fitted


def _one_against_rest(
    vectors: Vectors,
    targets: Mapping[str, Ints],
    label_counts: Mapping[str, int],
    row_weights: Mapping[str, Floats],
    tell: Tell,
) -> dict[str, HeadMap]:
    """Linear SVMs, the heads in processes of their own.

    liblinear computes on one core, and all threads of a process share its random numbers: side by side in one process
    no fit would come out the same twice.
    """
    from joblib import Parallel, cpu_count, delayed
    from scipy.sparse import csr_matrix, hstack

    both = hstack([vectors.ngrams, csr_matrix(vectors.features)]).tocsr().astype(np.float64)
    terms = vectors.ngrams.shape[1]
    costliest_first = sorted(HEADS, key=lambda head: -label_counts[head])
    at_work = Parallel(n_jobs=min(len(HEADS), cpu_count()), return_as="generator", idle_worker_timeout=1)
    fits = at_work(
        delayed(_svm)(both, targets[head], label_counts[head], row_weights[head]) for head in costliest_first
    )
    fitted = {}
    for number, head in enumerate(costliest_first, 1):
        tell(f"{head}, {label_counts[head]} labels against the rest, head {number} of {len(HEADS)}")
        weights, bias = next(fits)
        fitted[head] = HeadMap(weights[:terms], weights[terms:], bias)
    return {head: fitted[head] for head in HEADS}


def _svm(vectors: Any, targets: Ints, labels: int, row_weights: Floats) -> tuple[Floats, Floats]:
    """Weights of shape (columns, labels) and a bias; a label without a row is the least likely of all."""
    from sklearn.svm import LinearSVC

    labelled = np.flatnonzero(targets >= 0)
    seen = np.unique(targets[labelled])
    weights = np.zeros((vectors.shape[1], labels), dtype=np.float32)
    bias = np.full(labels, UNSEEN, dtype=np.float32)
    if len(seen) == 1:
        bias[seen] = -UNSEEN
    if len(seen) > 1:
        machine = LinearSVC(C=SVM_C, tol=TOLERANCE, random_state=0)
        machine.fit(vectors[labelled], targets[labelled], sample_weight=row_weights[labelled])
        coefficients, intercepts = machine.coef_.astype(np.float32), machine.intercept_.astype(np.float32)
        if len(seen) == 2:  # one machine tells two labels apart
            coefficients, intercepts = np.vstack([-coefficients, coefficients]), np.append(-intercepts, intercepts)
        weights[:, seen], bias[seen] = coefficients.T, intercepts
    return weights, bias


def scores_out_of_fold(
    texts: Sequence[str],
    asked: Sequence[Sequence[str]],
    targets: Mapping[str, Ints],
    label_counts: Mapping[str, int],
    folds: Ints,
    held_out: Sequence[int],
    tell: Tell = quiet,
) -> list[dict[str, Floats]]:
    """Scores of the rows of the folds `held_out`, by n-grams fitted on the `texts` of the other folds.

    One mapping for each wording in `asked`, n texts each: shape (n, labels of the head), zeros for rows of other folds.
    """
    scores = [{head: np.zeros((len(texts), label_counts[head]), dtype=np.float32) for head in HEADS} for _ in asked]
    for place, fold in enumerate(held_out, 1):
        taught, rest = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        maps = fit_maps(
            [texts[row] for row in taught.tolist()],
            {head: target[taught] for head, target in targets.items()},
            label_counts,
            tell=within(tell, f"fold {place} of {len(held_out)}"),
        )
        for of_wording, wording in zip(scores, asked, strict=True):
            for head, logits in maps.ngrams.logits([wording[row] for row in rest.tolist()]).items():
                of_wording[head][rest] = logits
    return scores


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
