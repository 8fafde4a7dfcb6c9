"""Labels that are likely wrong: what a model that has not seen the row finds hard to believe.

In: labelled rows. Out: of each head the suspects, the least believable first. Probabilities are out of fold and
calibrated, of a naive Bayes on n-grams (Rennie et al. 2003) and, for topics and agencies, on each other: where only one
of the two is wrong, the other knows. A label is a suspect where it is half as likely as one drawn at random. That finds
as many flipped labels as the thresholds of confident learning (Northcutt et al. 2021), which take every ambiguous topic
for an error, and far fewer right ones (docs/experiments.md). Labels of few rows are not judged: nobody could tell them
from mistakes.
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
LEAST_BELIEVABLE = 0.5
"""Below this multiple of chance (one in as many labels as there are) a label is a suspect: probabilities that are
calibrated on rows with errors leave a wrong label its share of them, spread over all labels."""
SMOOTHING = 0.03
"""Added to every count of an n-gram in a label (docs/experiments.md)."""
EVIDENCE = {"topic": "agency", "agency": "topic"}
"""Which other label of a row is read when one is judged; a sector follows from its topic."""
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
class Believed:
    """Of one head: positions of the rows that are judged, how likely their own label is, and which one is likeliest.

    `labels` is how many there are to choose from.
    """

    rows: Ints
    own: Floats
    likely: tuple[str, ...]
    labels: int


@dataclass(frozen=True)
class WrongLabels:
    """What was found, head by head, the least believable first."""

    figures: Mapping[str, WrongFigures]
    suspects: tuple[Suspect, ...]

    def findings(self, rows: pd.DataFrame) -> list[Finding]:
        """The suspects of a frame by their complaints' sources and ids."""
        sources, ids = rows["source"].tolist(), rows["id"].tolist()
        why = "a model that has not seen it finds the label hard to believe"
        return [
            Finding("likely_wrong", sources[s.row], ids[s.row], s.head, s.given, s.likely, round(s.confidence, 5), why)
            for s in self.suspects
        ]


def find_wrong_labels(rows: pd.DataFrame, least: float = LEAST_BELIEVABLE) -> WrongLabels:
    """Judge the labels of a frame; columns used: `text, municipality, sector, topic, agency`."""
    figures: dict[str, WrongFigures] = {}
    suspects: list[Suspect] = []
    for head, believed in how_believable(rows).items():
        names = rows[head].tolist()
        order = np.argsort(believed.own, kind="stable")
        of_head = [
            Suspect(row, head, names[row], believed.likely[place], float(believed.own[place]))
            for place, row in zip(order.tolist(), believed.rows[order].tolist(), strict=True)
            if believed.labels * believed.own[place] < least and believed.likely[place] != names[row]
        ]
        figures[head] = WrongFigures(len(believed.rows), len(of_head))
        suspects += of_head
    return WrongLabels(figures, tuple(suspects))


def how_believable(rows: pd.DataFrame) -> dict[str, Believed]:
    """Of each head how believable its labels are; columns as in `find_wrong_labels`."""
    from scipy.sparse import hstack

    nothing = Believed(np.array([], dtype=np.int64), np.array([]), (), 0)
    if len(rows) < MIN_ROWS:
        return dict.fromkeys(LABELS, nothing)
    vectors = _vectors(_texts_with_places(rows))
    folds = draw_folds(text_keys(rows["text"]), seed=0)
    believed = {}
    for head in LABELS:
        names, targets = _targets(rows[head])
        judged = np.flatnonzero(targets >= 0)
        if len(names) < 2:
            believed[head] = nothing
            continue
        evidence = [_one_hot(_targets(rows[EVIDENCE[head]])[1])] if head in EVIDENCE else []
        of_head = hstack([vectors, *evidence]).tocsr()
        probabilities = np.exp(out_of_fold_log_probabilities(of_head, targets, len(names), folds)[judged])
        likely = tuple(names[label] for label in probabilities.argmax(axis=1).tolist())
        believed[head] = Believed(judged, probabilities[np.arange(len(judged)), targets[judged]], likely, len(names))
    return believed


@dataclass(frozen=True)
class Spoken:
    """Of one head what earlier rows say of all rows.

    Attributes:
        judged: rows whose label the earlier rows know well enough, and whose topic they know at all, shape (n,).
        otherwise: of these, the rows of which they say another label, shape (n,); none is judged by itself.
        said: the label that they say of each row, judged or not, shape (n,); None where they say nothing.
    """

    judged: npt.NDArray[np.bool_]
    otherwise: npt.NDArray[np.bool_]
    said: npt.NDArray[np.object_]


def what_earlier_rows_say(rows: pd.DataFrame, new: npt.NDArray[np.bool_]) -> dict[str, Spoken]:
    """Earlier rows judge each other out of fold, and the `new` rows (shape (n,)) all together, by text and place.

    Of an agency that answers in one district alone the text tells nothing, and the place nearly all. What a topic that
    nobody has met yet looks like, the other topics of its sector and its agency do not tell.
    """
    met = (rows["topic"].isna() | rows["topic"].isin(rows["topic"][~new])).to_numpy()
    vectors, folds = _vectors(_texts_with_places(rows)), draw_folds(text_keys(rows["text"]), seed=0)
    spoken = {}
    for head in LABELS:
        names, _ = _targets(rows[head][~new])
        places = {name: place for place, name in enumerate(names)}
        targets = np.array([places.get(name, -1) for name in rows[head]], dtype=np.int64)
        said = np.full(len(rows), -1, dtype=np.int64)
        if len(names) > 1:
            earlier = np.where(new, -1, targets)
            said[~new] = out_of_fold_log_probabilities(vectors, earlier, len(names), folds).argmax(axis=1)[~new]
            weights, bias = _naive_bayes(vectors[earlier >= 0], earlier[earlier >= 0], len(names))
            said[new] = np.asarray(vectors[new] @ weights + bias).argmax(axis=1)
        judged = (targets >= 0) & (said >= 0) & met
        spoken[head] = Spoken(judged, judged & (said != targets), np.array([*names, None], dtype=object)[said])
    return spoken


def _texts_with_places(rows: pd.DataFrame) -> list[str]:
    """What the models read of each row."""
    municipalities = rows["municipality"].astype(object).where(rows["municipality"].notna(), None)
    return [model_input(text, place) for text, place in zip(rows["text"], municipalities, strict=True)]


def _targets(labels: "pd.Series[str]") -> tuple[list[str], Ints]:
    """Labels that have enough rows, and each row's position among them; below 0 where it has none."""
    counts = labels.value_counts()
    names = sorted(str(name) for name in counts.index[counts >= RARE_ROWS])
    places = {name: place for place, name in enumerate(names)}
    return names, np.array([places.get(name, -1) for name in labels], dtype=np.int64)


def _one_hot(targets: Ints) -> Any:
    """A column a label, shape (n, labels); zeros for rows without one."""
    from scipy.sparse import csr_matrix

    rows = np.flatnonzero(targets >= 0)
    ones = np.ones(len(rows), dtype=np.float32)
    return csr_matrix((ones, (rows, targets[rows])), shape=(len(targets), int(targets.max(initial=0)) + 1))


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
