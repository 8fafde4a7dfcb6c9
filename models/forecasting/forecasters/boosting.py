"""The global count model: one gradient boosting over all series, trained once per origin.

In: a panel, dates × series, NaN where nothing was observed, and if wanted a calendar and regressors. Out: means
of the next days of every series. The decision worth knowing: trees cannot extrapolate, so nothing absolute goes
in. The target is a count over its baseline (the level of the last 28 days in the shape of the last year's
weekdays), weighted by that baseline under Poisson deviance, and the features are ratios to it, the season, the
calendar and the horizon. A series that is short or sparse so borrows what all others have learnt.

Global models over many short count series: Montero-Manso & Hyndman 2021; the recipe of the M5 winners
(Makridakis et al. 2022).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecasting.config import BoostingConfig, ContenderName
from models.forecasting.special_days import kinds_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
LEVEL_DAYS, YEAR = 28, 364
SHRINK = 0.5
"""Complaints a day that every level is given, so that a ratio to it is never a division by zero."""
GRAIN = 20
"""Features are logarithms in steps of a twentieth: trees need no finer ones, and finding bins for weighted rows
would take longer than growing the trees."""
FIRST_ORIGIN = 84
"""Days of history before the first origin that is learnt from (fewer where there are hardly so many)."""


class GradientBoosting:
    """All series of a panel at once."""

    name: ContenderName = "gradient_boosting"

    def __init__(self, config: BoostingConfig, calendar: str = "none") -> None:
        self.config = config
        self.calendar = calendar

    def fit_predict(
        self, panel: pd.DataFrame, horizon: int, regressors: pd.DataFrame | None = None, near: int = 14
    ) -> pd.DataFrame:
        """Means of the `horizon` days after the panel's last day, dates × series.

        The first `near` days have a model of their own, so that they do not depend on how far the rest reaches.

        Args:
            panel: daily counts.
            horizon: days ahead.
            regressors: dates × (series, regressor) or dates × regressor, over history and horizon; or None.
            near: see above.
        """
        ahead = pd.date_range(panel.index[-1] + pd.Timedelta(days=1), periods=horizon, freq="D", name="date")
        past = Past.of(panel, horizon, self.calendar, regressors)
        spans = [np.arange(min(near, horizon)), np.arange(near, horizon)]
        parts = [self._predicted(past, steps) for steps in spans if len(steps)]
        return pd.DataFrame(np.concatenate(parts), index=ahead, columns=panel.columns)

    def _predicted(self, past: "Past", steps: Ints) -> Floats:
        """Means, steps × series, by a model of these steps."""
        from sklearn.ensemble import HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits

        config = self.config
        features, target, weight = self._rows(past, steps)
        asked = np.full(len(steps), past.days)
        wanted, baseline = past.features(asked, steps)
        if len(target) < config.min_samples_leaf * 4:
            return np.nan_to_num(baseline)
        model = HistGradientBoostingRegressor(
            loss="poisson",
            max_iter=config.iterations,
            learning_rate=config.learning_rate,
            max_leaf_nodes=config.max_leaf_nodes,
            min_samples_leaf=config.min_samples_leaf,
            l2_regularization=config.l2_regularization,
            early_stopping=False,
            random_state=0,
        )
        varies = np.array(
            [np.isfinite(column).any() and np.nanmin(column) < np.nanmax(column) for column in features.T]
        )
        with threadpool_limits(1):  # many processes fit beside this one
            model.fit(features[:, varies], target, sample_weight=weight)
            ratio = model.predict(wanted.reshape(-1, wanted.shape[-1])[:, varies]).reshape(baseline.shape)
        return np.asarray(np.nan_to_num(ratio * baseline), dtype=np.float64)

    def _rows(self, past: "Past", steps: Ints) -> tuple[Floats, Floats, Floats]:
        """Features, ratios to the baseline, and baselines of what is learnt from: at most `max_rows`."""
        rng = np.random.default_rng(0)
        first = min(FIRST_ORIGIN, past.days // 3)
        origins = np.arange(past.days - 1, first, -self.config.step_days)
        rows = min(self.config.max_rows, self.config.rows_per_series * past.series)
        per_origin = max(1, min(len(steps), rows // max(1, len(origins) * past.series)))
        origins = origins[: max(1, rows // (per_origin * past.series))]
        drawn = np.array([rng.permutation(steps)[:per_origin] for _ in origins])
        at, step = np.repeat(origins, per_origin), drawn.ravel()
        inside = at + step < past.days
        at, step = at[inside], step[inside]
        features, baseline = past.features(at, step)
        counts = past.counts[at + step]
        known = np.isfinite(counts) & np.isfinite(baseline) & (baseline > 0)
        return features[known], (counts[known] / baseline[known]), baseline[known]


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
        """From a panel; regressors as in `GradientBoosting.fit_predict`."""
        counts = panel.to_numpy(dtype=np.float64)
        days = pd.date_range(panel.index[0], periods=len(panel) + horizon, freq="D")
        weekday = days.weekday.to_numpy().astype(np.int64)
        seen = np.isfinite(counts)
        own = weekday[: len(counts), None] == np.arange(7)
        given = np.nan_to_num(counts)
        kind = (
            np.asarray(kinds_of(days), dtype=np.int64) if calendar == "russia" else np.zeros(len(days), dtype=np.int64)
        )
        return cls(
            counts=counts,
            summed=_cumulated(given),
            seen=_cumulated(seen.astype(np.float64)),
            by_weekday=np.stack([_cumulated(given * own[:, [d]]) for d in range(7)]),
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
        level = np.where(self._seen(origins, LEVEL_DAYS) >= 7, self._level(origins, LEVEL_DAYS), long_run) + SHRINK
        year, two_months, month = (
            self._shape(origins, weekday, days, prior) for days, prior in ((YEAR, 5.0), (56, 4.0), (28, 3.0))
        )
        ratios = [(self._level(origins, days) + SHRINK) / level for days in (7, 14, 56, YEAR)]
        measured = [year, two_months, month, *ratios, self._last_year(origins, steps), level]
        columns = [np.round(np.log(column) * GRAIN) / GRAIN for column in measured]
        for of_day in (weekday, steps, self.year_day[day], self.kind[day]):
            columns.append(np.broadcast_to(of_day[:, None], level.shape).astype(np.float64))
        stacked = np.stack(columns, axis=-1)
        if self.regressors.shape[-1]:
            value = self.regressors[day]
            usual = np.stack([self.regressors[max(0, at - LEVEL_DAYS) : at].mean(axis=0) for at in origins])
            stacked = np.concatenate([stacked, value, value - usual], axis=-1)
        return stacked, level * year

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
        known = origins >= YEAR + LEVEL_DAYS
        then, day = origins[known] - YEAR, origins[known] + steps[known] - YEAR
        around = self._mean_between(np.maximum(day - 7, 0), np.minimum(day + 8, self.days))
        out[known] = (around + SHRINK) / (self._level(then, LEVEL_DAYS) + SHRINK)
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
    known = regressors.reindex(days)
    if known.columns.nlevels == 1:
        return np.repeat(known.to_numpy(dtype=np.float64)[:, None, :], panel.shape[1], axis=1)
    names = known.columns.get_level_values(1).unique()
    places = panel.columns.get_level_values(0)
    return np.stack([known.xs(name, axis=1, level=1)[places].to_numpy(dtype=np.float64) for name in names], axis=-1)
