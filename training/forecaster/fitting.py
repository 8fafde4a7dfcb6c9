"""Fitting: from counts and their backtest to `Forecasts`, and from yesterday's `Forecasts` to today's.

In: `DAILY_COUNTS`, the config, the `BacktestResult` of the same counts (`fit_forecasts`) or the last `Forecasts`
(`refresh_forecasts`). Out: `Forecasts`. Each base series' champion is fitted once more, on all days; sums are
made bottom-up, and only their dispersion is their own. A refresh keeps champions, dispersions and quantile
levels; it fits the champions on all days, and once more on all but the last window, so that counts of those
days can be judged by forecasts that had not seen them. Series whose counts did not change are not fitted again.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from batch.task_cache import Job, TaskCache, finished
from data.counts.daily import KEY
from models.forecasting.bundle import Forecasts
from models.forecasting.config import ContenderName, ForecasterConfig
from models.forecasting.count_cleaning import completed, learnable
from models.forecasting.forecasters.available import contender
from models.forecasting.forecasters.boosting import GradientBoosting
from models.forecasting.forecasters.prophet_model import ProphetForecaster, parameters_of
from models.forecasting.regressors import check_covers, of_place
from models.forecasting.series import SeriesKey, keys_of, panel, trimmed, with_sums
from models.forecasting.series_kinds import NONE, POOLED, Treatment, pooled_upward, treatment_of
from models.surges.thresholds import with_learned_thresholds
from training.forecaster.backtest import (
    ALL_SERIES,
    BY_ITSELF,
    PREDICTIONS_VERSION,
    TOGETHER,
    BacktestResult,
    Progress,
)

TAIL_DAYS = 56
BOTTOM_UP = "bottom_up"
"""The champion of a sum: its members' champions, added."""
FITTED = ["municipality", "sector", "contender", "step", "mean", "model"]
"""Columns of a fitted piece; `model` is Prophet's JSON in the first row of its means."""


@dataclass(frozen=True)
class Fits:
    """What champions say of the days after a panel: means, dates × base series, and Prophet's models."""

    means: pd.DataFrame
    prophet: dict[SeriesKey, str]


def fit_forecasts(
    counts: pd.DataFrame,
    config: ForecasterConfig,
    result: BacktestResult,
    progress: Progress | None = None,
    folder: Path | None = None,
    regressors: pd.DataFrame | None = None,
) -> Forecasts:
    """Fit each base series' champion on all of its days, and compute what the service answers from.

    With a `folder`, finished fits are stored there, and an interrupted run goes on with the others.

    Raises:
        RegressorsError: the regressors do not cover the counts and `max_horizon` days after them.
    """
    observed = panel(counts)
    wide = completed(observed, config.completeness)
    treatments = {key: treatment_of(trimmed(wide[key]), config) for key in keys_of(wide)}
    champions = {key: _champion(treatments[key], result.champions.get(key), config) for key in treatments}
    cache = TaskCache(folder)
    fits = _fit(wide, champions, config, config.max_horizon, cache, regressors, progress)
    cache.remove_unused()
    surges = with_learned_thresholds(config.surges, wide, config.calendar)
    return Forecasts(
        config=config.model_copy(update={"surges": surges}),
        origin=wide.index[-1].date(),
        backtested=wide.index[-1].date(),
        series=_describe(wide, config, result.spread, champions, treatments),
        means=fits.means,
        tail=observed.iloc[-TAIL_DAYS:],
        past_means=_past_means(result, wide, config),
        conformal=result.conformal,
        prophet=fits.prophet,
    )


