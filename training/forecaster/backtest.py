"""Rolling-origin backtest: what every forecaster says of days that it has not seen.

In: `DAILY_COUNTS` and a `ForecasterConfig`. Out: a `BacktestResult` (`evaluation.py`). Windows of `horizon` days do
not overlap and step back from the last day; a forecaster sees only what lies before its window. Which forecasters
compete for a series follows from its kind (`series_kinds.py`). The work is cut into jobs: the local forecasters
of one series, and a global one of one window. Jobs run in parallel, and the piece of each finished one can be stored
in a folder and used again as long as its data and the config stay the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from batch.executor import Executor, LocalProcesses
from batch.task_cache import TaskCache, map_cached
from data.counts.daily import KEY, REGION
from data.errors import CountsError
from models.forecasting.config import ForecasterConfig
from models.forecasting.count_cleaning import completed, without_bulk_entry
from models.forecasting.forecasters.available import (
    COMBINATION,
    GLOBAL,
    LOCAL,
    SPARSE_FORECASTER,
    global_forecaster,
    local_forecaster,
)
from models.forecasting.regressors import check_covers, of_place
from models.forecasting.series import ALL_SECTORS, SeriesKey, keys_of, panel, trimmed
from models.forecasting.series_kinds import is_sparse
from training.forecaster.evaluation import BacktestResult, evaluate

Progress = Callable[[SeriesKey, int, int], None]
"""Called after each finished job with its series, how many are finished, and how many there are."""

PREDICTIONS = ["date", *KEY, "window", "forecaster", "mean", "actual"]
"""`window` 0 is the last one; `actual` is NaN where nothing was observed."""

PREDICTIONS_VERSION = 3
"""Part of the name of stored predictions, which follow from the data, the config and this code. Raise it with
every change after which the same data and config give other predictions: to a forecaster, to the production
calendar, to the windows, to `is_sparse`, or a new release of Prophet."""

NOT_OF_PREDICTIONS = {
    *("combination", "max_horizon", "new_days", "dead_days", "completeness", "refresh_days", "scored_daily_mean"),
    *("levels", "processes", "surges"),
}
"""Settings that no prediction depends on (`completeness` is in the counts already)."""
OF_GLOBAL, OF_LOCAL = {"boosting"}, {"prophet", "harmonic"}
"""The sections of global and of local forecasters: the others' predictions do not depend on them either."""

ALL_SERIES = SeriesKey(REGION, ALL_SECTORS)
"""Whose progress the jobs of global forecasters are."""


@dataclass(frozen=True, eq=False)
class LocalJob:
    """Every window of one series, by the local forecasters that compete for it."""

    key: SeriesKey
    history: "pd.Series[float]"
    config: ForecasterConfig
    regressors: pd.DataFrame | None
    path: Path | None


@dataclass(frozen=True, eq=False)
class GlobalJob:
    """One window of all series, by one global forecaster."""

    name: str
    window: int
    panel: pd.DataFrame
    config: ForecasterConfig
    regressors: pd.DataFrame | None
    path: Path | None
    key: SeriesKey = ALL_SERIES


Job = LocalJob | GlobalJob


def backtest(
    counts: pd.DataFrame,
    config: ForecasterConfig,
    progress: Progress | None = None,
    folder: Path | None = None,
    regressors: pd.DataFrame | None = None,
    executor: Executor | None = None,
) -> BacktestResult:
    """Backtest every base series of `counts`; with a `folder`, an interrupted run continues there.

    The folder is left with the predictions of this run; those of other data or configs are removed.

    Args:
        counts: `DAILY_COUNTS`.
        config: who competes, and the windows.
        progress: called after each job.
        folder: where finished predictions are stored.
        regressors: see `models/forecasting/regressors.py`.
        executor: where jobs run; None: so many local processes as the config says.

    Raises:
        CountsError: no series is long enough for one window.
        RegressorsError: the regressors do not cover the counts.
    """
    wide = completed(panel(counts), config.completeness)
    if regressors is not None:
        regressors = check_covers(regressors, wide, 0)
    cache = TaskCache(folder)
    jobs = _jobs(wide, _long_enough(wide, config), config, cache, regressors)
    executor = executor or LocalProcesses(config.processes)
    pieces = []
    for job, piece in map_cached(predictions_of, jobs, executor, cache, PREDICTIONS):
        pieces.append(piece)
        if progress is not None:
            progress(job.key, len(pieces), len(jobs))
    result = evaluate(with_combination(pd.concat(pieces), config), wide, config)
    cache.remove_unused()
    return result


def _long_enough(wide: pd.DataFrame, config: ForecasterConfig) -> list[SeriesKey]:
    """The series that have at least one window."""
    keys = [key for key in keys_of(wide) if windows_of(trimmed(wide[key]), config) > 0]
    if not keys:
        raise CountsError(
            f"daily counts: {len(wide)} days are too few for a backtest: "
            f"{config.min_history_days + config.horizon} are needed (min_history_days + horizon)"
        )
    return keys


