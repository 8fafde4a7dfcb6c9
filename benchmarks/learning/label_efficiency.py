"""Which labels teach most: rows chosen by margin, as `tsur suggest-labels` chooses, against rows drawn at random.

In: vectors and topics of a corpus. Out: macro-F1 on rows kept back by the number of labelled rows, for both ways to
choose, and how many rows each needs for a share of what all of them give. After every round the head is fitted anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.results import interval
from benchmarks.vector_classifier import Floats, Head

Ints = npt.NDArray[np.int64]
Names = npt.NDArray[np.object_]
KEPT_BACK = 0.3
FIRST = 60
"""Rows that are labelled to begin with, drawn at random."""
GROWTH = 1.2
"""By how much a round makes the labelled rows more."""
ENOUGH = 0.95
"""Share of the macro-F1 of all rows that is asked for."""
RANDOM, MARGIN = "at random", "by margin"


@dataclass(frozen=True)
class Curve:
    """Macro-F1 by labelled rows, both of shape (rounds,)."""

    rows: Sequence[int]
    macro_f1: Sequence[float]

    def rows_for(self, enough: float) -> float:
        """How many rows are needed for a macro-F1: where the curve first reaches it, interpolated."""
        for place, value in enumerate(self.macro_f1):
            if value >= enough:
                if place == 0:
                    return float(self.rows[0])
                before = self.macro_f1[place - 1]
                share = (enough - before) / (value - before)
                return self.rows[place - 1] + share * (self.rows[place] - self.rows[place - 1])
        return float(self.rows[-1])


def sizes(pool: int) -> list[int]:
    """How many rows are labelled after each round; all of them at last."""
    out = [min(FIRST, pool)]
    while out[-1] < pool:
        out.append(min(pool, int(np.ceil(out[-1] * GROWTH))))
    return out


def curves(vectors: Floats, topics: Names, seed: int) -> dict[str, Curve]:
    """The curve of each way to choose; both begin with the same rows and end with all of them."""
    order = np.random.default_rng(seed).permutation(len(topics))
    kept_back, pool = np.split(order, [round(KEPT_BACK * len(order))])
    steps = sizes(len(pool))
    begun = [_score(vectors, topics, pool[: steps[0]], kept_back)]
    whole = _score(vectors, topics, pool, kept_back)
    out = {}
    for way in (RANDOM, MARGIN):
        labelled, rest = pool[: steps[0]], pool[steps[0] :]  # both in the order of the draw
        scores = [*begun]
        for step in steps[1:-1]:
            if way == MARGIN:
                head = Head.fit(vectors[labelled], topics[labelled])
                rest = rest[np.argsort(margins(head.probabilities(vectors[rest])), kind="stable")]
            more = step - len(labelled)
            labelled, rest = np.concatenate([labelled, rest[:more]]), rest[more:]
            scores.append(_score(vectors, topics, labelled, kept_back))
        out[way] = Curve(steps, [*scores, whole])
    return out


def margins(probabilities: Floats) -> Floats:
    """How much likelier the likeliest topic is than the next one, shape (rows,)."""
    two = np.partition(probabilities, -2, axis=1)[:, -2:]
    distance: Floats = two[:, 1] - two[:, 0]
    return distance


def _score(vectors: Floats, topics: Names, labelled: Ints, kept_back: Ints) -> float:
    """Macro-F1 over the topics of the rows kept back; one that nobody has labelled is never right."""
    from sklearn.metrics import f1_score

    said = Head.fit(vectors[labelled], topics[labelled]).predicted(vectors[kept_back])
    truth = topics[kept_back]
    return float(f1_score(truth, said, labels=np.unique(truth), average="macro", zero_division=0))


def figures(vectors: Floats, topics: Names, seeds: int) -> dict[str, Any]:
    """Mean curves, rows needed, and what share of random choice's rows margins need, with its interval over seeds."""
    drawn = [curves(vectors, topics, seed) for seed in range(seeds)]
    needed = {
        way: np.array([of_ways[way].rows_for(ENOUGH * of_ways[way].macro_f1[-1]) for of_ways in drawn])
        for way in (RANDOM, MARGIN)
    }
    resampled = np.random.default_rng(0).integers(0, seeds, (1000, seeds))
    shares = needed[MARGIN][resampled].mean(axis=1) / needed[RANDOM][resampled].mean(axis=1)
    return {
        "rows": len(topics),
        "seeds": seeds,
        "labelled": drawn[0][RANDOM].rows,
        "macro_f1": {way: np.mean([each[way].macro_f1 for each in drawn], axis=0).tolist() for way in needed},
        "rows_needed": {way: float(rows.mean()) for way, rows in needed.items()},
        "share": float(needed[MARGIN].mean() / needed[RANDOM].mean()),
        "interval": interval(shares),
    }
