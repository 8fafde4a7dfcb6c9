"""A rolling baseline for surge detection: what each day's count should have been, for years of days at once.

In: a panel of counts. Out: `Baseline`, panels of means and of dispersions, in which every day is
judged by earlier days only. One pass over the days, all series at once, so that a region's three years
take a second; a champion's forecasts are better means where they exist, but nobody refits Prophet for each
past day. The decision worth knowing: a surge must not become its own baseline, so every count is
clipped to its own predictive range before anything is learned from it (a robust filter; Gelper,
Fried, Croux 2010), and the level that judges a day is `GUARD` days old (as in EARS C2, Hutwagner et al. 2003).
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.production_calendar import FIRST_YEAR, LAST_YEAR, calendar_frame
from models.forecasting.distribution import LARGEST_DISPERSION, SMALLEST_MEAN
from models.forecasting.special_days import DAYS_OFF, long_runs

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GUARD = 2
"""The last days that the level does not know yet."""
LEVEL_DAYS = 12.0
"""Memory of the level (days after which an observation counts 1/e)."""
WEEKDAY_WEEKS = 16.0
SPREAD_DAYS = 120.0
"""Memories of the weekday profile and of the dispersions."""
CLIP = 2.5
"""Counts are learned from as far as so many standard deviations from their mean."""
PRIOR = 5.0
"""Complaints that a flat week is worth: a handful says little about its shape."""
SEASON_DAYS = 10
"""A year ago, the season is read from so many days before and after the same day."""
SEASON_SHARE = 0.5
"""How much of last year's season is believed (as an exponent)."""
YEAR = 364
PRIOR_DISPERSION = 0.1
PRIOR_DISPERSION_DAYS = 30.0
KINDS = ("usual", "holiday", "long_holiday", "short", "after_long")
KIND_PRIOR = 200.0
"""Complaints that an unknown effect of a kind of day is worth; the effects are learned from all series."""


@dataclass(frozen=True)
class Baseline:
    """What was to be expected of each day, from earlier days.

    Attributes:
        means: dates × series; NaN until a series has been observed for two weeks.
        daily: dates × series: dispersion of a day's count.
        weekly: dates × series: dispersion of a week's total.
    """

    means: pd.DataFrame
    daily: pd.DataFrame
    weekly: pd.DataFrame


def rolling_baseline(counts: pd.DataFrame, calendar: str = "none") -> Baseline:
    """Judge every day of a panel by the days before it.

    Args:
        counts: every day from the first to the last × series, NaN where nothing was observed.
        calendar: `russia`: holidays and the days after long ones have their own effects.
    """
    days = pd.DatetimeIndex(counts.index)
    filter_ = _Filter(counts.to_numpy(dtype=np.float64), *_day_kinds(days, calendar))
    means, daily, weekly = filter_.run()

    def framed(values: Floats) -> pd.DataFrame:
        return pd.DataFrame(values, index=counts.index, columns=counts.columns)

    return Baseline(framed(means), framed(daily), framed(weekly))


def _day_kinds(days: pd.DatetimeIndex, calendar: str) -> tuple[Ints, Ints]:
    """The weekday whose profile holds, and the kind of day (index into `KINDS`)."""
    weekday = np.asarray(days.weekday, dtype=np.int64).copy()
    kind = np.zeros(len(days), dtype=np.int64)
    inside = (days.year >= FIRST_YEAR) & (days.year <= LAST_YEAR)
    if calendar != "russia" or not inside.any():
        return weekday, kind
    known = days[inside]
    first = max(known[0].date() - pd.Timedelta(days=14), date(FIRST_YEAR, 1, 1))
    last = min(known[-1].date() + pd.Timedelta(days=14), date(LAST_YEAR, 12, 31))
    frame = calendar_frame(first, last)
    off, long = frame["kind"].isin(DAYS_OFF), long_runs(frame)
    frame["code"] = 0
    frame.loc[(frame["kind"] == "holiday") & ~long, "code"] = KINDS.index("holiday")
    frame.loc[long, "code"] = KINDS.index("long_holiday")
    frame.loc[frame["kind"] == "short", "code"] = KINDS.index("short")
    frame.loc[~off & long.shift(1, fill_value=False), "code"] = KINDS.index("after_long")
    frame["working"] = ~off
    shown = frame.set_index("date").loc[known]
    kind[inside] = shown["code"].to_numpy()
    # A working Saturday looks like a Friday; a holiday on a weekday has its effect from its kind.
    saturday = inside & (weekday == 5)
    saturday[inside] &= shown["working"].to_numpy()
    weekday[saturday] = 4
    return weekday, kind


