"""Features of the global count model: a panel seen from any of its days, as ratios and calendar.

In: a panel, dates × series, and if wanted a calendar and regressors. Out: for days ahead of an origin their features,
and the baseline that they are ratios to. The decision worth knowing: everything is a difference of cumulated sums, so
that the features of thousands of origins take a moment; and nothing of an origin's future is in them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecasting.special_days import kinds_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LEVEL_DAYS, YEAR = 28, 364
"""The level is of four weeks; a year is of whole ones."""
LEVELS = (7, 14, 56, YEAR)
"""Longer and shorter levels, as ratios to it: whether counts rise or fall."""
SHAPES = {YEAR: 5.0, 56: 4.0, 28: 3.0}
"""Days over which a weekday's share is measured, and complaints that a flat week is worth beside them."""
LEAST_SEEN = 7
"""Observed days without which the level is that of the year."""
SHRINK = 0.5
"""Complaints a day that every level is given, so that a ratio to it is never a division by zero."""
GRAIN = 20
"""Features are logarithms in steps of a twentieth: trees need no finer ones, and finding bins for weighted rows
would take longer than growing the trees."""


@dataclass(frozen=True)
class Past:
    """A panel as cumulated sums, from which the features of any origin are differences.

    Attributes:
        counts: days × series.
        summed: cumulated counts, (days + 1) × series; gaps add nothing.
        seen: cumulated observed days, likewise.
        by_weekday: `summed` of each weekday alone, 7 × (days + 1) × series.
        seen_by_weekday: `seen` likewise.
        weekday: of each day, horizon included.
        year_day: day of the year, likewise.
        kind: special days as numbers, likewise; zeros without a calendar.
        regressors: days (horizon included) × series × regressors.
    """

    counts: Floats
    summed: Floats
    seen: Floats
    by_weekday: Floats
    seen_by_weekday: Floats
    weekday: Ints
    year_day: Ints
    kind: Ints
    regressors: Floats

    @classmethod
    def of(cls, panel: pd.DataFrame, horizon: int, calendar: str, regressors: pd.DataFrame | None) -> "Past":
        """From a panel; calendar and regressors reach `horizon` days past it."""
        counts = panel.to_numpy(dtype=np.float64)
        days = pd.date_range(panel.index[0], periods=len(panel) + horizon, freq="D")
        weekday = days.weekday.to_numpy().astype(np.int64)
        seen = np.isfinite(counts)
        own = weekday[: len(counts), None] == np.arange(7)
        observed = np.nan_to_num(counts)
        kind = np.zeros(len(days), dtype=np.int64)
        if calendar == "russia":
            kind = np.asarray(kinds_of(days), dtype=np.int64)
        return cls(
            counts=counts,
            summed=_cumulated(observed),
            seen=_cumulated(seen.astype(np.float64)),
            by_weekday=np.stack([_cumulated(observed * own[:, [d]]) for d in range(7)]),
            seen_by_weekday=np.stack([_cumulated(seen * own[:, [d]]) for d in range(7)]),
            weekday=weekday,
            year_day=days.dayofyear.to_numpy().astype(np.int64),
            kind=kind,
            regressors=_by_series(regressors, days, panel),
        )

    @property
    def days(self) -> int:
        """Days of the history."""
        return len(self.counts)

    @property
    def series(self) -> int:
        """How many series there are."""
        return int(self.counts.shape[1])

    def features(self, origins: Ints, steps: Ints) -> tuple[Floats, Floats]:
        """Features (rows × series × features) and baselines (rows × series) of days `origins + steps`.

        An origin is the number of the first day that is not known; step 0 is that day. A baseline is NaN
        where the series was not observed before.
        """
        day, weekday = origins + steps, self.weekday[origins + steps]
        long_run = self._level(origins, YEAR)
        known = self._seen(origins, LEVEL_DAYS) >= LEAST_SEEN
        level = np.where(known, self._level(origins, LEVEL_DAYS), long_run) + SHRINK
        year, two_months, month = (self._shape(origins, weekday, days, prior) for days, prior in SHAPES.items())
        ratios = [(self._level(origins, days) + SHRINK) / level for days in LEVELS]
        of_series = [year, two_months, month, *ratios, self._last_year(origins, steps), level]
        of_day = [weekday, steps, self.year_day[day], self.kind[day]]
        columns = [np.round(np.log(column) * GRAIN) / GRAIN for column in of_series]
        columns += [np.broadcast_to(column[:, None], level.shape).astype(np.float64) for column in of_day]
        features = np.stack(columns, axis=-1)
        if self.regressors.shape[-1]:
            value = self.regressors[day]
            usual = np.stack([self.regressors[max(0, at - LEVEL_DAYS) : at].mean(axis=0) for at in origins])
            features = np.concatenate([features, value, value - usual], axis=-1)
        return features, level * year

    def _seen(self, origins: Ints, days: int) -> Floats:
        return np.asarray(self.seen[origins] - self.seen[np.maximum(origins - days, 0)], dtype=np.float64)

    def _level(self, origins: Ints, days: int) -> Floats:
        """Mean of the last observed days before each origin; NaN without any."""
        total = self.summed[origins] - self.summed[np.maximum(origins - days, 0)]
        seen = self._seen(origins, days)
        return _divided(total, seen)

    def _shape(self, origins: Ints, weekday: Ints, days: int, prior: float) -> Floats:
        """What a weekday has over the mean of all, with `prior` complaints' worth of a flat week."""
        since = np.maximum(origins - days, 0)
        total = self.by_weekday[weekday, origins] - self.by_weekday[weekday, since]
        seen = self.seen_by_weekday[weekday, origins] - self.seen_by_weekday[weekday, since]
        usual = np.nan_to_num(self._level(origins, days))
        return np.asarray((total + prior) / (seen * usual + prior), dtype=np.float64)

    def _last_year(self, origins: Ints, steps: Ints) -> Floats:
        """A year ago: the fortnight around the day over the four weeks before the origin; NaN unknown."""
        out = np.full((len(origins), self.series), np.nan)
        year_known = origins >= YEAR + LEVEL_DAYS
        then, day = origins[year_known] - YEAR, origins[year_known] + steps[year_known] - YEAR
        around = self._mean_between(np.maximum(day - 7, 0), np.minimum(day + 7 + 1, self.days))
        out[year_known] = (around + SHRINK) / (self._level(then, LEVEL_DAYS) + SHRINK)
        return out

    def _mean_between(self, first: Ints, last: Ints) -> Floats:
        total, seen = self.summed[last] - self.summed[first], self.seen[last] - self.seen[first]
        return _divided(total, seen)


def _divided(total: Floats, days: Floats) -> Floats:
    """A mean; NaN over no day."""
    return np.asarray(np.divide(total, days, out=np.full(total.shape, np.nan), where=days > 0), dtype=np.float64)


def _cumulated(values: Floats) -> Floats:
    return np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])


def _by_series(regressors: pd.DataFrame | None, days: pd.DatetimeIndex, panel: pd.DataFrame) -> Floats:
    """Days × series × regressors, empty without any."""
    if regressors is None:
        return np.zeros((len(days), panel.shape[1], 0))
    values = regressors.reindex(days)
    if values.columns.nlevels == 1:
        return np.repeat(values.to_numpy(dtype=np.float64)[:, None, :], panel.shape[1], axis=1)
    names = values.columns.get_level_values(1).unique()
    places = panel.columns.get_level_values(0)
    return np.stack([values.xs(name, axis=1, level=1)[places].to_numpy(dtype=np.float64) for name in names], axis=-1)
