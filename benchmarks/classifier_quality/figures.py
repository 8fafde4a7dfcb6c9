"""Figures of a classifier from what it said, one head at a time; pure functions.

In: truth of shape (n,), the labels given, the three likeliest, and bootstrap weights of shape (resamples, n). Out:
accuracy, macro-F1, top-3 with 95 % intervals, paired differences, and the figures of what is routed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.results import interval
from models.classifier.labels import Ints

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]

FIGURES = ("accuracy", "macro_f1", "top3")


@dataclass(frozen=True)
class Estimate:
    """A figure, the ends of its 95 % bootstrap interval by row, and the resamples it comes from."""

    value: float
    low: float
    high: float
    resamples: Floats

    def as_dict(self) -> dict[str, float]:
        """For the JSON."""
        return {"value": self.value, "low": self.low, "high": self.high}


def estimated(value: float, resamples: Floats) -> Estimate:
    """A figure with the interval of its resamples; those in which it is undefined (NaN) are left out."""
    defined = resamples[~np.isnan(resamples)]
    low, high = interval(defined) if len(defined) else (float("nan"), float("nan"))
    return Estimate(value, low, high, resamples)


def estimates(truth: Ints, given: Ints, likeliest: Ints, labels: int, weights: Floats) -> dict[str, Estimate]:
    """Accuracy, macro-F1 and top-3 over rows that have a label.

    Args:
        truth: true labels, shape (n,), each below `labels`.
        given: the labels given; -1 is none of them.
        likeliest: the three likeliest, shape (n, 3).
        labels: how many labels there are.
        weights: how often each row is drawn in each resample, shape (resamples, n).
    """
    values = weighted_figures(truth, given, likeliest, labels, np.ones((1, len(truth)), dtype=np.float32))
    resampled = weighted_figures(truth, given, likeliest, labels, weights)
    return {name: estimated(float(values[name][0]), resampled[name]) for name in FIGURES}


def difference(ours: Estimate, rival: Estimate) -> Estimate:
    """Ours minus the rival's, paired by row: both come from the same resamples."""
    return estimated(ours.value - rival.value, ours.resamples - rival.resamples)


def weighted_figures(truth: Ints, given: Ints, likeliest: Ints, labels: int, weights: Floats) -> dict[str, Floats]:
    """Each figure for each weighting of the rows, shape (resamples,).

    F1 is averaged over the labels that are true of some row with a weight.
    """
    names = np.arange(labels)
    of_truth = (truth[:, None] == names).astype(np.float32)
    support = weights @ of_truth
    hits = (weights * (given == truth)) @ of_truth
    answered = weights @ (given[:, None] == names).astype(np.float32)
    f1 = 2 * hits / np.maximum(support + answered, 1)
    rows = support.sum(axis=1)
    return {
        "accuracy": hits.sum(axis=1) / rows,
        "macro_f1": (f1 * (support > 0)).sum(axis=1) / (support > 0).sum(axis=1),
        "top3": weights @ (likeliest == truth[:, None]).any(axis=1).astype(np.float32) / rows,
    }


def share(among: Bools, right: Bools, weights: Floats) -> Estimate | None:
    """The share of the rows in `among` that are right; None where there is no such row."""
    if not among.any():
        return None
    rows = weights @ among.astype(np.float32)
    hits = weights @ (among & right).astype(np.float32)
    with np.errstate(invalid="ignore"):
        return estimated(float(right[among].mean()), hits / rows)


def routed_estimates(
    routed: Bools, sure: Bools, right: Mapping[str, Bools], labelled: Mapping[str, Bools], weights: Floats
) -> dict[str, Estimate | None]:
    """Coverage, and of what is routed the share whose agency, topic and both are right; arrays of shape (n,).

    `sure` are the rows whose topic is told as sure: their share of the routed ones, and how many of these topics are
    right.
    """
    every = np.ones(len(routed), dtype=bool)
    both = labelled["agency"] & labelled["topic"]
    return {
        "coverage": share(every, routed, weights),
        "agency": share(routed & labelled["agency"], right["agency"], weights),
        "topic": share(routed & labelled["topic"], right["topic"], weights),
        "both": share(routed & both, right["agency"] & right["topic"], weights),
        "sure": share(routed, sure, weights),
        "sure_topic": share(routed & sure & labelled["topic"], right["topic"], weights),
    }
