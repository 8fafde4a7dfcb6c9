"""Figures of a classifier from its out-of-fold scores, one head at a time; pure functions.

In: truth of shape (n,), scores of shape (n, labels), bootstrap weights of shape (resamples, n).
Out: accuracy, macro-F1, weighted F1, top-3 with 95 % intervals; paired differences; calibration,
risk and coverage from confidences.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.results import interval
from models.classifier.labels import Ints
from training.classifier.calibrate import fit_scaling, fit_threshold
from training.evaluate.metrics import BINS, expected_calibration_error, reliability

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]

FIGURES = ("accuracy", "macro_f1", "weighted_f1", "top3")


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


def estimates(truth: Ints, scores: Floats, weights: Floats) -> dict[str, Estimate]:
    """The four figures over rows with a known label."""
    values = weighted_figures(truth, scores, np.ones((1, len(truth)), dtype=np.float32))
    resampled = weighted_figures(truth, scores, weights)
    return {name: Estimate(float(values[name][0]), *interval(resampled[name]), resampled[name]) for name in FIGURES}


def difference(ours: Estimate, rival: Estimate) -> Estimate:
    """Ours minus the rival's, paired by row: both come from the same resamples."""
    resamples = ours.resamples - rival.resamples
    return Estimate(ours.value - rival.value, *interval(resamples), resamples)


def weighted_figures(truth: Ints, scores: Floats, weights: Floats) -> dict[str, Floats]:
    """Each figure for each weighting of the rows, shape (resamples,).

    F1 is averaged over the labels that are true of some row with a weight.
    """
    labels = np.arange(scores.shape[1])
    best = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    correct = best[:, 0] == truth
    of_truth = (truth[:, None] == labels).astype(np.float32)
    support = weights @ of_truth
    hits = (weights * correct) @ of_truth
    given = weights @ (best[:, :1] == labels).astype(np.float32)
    f1 = 2 * hits / np.maximum(support + given, 1)
    rows = support.sum(axis=1)
    return {
        "accuracy": hits.sum(axis=1) / rows,
        "macro_f1": (f1 * (support > 0)).sum(axis=1) / (support > 0).sum(axis=1),
        "weighted_f1": (f1 * support).sum(axis=1) / rows,
        "top3": weights @ (best == truth[:, None]).any(axis=1).astype(np.float32) / rows,
    }


def confidences(scores: Floats, probabilities: bool) -> Floats:
    """The best label's probability; for scores of another kind, its lead over the second."""
    falling = -np.sort(-scores, axis=1)
    return falling[:, 0] if probabilities or scores.shape[1] < 2 else falling[:, 0] - falling[:, 1]


def calibration_figures(confidence: Floats, correct: Bools, bins: int = BINS) -> dict[str, object]:
    """Expected calibration error, Brier score, and the reliability diagram over equal-mass bins."""
    return {
        "ece": expected_calibration_error(confidence, correct, bins),
        "brier": float(((confidence - correct) ** 2).mean()),
        "reliability": reliability(confidence, correct, bins).to_dict("records"),
    }


def rescaled(confidence: Floats, correct: Bools, folds: Ints) -> Floats:
    """Confidences of each fold, scaled (`training.classifier.calibrate.fit_scaling`) by what the other folds show."""
    out = np.zeros(len(confidence))
    for fold in np.unique(folds):
        here = folds == fold
        out[here] = fit_scaling(confidence[~here], correct[~here]).scale(confidence[here])
    return out


@dataclass(frozen=True)
class Promise:
    """A precision promised on other folds: what came of it. `precision` is None where nothing was routed."""

    promised: float
    precision: float | None
    coverage: float
    rows: int


def coverage_at_precision(confidence: Floats, correct: Bools, folds: Ints, promised: float = 0.95) -> Promise:
    """Coverage at a promised precision; each fold's threshold is fitted on the other folds.

    Args:
        confidence: pooled out-of-fold confidences, shape (n,).
        correct: whether the label was right, shape (n,).
        folds: the fold that each row was tested in, shape (n,).
        promised: the precision that the thresholds are fitted to.
    """
    routed = np.zeros(len(confidence), dtype=bool)
    for fold in np.unique(folds):
        here = folds == fold
        threshold = fit_threshold(confidence[~here], correct[~here], promised).value
        routed[here] = confidence[here] >= threshold
    routed_rows = int(routed.sum())
    return Promise(
        promised, float(correct[routed].mean()) if routed_rows else None, routed_rows / len(routed), routed_rows
    )


def risk_coverage(confidence: Floats, correct: Bools, steps: int = 20) -> list[dict[str, float]]:
    """The share of errors among the most confident rows, at `steps` even coverages up to all rows."""
    falling = correct[np.argsort(-confidence, kind="stable")]
    errors = np.cumsum(~falling) / np.arange(1, len(falling) + 1)
    counts = np.maximum(1, np.round(np.linspace(0, 1, steps + 1)[1:] * len(falling)).astype(int))
    return [{"coverage": count / len(falling), "risk": float(errors[count - 1])} for count in counts]
