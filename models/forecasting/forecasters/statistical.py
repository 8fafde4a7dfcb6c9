"""Statistical forecasters of statsforecast: naive, window mean, TSB, AutoETS, AutoTheta.

In: a daily series, NaN where nothing was observed. Out: means of its next days, and of those that have them the
Gaussian intervals that come with them (rivals of the conformal ones). The decisions worth knowing: they need every
day, so gaps are filled from the same weekday; and smoothing is given the last two years only, because what is
older says nothing to it and takes its time. Histories too short for a method have their mean.
"""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
import pandas as pd

from models.forecasting.interface import Floats, LocalForecaster

WEEK = 7
LONGEST = 730
FALLBACK_DAYS = 28
"""Histories too short for a method have the mean of so many days."""
WINDOW_WEEKS = 4
"""As in DESIGN's protocol: the 4-week weekday mean."""
SLOW_SMOOTHING = 0.02
"""A sparse series has a complaint or two a week: faster smoothing follows single ones."""


class StatisticalForecaster(LocalForecaster):
    """A model of statsforecast, over the last `longest` days."""

    shortest = 2 * WEEK

    def __init__(self, longest: int = LONGEST) -> None:
        self.longest = longest

    @abstractmethod
    def model(self) -> Any:
        """The library's model, to be fitted."""

    def prepared(self, history: "pd.Series[float]") -> Floats:
        """The days to be learnt from, without gaps."""
        return np.asarray(filled(history.iloc[-self.longest :]), dtype=np.float64)

    def fit(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Self:
        """Learn a series; regressors are not used."""
        values = self.prepared(history)
        self._horizon = horizon
        self._flat = np.full(horizon, values[-FALLBACK_DAYS:].mean() if len(values) else 0.0)
        can_fit = len(values) >= self.shortest and np.ptp(values) > 0
        self._model = self.model().fit(values) if can_fit else None
        return self

    def predict(self) -> Floats:
        """Means of the days after the history."""
        return np.maximum(self.predict_intervals([])["mean"], 0.0)

    def predict_intervals(self, levels: list[float]) -> dict[str, Floats]:
        """Also the model's own intervals: `mean`, and `lo-80`, `hi-80`, … for levels in (0, 1)."""
        percents = [round(100 * level) for level in levels]
        if self._model is None:
            return dict.fromkeys(["mean", *(f"{side}-{p}" for side in ("lo", "hi") for p in percents)], self._flat)
        columns = self._model.predict(self._horizon, level=percents) if percents else self._model.predict(self._horizon)
        return {str(name): np.asarray(column, dtype=np.float64) for name, column in columns.items()}


class SeasonalNaive(StatisticalForecaster):
    """What the same weekday had last week; a gap is filled from the week before it."""

    name = "seasonal_naive"

    def model(self) -> Any:
        """Last week again."""
        from statsforecast import models

        return models.SeasonalNaive(season_length=WEEK)


class WeekdayMean(StatisticalForecaster):
    """The mean of the same weekday over the last four weeks."""

    name = "weekday_mean"
    shortest = WINDOW_WEEKS * WEEK

    def model(self) -> Any:
        """The mean of four weeks, weekday by weekday."""
        from statsforecast import models

        return models.SeasonalWindowAverage(season_length=WEEK, window_size=WINDOW_WEEKS)


class ZeroInflated(StatisticalForecaster):
    """The chance of a day with complaints times their number on such days, both smoothed.

    For series that mostly have none: Teunter, Syntetos & Babai 2011 (TSB).
    """

    name = "zero_inflated"

    def model(self) -> Any:
        """TSB with slow smoothing."""
        from statsforecast import models

        return models.TSB(alpha_d=SLOW_SMOOTHING, alpha_p=SLOW_SMOOTHING)

    def prepared(self, history: "pd.Series[float]") -> Floats:
        """The observed days, all of them: a gap filled with a rare complaint would count it twice."""
        return np.asarray(history.dropna(), dtype=np.float64)


class AutoTheta(StatisticalForecaster):
    """Theta (Assimakopoulos & Nikolopoulos 2000; Fiorucci et al. 2016), in the form that fits best."""

    name = "auto_theta"
    suits_sparse = False

    def model(self) -> Any:
        """The form is chosen by the library."""
        from statsforecast import models

        return models.AutoTheta(season_length=WEEK)


class AutoEts(StatisticalForecaster):
    """Exponential smoothing (Hyndman et al. 2008), in the form with the least information criterion."""

    name = "auto_ets"
    suits_sparse = False

    def model(self) -> Any:
        """The form is chosen by the library."""
        from statsforecast import models

        return models.AutoETS(season_length=WEEK)


def filled(history: "pd.Series[float]") -> "pd.Series[float]":
    """Gaps filled from the same weekday before or after them: smoothing needs every day."""
    if not history.hasnans:
        return history
    weekday = pd.DatetimeIndex(history.index).weekday
    near = history.groupby(weekday).ffill().groupby(weekday).bfill()
    return near.fillna(history.mean()).fillna(0.0)
