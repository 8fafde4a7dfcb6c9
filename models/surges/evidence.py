"""Evidence of surges: one score for every day and series.

In: counts and their `Baseline`. Out: `Evidence`, whose `score` is the larger of two. *Accumulated evidence*, a scan
statistic: the largest sum, over windows of 2 to `window_days` days that end on the day, of log-likelihood ratios of
the negative binomial at `SURGE_RATIO` times the expectation against the expectation itself (the CUSUM of Höhle & Paul
2008 with a finite memory). And the *predictive tail*: −log10 of the chance of so high a total of the last 1 to
`window_days` days, times a weight. The decision worth knowing: each day's ratio is capped, because real complaints
have far more wild days than any negative binomial, and what lasts is a surge; how far the tail may be trusted is
learned from the counts' own past (`thresholds.py`), little where it is wild, much where it is calm.

Two things are no evidence: what the other sectors do on the same day (`common_factor.py`), and backlogs typed in on
one day (`bulk_entry.py`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecasting.distribution import NEARLY_POISSON, SMALLEST_MEAN
from models.forecasting.series import keys_of
from models.surges.baseline import Baseline
from models.surges.bulk_entry import bulk_entry
from models.surges.common_factor import common_factor

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SURGE_RATIO = 1.75
"""The surge that the likelihood ratio looks for: between the 1.5 and the 2 times that matter in practice."""
CAP, FLOOR = 1.5, -0.5
"""A day's log-likelihood ratio at most and at least (a day off inside a surge must not end it)."""
SHORTEST = 2
"""Days of the shortest window that is summed."""
DISPERSION_SHARE = 0.2
"""How much of a day's dispersion enters the ratio: its wild days are tamed by the cap already."""
SMALLEST_DISPERSION = 1e-3
"""Below, a count is as good as Poisson; nothing is divided by zero."""
LEAST_MEAN = 0.1
"""Where less than one complaint in ten days is usual, a single one is no evidence."""
WORTH_A_TAIL = 3.0
"""Tails are computed of totals so many Poisson standard deviations above the usual; the others say nothing."""
SMALLEST_TAIL = 1e-300
"""Near the smallest that a double holds: its logarithm stays finite."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for surges, days × series.

    Attributes:
        scan: accumulated evidence on each day, from that day and those before it.
        ratios: each day's capped log-likelihood ratio, 0 where nothing was observed.
        tail: −log10 of the least probable total that ends on the day.
        tail_days: of how many days that total is.
        counts: as they were judged: NaN where nothing was observed, or bulk entry was left out.
        means: the expectations, with the common factor.
        bulk: days that look like bulk entry and were left out.
    """

    scan: Floats
    ratios: Floats
    tail: Floats
    tail_days: Ints
    counts: Floats
    means: Floats
    bulk: Bools

    def score(self, tail_weight: float) -> Floats:
        """The evidence of each day, days × series; 0 without observations."""
        return np.maximum(self.scan, tail_weight * self.tail)


def surge_evidence(counts: pd.DataFrame, baseline: Baseline, window_days: int) -> Evidence:
    """The evidence in a panel.

    Args:
        counts: days × series, sums among them or not; NaN where nothing was observed.
        baseline: of the same days and series.
        window_days: days of the longest window.
    """
    keys = keys_of(counts)
    count, mean, daily, weekly = (
        panel.to_numpy(dtype=np.float64) for panel in (counts, baseline.means, baseline.daily, baseline.weekly)
    )
    bulk = bulk_entry(count, mean, keys)
    count = np.where(bulk, np.nan, count)
    mean = mean * common_factor(count, mean, daily, keys)

    observed = np.isfinite(count) & np.isfinite(mean)
    y = np.where(observed, count, 0.0)
    mu = np.where(observed, np.maximum(mean, LEAST_MEAN), 0.0)
    ratios = np.zeros(y.shape)
    dispersion = np.maximum(DISPERSION_SHARE * daily[observed], SMALLEST_DISPERSION)
    ratios[observed] = np.clip(log_likelihood_ratio(y[observed], mu[observed], dispersion), FLOOR, CAP)
    tail, tail_days = _tails(_Days(y, mu, observed, daily, weekly), window_days)
    return Evidence(scan_statistic(ratios, window_days), ratios, tail, tail_days, count, mean, bulk)


def log_likelihood_ratio(count: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Log-likelihood of a count at `SURGE_RATIO` times its mean, less that at the mean (negative binomial)."""
    usual, surge = 1 + dispersion * mean, 1 + dispersion * SURGE_RATIO * mean
    return np.asarray(count * np.log(SURGE_RATIO * usual / surge) - np.log(surge / usual) / dispersion)


def scan_statistic(ratios: Floats, longest: int) -> Floats:
    """The largest sum over windows that end on each day; windows are cut at the first day."""
    lengths = range(min(SHORTEST, longest), longest + 1)
    sums = [trailing_sum(ratios, length) for length in lengths]
    return np.asarray(np.maximum(np.max(sums, axis=0), 0.0), dtype=np.float64)


def log_tail(count: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """−log10 of the probability of `count` or more; 0 up to the mean."""
    from scipy.special import betainc

    tail = np.zeros(count.shape)
    above = np.nonzero(count > mean)
    size = 1 / np.maximum(dispersion[above], NEARLY_POISSON)
    mu = np.maximum(mean[above], SMALLEST_MEAN)
    probability = betainc(np.maximum(count[above], 1.0), size, mu / (size + mu))
    tail[above] = -np.log10(np.maximum(probability, SMALLEST_TAIL))
    return tail


@dataclass(frozen=True)
class _Days:
    """Counts and means, 0 where not observed, and dispersions of days and weeks; days × series."""

    counts: Floats
    means: Floats
    observed: Bools
    daily: Floats
    weekly: Floats


def _tails(days: _Days, longest: int) -> tuple[Floats, Ints]:
    """−log10 of the chance of the least probable total of the last 1 to `longest` days, and of how many days it is."""
    tail, tail_days = np.zeros(days.counts.shape), np.ones(days.counts.shape, dtype=np.int64)
    log_daily = np.log(np.maximum(days.daily, NEARLY_POISSON))
    log_weekly = np.log(np.maximum(days.weekly, NEARLY_POISSON))
    for length in range(1, longest + 1):
        total, usual = trailing_sum(days.counts, length), trailing_sum(days.means, length)
        observed_days = np.maximum(trailing_sum(days.observed.astype(np.float64), length), 1)
        worth = days.observed & (total > usual + WORTH_A_TAIL * np.sqrt(usual))
        # The dispersion of a total, as in `window_dispersion`: between that of a day and that of a week.
        share = np.minimum(np.log(observed_days[worth]) / np.log(7), 1.0)
        dispersion = np.exp((1 - share) * log_daily[worth] + share * log_weekly[worth])
        of_length = np.zeros(tail.shape)
        of_length[worth] = log_tail(total[worth], usual[worth], dispersion)
        better = of_length > tail
        tail[better], tail_days[better] = of_length[better], length
    return tail, tail_days


def trailing_sum(values: Floats, days: int) -> Floats:
    """Sums over the `days` days that end on each day."""
    total = np.cumsum(values, axis=0)
    return np.concatenate([total[:days], total[days:] - total[:-days]])
