"""Prophet on log counts with the Russian production calendar, brought to the recent level.

In: a daily series, NaN where nothing was observed. Out: means of its next days, the fitted model as JSON, and
its components. The decisions worth knowing: a mean of logarithms lies below the logarithm of the mean, and a
flat trend lags behind a level shift; one factor mends both, counts over fitted values of the last `level_days`
days. And prediction is trend plus features times coefficients in numpy: Prophet's own `predict` spends its
time on uncertainty that the conformal intervals replace.
"""

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecasting.config import ContenderName, ProphetConfig
from models.forecasting.special_days import holidays_for_prophet

if TYPE_CHECKING:
    from prophet import Prophet

Floats = npt.NDArray[np.float64]
PRIOR_COMPLAINTS = 5.0
"""A handful of complaints says little about the level."""
WARM = ("k", "m", "delta", "beta", "sigma_obs")


class ProphetForecaster:
    """One series at a time; `warm` holds the parameters of its last fit, from which the next one starts."""

    name: ContenderName = "prophet"

    def __init__(self, config: ProphetConfig, calendar: str = "none") -> None:
        self.config = config
        self.calendar = calendar
        self.warm: dict[str, Any] = {}

    def fit_predict(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Floats:
        """Means of the `horizon` days after the last day of `history`."""
        return self.predict(self.fit(history, horizon, regressors), history, horizon, regressors)

    def fit(self, history: "pd.Series[float]", horizon: int = 366, regressors: pd.DataFrame | None = None) -> "Prophet":
        """A fitted Prophet; its calendar reaches `horizon` days past the history.

        Args:
            history: daily counts.
            horizon: days ahead that will be asked for.
            regressors: a row a day of history and horizon, a column a regressor; or None.
        """
        frame = pd.DataFrame({"ds": history.index, "y": history.to_numpy()})
        model = self._model(history, horizon, len(history.dropna()))
        if regressors is not None:
            known = regressors.reindex(history.index)
            for name in (name for name in known if known[name].nunique() > 1):
                model.add_regressor(str(name))
                frame[str(name)] = known[name].to_numpy()
        if self.config.log:
            frame["y"] = np.log1p(frame["y"])
        if self.config.growth == "logistic":
            frame["cap"] = self._cap(history)
        frame = frame.dropna()
        start = self.warm if self._fits(model, frame) else {}
        fitted = model.fit(frame, **({"init": start} if start else {}))
        self.warm = {name: fitted.params[name] for name in WARM}
        return fitted

    def predict(
        self,
        model: "Prophet",
        history: "pd.Series[float]",
        horizon: int,
        regressors: pd.DataFrame | None = None,
    ) -> Floats:
        """Means of the `horizon` days after `history`, at the level of its last days."""
        recent = history.iloc[-self.config.level_days :].dropna()
        ahead = pd.date_range(history.index[-1] + pd.Timedelta(days=1), periods=horizon, freq="D")
        days = pd.DatetimeIndex([*recent.index, *ahead])
        fitted = sum_of(self.components(model, days, regressors))
        fitted = np.clip(np.expm1(fitted) if self.config.log else fitted, 0, None)
        factor = (recent.sum() + PRIOR_COMPLAINTS) / (fitted[: len(recent)].sum() + PRIOR_COMPLAINTS)
        return np.asarray(fitted[len(recent) :] * factor, dtype=np.float64)

    def components(
        self, model: "Prophet", days: pd.DatetimeIndex, regressors: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """What the fit is made of, as columns that add up (in logarithms where the config says so).

        Columns: `trend`, those of `weekly`, `yearly`, `calendar`, `regressors` that the model has.
        """
        scale, beta = float(model.y_scale), np.asarray(model.params["beta"]).ravel()
        parts = {"trend": self._trend(model, days) * scale}
        at = 0
        for name, facts in model.seasonalities.items():
            features = model.fourier_series(days.to_series(), facts["period"], facts["fourier_order"])
            parts[name] = features @ beta[at : at + features.shape[1]] * scale
            at += features.shape[1]
        if model.holidays is not None:
            names = sorted(model.train_holiday_names)  # Prophet sorts its columns: `holiday_delim_+0`
            kinds = model.holidays.set_index("ds")["holiday"].reindex(days).to_numpy()
            effect = dict(zip(names, beta[at : at + len(names)] * scale, strict=True))
            parts["calendar"] = np.array([effect.get(kind, 0.0) for kind in kinds])
            at += len(names)
        if model.extra_regressors:
            if regressors is None:
                raise ValueError("the model was fitted with regressors")
            total = np.zeros(len(days))
            for name, facts in model.extra_regressors.items():
                values = (regressors[name].reindex(days).to_numpy() - facts["mu"]) / facts["std"]
                total += values * beta[at] * scale
                at += 1
            parts["regressors"] = total
        return pd.DataFrame(parts, index=days)

    def to_json(self, model: "Prophet") -> str:
        """The fitted model as JSON, which `prophet.serialize.model_from_json` reads."""
        from prophet.serialize import model_to_json

        return str(model_to_json(model))

    def _model(self, history: "pd.Series[float]", horizon: int, observed: int) -> "Prophet":
        special = None
        if self.calendar == "russia":
            end = history.index[-1] + pd.Timedelta(days=horizon)
            special = holidays_for_prophet(history.index[0].date(), end.date())
            special = special if len(special) else None
        return prophet_class()(
            growth=self.config.growth,
            weekly_seasonality=True,
            yearly_seasonality=observed >= self.config.yearly_from_days,
            daily_seasonality=False,
            holidays=special,
            changepoint_prior_scale=self.config.changepoint_prior_scale,
            seasonality_prior_scale=self.config.seasonality_prior_scale,
            holidays_prior_scale=self.config.holidays_prior_scale,
            uncertainty_samples=0,
        )

    def _fits(self, model: "Prophet", frame: pd.DataFrame) -> bool:
        """Whether the parameters of the last fit are of this model's size: Prophet does not check it."""
        if not self.warm:
            return False
        weekly, yearly = 6, 20 * bool(model.yearly_seasonality)
        holidays = 0 if model.holidays is None else model.holidays["holiday"].nunique()
        size = weekly + yearly + holidays + len(model.extra_regressors)
        changes = min(model.n_changepoints, int(np.floor(len(frame) * model.changepoint_range)) - 1)
        expected = 1 if model.growth == "flat" else changes
        return bool(self.warm["beta"].size == size and self.warm["delta"].size == expected)

    def _cap(self, history: "pd.Series[float]") -> float:
        """Saturation: so many times the highest 28-day mean."""
        highest = float(history.rolling(28, min_periods=7).mean().max())
        cap = self.config.saturation * max(highest, 1.0)
        return float(np.log1p(cap)) if self.config.log else cap

    def _trend(self, model: "Prophet", days: pd.DatetimeIndex) -> Floats:
        t = np.asarray((days - model.start) / model.t_scale, dtype=np.float64)
        k, m = (float(np.asarray(model.params[name]).ravel()[0]) for name in ("k", "m"))
        deltas = np.asarray(model.params["delta"]).ravel()
        if model.growth == "flat":
            return np.full(len(days), m)
        if model.growth == "linear":
            return np.asarray(model.piecewise_linear(t, deltas, k, m, model.changepoints_t))
        cap = np.full(len(days), float(model.history["cap_scaled"].iloc[0]))
        return np.asarray(model.piecewise_logistic(t, cap, deltas, k, m, model.changepoints_t))


def parameters_of(model: str) -> dict[str, Any]:
    """The fitted parameters in a model's JSON, to start another fit from."""
    from prophet.serialize import model_from_json

    prophet_class()
    params = model_from_json(model).params
    return {name: params[name] for name in WARM}


def sum_of(components: pd.DataFrame) -> Floats:
    """The fitted values that the components add up to."""
    return components.sum(axis=1).to_numpy(dtype=np.float64)


def prophet_class() -> "type[Prophet]":
    """The class, imported late and with the chatter of Stan and plotly silenced."""
    import logging

    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # "Importing plotly failed"
    from cmdstanpy.utils import get_logger
    from prophet import Prophet

    get_logger().setLevel(logging.ERROR)  # its own function: it sets the level anew on its first call
    logging.getLogger("prophet").setLevel(logging.ERROR)
    return cast("type[Prophet]", Prophet)