def refresh_forecasts(
    counts: pd.DataFrame,
    config: ForecasterConfig,
    last: Forecasts,
    progress: Progress | None = None,
    folder: Path | None = None,
    regressors: pd.DataFrame | None = None,
) -> Forecasts:
    """Today's forecasts by the champions of `last`, without a backtest.

    A series that `last` did not know, or whose treatment has become another, has the combination, or the
    method of its treatment.
    """
    observed = panel(counts)
    wide = completed(observed, config.completeness)
    treatments = {key: treatment_of(trimmed(wide[key]), config) for key in keys_of(wide)}
    before = {SeriesKey(*key): name for *key, name in last.series[[*KEY, "champion"]].itertuples(index=False)}
    champions = {key: _champion(treatments[key], before.get(key), config) for key in treatments}
    cache = TaskCache(folder)
    fits = _fit(wide, champions, config, config.max_horizon, cache, regressors, progress, last.prophet)
    past = wide.iloc[: -config.horizon]
    past = past.loc[:, past.notna().any()]
    known = {key: _champion(treatment_of(trimmed(past[key]), config), champions[key], config) for key in keys_of(past)}
    then = _fit(past, known, config, config.horizon, cache, regressors, progress, last.prophet)
    cache.remove_unused()
    surges = with_learned_thresholds(config.surges, wide, config.calendar)
    return Forecasts(
        config=config.model_copy(update={"surges": surges}),
        origin=wide.index[-1].date(),
        backtested=last.backtested,
        series=_describe(wide, config, last.series[[*KEY, "daily", "weekly"]], champions, treatments),
        means=fits.means,
        tail=observed.iloc[-TAIL_DAYS:],
        past_means=_filled(then.means.reindex(columns=wide.columns), wide, config),
        conformal=last.conformal,
        prophet=fits.prophet,
    )


def _champion(treatment: Treatment, chosen: str | None, config: ForecasterConfig) -> str:
    """What a series is forecast by: the method of its treatment, or the champion chosen for it."""
    if treatment == "dead":
        return NONE
    if treatment in ("short", "new"):
        return POOLED
    if chosen in (None, NONE, POOLED):
        chosen = "combination" if "combination" in config.contenders else "profile_mean"
    needed = set(_needed(chosen, config))
    return "profile_mean" if treatment == "sparse" and needed & BY_ITSELF else str(chosen)


def _needed(champion: str | None, config: ForecasterConfig) -> list[str]:
    """The contenders that a champion's means are made of."""
    return [*config.combination] if champion == "combination" else [str(champion)]


def _fit(
    wide: pd.DataFrame,
    champions: dict[SeriesKey, str],
    config: ForecasterConfig,
    horizon: int,
    cache: TaskCache,
    regressors: pd.DataFrame | None,
    progress: Progress | None,
    warm: dict[SeriesKey, str] | None = None,
) -> Fits:
    """The champions' means of the `horizon` days after a panel."""
    if regressors is not None:
        regressors = check_covers(regressors, wide, horizon)
    clean = learnable(wide, config)
    jobs = _jobs(clean, champions, config, horizon, cache, regressors, warm or {})
    pieces = []
    for key, piece in finished(jobs, cache, FITTED, config.processes):
        pieces.append(piece)
        if progress is not None:
            progress(key, len(pieces), len(jobs))
    fitted = pd.concat(pieces) if pieces else pd.DataFrame(columns=FITTED)
    parts = {(str(p), str(s), str(c)): rows for (p, s, c), rows in fitted.groupby([*KEY, "contender"])}
    ahead = pd.date_range(wide.index[-1] + pd.Timedelta(days=1), periods=horizon, freq="D", name="date")
    means, models = {}, {}
    for key, champion in champions.items():
        if champion in (NONE, POOLED):
            means[key] = np.zeros(horizon) if champion == NONE else pooled_upward(key, clean, horizon)
            continue
        own = [parts[(*key, name)]["mean"].to_numpy(dtype=np.float64) for name in _needed(champion, config)]
        means[key] = own[0] if len(own) == 1 else np.expm1(np.mean(np.log1p(own), axis=0))
        if champion == "prophet":
            models[key] = str(parts[(*key, champion)]["model"].iloc[0])
    frame = pd.DataFrame(means, index=ahead)
    frame.columns = wide.columns
    return Fits(frame, models)


