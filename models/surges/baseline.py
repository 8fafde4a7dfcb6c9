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
Bools = npt.NDArray[np.bool_]

GUARD = 2
"""The last days that the level does not know yet (EARS C2)."""
LEVEL_DAYS = 12.0
WEEKDAY_WEEKS = 16.0
SPREAD_DAYS = 120.0
"""Memories of the level, the weekday profile and the dispersions: what is so old counts 1/e. Set on the tuning
years of `benchmarks/surge_quality`: a shorter level follows surges, a longer one lags behind the seasons."""
TEACHING_DAYS = 14
"""Observed days, two of each weekday, before a series is judged and its counts are clipped."""
CLIP = 2.5
"""Counts are learned from as far as so many standard deviations from their mean: a usual day in a hundred is
clipped."""
PRIOR = 5.0
"""Complaints that a flat week is worth: a handful says little about its shape."""
YEAR = 364
"""52 whole weeks, so that a year ago was the same weekday."""
SEASON_DAYS = 10
"""A year ago, the season is read from so many days before and after the same day: three weeks in all."""
SEASON_PRIOR = 3 * PRIOR
"""Three flat weeks, as many as the season is read from."""
SEASON_SHARE = 0.5
"""How much of last year's season is believed (as an exponent): one year is one draw."""
PRIOR_DISPERSION = 0.1
PRIOR_DISPERSION_DAYS = 30.0
"""The dispersion of a series of which nothing is known, and the days of its own that weigh as much."""
SMALLEST_DISPERSION = 1e-3
WEEK = 7
LEAST_OBSERVED = 5
"""Days of a week that must be observed for its total to teach something."""
KINDS = ("usual", "holiday", "long_holiday", "short", "after_long")
USUAL = KINDS.index("usual")
KIND_PRIOR = 200.0
"""Complaints that an unknown effect of a kind of day is worth; the effects are learned from all series."""
SATURDAY, FRIDAY = 5, 4
NEARLY_NOTHING = 1e-6
"""Below every divisor, so that nothing is divided by zero."""


@dataclass(frozen=True)
class Baseline:
    """What was to be expected of each day, from earlier days: panels of the same days × series.

    Attributes:
        means: expected counts; NaN where nothing was expected.
        daily: dispersions of a day's count.
        weekly: dispersions of a week's total.
        outlook: expected total of the seven days from each day on, by the level that judges it; forecasts have none.
    """

    means: pd.DataFrame
    daily: pd.DataFrame
    weekly: pd.DataFrame
    outlook: pd.DataFrame | None = None

    @classmethod
    def with_constant_dispersions(cls, means: pd.DataFrame, dispersions: pd.DataFrame) -> "Baseline":
        """Of forecasts, and one row of dispersions a series: an index like the panel's columns, `daily, weekly`."""
        of_series = dispersions.loc[list(means.columns)]

        def every_day(column: str) -> pd.DataFrame:
            row = of_series[column].to_numpy(dtype=np.float64)
            return pd.DataFrame(np.broadcast_to(row, means.shape), index=means.index, columns=means.columns)

        return cls(means, every_day("daily"), every_day("weekly"))


def rolling_baseline(counts: pd.DataFrame, calendar: str = "none") -> Baseline:
    """Judge every day of a panel by the days before it.

    Args:
        counts: every day from the first to the last × series, NaN where nothing was observed.
        calendar: `russia`: holidays and the days after long ones have their own effects.
    """
    recursion = _RollingFilter(counts.to_numpy(dtype=np.float64), day_types(pd.DatetimeIndex(counts.index), calendar))
    recursion.run()

    def panel_of(values: Floats) -> pd.DataFrame:
        return pd.DataFrame(values, index=counts.index, columns=counts.columns)

    return Baseline(*(panel_of(x) for x in (recursion.means, recursion.daily, recursion.weekly, recursion.outlook())))


@dataclass(frozen=True)
class DayTypes:
    """Of each day, the weekday whose profile holds, and its kind (position in `KINDS`)."""

    weekday: Ints
    kind: Ints


