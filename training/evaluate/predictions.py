"""What a classifier answers to rows, before it is judged: labels, confidences, decisions.

In: a `Classifier` and logits of rows, shape (n, labels of the head). Out: `Predictions`, which can be put together of
parts that different calibrations gave.
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
from training.evaluate.routed import Bools, routed_at


@dataclass(frozen=True)
class Predictions:
    """Predictions to n rows.

    Attributes:
        scores: confidence of each label of each head, shape (n, labels of the head).
        predicted: the labels given, shape (n,).
        plain_predicted: what they were if nothing had been fitted to rows held out.
        plain_confidence: of those, shape (n,).
        decisions: as the service gives them.
        promises: which rows would go out at each precision whose threshold is known, shape (n,).
    """

    scores: Mapping[str, Floats]
    predicted: Mapping[str, Ints]
    plain_predicted: Mapping[str, Ints]
    plain_confidence: Mapping[str, Floats]
    decisions: list[Classification]
    promises: Mapping[float, Bools]

    @property
    def routed(self) -> Bools:
        """Which rows go out without an operator, shape (n,)."""
        return np.array([item.decision == "route" for item in self.decisions], dtype=bool)

    @property
    def confidence(self) -> dict[str, Floats]:
        """Of the labels given, shape (n,)."""
        rows = np.arange(len(self.decisions))
        return {head: self.scores[head][rows, self.predicted[head]] for head in HEADS}


def predictions_of(classifier: Classifier, logits: Mapping[str, Floats], rows: pd.DataFrame) -> Predictions:
    """Joint decoding and routing of logits that are there already."""
    texts, places = rows["text"].tolist(), classifier.catalogue.municipality_ids(rows["municipality"])
    decoder = classifier.decoder
    joint = decoder.joint(logits, places)
    plain = JointDecoder(classifier.bundle.labels, classifier.catalogue)
    plain_joint = plain.joint(logits, places)
    plain_best = dict(zip(HEADS, plain.best(plain_joint).T, strict=True))
    every = np.arange(len(rows))
    decisions = classifier.decisions(logits, texts, places)
    thresholds = classifier.bundle.calibration.thresholds
    return Predictions(
        scores={head: decoder.confidences(joint, head) for head in HEADS},
        predicted=dict(zip(HEADS, decoder.best(joint).T, strict=True)),
        plain_predicted=plain_best,
        plain_confidence={head: plain.marginal(plain_joint, head)[every, plain_best[head]] for head in HEADS},
        decisions=decisions,
        promises={promise: routed_at(decisions, threshold) for promise, threshold in thresholds.items()},
    )


def put_together(parts: Sequence[tuple[Ints, Predictions]]) -> Predictions:
    """Those of all rows, of parts with the positions of their rows."""
    order = np.argsort(np.concatenate([rows for rows, _ in parts]))
    decisions = [decision for _, part in parts for decision in part.decisions]

    def of_heads(name: str) -> dict[str, npt.NDArray[np.generic]]:
        return {head: np.concatenate([getattr(part, name)[head] for _, part in parts])[order] for head in HEADS}

    arrays = {name: of_heads(name) for name in ("scores", "predicted", "plain_predicted", "plain_confidence")}
    promised = {
        promise: np.concatenate([part.promises[promise] for _, part in parts])[order]
        for promise in parts[0][1].promises
    }
    in_order = [decisions[row] for row in order.tolist()]
    return Predictions(**arrays, decisions=in_order, promises=promised)  # type: ignore[arg-type]
