"""Rolling-origin backtest: who forecasts each series best, and how wide the truth lies around it.

In: `DAILY_COUNTS` and a `ForecasterConfig`. Out: a `BacktestResult`. Windows of `horizon` days do not
overlap and step back from the last day; a contender sees only what lies before its window. The
champion of a series has the lowest summed absolute error, ties go to the simpler. A sparse series
(under `min_daily_mean`) is judged by squared error, because absolute error there rewards forecasting
zero, and goes without Prophet. Series are independent, so they run in parallel, and each
finished one can be kept in a folder and reused as long as its data and the config stay the same.

Every figure of the champions is held out: for each window, champions are chosen and dispersions fitted on
the other windows. Only what is served (`champions`, `spread`) comes from all of them.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data.counts import KEY
from data.errors import CountsError
from models.forecasting.config import ContenderName, ForecasterConfig
from models.forecasting.contenders import contender
from models.forecasting.judging import (
    by_series,
    calibration,
    choose_champions,
    fit_spread,
    held_out,
    of_champions,
    wape_table,
)
from models.forecasting.series import SeriesKey, keys_of, panel, trimmed

Progress = Callable[[SeriesKey, int, int], None]
"""Called after each finished series with its key, how many are finished, and how many there are."""

PREDICTIONS = ["date", *KEY, "window", "contender", "mean", "actual"]
"""`window` 0 is the last one; `actual` is NaN where nothing was observed."""

PREDICTIONS_VERSION = 1
"""Part of the name of kept predictions, which follow from the data, the config and this code. Raise it with
every change after which the same data and config give other predictions: to a contender, to the production
calendar, to `backtest_series`, `windows_of` or `is_sparse`, or a new release of Prophet."""

KEPT = re.compile(r"[0-9a-f]{32}\.(parquet|partial)")
"""What files of kept predictions are called; no others are removed."""


@dataclass(frozen=True)
class BacktestResult:
    """What a backtest found.

    Attributes:
        wape: contenders (and `champion`) × windows, oldest first, and `mean`: Σ|error| / Σcount over the
            `scored` series. `champion` is chosen on the other windows, so that it is not its own judge.
        scored: the series that `wape` is over.
        champions: the best contender of each base series, over all windows.
        spread: `municipality, sector, daily, weekly`: dispersion of days and of 7-day totals around the
            champion's means, for base series and for sums.
        predictions: all of them, columns `PREDICTIONS`.
        coverage: share of days inside the champions' 80 % interval, `all` of them and by the mean's size.
            Champions and dispersions are those of the other windows; `all` is NaN, and there is nothing
            else, where no series has two windows.
        pinball_loss: mean pinball loss over the quantiles of the configured levels, held out like `coverage`;
            NaN likewise.
    """

    wape: pd.DataFrame
    scored: list[SeriesKey]
    champions: dict[SeriesKey, ContenderName]
    spread: pd.DataFrame
    predictions: pd.DataFrame
    coverage: dict[str, float]
    pinball_loss: float


def backtest(
    counts: pd.DataFrame,
    config: ForecasterConfig,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> BacktestResult:
    """Backtest every base series of `counts`; with a `folder`, an interrupted run continues there.

    The folder is left with the kept predictions of this run; those of other data or configs are removed.

    Raises:
        CountsError: no series is long enough for one window.
    """
    wide = panel(counts)
    jobs = {key: trimmed(wide[key]) for key in keys_of(wide)}
    jobs = {key: history for key, history in jobs.items() if windows_of(history, config) > 0}
    if not jobs:
        raise CountsError(
            f"daily counts: {len(wide)} days are too few for a backtest: "
            f"{config.min_history_days + config.horizon} are needed (min_history_days + horizon)"
        )
    parts: dict[SeriesKey, pd.DataFrame] = {}
    kept = {key: _kept_as(folder, key, history, config) for key, history in jobs.items()}
    for key, predictions in _run(jobs, config, kept):
        parts[key] = predictions
        if progress is not None:
            progress(key, len(parts), len(jobs))
    predictions = pd.concat([parts[key] for key in jobs], ignore_index=True)[PREDICTIONS]
    result = evaluate(predictions, wide, config)
    _remove_stale(folder, set(kept.values()))
    return result


def windows_of(history: "pd.Series[float]", config: ForecasterConfig) -> int:
    """How many windows a history is long enough for."""
    return max(0, min(config.windows, (len(history) - config.min_history_days) // config.horizon))


def is_sparse(history: "pd.Series[float]", config: ForecasterConfig) -> bool:
    """Whether a series is too sparse for Prophet."""
    recent = history.iloc[-365:].mean()
    return bool(np.isnan(recent) or recent < config.min_daily_mean)


def backtest_series(key: SeriesKey, history: "pd.Series[float]", config: ForecasterConfig) -> pd.DataFrame:
    """Every contender's predictions of one series in every window, columns `PREDICTIONS`."""
    sparse = is_sparse(history, config)
    names: list[ContenderName] = [n for n in config.contenders if not (sparse and n == "prophet")]
    parts = []
    for window in range(windows_of(history, config)):
        end = len(history) - window * config.horizon
        past, future = history.iloc[: end - config.horizon], history.iloc[end - config.horizon : end]
        if past.notna().sum() < config.min_history_days // 2:
            continue
        for name in names or ["profile_mean"]:
            mean = contender(name, config).fit_predict(past, config.horizon)
            columns = {"date": future.index, "window": window, "contender": name, "mean": mean}
            parts.append(pd.DataFrame({**columns, "actual": future.to_numpy()}))
    if not parts:
        return pd.DataFrame(columns=PREDICTIONS)
    return pd.concat(parts, ignore_index=True).assign(municipality=key.municipality, sector=key.sector)[PREDICTIONS]


