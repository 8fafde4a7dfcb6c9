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
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from data.config import Config
from models.forecasting.forecasters.boosting_features import Past
from models.forecasting.interface import GlobalForecaster, days_ahead

if TYPE_CHECKING:
    from models.forecasting.config import ForecasterConfig

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
FIRST_ORIGIN = 84
"""Days of history before the first origin that is learnt from (fewer where there are hardly so many)."""
LEAST_LEAVES = 4
"""A model needs rows for so many leaves; with fewer, the baseline is the forecast."""


class BoostingConfig(Config):
    """The global model: gradient boosting over all series together; names as in scikit-learn."""

    iterations: int = Field(default=80, ge=10)
    learning_rate: float = Field(default=0.1, gt=0, le=1)
    max_leaf_nodes: int = Field(default=15, ge=2)
    min_samples_leaf: int = Field(default=60, ge=1)
    l2_regularization: float = Field(default=5.0, ge=0)
    step_days: int = Field(default=5, ge=1, description="every so many days are an origin that is learnt from")
    max_rows: int = Field(default=60_000, ge=1_000, description="rows learnt from, the latest first")
    rows_per_series: int = Field(default=2_000, ge=100, description="likewise, times the number of series")


@dataclass(frozen=True)
class _Rows:
    """What is learnt from: features, ratios of counts to their baselines, and the baselines as weights."""

    features: Floats
    ratios: Floats
    baselines: Floats


class GradientBoosting(GlobalForecaster):
    """All series of a panel at once, by one model for the days that are near and one for those beyond."""

    name = "gradient_boosting"

    def __init__(self, config: BoostingConfig, calendar: str = "none", near: int = 14) -> None:
        self.config = config
        self.calendar = calendar
        self.near = near

    @classmethod
    def from_config(cls, config: "ForecasterConfig") -> Self:
        """Its section, the calendar, and the backtest's horizon as what is near."""
        return cls(config.boosting, config.calendar, config.horizon)

    def fit(self, panel: pd.DataFrame, horizon: int, regressors: pd.DataFrame | None = None) -> Self:
        """Learn the ratios of all series to their baselines.

        The first `near` days have a model of their own, so that they do not depend on how far the rest reaches.
        """
        self._panel, self._horizon = panel, horizon
        self._past = Past.of(panel, horizon, self.calendar, regressors)
        near = min(self.near, horizon)
        spans = [np.arange(near), np.arange(near, horizon)]
        self._models = [(steps, self._fitted(self._rows(steps))) for steps in spans if len(steps)]
        return self

    def predict(self) -> pd.DataFrame:
        """Means of the days after the panel, dates × series."""
        parts = [self._means(steps, model) for steps, model in self._models]
        days = days_ahead(self._panel.index, self._horizon)
        return pd.DataFrame(np.concatenate(parts), index=days, columns=self._panel.columns)

    def _means(self, steps: Ints, model: "_VaryingFeatures | None") -> Floats:
        """Means, steps × series."""
        origins = np.full(len(steps), self._past.days)
        features, baseline = self._past.features(origins, steps)
        if model is None:
            return np.nan_to_num(baseline)
        ratio = model.predict(features.reshape(-1, features.shape[-1])).reshape(baseline.shape)
        return np.nan_to_num(ratio * baseline)

    def _fitted(self, rows: _Rows) -> "_VaryingFeatures | None":
        """A model of the rows; None where they are too few."""
        from sklearn.ensemble import HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits

        config = self.config
        if len(rows.ratios) < config.min_samples_leaf * LEAST_LEAVES:
            return None
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
        varies = _varying(rows.features)
        with threadpool_limits(1):  # many processes fit beside this one
            model.fit(rows.features[:, varies], rows.ratios, sample_weight=rows.baselines)
        return _VaryingFeatures(model, varies)

    def _rows(self, steps: Ints) -> _Rows:
        """What is learnt from, `steps` ahead of the latest origins: at most `max_rows`."""
        past, rng = self._past, np.random.default_rng(0)
        first = min(FIRST_ORIGIN, past.days // 3)
        origins = np.arange(past.days - 1, first, -self.config.step_days)
        rows = min(self.config.max_rows, self.config.rows_per_series * past.series)
        per_origin = max(1, min(len(steps), rows // max(1, len(origins) * past.series)))
        origins = origins[: max(1, rows // (per_origin * past.series))]
        drawn_steps = np.array([rng.permutation(steps)[:per_origin] for _ in origins]).ravel()
        drawn_origins = np.repeat(origins, per_origin)
        inside = drawn_origins + drawn_steps < past.days
        origin, step = drawn_origins[inside], drawn_steps[inside]
        features, baseline = past.features(origin, step)
        counts = past.counts[origin + step]
        known = np.isfinite(counts) & np.isfinite(baseline) & (baseline > 0)
        return _Rows(features[known], counts[known] / baseline[known], baseline[known])


@dataclass(frozen=True)
class _VaryingFeatures:
    """A fitted model of those features that are not the same in all rows."""

    model: Any
    varies: Bools

    def predict(self, features: Floats) -> Floats:
        """Ratios to the baseline, a row each."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            return np.asarray(self.model.predict(features[:, self.varies]), dtype=np.float64)


def _varying(features: Floats) -> Bools:
    """Which columns have two values at least: binning refuses the others."""
    return np.array(
        [np.isfinite(column).any() and np.nanmin(column) < np.nanmax(column) for column in features.T], dtype=bool
    )
