"""Evidence of surges: one score for every day and series.

In: counts, what was expected of them, and dispersions, all days × series. Out: `Evidence`, whose `score`
is the larger of two. *Accumulated evidence*, a scan statistic: the largest sum, over windows of 2 to
`window_days` days that end on the day, of log-likelihood ratios of the negative binomial at `SURGE_RATIO` times
the expectation against the expectation itself (the CUSUM of Höhle & Paul 2008 with a finite memory). And
the *predictive tail*: −log10 of the chance of so high a total of the last 1 to `window_days` days, times a
weight. The decision worth knowing: each day's ratio is capped, because real complaints have far more wild days
than any negative binomial, and what lasts is a surge; how far the tail may be trusted is learned from the
counts' own past (`alarms.py`), little where it is wild, much where it is calm.

Two things are no evidence. What the other sectors do on the same day (a day off, snow, an outage of the
portal) is divided out as a common factor. And *bulk entry*, the backlog that somebody types in on one
day, is left out: see `bulk_entry`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.counts.daily import REGION
from models.forecasting.distribution import NEARLY_POISSON, SMALLEST_MEAN
from models.forecasting.series import ALL_SECTORS, SeriesKey, keys_of

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
LEAST_MEAN = 0.1
COMMON_PRIOR, COMMON_CLIP = 5.0, 1.5
"""The common factor: what a factor of 1 is worth in complaints, and how many standard deviations of any
series it listens to."""
BULK_RATIO, BULK_LEAST = 5.0, 10.0
ALONE_RATIO, ALONE_LEAST = 25.0, 100.0
"""Bulk entry: so many times the usual, and so many complaints more, in at least two sectors of a place at
once; or in one alone."""
BULK_DAYS = 3
"""So many days in a row may be bulk entry; what goes on is none."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for surges, days × series.

    Attributes:
        scanned: accumulated evidence on each day, from that day and those before it.
        ratios: each day's capped log-likelihood ratio, 0 where nothing was observed.
        tail: −log10 of the least probable total that ends on the day.
        tail_days: of how many days that total is.
        means: the expectations, with the common factor.
        bulk: days that look like bulk entry and were left out.
    """

    scanned: Floats
    ratios: Floats
    tail: Floats
    tail_days: Ints
    means: Floats
    bulk: Bools

    def score(self, tail_weight: float) -> Floats:
        """The evidence of each day, days × series; 0 without observations."""
        return np.maximum(self.scanned, tail_weight * self.tail)


def panel_evidence(
    counts: pd.DataFrame, means: pd.DataFrame, daily: pd.DataFrame, weekly: pd.DataFrame, window_days: int
) -> Evidence:
    """`surge_evidence` of panels that have the same days and series."""
    y, mu, alpha, beta = (panel.to_numpy(dtype=np.float64) for panel in (counts, means, daily, weekly))
    return surge_evidence(y, mu, alpha, beta, keys_of(counts), window_days)


def surge_evidence(
    counts: Floats, means: Floats, daily: Floats, weekly: Floats, keys: Sequence[SeriesKey], window_days: int
) -> Evidence:
    """The evidence in panels of days × series.

    Args:
        counts: NaN where nothing was observed.
        means: what was expected of each day without having seen it; NaN where nothing was.
        daily: dispersion of a day's count, days × series or one row.
        weekly: of a week's total, likewise.
        keys: the series; sums may be among them.
        window_days: days of the longest window.
    """
    daily, weekly = np.broadcast_to(daily, counts.shape), np.broadcast_to(weekly, counts.shape)
    bulk = bulk_entry(counts, means, keys)
    counts = np.where(bulk, np.nan, counts)
    means = means * common_factor(counts, means, daily, keys)
    seen = np.isfinite(counts) & np.isfinite(means)
    y = np.where(seen, counts, 0.0)
    mu = np.maximum(np.where(seen, means, 1.0), LEAST_MEAN)
    ratio = likelihood_ratio(y, mu, np.maximum(DISPERSION_SHARE * daily, 1e-3))
    ratios = np.where(seen, np.clip(ratio, FLOOR, CAP), 0.0)
    tail, tail_days = _tails(y, np.where(seen, mu, 0.0), seen, daily, weekly, window_days)
    return Evidence(scan(ratios, window_days), ratios, tail, tail_days, means, bulk)


def likelihood_ratio(count: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """Log-likelihood of a count at `SURGE_RATIO` times its mean, less that at the mean (negative binomial)."""
    usual, surge = 1 + dispersion * mean, 1 + dispersion * SURGE_RATIO * mean
    return np.asarray(count * np.log(SURGE_RATIO * usual / surge) - np.log(surge / usual) / dispersion)


def log_tail(count: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """−log10 of the probability of `count` or more; 0 up to the mean."""
    from scipy.special import betainc

    tail = np.zeros(count.shape)
    at = np.nonzero(count > mean)
    size = 1 / np.maximum(dispersion[at], NEARLY_POISSON)
    mu = np.maximum(mean[at], SMALLEST_MEAN)
    tail[at] = -np.log10(np.maximum(betainc(np.maximum(count[at], 1.0), size, mu / (size + mu)), 1e-300))
    return tail


def _tails(y: Floats, mu: Floats, seen: Bools, daily: Floats, weekly: Floats, longest: int) -> tuple[Floats, Ints]:
    """The least probable total of the last 1 to `longest` days, and of how many days it is."""
    tail, length = np.zeros(y.shape), np.ones(y.shape, dtype=np.int64)
    low, high = np.log(np.maximum(daily, NEARLY_POISSON)), np.log(np.maximum(weekly, NEARLY_POISSON))
    for days in range(1, longest + 1):
        total, usual, observed = trailing(y, days), trailing(mu, days), trailing(seen.astype(np.float64), days)
        # As `window_dispersion`; only totals of three standard deviations (Poisson) are worth the tail.
        worth = np.nonzero(seen & (total > usual + 3 * np.sqrt(usual)))
        share = np.minimum(np.log(np.maximum(observed[worth], 1)) / np.log(7), 1.0)
        alpha = np.exp((1 - share) * low[worth] + share * high[worth])
        found = log_tail(total[worth], usual[worth], alpha)
        better = found > tail[worth]
        at = tuple(index[better] for index in worth)
        tail[at], length[at] = found[better], days
    return tail, length


def scan(ratios: Floats, longest: int) -> Floats:
    """The largest sum over windows that end on each day; windows are cut at the first day."""
    lengths = range(min(SHORTEST, longest), longest + 1)
    sums = [trailing(ratios, length) for length in lengths]
    return np.asarray(np.maximum(np.max(sums, axis=0), 0.0), dtype=np.float64)


def trailing(values: Floats, days: int) -> Floats:
    """Sums over the `days` days that end on each day."""
    total = np.cumsum(values, axis=0)
    return np.concatenate([total[:days], total[days:] - total[:-days]])


def common_factor(counts: Floats, means: Floats, daily: Floats, keys: Sequence[SeriesKey]) -> Floats:
    """How far the other sectors lie above their expectations on each day, days × series.

    Every base series speaks with the weight of its information (mean over variance) and is listened to
    within `COMMON_CLIP` standard deviations, so that one surge does not move the factor. 1 for sums over all
    sectors, which have no others.
    """
    base = np.array([index for index, key in enumerate(keys) if _is_base(key, keys)], dtype=np.int64)
    sectors = np.array([keys[index].sector for index in base])
    y, mu, alpha = counts[:, base], means[:, base], daily[:, base]
    seen = np.isfinite(y) & np.isfinite(mu)
    mu = np.where(seen, np.maximum(mu, SMALLEST_MEAN), 0.0)
    deviation = np.sqrt(mu + alpha * mu**2)
    clipped = np.clip(np.where(seen, y, 0.0), mu - COMMON_CLIP * deviation, mu + COMMON_CLIP * deviation)
    weight = 1 / (1 + alpha * mu)
    above, usual = clipped * weight, mu * weight
    factors = np.ones(counts.shape)
    for sector in {key.sector for key in keys} - {ALL_SECTORS}:
        others = sectors != sector
        a, b = above[:, others].sum(axis=1), usual[:, others].sum(axis=1)
        factor = (a + COMMON_PRIOR) / (b + COMMON_PRIOR)
        factors[:, [index for index, key in enumerate(keys) if key.sector == sector]] = factor[:, None]
    return factors


def bulk_entry(counts: Floats, means: Floats, keys: Sequence[SeriesKey]) -> Bools:
    """Which days of which series look like bulk entry, judged on the day itself.

    A count of `BULK_RATIO` times the usual right after a usual day, in at least two sectors of the same
    place; or of `ALONE_RATIO` times in one. Complaints about different things do not explode together
    overnight; typed-in backlogs do. After `BULK_DAYS` days in a row it is taken for what it says. A sum is
    left out on a day when one of its members is.
    """
    usual = np.maximum(np.nan_to_num(means), 1.0)
    y = np.nan_to_num(counts)
    many, alone = y >= BULK_RATIO * usual + BULK_LEAST, y >= ALONE_RATIO * usual + ALONE_LEAST
    places = np.array([key.municipality for key in keys])
    together = np.zeros(counts.shape, dtype=bool)
    for place in set(places):
        here = np.array([key.municipality == place and key.sector != ALL_SECTORS for key in keys])
        together[:, here] = (many[:, here].sum(axis=1) >= 2)[:, None]
    suspect = (many & together) | alone
    high = np.isfinite(counts) & (y > 2 * usual + 3)
    bulk = np.zeros(counts.shape, dtype=bool)
    run, after_usual = np.zeros(counts.shape[1], dtype=np.int64), np.ones(counts.shape[1], dtype=bool)
    for day in range(len(counts)):
        bulk[day] = suspect[day] & np.where(run > 0, run < BULK_DAYS, after_usual)
        observed = np.isfinite(counts[day])
        run = np.where(bulk[day], run + 1, np.where(observed, 0, run))
        after_usual = np.where(observed, ~high[day], after_usual)
    return _with_sums(bulk, keys)


def _with_sums(bulk: Bools, keys: Sequence[SeriesKey]) -> Bools:
    for index, key in enumerate(keys):
        if not _is_base(key, keys):
            members = [i for i, other in enumerate(keys) if _is_base(other, keys) and _belongs(other, key)]
            bulk[:, index] |= bulk[:, members].any(axis=1)
    return bulk


def _is_base(key: SeriesKey, keys: Sequence[SeriesKey]) -> bool:
    """Whether a series is no sum: of a place where places are known, of a sector where sectors are."""
    placed = any(other.municipality != REGION for other in keys)
    sectored = any(other.sector != ALL_SECTORS for other in keys)
    return (key.municipality != REGION or not placed) and (key.sector != ALL_SECTORS or not sectored)


def _belongs(member: SeriesKey, total: SeriesKey) -> bool:
    return total.municipality in (REGION, member.municipality) and total.sector in (ALL_SECTORS, member.sector)
