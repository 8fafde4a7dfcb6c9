"""The contenders: each forecasts the means of one series' next days from its history.

In: a daily series, NaN where nothing was observed, and regressors for those that can use them. Out: `horizon`
means, never negative. Here are the simple ones, which use no regressors; Prophet, smoothing and the global
model have modules of their own.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecasting.config import ContenderName, ForecasterConfig

Floats = npt.NDArray[np.float64]


class Forecaster(Protocol):
    """What a contender does."""

    name: ContenderName

    def fit_predict(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Floats:
        """Means of the `horizon` days after the last day of `history`."""


class SeasonalNaive:
    """What the same weekday had last week; a gap is filled from the week before it."""

    name: ContenderName = "seasonal_naive"

    def fit_predict(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Floats:
        """Means of the `horizon` days after the last day of `history`."""
        week = _weeks(history, 4)
        last = pd.DataFrame(week).ffill().iloc[-1].to_numpy()
        return _repeat(np.where(np.isnan(last), _mean(history), last), horizon)


class WeekdayMean:
    """The mean of the same weekday over the last four weeks."""

    name: ContenderName = "weekday_mean"

    def fit_predict(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Floats:
        """Means of the `horizon` days after the last day of `history`."""
        week = pd.DataFrame(_weeks(history, 4)).mean().to_numpy()
        return _repeat(np.where(np.isnan(week), _mean(history), week), horizon)


class ProfileMean:
    """The level of the last eight weeks in the shape of the last year's weekdays.

    Both lean on a little prior evidence, so that a series with one complaint a fortnight is never
    forecast to have none.
    """

    name: ContenderName = "profile_mean"
    level_days = 56
    profile_days = 364

    def fit_predict(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Floats:
        """Means of the `horizon` days after the last day of `history`."""
        year = history.iloc[-self.profile_days :]
        overall = _mean(year)
        weekday = np.asarray(pd.DatetimeIndex(year.index).weekday)
        prior = 5.0  # complaints per weekday that a flat week is worth
        profile = np.ones(7)
        for day in range(7):
            seen = year.to_numpy()[weekday == day]
            seen = seen[np.isfinite(seen)]
            profile[day] = (seen.sum() + prior) / (len(seen) * overall + prior)
        profile /= profile.mean()
        recent = history.iloc[-self.level_days :].dropna()
        expected = profile[np.asarray(pd.DatetimeIndex(recent.index).weekday)].sum()
        level = (recent.sum() + overall * 7) / (expected + 7)
        ahead = _ahead(history, horizon)
        return np.asarray(level * profile[np.asarray(ahead.weekday)], dtype=np.float64)


class ZeroInflated:
    """The chance of a day with complaints times their number on such days, both smoothed.

    For series that mostly have none: Teunter, Syntetos & Babai 2011 (TSB), with slow smoothing and the same
    little prior evidence as `ProfileMean`.
    """

    name: ContenderName = "zero_inflated"
    smoothing = 0.02

    def fit_predict(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Floats:
        """Means of the `horizon` days after the last day of `history`."""
        seen = history.dropna().to_numpy(dtype=np.float64)
        some = seen[seen > 0]
        chance = (len(some) + 0.5) / (len(seen) + 1)
        size = float(some.mean()) if len(some) else 1.0
        for count in seen:
            chance += self.smoothing * (float(count > 0) - chance)
            if count > 0:
                size += self.smoothing * (float(count) - size)
        return np.full(horizon, chance * size)


def contender(name: ContenderName, config: ForecasterConfig) -> Forecaster:
    """The contender of that name, of those that forecast each series by itself."""
    from models.forecasting.forecasters.exponential import ExponentialForecaster
    from models.forecasting.forecasters.harmonic import HarmonicForecaster
    from models.forecasting.forecasters.prophet_model import ProphetForecaster

    if name == "harmonic":
        return HarmonicForecaster(config.harmonic, config.calendar)
    if name == "prophet":
        return ProphetForecaster(config.prophet, config.calendar)
    if name in ("auto_ets", "auto_theta"):
        return ExponentialForecaster(name)
    simple: dict[str, Any] = {kind.name: kind for kind in (SeasonalNaive, WeekdayMean, ProfileMean, ZeroInflated)}
    made: Forecaster = simple[name]()
    return made


def _weeks(history: "pd.Series[float]", count: int) -> Floats:
    """The last `count` weeks as rows, oldest first, padded with NaN."""
    values = history.to_numpy(dtype=np.float64)[-7 * count :]
    padded = np.concatenate([np.full(7 * count - len(values), np.nan), values])
    return padded.reshape(count, 7)


def _mean(history: "pd.Series[float]") -> float:
    """Mean of the last year's observed days, 0 without any.

    In a history of eight weeks or less, or where that year was not observed: of the last 28 observed days.
    """
    seen = history.dropna().iloc[-28:] if len(history) <= 56 else history.iloc[-364:].dropna()
    if seen.empty:
        seen = history.dropna().iloc[-28:]
    return float(seen.mean()) if len(seen) else 0.0


def _repeat(week: Floats, horizon: int) -> Floats:
    return np.tile(week, -(-horizon // 7))[:horizon]


def _ahead(history: "pd.Series[float]", horizon: int) -> pd.DatetimeIndex:
    return pd.date_range(history.index[-1] + pd.Timedelta(days=1), periods=horizon, freq="D")
