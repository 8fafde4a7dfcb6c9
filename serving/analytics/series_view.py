"""One series as people look at it: what came, what had been expected, what is expected, the calendar beside it.

In: the champion forecaster and the panel of `live_counts`. Out: a frame of days, the last of the past and the coming
ones, and how well what had been said of the past days fits what came.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.errors import ConfigError
from data.production_calendar import calendar_frame
from models.forecasting.bundle import Forecasts
from models.forecasting.distribution import quantile_levels, quantile_name, quantiles
from models.forecasting.intervals import WEEK, groups
from models.forecasting.series import SeriesKey, sums_of_observed


@dataclass(frozen=True)
class Fit:
    """What came on the days that have an expectation, beside what had been said of them.

    Attributes:
        days: how many there are.
        came, said: totals.
        error: Σ|came − said| by Σcame; None where nothing came.
        level: of the central interval that `inside` speaks of.
        inside: share of the days that lie within it.
    """

    days: int
    came: float
    said: float
    error: float | None
    level: float
    inside: float


def series_days(
    forecasts: Forecasts, counts: pd.DataFrame, key: SeriesKey, past: int, horizon: int, levels: list[float]
) -> pd.DataFrame:
    """Days × `count, expected, q10, …, kind, name`; NaN where nothing was observed, or nothing is expected.

    Args:
        forecasts: the champion.
        counts: dates × base series.
        key: a base series or a sum.
        past: days of the past.
        horizon: days after the last of `counts`, as far as the forecasts reach.
        levels: central intervals.
    """
    means = pd.concat([forecasts.past_means, forecasts.means])
    seen, expected = sums_of_observed(counts.iloc[-past:], means)
    ahead = means.loc[means.index > counts.index[-1]].iloc[:horizon]
    days = pd.DatetimeIndex(seen.index.append(ahead.index))
    mean = pd.concat([expected[key], forecasts.mean_of(key, ahead)]).reindex(days)
    frame = pd.DataFrame({"count": seen[key].reindex(days), "expected": mean}, index=days)
    return frame.join(_bounds(forecasts, key, mean, levels)).join(_calendar(days))


def fit_of(frame: pd.DataFrame, level: float) -> Fit | None:
    """How well the past days of `series_days` were foreseen; None where none has an expectation."""
    both = frame.dropna(subset=["count", "expected"])
    if both.empty:
        return None
    low, _, high = map(quantile_name, quantile_levels([level]))
    came, said = both["count"], both["expected"]
    inside = (came >= both[low]) & (came <= both[high])
    error = float((came - said).abs().sum() / came.sum()) if came.sum() else None
    return Fit(len(both), float(came.sum()), float(said.sum()), error, level, float(inside.mean()))


def _bounds(forecasts: Forecasts, key: SeriesKey, mean: "pd.Series[float]", levels: list[float]) -> pd.DataFrame:
    """Quantiles of each day that has a mean; of the past by the weeks of its own forecast."""
    has = mean.dropna()
    wanted = quantile_levels(levels)
    past, ahead = forecasts.past_means.index[0], forecasts.means.index[0]
    week = np.array([(day - (past if day < ahead else ahead)).days // WEEK for day in has.index], dtype=np.int64)
    values = np.asarray(has, dtype=np.float64)
    asked = forecasts.conformal.asked(groups(values, key not in forecasts.keys), week, wanted)
    bounds = quantiles(values, float(forecasts.facts(key)["daily"]), asked)
    columns = {quantile_name(level): bounds[:, place] for place, level in enumerate(wanted)}
    return pd.DataFrame(columns, index=has.index).reindex(mean.index)


def _calendar(days: pd.DatetimeIndex) -> pd.DataFrame:
    """Kind and name of each day; nothing outside the years of the production calendar."""
    try:
        calendar = calendar_frame(days[0].date(), days[-1].date())
    except ConfigError:
        return pd.DataFrame({"kind": None, "name": ""}, index=days)
    return calendar.set_index("date")[["kind", "name"]].reindex(days)
