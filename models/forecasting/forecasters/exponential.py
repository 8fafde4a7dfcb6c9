"""Exponential smoothing and Theta by statsforecast: each chooses its own form by information criterion.

In: a daily series, NaN where nothing was observed. Out: means of its next days, and of AutoETS the Gaussian
intervals too. The library is imported late: it takes seconds. Histories are cut to `LONGEST` days:
smoothing has forgotten what was before, and fitting takes time in proportion.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecasting.config import ContenderName

Floats = npt.NDArray[np.float64]
WEEK = 7
LONGEST = 730


class ExponentialForecaster:
    """AutoETS (Hyndman et al. 2008) or AutoTheta (Assimakopoulos & Nikolopoulos 2000; Fiorucci et al. 2016)."""

    def __init__(self, name: ContenderName, longest: int = LONGEST) -> None:
        self.name = name
        self.longest = longest

    def fit_predict(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Floats:
        """Means of the `horizon` days after the last day of `history`; regressors are not used."""
        return np.maximum(self.fit_predict_intervals(history, horizon, [])["mean"], 0.0)

    def fit_predict_intervals(
        self, history: "pd.Series[float]", horizon: int, levels: list[float]
    ) -> dict[str, Floats]:
        """Also the model's own intervals: `mean`, and `lo-80`, `hi-80`, … for levels in (0, 1)."""
        percents = [round(100 * level) for level in levels]
        values = filled(history.iloc[-self.longest :]).to_numpy(dtype=np.float64)
        if len(values) < 2 * WEEK or np.ptp(values) == 0:
            flat = np.full(horizon, values[-WEEK:].mean() if len(values) else 0.0)
            return {"mean": flat, **{f"{side}-{p}": flat for side in ("lo", "hi") for p in percents}}
        made = self._model().forecast(values, horizon, level=percents or None)
        return {str(name): np.asarray(column, dtype=np.float64) for name, column in made.items()}

    def _model(self) -> Any:
        from statsforecast.models import AutoETS, AutoTheta

        return AutoETS(season_length=WEEK) if self.name == "auto_ets" else AutoTheta(season_length=WEEK)


def filled(history: "pd.Series[float]") -> "pd.Series[float]":
    """Gaps filled from the same weekday before or after them: smoothing needs every day."""
    weekday = pd.DatetimeIndex(history.index).weekday
    near = history.groupby(weekday).ffill().groupby(weekday).bfill()
    return near.fillna(history.mean()).fillna(0.0)
