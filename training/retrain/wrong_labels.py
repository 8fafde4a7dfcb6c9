"""Labels that are likely wrong: what a model that has not seen the row finds hard to believe.

In: labelled rows. Out: of each head the suspects, the least believable first. Probabilities are out of fold, of a
naive Bayes on n-grams (Rennie et al. 2003), a few seconds in ten thousand rows. Which rows are suspects says confident
learning (Northcutt et al. 2021): those that the model confidently takes for another label, by a threshold of each
label's own. Labels of few rows are neither judged nor suspected: nobody could tell them from mistakes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import log_softmax

from data.complaints.schema import LABELS
from models.classifier.labels import RARE_ROWS, Ints
from models.text.model_input import model_input
from training.classifier.fit_ngrams import FOLDS, draw_folds
from training.classifier.splits import MIN_ROWS, text_keys
from training.retrain.findings import Finding

Floats = npt.NDArray[np.floating]
SMOOTHING = 0.01
"""Added to every count of an n-gram in a label (measured: docs/experiments.md)."""
LOWEST, HIGHEST = -5.0, 3.0
"""Bounds of the logarithm of what scores are multiplied by: n-grams overlap, so naive Bayes is too sure of itself."""
READ = 5000
"""Rows that the factor is fitted to."""


@dataclass(frozen=True)
class Suspect:
    """A label that is likely wrong: the row's position, what it says, what is likelier, how likely the given one is."""

    row: int
    head: str
    given: str
    likely: str
    confidence: float


@dataclass(frozen=True)
class WrongFigures:
    """Of one head: labels that were judged, and those that are suspects."""

    judged: int
    suspects: int


@dataclass(frozen=True)
class WrongLabels:
    """What was found, head by head, the least believable first."""

    figures: Mapping[str, WrongFigures]
    suspects: tuple[Suspect, ...]

    def findings(self, rows: pd.DataFrame) -> list[Finding]:
        """The suspects of a frame by their complaints' sources and ids."""
        sources, ids = rows["source"].tolist(), rows["id"].tolist()
        why = "a model that has not seen it is confident of another label"
        return [
            Finding("likely_wrong", sources[s.row], ids[s.row], s.head, s.given, s.likely, round(s.confidence, 4), why)
            for s in self.suspects
        ]


def find_wrong_labels(rows: pd.DataFrame) -> WrongLabels:
    """Judge the labels of a frame; columns used: `text, municipality, sector, topic, agency`."""
    if len(rows) < MIN_ROWS:
        return WrongLabels({head: WrongFigures(0, 0) for head in LABELS}, ())
    municipalities = rows["municipality"].astype(object).where(rows["municipality"].notna(), None)
    vectors = _vectors([model_input(text, place) for text, place in zip(rows["text"], municipalities, strict=True)])
    folds = draw_folds(text_keys(rows["text"]), seed=0)
    figures: dict[str, WrongFigures] = {}
    suspects: list[Suspect] = []
    for head in LABELS:
        counts = rows[head].value_counts()
        names = sorted(str(name) for name in counts.index[counts >= RARE_ROWS])
        places = {name: place for place, name in enumerate(names)}
        targets: Ints = np.array([places.get(name, -1) for name in rows[head]], dtype=np.int64)
        judged = np.flatnonzero(targets >= 0)
        figures[head] = WrongFigures(len(judged), 0)
        if len(names) < 2:
            continue
        probabilities = np.exp(out_of_fold_log_probabilities(vectors, targets, len(names), folds))
        wrong, likely = confident_errors(probabilities[judged], targets[judged])
        figures[head] = WrongFigures(len(judged), len(wrong))
        suspects += [
            Suspect(row, head, names[targets[row]], names[other], float(probabilities[row, targets[row]]))
            for row, other in zip(judged[wrong].tolist(), likely.tolist(), strict=True)
        ]
    return WrongLabels(figures, tuple(suspects))


def _vectors(texts: Sequence[str]) -> Any:
    """Sparse TF-IDF of words and of letters, shape (n, terms); no label is looked at."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=2)
    return hstack([words.fit_transform(texts), letters.fit_transform(texts)]).tocsr().astype(np.float32)


def out_of_fold_log_probabilities(vectors: Any, targets: Ints, labels: int, folds: Ints) -> Floats:
    """Log-probabilities, shape (n, labels), of each row by the rows of other folds; targets below 0 teach nothing."""
    scores = np.zeros((len(targets), labels), dtype=np.float32)
    for fold in range(FOLDS):
        taught, rest = np.flatnonzero((folds != fold) & (targets >= 0)), np.flatnonzero(folds == fold)
        weights, bias = _naive_bayes(vectors[taught], targets[taught], labels)
        scores[rest] = vectors[rest] @ weights + bias
    return np.asarray(log_softmax(_factor(scores, targets) * scores, axis=1))


def _naive_bayes(vectors: Any, targets: Ints, labels: int) -> tuple[Floats, Floats]:
    """Log-likelihoods of the terms, shape (terms, labels), and of the labels themselves."""
    from scipy.sparse import csr_matrix

    rows = len(targets)
    one_hot = csr_matrix((np.ones(rows, dtype=np.float32), (targets, np.arange(rows))), shape=(labels, rows))
    counts = (one_hot @ vectors).toarray() + SMOOTHING
    prior = np.maximum(np.bincount(targets, minlength=labels), 0.5) / rows
    return (np.log(counts) - np.log(counts.sum(axis=1, keepdims=True))).T, np.log(prior)


def _factor(scores: Floats, targets: Ints) -> float:
    """By what the scores are to be multiplied, so that the labels given have the highest likelihood."""
    from scipy.optimize import minimize_scalar

    known = np.flatnonzero(targets >= 0)
    rows = known[:: max(1, len(known) // READ)]

    def loss(logarithm: float) -> float:
        return -float(log_softmax(np.exp(logarithm) * scores[rows], axis=1)[np.arange(len(rows)), targets[rows]].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(LOWEST, HIGHEST), method="bounded").x))


def confident_errors(probabilities: Floats, targets: Ints) -> tuple[Ints, Ints]:
    """Rows that are confidently another label, the least believable first, and which one each is likelier to be.

    `probabilities` are of rows held out, shape (n, labels). A row is confidently of a label if its probability is at
    least the mean one of the rows that have this label; of several such labels the most probable one counts.
    """
    rows, labels = probabilities.shape
    own = probabilities[np.arange(rows), targets]
    counts = np.bincount(targets, minlength=labels)
    thresholds = np.bincount(targets, weights=own, minlength=labels) / np.maximum(counts, 1)
    thresholds[counts == 0] = np.inf
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    likely = confident.argmax(axis=1)
    wrong = np.flatnonzero((confident.max(axis=1) >= 0) & (likely != targets))
    order = wrong[np.argsort(own[wrong], kind="stable")]
    return order, likely[order]