def windows_of(history: "pd.Series[float]", config: ForecasterConfig) -> int:
    """How many windows a history is long enough for."""
    return max(0, min(config.windows, (len(history) - config.min_history_days) // config.horizon))


@dataclass(frozen=True)
class Window:
    """A window's days as positions: from `start` up to, not including, `end`; what lies before is the past."""

    start: int
    end: int

    @classmethod
    def of(cls, days: int, number: int, config: ForecasterConfig) -> "Window":
        """The window of that number, counted from the last one, of a history of so many days."""
        end = days - number * config.horizon
        return cls(end - config.horizon, end)


def predictions_of(job: Job) -> pd.DataFrame:
    """What a job's forecasters say: columns `PREDICTIONS`."""
    parts = local_predictions(job) if isinstance(job, LocalJob) else global_predictions(job)
    return pd.concat(parts, ignore_index=True)[PREDICTIONS] if parts else pd.DataFrame(columns=PREDICTIONS)


def local_predictions(job: LocalJob) -> list[pd.DataFrame]:
    """Predictions of one series in every window by each local forecaster that competes for it."""
    config, history = job.config, job.history
    forecasters = [local_forecaster(name, config) for name in competing(config, is_sparse(history, config))]
    parts = []
    # From the oldest window on, so that a fit may start from that of the window before.
    for number in reversed(range(windows_of(history, config))):
        window = Window.of(len(history), number, config)
        past, future = history.iloc[: window.start], history.iloc[window.start : window.end]
        if not _is_enough(past, config):
            continue
        learnt = without_bulk_entry(past.to_frame(), config).iloc[:, 0]
        for forecaster in forecasters:
            means = forecaster.fit(learnt, config.horizon, job.regressors).predict()
            parts.append(_predictions(job.key, number, forecaster.name, means, future))
    return parts


def global_predictions(job: GlobalJob) -> list[pd.DataFrame]:
    """A global forecaster's predictions of one window, of the series that have it."""
    config = job.config
    window = Window.of(len(job.panel), job.window, config)
    past, future = job.panel.iloc[: window.start], job.panel.iloc[window.start : window.end]
    past = past.loc[:, past.notna().any()]
    forecaster = global_forecaster(job.name, config)
    means = forecaster.fit(without_bulk_entry(past, config), config.horizon, job.regressors).predict()
    parts = []
    for key in keys_of(past):
        history = trimmed(job.panel[key])
        has_window = windows_of(history, config) > job.window
        if has_window and _is_enough(history.iloc[: Window.of(len(history), job.window, config).start], config):
            parts.append(_predictions(key, job.window, job.name, means[key].to_numpy(), future[key]))
    return parts


def competing(config: ForecasterConfig, sparse: bool) -> list[str]:
    """The local forecasters that compete for a series."""
    names = [name for name in config.forecasters if name in LOCAL]
    if sparse:
        suitable = [name for name in names if LOCAL[name].suits_sparse]
        return list(dict.fromkeys([*suitable, SPARSE_FORECASTER]))
    return names or ["profile_mean"]


def with_combination(predictions: pd.DataFrame, config: ForecasterConfig) -> pd.DataFrame:
    """The geometric mean of 1 + the members' means beside them, wherever all of them forecast."""
    order = [*KEY, "window", "date"]
    if COMBINATION not in config.forecasters:
        return predictions.sort_values([*order, "forecaster"], ignore_index=True)
    members = predictions[predictions["forecaster"].isin(config.combination)]
    by_day = members.assign(mean=np.log1p(members["mean"])).groupby(order)
    combined = by_day.agg(mean=("mean", "mean"), actual=("actual", "first"), members=("mean", "size")).reset_index()
    combined = combined[combined["members"] == len(config.combination)].assign(forecaster=COMBINATION)
    combined["mean"] = np.expm1(combined["mean"])
    both = pd.concat([predictions, combined[PREDICTIONS]], ignore_index=True)
    return both.sort_values([*order, "forecaster"], ignore_index=True)


def _is_enough(past: "pd.Series[float]", config: ForecasterConfig) -> bool:
    """Whether so much was observed that something can be learnt."""
    return bool(past.notna().sum() >= config.min_history_days // 2)


def _predictions(
    key: SeriesKey, window: int, forecaster: str, means: np.ndarray, future: "pd.Series[float]"
) -> pd.DataFrame:
    facts = {**key._asdict(), "window": window, "forecaster": forecaster}
    return pd.DataFrame({"date": future.index, **facts, "mean": means, "actual": future.to_numpy()})


def _jobs(
    wide: pd.DataFrame,
    keys: list[SeriesKey],
    config: ForecasterConfig,
    cache: TaskCache,
    regressors: pd.DataFrame | None,
) -> list[Job]:
    """All jobs, those that take longest first, so that no process is left alone with one at the end."""
    of_local = config.model_dump(mode="json", exclude=NOT_OF_PREDICTIONS | OF_GLOBAL)
    of_global = config.model_dump(mode="json", exclude=NOT_OF_PREDICTIONS | OF_LOCAL | {"forecasters", "windows"})
    histories = {key: trimmed(wide[key]) for key in keys}
    jobs: list[Job] = []
    most_windows = max(windows_of(history, config) for history in histories.values())
    for name in (name for name in config.forecasters if name in GLOBAL):
        for window in range(most_windows):
            seen = wide.iloc[: len(wide) - window * config.horizon]
            path = cache.path([PREDICTIONS_VERSION, name, window, of_global], seen, regressors)
            jobs.append(GlobalJob(name, window, wide, config, regressors, path))
    for key in sorted(keys, key=lambda key: is_sparse(histories[key], config)):
        of_key = of_place(regressors, key.municipality)
        path = cache.path([PREDICTIONS_VERSION, *key, of_local], histories[key].to_frame(), of_key)
        jobs.append(LocalJob(key, histories[key], config, of_key, path))
    return jobs