def day_types(days: pd.DatetimeIndex, calendar: str) -> DayTypes:
    """The types of some days; all are usual without a calendar and outside its years."""
    weekday = np.asarray(days.weekday, dtype=np.int64).copy()
    kind = np.full(len(days), USUAL, dtype=np.int64)
    inside = (days.year >= FIRST_YEAR) & (days.year <= LAST_YEAR)
    if calendar != "russia" or not inside.any():
        return DayTypes(weekday, kind)
    known = days[inside]
    around = pd.Timedelta(days=14)  # so that a run of days off is seen whole
    frame = calendar_frame(
        max((known[0] - around).date(), date(FIRST_YEAR, 1, 1)),
        min((known[-1] + around).date(), date(LAST_YEAR, 12, 31)),
    )
    off, long = frame["kind"].isin(DAYS_OFF), long_runs(frame)
    frame["code"] = USUAL
    frame.loc[(frame["kind"] == "holiday") & ~long, "code"] = KINDS.index("holiday")
    frame.loc[long, "code"] = KINDS.index("long_holiday")
    frame.loc[frame["kind"] == "short", "code"] = KINDS.index("short")
    frame.loc[~off & long.shift(1, fill_value=False), "code"] = KINDS.index("after_long")
    frame["working"] = ~off
    of_known = frame.set_index("date").loc[known]
    kind[inside] = of_known["code"].to_numpy()
    # A working Saturday looks like a Friday; a holiday on a weekday has its effect from its kind.
    working_saturday = inside & (weekday == SATURDAY)
    working_saturday[inside] &= of_known["working"].to_numpy()
    weekday[working_saturday] = FRIDAY
    return DayTypes(weekday, kind)


class _DiscountedRatio:
    """Σ observed / Σ expected of each series, in which an observation of `memory` observations ago counts 1/e."""

    def __init__(self, series: int, memory: float) -> None:
        self.observed, self.expected = np.zeros(series), np.zeros(series)
        self._keep = np.exp(-1 / memory)

    def add(self, observed: Floats, expected: Floats, where: Bools) -> None:
        """Take in one observation of the series `where` there is one; the others forget nothing."""
        keep = np.where(where, self._keep, 1.0)
        self.observed = self.observed * keep + np.where(where, observed, 0.0)
        self.expected = self.expected * keep + np.where(where, expected, 0.0)

    def dispersion(self) -> Floats:
        """Of squared errors beyond Poisson over squared means: α by moments, leaning on the prior."""
        # mean² per day is about `expected` / SPREAD_DAYS; the prior is worth a number of such days.
        prior = self.expected * PRIOR_DISPERSION_DAYS / SPREAD_DAYS + 1e-9
        alpha = (self.observed + PRIOR_DISPERSION * prior) / (self.expected + prior)
        return np.asarray(np.clip(alpha, SMALLEST_DISPERSION, LARGEST_DISPERSION))


@dataclass(frozen=True)
class _Expectation:
    """What one day is expected to bring, a value a series: mean = level × weekday × season × effect."""

    mean: Floats
    weekday: Floats
    season: Floats
    effect: float
    dispersion: Floats