def _run(
    jobs: dict[SeriesKey, "pd.Series[float]"], config: ForecasterConfig, kept: dict[SeriesKey, Path | None]
) -> Iterator[tuple[SeriesKey, pd.DataFrame]]:
    """Finished series as they come: first those that are `kept`, then those computed."""
    from joblib import Parallel, delayed

    waiting = []
    for key, history in jobs.items():
        predictions = _read_kept(kept[key])
        if predictions is None:
            waiting.append((key, history))
        else:
            yield key, predictions
    # Long series first, so that no process is left alone with one at the end.
    waiting.sort(key=lambda job: is_sparse(job[1], config))
    processes = config.processes if len(waiting) > 1 else 1
    work = Parallel(n_jobs=processes, return_as="generator_unordered")
    for key, predictions in work(delayed(_job)(key, history, config) for key, history in waiting):
        path = kept[key]
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            predictions.to_parquet(partial, index=False)
            partial.replace(path)
        yield key, predictions


def _job(key: SeriesKey, history: "pd.Series[float]", config: ForecasterConfig) -> tuple[SeriesKey, pd.DataFrame]:
    return key, backtest_series(key, history, config)


def _kept_as(folder: Path | None, key: SeriesKey, history: "pd.Series[float]", config: ForecasterConfig) -> Path | None:
    """Where the predictions of a series are kept: named by its data, what of the config matters, and the code."""
    if folder is None:
        return None
    relevant = config.model_dump(exclude={"processes", "levels", "surges", "max_horizon", "scored_daily_mean"})
    named = [PREDICTIONS_VERSION, *key, relevant]
    digest = hashlib.sha256(json.dumps(named, ensure_ascii=False, sort_keys=True).encode())
    digest.update(str(history.index[0]).encode() + history.to_numpy(dtype=np.float64).tobytes())
    return folder / f"{digest.hexdigest()[:32]}.parquet"


def _read_kept(path: Path | None) -> pd.DataFrame | None:
    if path is None or not path.is_file():
        return None
    try:
        kept = pd.read_parquet(path)
    except (OSError, ValueError):  # half-written by a machine that went down: computed again
        return None
    return kept if list(kept.columns) == PREDICTIONS else None


def _remove_stale(folder: Path | None, current: set[Path | None]) -> None:
    """Remove the kept predictions that are not `current`, so that the folder does not grow for ever."""
    if folder is None or not folder.is_dir():
        return
    for path in folder.iterdir():
        if KEPT.fullmatch(path.name) and path not in current:
            path.unlink(missing_ok=True)


def evaluate(predictions: pd.DataFrame, wide: pd.DataFrame, config: ForecasterConfig) -> BacktestResult:
    """Champions, figures and dispersions from all predictions and the panel they are of."""
    errors = predictions.dropna(subset=["actual"])
    errors = errors.assign(
        absolute=(errors["mean"] - errors["actual"]).abs(), squared=(errors["mean"] - errors["actual"]) ** 2
    )
    sparse = {key: is_sparse(trimmed(wide[key]), config) for key in keys_of(wide)}
    champions = choose_champions(errors, sparse)
    recent = wide.iloc[-365:].mean()
    everywhere = set(errors["contender"])
    scored = [
        key
        for key, rows in by_series(errors)
        if recent[key] >= config.scored_daily_mean and set(rows["contender"]) == everywhere
    ] or list(champions)
    best = of_champions(errors, champions)
    if best["window"].nunique() > 1:  # a surge that goes on in the last window must not hide itself
        best = best[best["window"] > 0]
    judged = held_out(errors, sparse)
    coverage, loss = calibration(judged, config)
    return BacktestResult(
        wape=wape_table(errors, judged, scored),
        scored=scored,
        champions=champions,
        spread=fit_spread(best, keys_of(wide)),
        predictions=predictions,
        coverage=coverage,
        pinball_loss=loss,
    )
