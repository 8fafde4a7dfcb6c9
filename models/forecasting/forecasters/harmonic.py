"""Harmonic regression on log counts: what Prophet with flat growth fits, solved directly.

In: a daily series, NaN where nothing was observed. Out: means of its next days. With a flat trend and Gaussian
priors Prophet's model is a ridge regression on Fourier terms of the week and the year, on the calendar and on
regressors; its normal equations take a millisecond where starting the optimiser takes a hundred. The ridge
grows with the square of the frequency, so that a year's season stays smooth. Level as in `prophet_model.py`.
"""

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from pydantic import Field

from data.config import Config
from models.forecasting.interface import Floats, LocalForecaster
from models.forecasting.special_days import KINDS, kinds_of

if TYPE_CHECKING:
    from models.forecasting.config import ForecasterConfig

WEEK, YEAR = 7.0, 365.25
EPOCH = pd.Timestamp("1970-01-01")
INTERCEPT_RIDGE = 1e-6
"""None to speak of: it only keeps the equations solvable."""
EFFECT_RIDGE = 1.0
"""Ridge of calendar and regressors, in days: an effect seen on one day is halved."""
WEEKLY_RIDGE = 0.1
"""A week is seen fifty times a year: it needs hardly any."""
PRIOR_COMPLAINTS = 5.0
"""A handful of complaints says little about the level."""


class HarmonicConfig(Config):
    """Harmonic regression on log counts."""

    weekly_order: int = Field(default=3, ge=1, le=3)
    yearly_order: int = Field(default=10, ge=1, le=30)
    yearly_ridge: float = Field(default=5.0, ge=0, description="days that the year's first harmonic is shrunk by")
    yearly_from_days: int = Field(default=548, ge=365, description="history needed for a yearly season")
    level_days: int = Field(default=56, ge=7, description="as in `prophet`")


class HarmonicForecaster(LocalForecaster):
    """A ridge regression of log counts, brought to the recent level."""

    name = "harmonic"

    def __init__(self, config: HarmonicConfig, calendar: str = "none") -> None:
        self.config = config
        self.calendar = calendar

    @classmethod
    def from_config(cls, config: "ForecasterConfig") -> Self:
        """Its section, and the calendar."""
        return cls(config.harmonic, config.calendar)

    def fit(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Self:
        """Solve the regression; the days of the horizon are fitted values too."""
        days = pd.date_range(history.index[0], periods=len(history) + horizon, freq="D")
        counts = history.to_numpy(dtype=np.float64)
        observed = np.flatnonzero(np.isfinite(counts))
        if not len(observed):
            self._means = np.zeros(horizon)
            return self
        features, ridge = self._features(days, len(history), len(observed), regressors)
        x, y = features[observed], np.log1p(counts[observed])
        coefficients = np.linalg.solve(x.T @ x + np.diag(ridge), x.T @ y)
        fitted = np.clip(np.expm1(features @ coefficients), 0, None)
        recent = observed[observed >= len(history) - self.config.level_days]
        to_level = (counts[recent].sum() + PRIOR_COMPLAINTS) / (fitted[recent].sum() + PRIOR_COMPLAINTS)
        self._means = fitted[len(history) :] * to_level
        return self

    def predict(self) -> Floats:
        """Means of the days after the history."""
        return np.asarray(self._means, dtype=np.float64)

    def _features(
        self, days: pd.DatetimeIndex, past: int, observed: int, regressors: pd.DataFrame | None
    ) -> tuple[Floats, Floats]:
        """Days × features and the ridge of each; of `days`, the first `past` are the history."""
        config = self.config
        number = ((days - EPOCH) / pd.Timedelta(days=1)).to_numpy(dtype=np.float64)
        blocks = [np.ones((len(days), 1)), _waves(number, WEEK, config.weekly_order)]
        ridge = [INTERCEPT_RIDGE, *[WEEKLY_RIDGE] * (2 * config.weekly_order)]
        if observed >= config.yearly_from_days:
            blocks.append(_waves(number, YEAR, config.yearly_order))
            ridge += [config.yearly_ridge * order**2 for order in range(1, config.yearly_order + 1)] * 2
        if self.calendar == "russia":
            is_kind = kinds_of(days).to_numpy()[:, None] == np.arange(1, len(KINDS) + 1)
            blocks.append(is_kind.astype(np.float64))
            ridge += [EFFECT_RIDGE] * len(KINDS)
        if regressors is not None:
            values = regressors.reindex(days).to_numpy(dtype=np.float64)
            mean, spread = values[:past].mean(axis=0), values[:past].std(axis=0)
            scaled = (values - mean) / np.where(spread > 0, spread, 1.0)
            blocks.append(np.where(spread > 0, scaled, 0.0))
            ridge += [EFFECT_RIDGE] * values.shape[1]
        return np.hstack(blocks), np.array(ridge)


def _waves(number: Floats, period: float, order: int) -> Floats:
    """Sines and cosines of the first `order` harmonics of a period."""
    angle = 2 * np.pi * number[:, None] * np.arange(1, order + 1) / period
    return np.hstack([np.sin(angle), np.cos(angle)])
