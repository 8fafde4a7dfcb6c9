"""Prophet on log counts with the Russian production calendar, brought to the recent level.

In: a daily series, NaN where nothing was observed. Out: means of its next days, the fitted model as JSON, and
its components. The decisions worth knowing: a mean of logarithms lies below the logarithm of the mean, and a
flat trend lags behind a level shift; one factor mends both, counts over fitted values of the last `level_days`
days. And Prophet draws no samples (`uncertainty_samples=0`): conformal intervals replace them.
"""

from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np
import pandas as pd
from pydantic import Field

from data.config import Config
from models.forecasting.interface import Floats, LocalForecaster, days_ahead
from models.forecasting.special_days import holidays_for_prophet

if TYPE_CHECKING:
    from prophet import Prophet

    from models.forecasting.config import ForecasterConfig

PRIOR_COMPLAINTS = 5.0
"""A handful of complaints says little about the level."""
PARAMETERS = ("k", "m", "delta", "beta", "sigma_obs")
"""What Stan fits, and a warm start begins from."""
COMPONENTS = {
    "trend": "trend",
    "weekly": "weekly",
    "yearly": "yearly",
    "holidays": "calendar",
    "extra_regressors_additive": "regressors",
}
"""Prophet's columns of what adds up to its prediction, and our names."""


class ProphetConfig(Config):
    """How Prophet is set up; its names where it has them."""

    log: bool = Field(default=True, description="fit log(1 + count): seasons multiply, spikes weigh less")
    growth: Literal["flat", "linear", "logistic"] = "flat"
    saturation: float = Field(
        default=1.5, gt=1, description="logistic growth saturates at so many times the highest 28-day mean"
    )
    level_days: int = Field(
        default=56, ge=7, description="days over which a fit's level is brought to that of the counts"
    )
    yearly_from_days: int = Field(default=548, ge=365, description="history needed for a yearly season")
    changepoint_prior_scale: float = Field(default=0.05, gt=0)
    seasonality_prior_scale: float = Field(default=10.0, gt=0)
    holidays_prior_scale: float = Field(default=10.0, gt=0)


