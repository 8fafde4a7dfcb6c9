"""A new region that has labelled a few complaints of each topic, and what is got right with them.

In: the region's complaints. Out: draws: which rows may teach, in which order, and which judge; figures of predictions.
Every row of every topic counts: a topic keeps at least half of its rows for judging, so one with a single row is
judged and never taught. All numbers of rows a topic are judged on the same rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.results import interval

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
Labels = npt.NDArray[np.object_]

ROWS_A_TOPIC = (0, 1, 2, 4, 8)
MOST_ROWS = max(ROWS_A_TOPIC)
JUDGES = -1


@dataclass(frozen=True)
class Draw:
    """One way to draw the rows.

    Attributes:
        rank: of each row, its place among the rows of its topic that teach, `JUDGES` for those that judge.
    """

    rank: Ints

    def taught(self, rows_a_topic: int) -> Ints:
        """Positions of the rows that teach; of a topic with few rows, fewer."""
        return np.flatnonzero((self.rank >= 0) & (self.rank < rows_a_topic))

    @property
    def judged(self) -> Ints:
        """Positions of the rows that judge."""
        return np.flatnonzero(self.rank == JUDGES)


def draw(topics: Labels, seed: int) -> Draw:
    """Draw up to eight rows of each topic, at most half of them."""
    rank = np.full(len(topics), JUDGES, dtype=np.int64)
    order = np.random.default_rng(seed).permutation(len(topics))
    by_topic = pd.Series(order).groupby(topics[order]).indices
    for places in by_topic.values():
        count = min(MOST_ROWS, len(places) // 2)
        rank[order[places[:count]]] = np.arange(count)
    return Draw(rank)


@dataclass(frozen=True)
class Right:
    """How often each row was got right over the draws in which it judged.

    Attributes:
        right, judged: counts, shape (rows,).
    """

    right: Floats
    judged: Floats

    @property
    def share(self) -> float:
        """Accuracy over all draws."""
        return float(self.right.sum() / self.judged.sum())

    def shares(self, weights: Floats) -> Floats:
        """The accuracy in bootstrap resamples; weights have shape (resamples, rows)."""
        shares: Floats = (weights @ self.right) / (weights @ self.judged)
        return shares


def count_right(draws: Sequence[Draw], predicted: Sequence[Labels], truth: Labels) -> Right:
    """Compare predictions, shape (judged rows of the draw,), with true labels, shape (rows,)."""
    right, judged = np.zeros(len(truth)), np.zeros(len(truth))
    for each, labels in zip(draws, predicted, strict=True):
        rows = each.judged
        judged[rows] += 1
        right[rows] += labels == truth[rows]
    return Right(right, judged)


def difference(first: Right, second: Right, weights: Floats) -> dict[str, float]:
    """By how much the first is right more often than the second, with the 95 % interval, paired by row."""
    low, high = interval(first.shares(weights) - second.shares(weights))
    return {"difference": first.share - second.share, "low": low, "high": high}


def sectors_of(topics: Labels, frame: pd.DataFrame) -> Labels:
    """The sector of each predicted topic."""
    sector: Mapping[str, str] = dict(zip(frame["topic"], frame["sector"], strict=True))
    return np.array([sector[topic] for topic in topics], dtype=object)
