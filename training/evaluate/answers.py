"""What a classifier answers to rows, before it is judged: labels, confidences, decisions.

In: a `Classifier` and logits of rows, shape (n, labels of the head). Out: `Answers`, which can be put together of parts
that different calibrations gave.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.classifier.classifier import Classifier
from models.classifier.decoding import Floats, JointDecoder
from models.classifier.labels import HEADS, Ints
from models.classifier.routing import Classification


@dataclass(frozen=True)
class Answers:
    """Answers to n rows.

    Attributes:
        scores: confidence of each label of each head, shape (n, labels of the head).
        predicted: the labels given, shape (n,).
        plain_predicted: what they were if nothing had been fitted to rows held out.
        plain_confidence: of those, shape (n,).
        decisions: as the service gives them.
    """

    scores: Mapping[str, Floats]
    predicted: Mapping[str, Ints]
    plain_predicted: Mapping[str, Ints]
    plain_confidence: Mapping[str, Floats]
    decisions: list[Classification]

    @property
    def routed(self) -> npt.NDArray[np.bool_]:
        """Which rows go out without an operator, shape (n,)."""
        return np.array([item.decision == "route" for item in self.decisions], dtype=bool)

    @property
    def confidence(self) -> dict[str, Floats]:
        """Of the labels given, shape (n,)."""
        rows = np.arange(len(self.decisions))
        return {head: self.scores[head][rows, self.predicted[head]] for head in HEADS}


def answers_of(classifier: Classifier, logits: Mapping[str, Floats], rows: pd.DataFrame) -> Answers:
    """Joint decoding and routing of logits that are there already."""
    texts, places = rows["text"].tolist(), classifier.catalogue.municipality_ids(rows["municipality"])
    decoder = classifier.decoder
    joint = decoder.joint(logits, places)
    plain = JointDecoder(classifier.bundle.labels, classifier.catalogue)
    plain_joint = plain.joint(logits, places)
    plain_best = dict(zip(HEADS, plain.best(plain_joint).T, strict=True))
    every = np.arange(len(rows))
    return Answers(
        scores={head: decoder.confidences(joint, head) for head in HEADS},
        predicted=dict(zip(HEADS, decoder.best(joint).T, strict=True)),
        plain_predicted=plain_best,
        plain_confidence={head: plain.marginal(plain_joint, head)[every, plain_best[head]] for head in HEADS},
        decisions=classifier.decisions(logits, texts, places),
    )


def put_together(parts: Sequence[tuple[Ints, Answers]]) -> Answers:
    """Answers to all rows, of parts with the positions of their rows."""
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))
    decisions = [decision for _, part in parts for decision in part.decisions]

    def of_heads(name: str) -> dict[str, npt.NDArray[np.generic]]:
        return {head: np.concatenate([getattr(part, name)[head] for _, part in parts])[order] for head in HEADS}

    arrays = {name: of_heads(name) for name in ("scores", "predicted", "plain_predicted", "plain_confidence")}
    return Answers(**arrays, decisions=[decisions[row] for row in order.tolist()])  # type: ignore[arg-type]