class _Filter:
    """The recursion over days. `counts` is days × series; everything else is a row of series."""

    def __init__(self, counts: Floats, weekday: Ints, kind: Ints) -> None:
        self.counts, self.weekday, self.kind = counts, weekday, kind
        n = counts.shape[1]
        self.level = np.zeros((2, n))  # discounted counts, and what a level of 1 would have brought
        self.week = np.zeros((2, 7, n))
        self.effect = np.zeros((2, len(KINDS)))
        self.daily = np.zeros((2, n))  # discounted (error² − mean), and mean²
        self.weekly = np.zeros((2, n))
        self.seen = np.zeros(n)

    def run(self) -> tuple[Floats, Floats, Floats]:
        """Means, daily and weekly dispersions, days × series."""
        days, n = self.counts.shape
        means, daily, weekly = (np.full((days, n), np.nan) for _ in range(3))
        learned, levels = np.full((days, n), np.nan), np.zeros((days, n))
        for at in range(days):
            season = self._season(learned, at)
            effect = self._effect(self.kind[at])
            shape = self._profile()[self.weekday[at]] * season
            level = levels[max(at - 1 - GUARD, 0)] if at else np.zeros(n)
            mean = np.maximum(level * shape * effect, SMALLEST_MEAN)
            known = self.seen >= 14
            daily[at], weekly[at] = _dispersion(self.daily), _dispersion(self.weekly)
            means[at, known] = mean[known]
            learned[at] = self._learn(at, mean, shape, effect, season, daily[at])
            self._learn_week(learned, means, at)
            levels[at] = self.level[0] / np.maximum(self.level[1], 1e-9)
        return means, daily, weekly

    def _profile(self) -> Floats:
        profile = (self.week[0] + PRIOR) / (self.week[1] + PRIOR)
        return np.asarray(profile / profile.mean(axis=0))

    def _effect(self, kind: int) -> float:
        if kind == 0:
            return 1.0
        return float((self.effect[0, kind] + KIND_PRIOR) / (self.effect[1, kind] + KIND_PRIOR))

    def _season(self, learned: Floats, at: int) -> Floats:
        """Last year's counts around this day, against last year's average; 1 in the first year."""
        if at < YEAR + SEASON_DAYS:
            return np.ones(self.counts.shape[1])
        around = learned[at - YEAR - SEASON_DAYS : at - YEAR + SEASON_DAYS + 1]
        year = learned[at - YEAR : at]
        here, there = np.isfinite(around), np.isfinite(year)
        usual = np.where(there, year, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
        prior = 3 * PRIOR
        ratio = (np.where(here, around, 0).sum(axis=0) + prior) / (usual * here.sum(axis=0) + prior)
        return np.asarray(ratio**SEASON_SHARE)

    def _learn(self, at: int, mean: Floats, shape: Floats, effect: float, season: Floats, dispersion: Floats) -> Floats:
        """Take in a day; returns its counts without weekday and calendar, clipped."""
        count = self.counts[at]
        seen = np.isfinite(count)
        young = self.seen < 14
        reach = CLIP * np.sqrt(mean + dispersion * mean**2) + 1
        clipped = np.where(seen, count, 0.0)
        clipped = np.where(young, clipped, np.clip(clipped, mean - reach, mean + reach))
        keep = np.where(seen, np.exp(-1 / LEVEL_DAYS), 1.0)
        self.level = self.level * keep
        self.level[0] += np.where(seen, clipped, 0.0)
        self.level[1] += np.where(seen, shape * effect, 0.0)
        self.seen += seen
        old = seen & ~young
        weekday, kind = self.weekday[at], self.kind[at]
        if kind == 0:
            usual = mean / np.maximum(shape / season, 1e-6)
            self.week[:, weekday] *= np.where(old, np.exp(-1 / WEEKDAY_WEEKS), 1.0)
            self.week[0, weekday] += np.where(old, clipped, 0.0)
            self.week[1, weekday] += np.where(old, usual, 0.0)
        else:
            self.effect[0, kind] += clipped[old].sum()
            self.effect[1, kind] += (mean[old] / effect).sum()
        self.daily *= np.where(old, np.exp(-1 / SPREAD_DAYS), 1.0)
        self.daily[0] += np.where(old, (clipped - mean) ** 2 - mean, 0.0)
        self.daily[1] += np.where(old, mean**2, 0.0)
        flat = clipped / np.maximum(shape / season * effect, 1e-6)
        return np.where(seen, np.minimum(flat, 10 * np.maximum(mean, 1.0)), np.nan)

    def _learn_week(self, learned: Floats, means: Floats, at: int) -> None:
        """Take in the week that ends on this day, once for each day: its total around its mean, clipped."""
        if at < 6:
            return
        mean, count = means[at - 6 : at + 1], self.counts[at - 6 : at + 1]
        seen = np.isfinite(mean) & np.isfinite(count)
        old = seen.sum(axis=0) >= 5
        expected = np.where(seen, mean, 0.0).sum(axis=0)
        total = np.where(seen, count, 0.0).sum(axis=0)
        spread = _dispersion(self.weekly)
        reach = CLIP * np.sqrt(expected + spread * expected**2) + 1
        error = np.clip(total - expected, -reach, reach)
        self.weekly *= np.where(old, np.exp(-1 / SPREAD_DAYS), 1.0)
        self.weekly[0] += np.where(old, error**2 - expected, 0.0)
        self.weekly[1] += np.where(old, expected**2, 0.0)


def _dispersion(sums: Floats) -> Floats:
    """Moments, leaning on a prior that is worth `PRIOR_DISPERSION_DAYS` days of the same size."""
    # mean² per day is about sums[1] / (effective days); the prior is worth a number of such days.
    weight = sums[1] * PRIOR_DISPERSION_DAYS / SPREAD_DAYS + 1e-9
    alpha = (sums[0] + PRIOR_DISPERSION * weight) / (sums[1] + weight)
    return np.asarray(np.clip(alpha, 1e-3, LARGEST_DISPERSION))
