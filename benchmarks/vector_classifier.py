"""A classifier of the encoder's vectors alone, fitted in seconds, for benchmarks that need a hundred of them.

In: rows with labels and their vectors (`benchmarks/frozen_vectors.py`). Out: a `VectorClassifier`. Its heads are fitted
by the product's own functions, as `tsur train classifier --set ngrams=false --set epochs=0` does, with two things left
out: the penalty is fixed, and each head answers by itself, without joint decoding. What compares two of them compares
what they were taught; the product itself, with n-grams, is more often right.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import softmax

from models.classifier.calibration import PlattScaling
from models.classifier.heads import LinearHeads
from models.classifier.labels import HEADS, LabelSpace, learn_label_space
from training.classifier.calibrate import fit_scaling, fit_threshold
from training.classifier.heads import PENALTIES, Rows, fit_stacked, moments
from training.classifier.regression import fit_regression, row_weights
from training.classifier.taught_rows import folds_of
from training.retrain.answers import Answers

Floats = npt.NDArray[np.floating]
Names = npt.NDArray[np.object_]
PENALTY = PENALTIES[0]
"""Of heads without n-grams: the weakest of those that training tries was the best on the sample."""
WEIGHTING = "sqrt"
"""As in configs/classifier.yaml."""
PROMISED = 0.95
"""As in configs/classifier.yaml."""


@dataclass(frozen=True)
class VectorClassifier:
    """Heads on vectors.

    Attributes:
        labels: that each head knows.
        heads: from vectors to logits.
        scaling: of each head's confidences.
        threshold: on the agency's confidence, from which a row is routed.
    """

    labels: LabelSpace
    heads: LinearHeads
    scaling: Mapping[str, PlattScaling]
    threshold: float

    def probabilities(self, vectors: Floats) -> dict[str, Floats]:
        """Of each head the labels' probabilities, shape (n, labels), before confidences are scaled."""
        return {head: softmax(logits, axis=1) for head, logits in self.heads.logits(vectors).items()}

    def answers(self, vectors: Floats) -> Answers:
        """What it says of rows, as the gate reads it."""
        probabilities, names = self.probabilities(vectors), self.labels.names
        predicted = {
            head: np.array(names[head], dtype=object)[each.argmax(axis=1)] for head, each in probabilities.items()
        }
        confidence = {head: self.scaling[head].scale(each.max(axis=1)) for head, each in probabilities.items()}
        return Answers(predicted, confidence, confidence["agency"] >= self.threshold)


@dataclass(frozen=True)
class Head:
    """One head alone, uncalibrated.

    Attributes:
        names: of its labels, in the order of the columns.
        weights, bias: on standardised vectors.
        mean, deviation: by which vectors are standardised.
    """

    names: Names
    weights: Floats
    bias: Floats
    mean: Floats
    deviation: Floats

    @classmethod
    def fit(cls, vectors: Floats, labels: Names, weight: Floats | None = None) -> "Head":
        """Fit on labelled rows, shape (n, hidden) and (n,); `weight` is what each counts."""
        names, targets = np.unique(labels, return_inverse=True)
        mean, deviation = moments(vectors)
        balanced = row_weights(targets, len(names), WEIGHTING) * (1.0 if weight is None else weight)
        standard = (vectors - mean) / deviation
        return cls(names, *fit_regression(standard, targets, len(names), PENALTY, balanced), mean, deviation)

    def probabilities(self, vectors: Floats) -> Floats:
        """Of the labels, shape (n, labels)."""
        of_labels: Floats = softmax((vectors - self.mean) / self.deviation @ self.weights + self.bias, axis=1)
        return of_labels

    def predicted(self, vectors: Floats) -> Names:
        """The likeliest label of each row, shape (n,)."""
        likeliest: Names = self.names[self.probabilities(vectors).argmax(axis=1)]
        return likeliest


def fit_on_vectors(frame: pd.DataFrame, vectors: Floats, seed: int = 0) -> VectorClassifier:
    """Fit on all rows; calibrate by what fits without them say of rows held out, as training holds them out.

    Columns used: `text, created_at, sector, topic, agency`.
    """
    rows, labels = _rows(frame, vectors, seed)
    held_out = np.isin(rows.folds, rows.held_out)
    unseen = {head: np.zeros((len(frame), count)) for head, count in rows.label_counts.items()}
    for fold in rows.held_out:
        here, _, features = rows.held_out_as_asked(fold)
        for head, logits in _fit(rows.part(~here)).logits(features).items():
            unseen[head][here] = softmax(logits, axis=1)
    scaling, threshold = {}, 0.0
    for head in HEADS:
        judged = held_out & (rows.targets[head] >= 0)
        said, right = (
            unseen[head][judged].max(axis=1),
            unseen[head][judged].argmax(axis=1) == rows.targets[head][judged],
        )
        scaling[head] = fit_scaling(said, right)
        if head == "agency":
            threshold = fit_threshold(scaling[head].scale(said), right, PROMISED).value
    return VectorClassifier(labels, _fit(rows), scaling, threshold)


def _rows(frame: pd.DataFrame, vectors: Floats, seed: int) -> tuple[Rows, LabelSpace]:
    labels = learn_label_space({head: frame[head].where(frame[head].notna(), None).tolist() for head in HEADS})
    folds, held_out = folds_of(frame, len(frame), seed)
    rows = Rows(
        texts=frame["text"].tolist(),
        features=vectors,
        targets=labels.targets(frame),
        label_counts=labels.counts,
        weight=np.ones(len(frame)),
        folds=folds,
        held_out=held_out,
        weighting=WEIGHTING,
    )
    return rows, labels


def _fit(rows: Rows) -> LinearHeads:
    """Heads without anything to stand on."""
    nothing = {head: np.zeros((len(rows.texts), count), dtype=np.float32) for head, count in rows.label_counts.items()}
    return fit_stacked(rows, nothing, dict.fromkeys(HEADS, PENALTY))
