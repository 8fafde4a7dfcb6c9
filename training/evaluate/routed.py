"""What is routed without an operator: how much of all, and how often its labels are right.

In: which rows are routed, which labels are right, which are known. Out: `RoutedFigures`. A row whose true agency nobody
knows yet counts in the coverage and has no say in the precision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.classifier.routing import Classification

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RoutedFigures:
    """Shares in [0, 1]; None where no routed row has the label.

    Attributes:
        rows: how many are routed.
        coverage: share of all rows that is routed.
        agency: share of the routed ones whose agency is right.
        topic: share whose topic is right, which the deadline follows from.
        both: share in which both are right.
        sure: share of the routed ones whose topic is told as sure.
        sure_topic: share of those whose topic is right.
    """

    rows: int
    coverage: float
    agency: float | None
    topic: float | None
    both: float | None
    sure: float | None = None
    sure_topic: float | None = None

    @property
    def with_topics(self) -> str:
        """How often the topic is right, for a sentence about the agency; nothing where no topic is known."""
        if self.topic is None or self.both is None:
            return ""
        told = f", the topic in {self.topic:.1%}, both in {self.both:.1%}"
        if self.sure is None or self.sure_topic is None:
            return told
        return f"{told}; the topic is told as sure in {self.sure:.1%}, and right in {self.sure_topic:.1%} of these"


def routed_figures(
    routed: Bools, right: Mapping[str, Bools], labelled: Mapping[str, Bools], topic_sure: Bools | None = None
) -> RoutedFigures:
    """Figures of what is routed; all arrays of shape (n,), `right` and `labelled` by head."""
    both = labelled["agency"] & labelled["topic"]

    def share(correct: Bools, among: Bools) -> float | None:
        chosen = routed & among
        return float(correct[chosen].mean()) if chosen.any() else None

    return RoutedFigures(
        rows=int(routed.sum()),
        coverage=float(routed.mean()) if len(routed) else 0.0,
        agency=share(right["agency"], labelled["agency"]),
        topic=share(right["topic"], labelled["topic"]),
        both=share(right["agency"] & right["topic"], both),
        sure=None if topic_sure is None else share(topic_sure, np.ones_like(routed)),
        sure_topic=None if topic_sure is None else share(right["topic"], labelled["topic"] & topic_sure),
    )


def routed_at(decisions: Sequence[Classification], threshold: float) -> Bools:
    """Which rows would go out at another threshold on the agency's confidence: those with no other reason."""
    return np.array(
        [item.agency.confidence >= threshold and set(item.reasons) <= {"low_confidence"} for item in decisions],
        dtype=bool,
    )


def sure_topics(decisions: Sequence[Classification]) -> Bools:
    """Whose topic is told as sure."""
    return np.array([item.topic_sure for item in decisions], dtype=bool)
