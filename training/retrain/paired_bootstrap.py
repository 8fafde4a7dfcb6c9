"""Paired bootstrap: how much two models differ on the same rows, and how far chance alone could have moved that.

In: a difference as a function of the rows' weights, for many resamples at once. Out: the difference on the rows as they
are, a 95 % interval, and how often a resample finds no loss. Both models are resampled together, so what makes a row
hard for both cancels out (Efron & Tibshirani 1993; Koehn 2004).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
RESAMPLES = 2000
"""The smallest p is then 0.0005: a hundred slices can still be told apart from chance after Holm's correction."""
_WEIGHTS = 4_000_000
"""Weights that are multiplied at once: 16 MB."""
Difference = Callable[[Floats], Floats]
"""From weights of the rows, shape (resamples, n), to the challenger's figure less the champion's, (resamples,)."""


@dataclass(frozen=True)
class Compared:
    """Challenger less champion.

    Attributes:
        rows: that were compared.
        difference: on the rows as they are.
        low, high: 95 % interval.
        p_no_loss: share of resamples in which the challenger is not below the champion; small where it is worse.
    """

    rows: int
    difference: float
    low: float
    high: float
    p_no_loss: float

    @property
    def is_worse(self) -> bool:
        """Whether the interval lies below zero."""
        return self.high < 0

    def __str__(self) -> str:
        """As in a report: points and their interval."""
        return f"{100 * self.difference:+.1f} ({100 * self.low:+.1f} … {100 * self.high:+.1f})"


class Resamples:
    """How often each of n rows is drawn in each resample; drawn once, for all that is compared on these rows."""

    def __init__(self, rows: int, seed: int = 0, resamples: int = RESAMPLES) -> None:
        rng = np.random.default_rng(seed)
        self._rows = rows
        self._weights = np.empty((resamples, rows), dtype=np.uint8)  # a row is drawn 255 times once in 10^500 resamples
        for place in range(resamples):
            self._weights[place] = np.bincount(rng.integers(0, rows, rows), minlength=rows)

    def compare(self, difference: Difference, among: npt.NDArray[np.intp] | None = None) -> Compared:
        """The difference on all rows, or on those `among` them that its arrays are of."""
        chosen = np.arange(self._rows) if among is None else among
        block = max(1, _WEIGHTS // len(chosen))
        drawn = [
            difference(self._weights[start : start + block][:, chosen].astype(np.float32))
            for start in range(0, len(self._weights), block)
        ]
        differences = np.concatenate(drawn)
        low, high = np.quantile(differences, [0.025, 0.975])
        no_loss = (1 + np.count_nonzero(differences >= 0)) / (1 + len(differences))
        whole = float(difference(np.ones((1, len(chosen))))[0])
        return Compared(len(chosen), whole, float(low), float(high), float(no_loss))


def no_loss_by_signs(challenger: Floats, champion: Floats, seed: int = 0) -> float:
    """One-sided p that figures a row, shape (n,), are lower on the whole by chance, which drew the sign of each gain.

    Exact where a slice has few rows that differ (Fisher 1935): of d rows that all lost it is 1 / 2^d, where the share
    of bootstrap resamples without a loss would be about 1 / e^d.
    """
    gain = (challenger - champion)[challenger != champion].astype(np.float64)
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (RESAMPLES, len(gain)))
    as_low = np.count_nonzero(signs @ np.abs(gain) <= gain.sum() + 1e-9)
    return float((1 + as_low) / (1 + RESAMPLES))


def mean_difference(challenger: Floats, champion: Floats) -> Difference:
    """Of the means of two figures a row, shape (n,)."""
    gain = challenger.astype(np.float32) - champion.astype(np.float32)
    return lambda weights: weights @ gain / np.maximum(weights.sum(axis=1), 1)


def wape_difference(challenger: Floats, champion: Floats, counts: Floats) -> Difference:
    """Of the WAPEs, Σerror / Σcount, champion less challenger: below zero where the challenger's is larger.

    Sums of absolute errors and of counts, shape (n,).
    """
    gain, whole = champion.astype(np.float32) - challenger.astype(np.float32), counts.astype(np.float32)
    return lambda weights: weights @ gain / np.maximum(weights @ whole, 1)


def macro_f1_difference(
    truth: npt.NDArray[np.int64], challenger: npt.NDArray[np.int64], champion: npt.NDArray[np.int64]
) -> Difference:
    """Of the macro-F1 over the labels of `truth`; indices of labels, shape (n,), below 0 where none was given."""
    labels = np.unique(truth)
    true = (truth[:, None] == labels).astype(np.float32)

    def macro_f1(weights: Floats, said: Floats) -> Floats:
        hits, present, given = weights @ (true * said), weights @ true, weights @ said
        f1 = 2 * hits / np.maximum(present + given, 1e-12)
        return np.asarray((f1 * (present > 0)).sum(axis=1) / np.maximum((present > 0).sum(axis=1), 1))

    one, other = ((said[:, None] == labels).astype(np.float32) for said in (challenger, champion))
    return lambda weights: macro_f1(weights, one) - macro_f1(weights, other)


def calibration_difference(
    challenger: tuple[Floats, Floats], champion: tuple[Floats, Floats], bins: int = 15
) -> Difference:
    """Of the expected calibration errors, champion less challenger: below zero where the challenger's is larger.

    Each model as its confidences and whether they came true, shape (n,); bins hold equally many rows.
    """

    def error(confidence: Floats, right: Floats) -> Difference:
        place = np.argsort(np.argsort(confidence, kind="stable"), kind="stable") * bins // max(len(confidence), 1)
        gaps = ((place[:, None] == np.arange(bins)) * (confidence - right)[:, None]).astype(np.float32)
        return lambda weights: np.abs(weights @ gaps).sum(axis=1) / np.maximum(weights.sum(axis=1), 1)

    one, other = error(*challenger), error(*champion)
    return lambda weights: other(weights) - one(weights)


def miss_difference(challenger: Floats, champion: Floats, whole: Floats, target: float) -> Difference:
    """Of how far two shares, Σfigure / Σwhole, lie off a target: below zero where the challenger's lies further off."""

    def miss(hits: Floats) -> Difference:
        return lambda weights: np.abs(weights @ hits.astype(np.float32) / np.maximum(weights @ of_all, 1) - target)

    of_all = whole.astype(np.float32)
    one, other = miss(challenger), miss(champion)
    return lambda weights: other(weights) - one(weights)


def worse_after_holm(p_values: list[float], level: float) -> list[int]:
    """Places of the p-values that stay below the level after Holm's correction, the smallest first."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    worse: list[int] = []
    for rank, place in enumerate(order):
        if p_values[place] * (len(p_values) - rank) > level:
            break
        worse.append(place)
    return worse
