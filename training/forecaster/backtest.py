"""Rolling-origin backtest: who forecasts each series best, and how wide the truth lies around it.

In: `DAILY_COUNTS` and a `ForecasterConfig`. Out: a `BacktestResult`. Windows of `horizon` days do not
overlap and step back from the last day; a contender sees only what lies before its window. Which contenders
compete for a series follows from its treatment (`treatments.py`). The work is cut into pieces: the contenders
of one series, and the global model of one window. Pieces run in parallel, and each finished one can be stored
in a folder and reused as long as its data and the config stay the same.

Every figure of the champions is of windows that came after all that they were chosen and calibrated on: the
champion of a window, its dispersion and its quantile levels come from the windows before it. Only what is
served (`champions`, `spread`, `conformal`) comes from all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from batch.task_cache import Job, TaskCache, finished
from data.counts.daily import KEY, REGION
from data.errors import CountsError
from models.forecasting.config import ContenderName, ForecasterConfig
from models.forecasting.count_cleaning import completed, learnable
from models.forecasting.forecasters.available import contender
from models.forecasting.forecasters.boosting import GradientBoosting
from models.forecasting.intervals import Conformal
from models.forecasting.regressors import check_covers, of_place
from models.forecasting.series import ALL_SECTORS, SeriesKey, keys_of, panel, trimmed
from models.forecasting.series_kinds import is_sparse
from training.forecaster.model_selection import (
    by_series,
    calibration,
    choose_champions,
    fit_conformal,
    fit_spread,
    held_out,
    of_champions,
    wape_table,
)

Progress = Callable[[SeriesKey, int, int], None]
"""Called after each finished piece with its series, how many are finished, and how many there are."""

PREDICTIONS = ["date", *KEY, "window", "contender", "mean", "actual"]
"""`window` 0 is the last one; `actual` is NaN where nothing was observed."""

PREDICTIONS_VERSION = 2
"""Part of the name of stored predictions, which follow from the data, the config and this code. Raise it with
every change after which the same data and config give other predictions: to a contender, to the production
calendar, to `backtest_series`, `windows_of` or `is_sparse`, or a new release of Prophet."""

Days = TypeVar("Days", pd.DataFrame, "pd.Series[float]")
ALL_SERIES = SeriesKey(REGION, ALL_SECTORS)
"""Whose progress the pieces of the global model are."""
BY_ITSELF: set[ContenderName] = {"prophet", "auto_ets", "auto_theta"}
"""Contenders that sparse series go without."""
TOGETHER: set[ContenderName] = {"gradient_boosting", "combination"}
"""Contenders that are not computed series by series."""


@dataclass(frozen=True)
class BacktestResult:
    """What a backtest found.

    Attributes:
        wape: contenders × judged windows, oldest first, and `mean`: Σ|error| / Σcount over the `scored` series.
            `champion` is chosen and calibrated on the windows before, so that it is not its own judge; it
            forecasts the median, which is what absolute errors ask for, and `champion_mean` the mean.
        scored: the series that `wape` is over.
        champions: the best contender of each base series, over all windows.
        spread: `municipality, sector, daily, weekly`: dispersion of days and of 7-day totals around the
            champion's means, for base series and for sums.
        conformal: the quantile levels that give the stated coverage.
        predictions: all of them, columns `PREDICTIONS`.
        judged: the champions' predictions of the judged windows, with what was fitted before each
            (`judging.held_out`).
        coverage: share of days inside the champions' 80 % interval, `all` of them and by the mean's size.
            `all` is NaN, and there is nothing else, where no series has two windows.
        pinball_loss: mean pinball loss over the quantiles of the configured levels, held out like `coverage`;
            NaN likewise.
    """

    wape: pd.DataFrame
    scored: list[SeriesKey]
    champions: dict[SeriesKey, ContenderName]
    spread: pd.DataFrame
    conformal: Conformal
    predictions: pd.DataFrame
    judged: pd.DataFrame
    coverage: dict[str, float]
    pinball_loss: float


def backtest(
    counts: pd.DataFrame,
    config: ForecasterConfig,
    progress: Progress | None = None,
    folder: Path | None = None,
    regressors: pd.DataFrame | None = None,
) -> BacktestResult:
    """Backtest every base series of `counts`; with a `folder`, an interrupted run continues there.

    The folder is left with the predictions of this run; those of other data or configs are removed.

    Raises:
        CountsError: no series is long enough for one window.
        RegressorsError: the regressors do not cover the counts.
    """
    wide = completed(panel(counts), config.completeness)
    if regressors is not None:
        regressors = check_covers(regressors, wide, 0)
    lengths = {key: windows_of(trimmed(wide[key]), config) for key in keys_of(wide)}
    lengths = {key: windows for key, windows in lengths.items() if windows > 0}
    if not lengths:
        raise CountsError(
            f"daily counts: {len(wide)} days are too few for a backtest: "
            f"{config.min_history_days + config.horizon} are needed (min_history_days + horizon)"
        )
    cache = TaskCache(folder)
    jobs = _jobs(wide, list(lengths), config, cache, regressors)
    parts: dict[object, pd.DataFrame] = {}
    for key, piece in finished(jobs, cache, PREDICTIONS, config.processes):
        parts[key] = piece
        if progress is not None:
            progress(key if isinstance(key, SeriesKey) else ALL_SERIES, len(parts), len(jobs))
    predictions = pd.concat([parts[job.key] for job in sorted(jobs, key=lambda job: str(job.key))])
    result = evaluate(_with_combination(predictions, config), wide, config)
    cache.remove_unused()
    return result


def windows_of(history: "pd.Series[float]", config: ForecasterConfig) -> int:
    """How many windows a history is long enough for."""
    return max(0, min(config.windows, (len(history) - config.min_history_days) // config.horizon))


def backtest_series(
    key: SeriesKey, history: "pd.Series[float]", config: ForecasterConfig, regressors: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Predictions of one series in every window by each contender that takes series one by one."""
    sparse = is_sparse(history, config)
    names: list[ContenderName] = [
        n for n in config.contenders if n not in (TOGETHER | BY_ITSELF if sparse else TOGETHER)
    ]
    if sparse:
        names = list(dict.fromkeys([*names, "zero_inflated"]))
    made = [contender(name, config) for name in names or ["profile_mean"]]
    parts = []
    # From the oldest window on, so that a fit may start from that of the window before.
    for window in reversed(range(windows_of(history, config))):
        past, future = _split(history, window, config)
        if past.notna().sum() < config.min_history_days // 2:
            continue
        known = learnable(past.to_frame(), config).iloc[:, 0]
        for one in made:
            mean = one.fit_predict(known, config.horizon, regressors)
            columns = {"date": future.index, "window": window, "contender": one.name, "mean": mean}
            parts.append(pd.DataFrame({**columns, "actual": future.to_numpy()}))
    if not parts:
        return pd.DataFrame(columns=PREDICTIONS)
    return pd.concat(parts, ignore_index=True).assign(municipality=key.municipality, sector=key.sector)[PREDICTIONS]


