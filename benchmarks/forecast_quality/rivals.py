"""Rivals of the forecaster: their means and quantiles of one window, and the CPU time they took.

In: a panel, dates × series, up to the window. Out: a frame, columns `RIVAL`. Each rival gets fair intervals:
AutoETS and AutoTheta their own, Prophet with its defaults its own samples, the point forecasts the quantiles of
their past errors. CPU time counts this process and its children (Prophet runs Stan beside it), because waiting
for a busy machine is not the method's fault.
"""

import resource
from collections.abc import Callable

import numpy as np
import pandas as pd

from models.forecasting.config import ForecasterConfig
from models.forecasting.count_cleaning import without_bulk_entry
from models.forecasting.distribution import quantile_name
from models.forecasting.forecasters.available import GLOBAL, global_forecaster, local_forecaster
from models.forecasting.forecasters.prophet_model import prophet_class
from models.forecasting.forecasters.statistical import AutoEts, AutoTheta
from models.forecasting.intervals import Conformal
from models.forecasting.series import SeriesKey, keys_of
from training.forecaster.uncertainty import predicted_quantiles

LEVELS = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]
INTERVALS = [0.5, 0.8, 0.95]
NAMES = [quantile_name(level) for level in LEVELS]
RIVAL = ["date", "municipality", "sector", "window", "forecaster", "mean", *NAMES]
HORIZON = 14
SAMPLES = 200


def cpu_seconds() -> float:
    """CPU time of this process and its finished children so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def smoothing(name: str, past: pd.DataFrame, window: int) -> pd.DataFrame:
    """AutoETS or AutoTheta with its own intervals."""
    kind = AutoEts if name == AutoEts.name else AutoTheta
    parts = []
    for key in keys_of(past):
        made = kind(longest=len(past)).fit(past[tuple(key)], HORIZON).predict_intervals(INTERVALS)
        sides = {0.5: made["mean"]}
        for level in INTERVALS:
            sides[round((1 - level) / 2, 3)] = made[f"lo-{round(100 * level)}"]
            sides[round((1 + level) / 2, 3)] = made[f"hi-{round(100 * level)}"]
        quantiles = {quantile_name(level): np.maximum(sides[level], 0.0) for level in LEVELS}
        parts.append(_rows(name, key, past, window, {"mean": made["mean"], **quantiles}))
    return pd.concat(parts, ignore_index=True)


def prophet_default(name: str, past: pd.DataFrame, window: int) -> pd.DataFrame:
    """Prophet with its defaults but 200 uncertainty samples; nothing of ours touches it."""
    parts = []
    for key in keys_of(past):
        model = prophet_class()(uncertainty_samples=SAMPLES, interval_width=0.8)
        model.fit(pd.DataFrame({"ds": past.index, "y": past[tuple(key)].to_numpy()}))
        ahead = model.make_future_dataframe(HORIZON, include_history=False)
        np.random.seed(0)
        mean = model.predict(ahead)["yhat"].to_numpy()
        drawn = model.predictive_samples(ahead)["yhat"]
        quantiles = {quantile_name(level): np.quantile(drawn, level, axis=1) for level in LEVELS}
        parts.append(_rows(name, key, past, window, {"mean": mean, **quantiles}))
    return pd.concat(parts, ignore_index=True)


RIVALS: dict[str, Callable[[str, pd.DataFrame, int], pd.DataFrame]] = {
    "prophet_default": prophet_default,
    "auto_ets": smoothing,
    "auto_theta": smoothing,
}
"""Those that this script computes."""
POINT_RIVALS = ("seasonal_naive", "weekday_mean")
"""Those that come with the backtest, without quantiles of their own."""


def points(name: str, wide: pd.DataFrame, windows: int) -> pd.DataFrame:
    """A point rival's forecasts of `windows` windows from the counts as they are, with what came."""
    parts = []
    for window in range(windows):
        end = len(wide) - HORIZON * window
        past, future = wide.iloc[: end - HORIZON], wide.iloc[end - HORIZON : end]
        for key in keys_of(past):
            mean = local_forecaster(name, ForecasterConfig()).fit(past[tuple(key)], HORIZON).predict()
            facts = {"date": future.index, **key._asdict(), "window": window, "forecaster": name}
            parts.append(pd.DataFrame({**facts, "mean": mean, "actual": future[tuple(key)].to_numpy()}))
    return pd.concat(parts, ignore_index=True)


def with_past_errors(predictions: pd.DataFrame, windows: int) -> pd.DataFrame:
    """Point forecasts of the judged windows with quantiles of the same series' errors in the windows before."""
    parts = []
    for (_, window), rows in predictions.groupby(["sector", "window"]):
        if window not in range(windows):
            continue
        of_series = predictions["sector"] == rows["sector"].iloc[0]
        own = predictions[of_series & (predictions["window"] > window)]
        errors = (own["actual"] - own["mean"]).dropna().to_numpy()
        mean = rows["mean"].to_numpy()
        quantiles = {quantile_name(level): np.maximum(mean + np.quantile(errors, level), 0.0) for level in LEVELS}
        parts.append(rows.assign(**quantiles))
    return pd.concat(parts, ignore_index=True)


def champion_seconds(past: pd.DataFrame, config: ForecasterConfig) -> float:
    """CPU seconds a series that fit, forecast and quantiles of the combination and its members take."""
    started = cpu_seconds()
    clean = without_bulk_entry(past, config)
    together = global_forecaster("gradient_boosting", config).fit(clean, HORIZON).predict()
    for key in keys_of(past):
        own = local_forecaster("harmonic", config).fit(clean[tuple(key)], HORIZON).predict()
        mean = np.expm1((np.log1p(own) + np.log1p(together[tuple(key)].to_numpy())) / 2)
        rows = pd.DataFrame({"date": together.index, "window": 0, "mean": mean})
        predicted_quantiles(rows, 0.1, Conformal.identity(), LEVELS)
    return (cpu_seconds() - started) / past.shape[1]


def forecaster_seconds(name: str, past: pd.DataFrame, config: ForecasterConfig) -> float:
    """CPU seconds a series that a forecaster's fit and forecast take."""
    started = cpu_seconds()
    if name in GLOBAL:
        global_forecaster(name, config).fit(past, HORIZON).predict()
    else:
        for key in keys_of(past):
            local_forecaster(name, config).fit(past[tuple(key)], HORIZON).predict()
    return (cpu_seconds() - started) / past.shape[1]


def _rows(name: str, key: SeriesKey, past: pd.DataFrame, window: int, columns: dict[str, np.ndarray]) -> pd.DataFrame:
    days = pd.date_range(past.index[-1] + pd.Timedelta(days=1), periods=HORIZON, freq="D")
    facts = {"date": days, **key._asdict(), "window": window, "forecaster": name}
    return pd.DataFrame({**facts, **columns})[RIVAL]
