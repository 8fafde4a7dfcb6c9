"""Evidence of surges: one score for every day and series.

In: counts and their `Baseline`. Out: `Evidence`, whose `score` is the larger of two, as in a combined
Shewhart–CUSUM scheme (Morais & Pacheco 2006). *What lasts*, a scan statistic: the largest sum, over windows of 2 to
`window_days` days that end on the day, of log-likelihood ratios of the negative binomial at `SURGE_RATIO` times the
expectation against the expectation itself (the CUSUM of Höhle & Paul 2008 with a finite memory). *What is sudden*: the
day's own ratio, times a weight that is learned with the threshold (`thresholds.py`). The decision worth knowing: real
complaints have far more wild days than any negative binomial, so a day's ratio is capped in the sum, counts by its
logarithm where it stands alone, and all evidence of a series is measured against how wild its own past is
(`wildness.py`).

Two things are no evidence: what the other sectors do on the same day (`common_factor.py`), and backlogs typed in on
one day (`bulk_entry.py`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecasting.series import keys_of
from models.surges.baseline import Baseline
from models.surges.bulk_entry import bulk_entry
from models.surges.common_factor import common_factor
from models.surges.wildness import rolling_wildness

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SURGE_RATIO = 1.75
"""The surge that the likelihood ratio looks for: between the 1.5 and the 2 times that matter in practice."""
CAP, FLOOR = 2.5, -0.5
"""A day's log-likelihood ratio in the sum, at most and at least (a day off inside a surge must not end it)."""
SUDDEN_FROM = 1.5
"""A day that stands alone: beyond so much its ratio counts by its logarithm. At strict rates lone days are then left to
the sum, where they find little."""
SHORTEST = 2
"""Days of the shortest window that is summed."""
DISPERSION_SHARE = 0.2
"""How much of a day's dispersion enters the ratio: its wild days are tamed by the cap already."""
SMALLEST_DISPERSION = 1e-3
"""Below, a count is as good as Poisson; nothing is divided by zero."""
LEAST_MEAN = 0.1
"""Where less than one complaint in ten days is usual, a single one is no evidence."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for surges, days × series; all evidence is over the series' wildness.

    Attributes:
        scan: accumulated evidence on each day, from that day and those before it.
        ratios: each day's capped log-likelihood ratio, 0 where nothing was observed.
        sudden: the evidence of each day alone, 0 up to its expectation.
        counts: as they were judged: NaN where nothing was observed, or bulk entry was left out.
        means: the expectations, with the common factor.
        usual: the larger of the expectations with and without it: a series is no surge for not falling with the others.
        bulk: days that look like bulk entry and were left out.
        wildness: how wild each series' past was, as known at the end; a value a series.
    """

    scan: Floats
    ratios: Floats
    sudden: Floats
    counts: Floats
    means: Floats
    usual: Floats
    bulk: Bools
    wildness: Floats

    def score(self, day_weight: float) -> Floats:
        """The evidence of each day, days × series; 0 without observations."""
        return np.maximum(self.scan, day_weight * self.sudden)


def surge_evidence(
    counts: pd.DataFrame, baseline: Baseline, window_days: int, wildness: Floats | None = None
) -> Evidence:
    """The evidence in a panel.

    Args:
        counts: days × series, sums among them or not; NaN where nothing was observed.
        baseline: of the same days and series.
        window_days: days of the longest window.
        wildness: of each series; None: learned from the days before each one.
    """
    keys = keys_of(counts)
    count, mean, daily = (panel.to_numpy(dtype=np.float64) for panel in (counts, baseline.means, baseline.daily))
    bulk = bulk_entry(count, mean, keys)
    count = np.where(bulk, np.nan, count)
    factored = mean * common_factor(count, mean, daily, keys)

    observed = np.isfinite(count) & np.isfinite(factored)
    ratios = np.zeros(count.shape)
    dispersion = np.maximum(DISPERSION_SHARE * daily[observed], SMALLEST_DISPERSION)
    ratios[observed] = log_likelihood_ratio(count[observed], np.maximum(factored[observed], LEAST_MEAN), dispersion)
    capped = np.clip(ratios, FLOOR, CAP)
    scale = rolling_wildness(scan_statistic(capped, window_days)) if wildness is None else wildness
    capped = capped / scale
    return Evidence(
        scan=scan_statistic(capped, window_days),
        ratios=capped,
        sudden=sudden_evidence(ratios) / scale,
        counts=count,
        means=factored,
        usual=np.fmax(mean, factored),
        bulk=bulk,
        wildness=np.atleast_2d(scale)[-1],
    )


def log_likelihood_ratio(count: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Log-likelihood of a count at `SURGE_RATIO` times its mean, less that at the mean (negative binomial)."""
    usual, surge = 1 + dispersion * mean, 1 + dispersion * SURGE_RATIO * mean
    return np.asarray(count * np.log(SURGE_RATIO * usual / surge) - np.log(surge / usual) / dispersion)


def scan_statistic(ratios: Floats, longest: int) -> Floats:
    """The largest sum over windows that end on each day; windows are cut at the first day."""
    lengths = range(min(SHORTEST, longest), longest + 1)
    sums = [trailing_sum(ratios, length) for length in lengths]
    return np.asarray(np.maximum(np.max(sums, axis=0), 0.0), dtype=np.float64)


def sudden_evidence(ratios: Floats) -> Floats:
    """What each day says alone: its ratio, from `SUDDEN_FROM` on by its logarithm; at least 0."""
    beyond = np.log(np.maximum(ratios, SUDDEN_FROM) / SUDDEN_FROM)
    return np.asarray(np.clip(ratios, 0.0, SUDDEN_FROM) + SUDDEN_FROM * beyond)


def trailing_sum(values: Floats, days: int) -> Floats:
    """Sums over the `days` days that end on each day."""
    total = np.cumsum(values, axis=0)
    return np.concatenate([total[:days], total[days:] - total[:-days]])
