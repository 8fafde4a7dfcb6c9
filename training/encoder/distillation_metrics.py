"""How like its teacher a student is: in the vectors of the encoder, and in what comes out of the classifier.

In: two classifiers with the same labels, and labelled rows that neither has seen. Out: a `Comparison`:
figures of both, and for each head the losses, the divergence and the agreement.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.classifier.classifier import Classifier
from models.classifier.decoding import Floats
from models.classifier.labels import HEADS
from training.evaluate.evaluate import Evaluation, evaluate_classifier

LEAST = 1e-9
"""No probability counts as smaller, for its logarithm."""


@dataclass(frozen=True)
class Fidelity:
    """How close a student's encoder came on texts that it was not taught.

    Attributes:
        texts: how many there were.
        explained: share of the variance of the teacher's standardised vectors (R²).
        divergence: of each head, Kullback-Leibler from the teacher's answers to the student's, in nats.
        agreement: of each head, the share of texts to which both give the same label.
    """

    texts: int
    explained: float
    divergence: Mapping[str, float]
    agreement: Mapping[str, float]


@dataclass(frozen=True)
class HeadMetrics:
    """One head of two classifiers, as served, on the same rows.

    Attributes:
        teacher_loss: cross-entropy of the teacher's probabilities, in nats.
        student_loss: of the student's.
        divergence: Kullback-Leibler from the teacher's probabilities to the student's, in nats.
        agreement: share of rows that both give the same label.
    """

    teacher_loss: float
    student_loss: float
    divergence: float
    agreement: float


@dataclass(frozen=True)
class Comparison:
    """Teacher and student on the same rows."""

    teacher: Evaluation
    student: Evaluation
    heads: Mapping[str, HeadMetrics]


def compare(teacher: Classifier, student: Classifier, rows: pd.DataFrame) -> Comparison:
    """Measure both on labelled rows."""
    theirs, mine = evaluate_classifier(teacher, rows), evaluate_classifier(student, rows)
    chances = _probabilities(teacher, rows), _probabilities(student, rows)
    return Comparison(theirs, mine, {head: _head_metrics(head, chances, (theirs, mine)) for head in HEADS})


def _probabilities(classifier: Classifier, rows: pd.DataFrame) -> dict[str, Floats]:
    places = classifier.catalogue.municipality_ids(rows["municipality"])
    logits, _ = classifier.logits(rows["text"].tolist(), places)
    joint = classifier.decoder.joint(logits, places)
    return {head: np.maximum(classifier.decoder.marginal(joint, head), LEAST) for head in HEADS}


def _head_metrics(
    head: str, chances: tuple[Mapping[str, Floats], Mapping[str, Floats]], evaluations: tuple[Evaluation, Evaluation]
) -> HeadMetrics:
    """In both pairs the teacher is first, the student second."""
    theirs, mine = (each[head] for each in chances)
    truth = evaluations[0].targets[head]
    labelled = np.flatnonzero((truth >= 0) & (truth < theirs.shape[1]))  # none knows the others
    return HeadMetrics(
        teacher_loss=-float(np.log(theirs[labelled, truth[labelled]]).mean()),
        student_loss=-float(np.log(mine[labelled, truth[labelled]]).mean()),
        divergence=float((theirs * np.log(theirs / mine)).sum(axis=1).mean()),
        agreement=float((evaluations[0].predicted[head] == evaluations[1].predicted[head]).mean()),
    )