class ProphetForecaster(LocalForecaster):
    """One series at a time; each fit starts from the parameters of the one before, where they fit."""

    name = "prophet"
    suits_sparse = False
    is_slow = True

    def __init__(self, config: ProphetConfig, calendar: str = "none") -> None:
        self.config = config
        self.calendar = calendar
        self._warm: dict[str, Any] = {}

    @classmethod
    def from_config(cls, config: "ForecasterConfig") -> Self:
        """Its section, and the calendar."""
        return cls(config.prophet, config.calendar)

    def fit(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Self:
        """Fit Prophet; its calendar reaches `horizon` days past the history."""
        self._history, self._horizon = history, horizon
        self._regressors = _those_that_vary(regressors, history)
        self._model = self._unfitted()
        frame = self._inputs(pd.DatetimeIndex(history.index))
        frame["y"] = np.log1p(history.to_numpy()) if self.config.log else history.to_numpy()
        frame = frame.dropna()
        start = {"init": self._warm} if self._can_start_from(self._warm, frame) else {}
        self._model.fit(frame, **start)
        self._warm = {name: self._model.params[name] for name in PARAMETERS}
        return self

    def predict(self) -> Floats:
        """Means of the days after the history, at the level of its last days."""
        recent = self._history.iloc[-self.config.level_days :].dropna()
        days = pd.DatetimeIndex([*recent.index, *days_ahead(self._history.index, self._horizon)])
        fitted = self._model.predict(self._inputs(days))["yhat"].to_numpy(dtype=np.float64)
        fitted = np.clip(np.expm1(fitted) if self.config.log else fitted, 0, None)
        of_recent, ahead = fitted[: len(recent)], fitted[len(recent) :]
        to_level = (recent.sum() + PRIOR_COMPLAINTS) / (of_recent.sum() + PRIOR_COMPLAINTS)
        return np.asarray(ahead * to_level, dtype=np.float64)

    def components(self, days: pd.DatetimeIndex) -> pd.DataFrame:
        """What the fit is made of, as columns that add up (in logarithms where the config says so).

        Columns: `trend`, those of `weekly`, `yearly`, `calendar`, `regressors` that the model has.
        """
        predicted = self._model.predict(self._inputs(days))
        columns = {ours: predicted[name].to_numpy() for name, ours in COMPONENTS.items() if name in predicted}
        return pd.DataFrame(columns, index=days)

    def to_json(self) -> str:
        """The fitted model as JSON, which `prophet.serialize.model_from_json` reads."""
        from prophet.serialize import model_to_json

        return str(model_to_json(self._model))

    def start_from(self, fitted: str) -> None:
        """Let the next fit start from the parameters in a model's JSON."""
        from prophet.serialize import model_from_json

        prophet_class()
        params = model_from_json(fitted).params
        self._warm = {name: params[name] for name in PARAMETERS}

    def _unfitted(self) -> "Prophet":
        history, special = self._history, None
        if self.calendar == "russia":
            end = history.index[-1] + pd.Timedelta(days=self._horizon)
            special = holidays_for_prophet(history.index[0].date(), end.date())
            special = special if len(special) else None
        model = prophet_class()(
            growth=self.config.growth,
            weekly_seasonality=True,
            yearly_seasonality=bool(history.notna().sum() >= self.config.yearly_from_days),
            daily_seasonality=False,
            holidays=special,
            changepoint_prior_scale=self.config.changepoint_prior_scale,
            seasonality_prior_scale=self.config.seasonality_prior_scale,
            holidays_prior_scale=self.config.holidays_prior_scale,
            uncertainty_samples=0,
        )
        for name in self._regressors:
            model.add_regressor(str(name))
        return model

    def _inputs(self, days: pd.DatetimeIndex) -> pd.DataFrame:
        """What Prophet wants to know of some days."""
        frame = pd.DataFrame({"ds": days})
        for name in self._regressors:
            frame[str(name)] = self._regressors[name].reindex(days).to_numpy()
        if self.config.growth == "logistic":
            frame["cap"] = self._cap()
        return frame

    def _can_start_from(self, parameters: dict[str, Any], frame: pd.DataFrame) -> bool:
        """Whether parameters are of this model's size: Prophet does not check it."""
        if not parameters:
            return False
        model = self._model
        weekly, yearly = 6, 20 * bool(model.yearly_seasonality)  # Prophet's Fourier orders, 3 and 10, twice
        holidays = 0 if model.holidays is None else model.holidays["holiday"].nunique()
        size = weekly + yearly + holidays + len(model.extra_regressors)
        changepoints = min(model.n_changepoints, int(np.floor(len(frame) * model.changepoint_range)) - 1)
        deltas = 1 if model.growth == "flat" else changepoints
        return bool(parameters["beta"].size == size and parameters["delta"].size == deltas)

    def _cap(self) -> float:
        """Saturation: so many times the highest 28-day mean."""
        highest = float(self._history.rolling(28, min_periods=7).mean().max())
        cap = self.config.saturation * max(highest, 1.0)
        return float(np.log1p(cap)) if self.config.log else cap


def _those_that_vary(regressors: pd.DataFrame | None, history: "pd.Series[float]") -> pd.DataFrame:
    """The regressors that teach something: Prophet refuses constant ones."""
    if regressors is None:
        return pd.DataFrame()
    known = regressors.reindex(history.index)
    return regressors[[name for name in known if known[name].nunique() > 1]]


def prophet_class() -> "type[Prophet]":
    """The class, imported late and with the chatter of Stan and plotly silenced."""
    import logging

    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # "Importing plotly failed"
    from cmdstanpy.utils import get_logger
    from prophet import Prophet

    get_logger().setLevel(logging.ERROR)  # its own function: it sets the level anew on its first call
    logging.getLogger("prophet").setLevel(logging.ERROR)
    return cast("type[Prophet]", Prophet)