class _RollingFilter:
    """The recursion over days. All panels are days × series; all other arrays have a value a series.

    Attributes:
        means, daily, weekly: as in `Baseline`.
    """

    def __init__(self, counts: Floats, types: DayTypes) -> None:
        days, series = counts.shape
        self.counts, self.types = counts, types
        self.means, self.daily, self.weekly = (np.full((days, series), np.nan) for _ in range(3))
        self._flat_counts = np.full((days, series), np.nan)  # clipped, without weekday and calendar
        self._levels = np.zeros((days, series))
        self._level = _DiscountedRatio(series, LEVEL_DAYS)
        self._week = [_DiscountedRatio(series, WEEKDAY_WEEKS) for _ in range(7)]
        self._daily = _DiscountedRatio(series, SPREAD_DAYS)
        self._weekly = _DiscountedRatio(series, SPREAD_DAYS)
        self._kind_observed, self._kind_expected = np.zeros(len(KINDS)), np.zeros(len(KINDS))
        self._observed_days = np.zeros(series)

    def run(self) -> None:
        """Judge each day, then learn from it."""
        for day in range(len(self.counts)):
            expected = self._expect(day)
            judged = self._observed_days >= TEACHING_DAYS
            self.means[day, judged] = expected.mean[judged]
            self.daily[day], self.weekly[day] = expected.dispersion, self._weekly.dispersion()
            self._learn_day(day, expected)
            self._learn_week(day)
            self._levels[day] = self._level.observed / np.maximum(self._level.expected, 1e-9)

    def outlook(self) -> Floats:
        """As in `Baseline`, of all days that have been judged."""
        of_day = np.maximum(self._levels[np.maximum(np.arange(len(self.counts)) - 1 - GUARD, 0)], SMALLEST_MEAN)
        shape = pd.DataFrame(self.means / of_day).rolling(WEEK).sum().shift(1 - WEEK)
        return np.asarray(shape.to_numpy(dtype=np.float64) * of_day)

    def _expect(self, day: int) -> _Expectation:
        level = self._levels[max(day - 1 - GUARD, 0)]
        profile = np.stack([(ratio.observed + PRIOR) / (ratio.expected + PRIOR) for ratio in self._week])
        weekday = (profile / profile.mean(axis=0))[self.types.weekday[day]]
        season, effect = self._season(day), self._effect(self.types.kind[day])
        mean = np.maximum(level * weekday * season * effect, SMALLEST_MEAN)
        return _Expectation(mean, weekday, season, effect, self._daily.dispersion())

    def _season(self, day: int) -> Floats:
        """Last year's counts around this day, against last year's average; 1 in the first year."""
        if day < YEAR + SEASON_DAYS:
            return np.ones(self.counts.shape[1])
        around = self._flat_counts[day - YEAR - SEASON_DAYS : day - YEAR + SEASON_DAYS + 1]
        year = self._flat_counts[day - YEAR : day]
        usual = np.nansum(year, axis=0) / np.maximum(np.isfinite(year).sum(axis=0), 1)
        expected = usual * np.isfinite(around).sum(axis=0)
        ratio = (np.nansum(around, axis=0) + SEASON_PRIOR) / (expected + SEASON_PRIOR)
        return np.asarray(ratio**SEASON_SHARE)

    def _effect(self, kind: int) -> float:
        """What days of this kind bring, against usual ones, in all series."""
        if kind == USUAL:
            return 1.0
        return float((self._kind_observed[kind] + KIND_PRIOR) / (self._kind_expected[kind] + KIND_PRIOR))

    def _learn_day(self, day: int, expected: _Expectation) -> None:
        """Take in a day's counts, clipped: nothing is learned from how far a surge goes."""
        mean = expected.mean
        observed = np.isfinite(self.counts[day])
        taught = self._observed_days >= TEACHING_DAYS
        reach = CLIP * np.sqrt(mean + expected.dispersion * mean**2) + 1
        count = np.where(observed, self.counts[day], 0.0)
        count = np.where(taught, np.clip(count, mean - reach, mean + reach), count)

        self._level.add(count, expected.weekday * expected.season * expected.effect, observed)
        self._observed_days += observed

        old = observed & taught
        kind = self.types.kind[day]
        if kind == USUAL:
            self._week[self.types.weekday[day]].add(count, mean / np.maximum(expected.weekday, NEARLY_NOTHING), old)
        else:
            self._kind_observed[kind] += count[old].sum()
            self._kind_expected[kind] += (mean[old] / expected.effect).sum()
        self._daily.add((count - mean) ** 2 - mean, mean**2, old)

        flat = count / np.maximum(expected.weekday * expected.effect, NEARLY_NOTHING)
        # A count divided by the tiny profile of a day off must not become a season.
        self._flat_counts[day] = np.where(observed, np.minimum(flat, 10 * np.maximum(mean, 1.0)), np.nan)

    def _learn_week(self, day: int) -> None:
        """Take in the week that ends on this day, once for each day: its total around its mean, clipped."""
        if day < WEEK - 1:
            return
        mean, count = self.means[day - WEEK + 1 : day + 1], self.counts[day - WEEK + 1 : day + 1]
        both = np.isfinite(mean) & np.isfinite(count)
        expected, total = np.where(both, mean, 0.0).sum(axis=0), np.where(both, count, 0.0).sum(axis=0)
        reach = CLIP * np.sqrt(expected + self._weekly.dispersion() * expected**2) + 1
        error = np.clip(total - expected, -reach, reach)
        self._weekly.add(error**2 - expected, expected**2, both.sum(axis=0) >= LEAST_OBSERVED)