def backtest_together(
    window: int, wide: pd.DataFrame, config: ForecasterConfig, regressors: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The global model's predictions of one window, of the series that have it."""
    past, future = _split(wide, window, config)
    past = past.loc[:, past.notna().any()]
    means = GradientBoosting(config.boosting, config.calendar).fit_predict(
        learnable(past, config), config.horizon, regressors
    )
    parts = []
    for key in keys_of(past):
        own = trimmed(wide[tuple(key)])
        seen = _split(own, window, config)[0].notna().sum() if windows_of(own, config) > window else 0
        if seen >= config.min_history_days // 2:
            columns = {"date": future.index, "municipality": key.municipality, "sector": key.sector}
            values = {"mean": means[tuple(key)].to_numpy(), "actual": future[tuple(key)].to_numpy()}
            parts.append(pd.DataFrame({**columns, "window": window, "contender": "gradient_boosting", **values}))
    return pd.concat(parts, ignore_index=True)[PREDICTIONS] if parts else pd.DataFrame(columns=PREDICTIONS)


def _split(days: Days, window: int, config: ForecasterConfig) -> tuple[Days, Days]:
    """What lies before a window, and the window."""
    end = len(days) - window * config.horizon
    return days.iloc[: end - config.horizon], days.iloc[end - config.horizon : end]


def _jobs(
    wide: pd.DataFrame,
    keys: list[SeriesKey],
    config: ForecasterConfig,
    cache: TaskCache,
    regressors: pd.DataFrame | None,
) -> list[Job]:
    """The pieces, those that take longest first, so that no process is left alone with one at the end."""
    matters = {"contenders", "calendar", "horizon", "windows", "min_history_days", "min_daily_mean", "bulk_entry_ratio"}
    relevant = config.model_dump(include={*matters, "prophet", "harmonic"})
    together = config.model_dump(include={*matters, "boosting"} - {"contenders", "windows"})
    jobs = []
    if "gradient_boosting" in config.contenders:
        most = max(windows_of(trimmed(wide[key]), config) for key in keys)
        for window in range(most):
            seen = wide.iloc[: len(wide) - window * config.horizon]
            path = cache.path([PREDICTIONS_VERSION, window, together], seen, regressors)
            jobs.append(Job(window, path, backtest_together, window, wide, config, regressors))
    histories = {key: trimmed(wide[key]) for key in keys}
    for key in sorted(keys, key=lambda key: is_sparse(histories[key], config)):
        own = of_place(regressors, key.municipality)
        path = cache.path([PREDICTIONS_VERSION, *key, relevant], histories[key].to_frame(), own)
        jobs.append(Job(key, path, backtest_series, key, histories[key], config, own))
    return jobs


def _with_combination(predictions: pd.DataFrame, config: ForecasterConfig) -> pd.DataFrame:
    """The geometric mean of 1 + the members' means beside them, wherever all of them forecast."""
    order = [*KEY, "window", "date"]
    if "combination" not in config.contenders:
        return predictions.sort_values([*order, "contender"], ignore_index=True)
    members = predictions[predictions["contender"].isin(config.combination)]
    groups = members.assign(mean=np.log1p(members["mean"])).groupby(order)
    made = groups.agg(mean=("mean", "mean"), actual=("actual", "first"), members=("mean", "size")).reset_index()
    made = made[made["members"] == len(config.combination)].assign(contender="combination")
    made["mean"] = np.expm1(made["mean"])
    both = pd.concat([predictions, made[PREDICTIONS]], ignore_index=True)
    return both.sort_values([*order, "contender"], ignore_index=True)


def evaluate(predictions: pd.DataFrame, wide: pd.DataFrame, config: ForecasterConfig) -> BacktestResult:
    """Champions, figures and dispersions from all predictions and the panel they are of."""
    errors = predictions.dropna(subset=["actual"])
    errors = errors.assign(
        absolute=(errors["mean"] - errors["actual"]).abs(), squared=(errors["mean"] - errors["actual"]) ** 2
    )
    sparse = {key: is_sparse(trimmed(wide[key]), config) for key in keys_of(wide)}
    champions = choose_champions(errors, sparse)
    recent = wide.iloc[-365:].mean()
    competing = {name for name in errors["contender"] if name in config.contenders}
    scored = [
        key
        for key, rows in by_series(errors)
        if recent[key] >= config.scored_daily_mean and competing <= set(rows["contender"])
    ] or list(champions)
    best = of_champions(errors, champions)
    # A surge that goes on in the last window must not hide itself.
    usual = best[best["window"] > 0] if best["window"].nunique() > 1 else best
    spread = fit_spread(usual, keys_of(wide))
    judged = held_out(errors, sparse, config.levels)
    coverage, loss = calibration(judged, config.levels)
    return BacktestResult(
        wape=wape_table(errors, judged, scored),
        scored=scored,
        champions=champions,
        spread=spread,
        conformal=fit_conformal(best, spread, keys_of(wide)),
        predictions=predictions,
        judged=judged,
        coverage=coverage,
        pinball_loss=loss,
    )
