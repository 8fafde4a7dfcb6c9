"""Answers: what one model said of the test rows, by the names of labels, so that models of different labels compare.

In: an `Evaluation`, or names and confidences from elsewhere. Out: an `Answers`. An old model's topics are said under
today's names; what it calls a topic that has been split or retired since is no answer to a row of today.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data.catalogue.migrations import Migration, migrated
from data.complaints.schema import LABELS

if TYPE_CHECKING:
    from training.evaluate.evaluate import Evaluation

Names = npt.NDArray[np.object_]
Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]
NOTHING = ""
"""Said where a model has no answer."""


@dataclass(frozen=True)
class Answers:
    """One model on n rows; mappings are by head.

    Attributes:
        predicted: names of labels, shape (n,).
        confidence: of these, shape (n,).
        routed: what goes out without an operator, shape (n,).
        seconds: a complaint takes to be answered; None where nobody measured.
        agreement: share of the answers that int8 leaves as they are; empty where fp32 serves.
    """

    predicted: Mapping[str, Names]
    confidence: Mapping[str, Floats]
    routed: Bools
    seconds: float | None = None
    agreement: Mapping[str, float] = field(default_factory=dict)

    def at(self, rows: npt.NDArray[np.intp]) -> "Answers":
        """What it said of the rows at these positions."""
        return replace(
            self,
            predicted={head: names[rows] for head, names in self.predicted.items()},
            confidence={head: values[rows] for head, values in self.confidence.items()},
            routed=self.routed[rows],
        )

    def right(self, truth: Mapping[str, Names], head: str) -> Floats:
        """1 where the answer is right, 0 where it is wrong, NaN where the row has no such label."""
        labelled = np.array([label is not None for label in truth[head]], dtype=bool)
        return np.where(labelled, self.predicted[head] == truth[head], np.nan)


def answers_of(
    evaluation: "Evaluation",
    migrations: Sequence[Migration] = (),
    seconds: float | None = None,
    agreement: Mapping[str, float] | None = None,
) -> Answers:
    """What an evaluated model said, under the names that the catalogue has today.

    Raises:
        ValueError: the evaluation has no routing decisions.
    """
    if evaluation.routed is None:
        raise ValueError("the evaluation has no routing decisions")
    names = {head: np.array([*evaluation.labels.names[head], NOTHING], dtype=object) for head in LABELS}
    predicted = {head: names[head][evaluation.predicted[head]] for head in LABELS}
    confidence = {head: np.asarray(evaluation.confidence[head]) for head in LABELS}
    return Answers(in_todays_names(predicted, migrations), confidence, evaluation.routed, seconds, agreement or {})


def in_todays_names(predicted: Mapping[str, Names], migrations: Sequence[Migration]) -> dict[str, Names]:
    """Sectors and topics through the catalogue's migrations (in order), agencies as they are."""
    if not migrations:
        return dict(predicted)
    pairs = list(zip(predicted["sector"], predicted["topic"], strict=True))
    now = {pair: migrated(migrations, *pair, labelled=date.min) for pair in set(pairs)}
    sectors = np.array([now[pair].sector or NOTHING for pair in pairs], dtype=object)
    topics = np.array([now[pair].topic or NOTHING for pair in pairs], dtype=object)
    return {**predicted, "sector": sectors, "topic": topics}
