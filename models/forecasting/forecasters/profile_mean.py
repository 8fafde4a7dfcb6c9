"""The level of the last eight weeks in the shape of the last year's weekdays.

In: a daily series, NaN where nothing was observed. Out: means of its next days. The decision worth knowing: level and
shape lean on a little prior evidence, so that a series with one complaint a fortnight is never forecast to have none.
"""

from typing import Self

import numpy as np
import pandas as pd

from models.forecasting.interface import Floats, LocalForecaster, days_ahead

LEVEL_DAYS, PROFILE_DAYS = 56, 364
"""Eight weeks tell the level before a season changes it; a year of weeks tells their shape."""
PRIOR_COMPLAINTS = 5.0
"""Complaints per weekday that a flat week is worth."""
PRIOR_LEVEL_DAYS = 7
"""Days at the year's level that the last weeks' own are joined with."""
YOUNG_DAYS, RECENT_DAYS = 56, 28
"""A history of eight weeks or less, or one silent for a year, has the level of its last 28 observed days."""


class ProfileMean(LocalForecaster):
    """A level times a weekday's share."""

    name = "profile_mean"

    def fit(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Self:
        """Learn level and shape; regressors are not used."""
        usual = overall_mean(history)
        profile = weekday_profile(history.iloc[-PROFILE_DAYS:], usual)
        recent = history.iloc[-LEVEL_DAYS:].dropna()
        of_flat_level = profile[pd.DatetimeIndex(recent.index).weekday].sum()
        level = (recent.sum() + usual * PRIOR_LEVEL_DAYS) / (of_flat_level + PRIOR_LEVEL_DAYS)
        self._means = level * profile[days_ahead(history.index, horizon).weekday]
        return self

    def predict(self) -> Floats:
        """Means of the days after the history."""
        return np.asarray(self._means, dtype=np.float64)


def weekday_profile(history: "pd.Series[float]", usual: float) -> Floats:
    """What each weekday has over the mean of all, from Monday on."""
    by_weekday = history.groupby(pd.DatetimeIndex(history.index).weekday)
    total, days = by_weekday.sum().reindex(range(7), fill_value=0), by_weekday.count().reindex(range(7), fill_value=0)
    profile = ((total + PRIOR_COMPLAINTS) / (days * usual + PRIOR_COMPLAINTS)).to_numpy(dtype=np.float64)
    return np.asarray(profile / profile.mean())


def overall_mean(history: "pd.Series[float]") -> float:
    """Mean of the last year's observed days, 0 without any; see `YOUNG_DAYS`."""
    observed = history.dropna()
    of_year = history.iloc[-PROFILE_DAYS:].dropna()
    days = observed.iloc[-RECENT_DAYS:] if len(history) <= YOUNG_DAYS or of_year.empty else of_year
    return float(days.mean()) if len(days) else 0.0
