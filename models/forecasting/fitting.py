"""Fitting: from counts and their backtest to `Forecasts`.

In: `DAILY_COUNTS`, the config, the `BacktestResult` of the same counts. Out: `Forecasts`. Each base series'
champion is fitted once more, on all days; sums are made bottom-up, and only their dispersion is their own.
"""

from typing import Any

import pandas as pd

from data.counts import KEY
from models.forecasting.alarms import with_learned_thresholds
from models.forecasting.backtest import BacktestResult, Progress, is_sparse
from models.forecasting.config import ContenderName, ForecasterConfig
from models.forecasting.contenders import ProphetForecaster, contender
from models.forecasting.forecast import Forecasts
from models.forecasting.series import SeriesKey, keys_of, panel, trimmed, with_sums

TAIL_DAYS = 56
BOTTOM_UP = "bottom_up"
"""The champion of a sum: its members' champions, added."""


def fit_forecasts(
    counts: pd.DataFrame,
    config: ForecasterConfig,
    result: BacktestResult,
    progress: Progress | None = None,
) -> Forecasts:
    """Fit each base series' champion on all of its days, and compute what the service answers from.

    A series too short for the backtest gets `profile_mean` (and, when it is that new, the dispersion of
    all series together).
    """
    from joblib import Parallel, delayed

    wide = panel(counts)
    jobs = [(key, trimmed(wide[key]), _champion(key, wide, config, result)) for key in keys_of(wide)]
    jobs.sort(key=lambda job: job[2] != "prophet")
    work = Parallel(n_jobs=config.processes, return_as="generator_unordered")
    means: dict[SeriesKey, Any] = {}
    models: dict[SeriesKey, str] = {}
    for key, mean, model in work(delayed(_fit)(*job, config) for job in jobs):
        means[key] = mean
        if model is not None:
            models[key] = model
        if progress is not None:
            progress(key, len(means), len(jobs))
    origin = wide.index[-1]
    ahead = pd.date_range(origin + pd.Timedelta(days=1), periods=config.max_horizon, freq="D", name="date")
    frame = pd.DataFrame({key: means[key] for key in keys_of(wide)}, index=ahead)
    frame.columns = wide.columns
    surges = with_learned_thresholds(config.surges, wide, config.calendar)
    return Forecasts(
        config=config.model_copy(update={"surges": surges}),
        origin=origin.date(),
        series=_describe(wide, config, result, {key: name for key, _, name in jobs}),
        means=frame,
        tail=wide.iloc[-TAIL_DAYS:],
        past_means=_past_means(result, wide, config),
        prophet={key: models[key] for key in keys_of(wide) if key in models},
    )


def _champion(key: SeriesKey, wide: pd.DataFrame, config: ForecasterConfig, result: BacktestResult) -> ContenderName:
    chosen = result.champions.get(key, "profile_mean")
    return "profile_mean" if chosen == "prophet" and is_sparse(trimmed(wide[key]), config) else chosen


def _fit(
    key: SeriesKey, history: "pd.Series[float]", name: ContenderName, config: ForecasterConfig
) -> tuple[SeriesKey, Any, str | None]:
    made = contender(name, config)
    if isinstance(made, ProphetForecaster):
        model = made.fit(history, config.max_horizon)
        return key, made.predict(model, history, config.max_horizon), made.to_json(model)
    return key, made.fit_predict(history, config.max_horizon), None


def _describe(
    wide: pd.DataFrame,
    config: ForecasterConfig,
    result: BacktestResult,
    champions: dict[SeriesKey, ContenderName],
) -> pd.DataFrame:
    """The `series` frame of `Forecasts`."""
    weeks = with_sums(wide).rolling(7).sum().iloc[-7 * config.surges.level_weeks :]
    rows = []
    for key in keys_of(weeks):
        level = weeks[key].quantile(config.surges.level_quantile)
        rows.append({**key._asdict(), "champion": champions.get(key, BOTTOM_UP), "week_level": float(level)})
    described = pd.DataFrame(rows).merge(result.spread, on=KEY, how="left")
    for column in ("daily", "weekly"):
        described[column] = described[column].fillna(float(result.spread[column].median()))
    return described[[*KEY, "champion", "daily", "weekly", "week_level"]]


def _past_means(result: BacktestResult, wide: pd.DataFrame, config: ForecasterConfig) -> pd.DataFrame:
    """The champions' predictions of the last window; series without one have the mean of their past."""
    last = result.predictions[result.predictions["window"] == 0]
    names = pd.MultiIndex.from_frame(last[[*KEY, "contender"]])
    rows = last[names.isin([(*key, name) for key, name in result.champions.items()])]
    days = wide.index[-config.horizon :]
    known = rows.pivot(index="date", columns=KEY, values="mean").reindex(index=days, columns=wide.columns)
    filled = known.fillna(wide.iloc[: -config.horizon].mean()).fillna(wide.mean()).fillna(0.0)
    return filled.rename_axis(index="date")
