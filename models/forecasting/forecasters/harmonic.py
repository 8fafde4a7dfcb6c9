"""Harmonic regression on log counts: what Prophet with flat growth fits, solved directly.

In: a daily series, NaN where nothing was observed. Out: means of its next days. With a flat trend and Gaussian
priors Prophet's model is a ridge regression on Fourier terms of the week and the year, on the calendar and on
regressors; its normal equations take a millisecond where starting the optimiser takes a hundred. The ridge
grows with the square of the frequency, so that a year's season stays smooth. Level as in `prophet_model.py`.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecasting.config import ContenderName, HarmonicConfig
from models.forecasting.special_days import KINDS, kinds_of

Floats = npt.NDArray[np.float64]
WEEK, YEAR = 7.0, 365.25
EPOCH = pd.Timestamp("1970-01-01")
EFFECT_RIDGE = 1.0
"""Ridge of calendar and regressors, in days: an effect seen on one day is halved."""
WEEKLY_RIDGE = 0.1
PRIOR_COMPLAINTS = 5.0


class HarmonicForecaster:
    """One series at a time."""

    name: ContenderName = "harmonic"

    def __init__(self, config: HarmonicConfig, calendar: str = "none") -> None:
        self.config = config
        self.calendar = calendar

    def fit_predict(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Floats:
        """Means of the `horizon` days after the last day of `history`."""
        days = pd.date_range(history.index[0], periods=len(history) + horizon, freq="D")
        features, ridge = self._features(days, len(history), int(history.notna().sum()), regressors)
        counts = history.to_numpy(dtype=np.float64)
        seen = np.flatnonzero(np.isfinite(counts))
        if not len(seen):
            return np.zeros(horizon)
        known = features[seen]
        weights = np.linalg.solve(known.T @ known + np.diag(ridge), known.T @ np.log1p(counts[seen]))
        fitted = np.clip(np.expm1(features @ weights), 0, None)
        recent = seen[seen >= len(history) - self.config.level_days]
        factor = (counts[recent].sum() + PRIOR_COMPLAINTS) / (fitted[recent].sum() + PRIOR_COMPLAINTS)
        return np.asarray(fitted[len(history) :] * factor, dtype=np.float64)

    def _features(
        self, days: pd.DatetimeIndex, past: int, observed: int, regressors: pd.DataFrame | None
    ) -> tuple[Floats, Floats]:
        """Days × features and the ridge of each."""
        config = self.config
        number = ((days - EPOCH) / pd.Timedelta(days=1)).to_numpy(dtype=np.float64)
        blocks = [np.ones((len(days), 1)), _waves(number, WEEK, config.weekly_order)]
        ridge = [1e-6, *[WEEKLY_RIDGE] * (2 * config.weekly_order)]
        if observed >= config.yearly_from_days:
            blocks.append(_waves(number, YEAR, config.yearly_order))
            ridge += [config.yearly_ridge * order**2 for order in range(1, config.yearly_order + 1)] * 2
        if self.calendar == "russia":
            kinds = kinds_of(days).to_numpy()[:, None] == np.arange(1, len(KINDS) + 1)
            blocks.append(kinds.astype(np.float64))
            ridge += [EFFECT_RIDGE] * len(KINDS)
        if regressors is not None:
            given = regressors.reindex(days).to_numpy(dtype=np.float64)
            spread = given[:past].std(axis=0)
            scaled = (given - given[:past].mean(axis=0)) / np.where(spread > 0, spread, 1.0)
            blocks.append(np.where(spread > 0, scaled, 0.0))
            ridge += [EFFECT_RIDGE] * given.shape[1]
        return np.hstack(blocks), np.array(ridge)


def _waves(number: Floats, period: float, order: int) -> Floats:
    angle = 2 * np.pi * number[:, None] * np.arange(1, order + 1) / period
    return np.hstack([np.sin(angle), np.cos(angle)])
