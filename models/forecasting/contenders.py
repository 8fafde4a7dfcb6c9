"""The contenders: each forecasts the means of one series' next days from its history.

In: a daily series, NaN where nothing was observed. Out: `horizon` means, never negative. From the
simplest to the richest, which is also how ties between them are settled.
"""

from datetime import date
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.production_calendar import FIRST_YEAR, LAST_YEAR, calendar_frame
from models.forecasting.config import ContenderName, ForecasterConfig, ProphetConfig

if TYPE_CHECKING:
    from prophet import Prophet

Floats = npt.NDArray[np.float64]
LONG_RUN = 4
"""So many days off in a row are a long holiday: it quiets weekends too, and complaints pile up after it."""
DAYS_OFF = ["weekend", "holiday"]


class Forecaster(Protocol):
    """What a contender does."""

    name: ContenderName

    def fit_predict(self, history: "pd.Series[float]", horizon: int) -> Floats:
        """Means of the `horizon` days after the last day of `history`."""


class SeasonalNaive:
    """What the same weekday had last week; a gap is filled from the week before it."""

    name: ContenderName = "seasonal_naive"

    def fit_predict(self, history: "pd.Series[float]", horizon: int) -> Floats:
        """Means of the `horizon` days after the last day of `history`."""
        week = _weeks(history, 4)
        last = pd.DataFrame(week).ffill().iloc[-1].to_numpy()
        return _repeat(np.where(np.isnan(last), _mean(history), last), horizon)


class WeekdayMean:
    """The mean of the same weekday over the last four weeks."""

    name: ContenderName = "weekday_mean"

    def fit_predict(self, history: "pd.Series[float]", horizon: int) -> Floats:
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

    def fit_predict(self, history: "pd.Series[float]", horizon: int) -> Floats:
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


class ProphetForecaster:
    """Prophet on log counts with the Russian production calendar, brought to the recent level.

    A mean of logarithms lies below the logarithm of the mean, and a flat trend lags behind a level shift:
    both are mended by one factor, counts over fitted values of the last `level_days` days.
    """

    name: ContenderName = "prophet"

    def __init__(self, config: ProphetConfig, calendar: str = "none") -> None:
        self.config = config
        self.calendar = calendar

    def fit_predict(self, history: "pd.Series[float]", horizon: int) -> Floats:
        """Means of the `horizon` days after the last day of `history`."""
        return self.predict(self.fit(history, horizon), history, horizon)

    def fit(self, history: "pd.Series[float]", horizon: int = 366) -> "Prophet":
        """A fitted Prophet; its calendar reaches `horizon` days past the history."""
        Prophet = _prophet()  # noqa: N806
        frame = pd.DataFrame({"ds": history.index, "y": history.to_numpy()}).dropna()
        special = None
        if self.calendar == "russia":
            special = holidays_for_prophet(history.index[0].date(), _ahead(history, horizon)[-1].date())
        model = Prophet(
            growth=self.config.growth,
            weekly_seasonality=True,
            yearly_seasonality=len(frame) >= self.config.yearly_from_days,
            daily_seasonality=False,
            holidays=special,
            changepoint_prior_scale=self.config.changepoint_prior_scale,
            seasonality_prior_scale=self.config.seasonality_prior_scale,
            holidays_prior_scale=self.config.holidays_prior_scale,
            uncertainty_samples=0,
        )
        if self.config.log:
            frame["y"] = np.log1p(frame["y"])
        return model.fit(frame)

    def predict(self, model: "Prophet", history: "pd.Series[float]", horizon: int) -> Floats:
        """Means of the `horizon` days after `history`, at the level of its last days."""
        recent = history.iloc[-self.config.level_days :].dropna()
        days = pd.DatetimeIndex(recent.index).append(_ahead(history, horizon))
        fitted = model.predict(pd.DataFrame({"ds": days}))["yhat"].to_numpy(dtype=np.float64)
        fitted = np.clip(np.expm1(fitted) if self.config.log else fitted, 0, None)
        prior = 5.0  # complaints: a handful of them says little about the level
        factor = (recent.sum() + prior) / (fitted[: len(recent)].sum() + prior)
        return np.asarray(fitted[len(recent) :] * factor, dtype=np.float64)

    def to_json(self, model: "Prophet") -> str:
        """The fitted model as JSON, which `prophet.serialize.model_from_json` reads."""
        from prophet.serialize import model_to_json

        return str(model_to_json(model))


def _prophet() -> "type[Prophet]":
    """The class, imported late and with the chatter of Stan and plotly silenced."""
    import logging

    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # "Importing plotly failed"
    from cmdstanpy.utils import get_logger
    from prophet import Prophet

    get_logger().setLevel(logging.ERROR)  # its own function: it sets the level anew on its first call
    logging.getLogger("prophet").setLevel(logging.ERROR)
    return cast("type[Prophet]", Prophet)


def contender(name: ContenderName, config: ForecasterConfig) -> Forecaster:
    """The contender of that name."""
    if name == "prophet":
        return ProphetForecaster(config.prophet, config.calendar)
    simple: dict[str, Any] = {kind.name: kind for kind in (SeasonalNaive, WeekdayMean, ProfileMean)}
    made: Forecaster = simple[name]()
    return made


def holidays_for_prophet(start: date, end: date) -> pd.DataFrame:
    """The production calendar as Prophet's holidays: `ds, holiday`; years it does not cover are left out.

    Kinds: `new_year`, `long_holiday` (four days off or more, weekends included), `holiday`, `short`,
    `working_saturday`, `after_long` (the first working day after a long run).
    """
    calendar = calendar_frame(
        max(date(start.year - 1, 12, 1), date(FIRST_YEAR, 1, 1)),
        min(date(end.year + 1, 1, 31), date(LAST_YEAR, 12, 31)),
    )
    off = calendar["kind"].isin(DAYS_OFF)
    long = long_runs(calendar)
    month, weekday = calendar["date"].dt.month, calendar["date"].dt.weekday
    kind = pd.Series("", index=calendar.index)
    kind[calendar["kind"] == "holiday"] = "holiday"
    kind[long] = "long_holiday"
    kind[long & month.isin([12, 1])] = "new_year"
    kind[calendar["kind"] == "short"] = "short"
    kind[~off & (weekday == 5)] = "working_saturday"
    kind[~off & long.shift(1, fill_value=False)] = "after_long"
    made = pd.DataFrame({"ds": calendar["date"], "holiday": kind})
    inside = made["ds"].between(pd.Timestamp(start), pd.Timestamp(end))
    return made[inside & (kind != "")].reset_index(drop=True)


def long_runs(calendar: pd.DataFrame) -> "pd.Series[bool]":
    """Which days of a `calendar_frame` belong to a run of `LONG_RUN` days off or more."""
    off = calendar["kind"].isin(DAYS_OFF)
    return off & (off.groupby((~off).cumsum()).transform("sum") >= LONG_RUN)


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