def _jobs(
    clean: pd.DataFrame,
    champions: dict[SeriesKey, str],
    config: ForecasterConfig,
    horizon: int,
    cache: TaskCache,
    regressors: pd.DataFrame | None,
    warm: dict[SeriesKey, str],
) -> list[Job]:
    """One piece for the global model, if a champion needs it, and one for each other contender of a series."""
    needed = {key: _needed(champion, config) for key, champion in champions.items() if champion not in (NONE, POOLED)}
    facts = [PREDICTIONS_VERSION, horizon, config.model_dump(include={"calendar", "horizon"})]
    jobs = []
    if any("gradient_boosting" in names for names in needed.values()):
        path = cache.path([*facts, config.boosting.model_dump()], clean, regressors)
        jobs.append(Job(ALL_SERIES, path, _fit_together, clean, config, horizon, regressors))
    of_series = config.model_dump(include={"prophet", "harmonic"})
    for key, names in needed.items():
        history, own = trimmed(clean[tuple(key)]), of_place(regressors, key.municipality)
        for name in (name for name in names if name not in TOGETHER):
            path = cache.path([*facts, *key, name, of_series], history.to_frame(), own)
            start = warm.get(key) if name == "prophet" else None
            jobs.append(Job(key, path, _fit_series, key, history, name, config, horizon, own, start))
    return sorted(jobs, key=lambda job: job.arguments[2] != "prophet")


def _fit_together(
    clean: pd.DataFrame, config: ForecasterConfig, horizon: int, regressors: pd.DataFrame | None
) -> pd.DataFrame:
    model = GradientBoosting(config.boosting, config.calendar)
    means = model.fit_predict(clean, horizon, regressors, near=config.horizon)
    parts = [_fitted(key, "gradient_boosting", means[tuple(key)].to_numpy(), "") for key in keys_of(means)]
    return pd.concat(parts, ignore_index=True)


def _fit_series(
    key: SeriesKey,
    history: "pd.Series[float]",
    name: ContenderName,
    config: ForecasterConfig,
    horizon: int,
    regressors: pd.DataFrame | None,
    warm: str | None,
) -> pd.DataFrame:
    made, model = contender(name, config), ""
    if isinstance(made, ProphetForecaster):
        made.warm = parameters_of(warm) if warm else {}
        fitted = made.fit(history, horizon, regressors)
        means, model = made.predict(fitted, history, horizon, regressors), made.to_json(fitted)
    else:
        means = made.fit_predict(history, horizon, regressors)
    return _fitted(key, name, means, model)


def _fitted(key: SeriesKey, name: str, means: "np.ndarray", model: str) -> pd.DataFrame:
    texts = [model, *[""] * (len(means) - 1)]
    columns = {**key._asdict(), "contender": name, "step": np.arange(len(means)), "mean": means, "model": texts}
    return pd.DataFrame(columns)[FITTED]


def _describe(
    wide: pd.DataFrame,
    config: ForecasterConfig,
    spread: pd.DataFrame,
    champions: dict[SeriesKey, str],
    treatments: dict[SeriesKey, Treatment],
) -> pd.DataFrame:
    """The `series` frame of `Forecasts`."""
    weeks = with_sums(wide).rolling(7).sum().iloc[-7 * config.surges.level_weeks :]
    rows = []
    for key in keys_of(weeks):
        level = weeks[key].quantile(config.surges.level_quantile)
        named = {"champion": champions.get(key, BOTTOM_UP), "treatment": treatments.get(key, "sum")}
        rows.append({**key._asdict(), **named, "week_level": float(level)})
    described = pd.DataFrame(rows).merge(spread, on=KEY, how="left")
    for column in ("daily", "weekly"):
        described[column] = described[column].fillna(float(spread[column].median()))
    return described[[*KEY, "champion", "treatment", "daily", "weekly", "week_level"]]


def _past_means(result: BacktestResult, wide: pd.DataFrame, config: ForecasterConfig) -> pd.DataFrame:
    """The champions' predictions of the last window; series without one have the mean of their past."""
    last = result.predictions[result.predictions["window"] == 0]
    names = pd.MultiIndex.from_frame(last[[*KEY, "contender"]])
    rows = last[names.isin([(*key, name) for key, name in result.champions.items()])]
    days = wide.index[-config.horizon :]
    known = rows.pivot(index="date", columns=KEY, values="mean").reindex(index=days, columns=wide.columns)
    return _filled(known, wide, config)


def _filled(known: pd.DataFrame, wide: pd.DataFrame, config: ForecasterConfig) -> pd.DataFrame:
    filled = known.fillna(wide.iloc[: -config.horizon].mean()).fillna(wide.mean()).fillna(0.0)
    return filled.rename_axis(index="date")
