"""Rolling-origin backtest: who forecasts each series best, and how wide the truth lies around it.

In: `DAILY_COUNTS` and a `ForecasterConfig`. Out: a `BacktestResult`. Windows of `horizon` days do not
overlap and step back from the last day; a contender sees only what lies before its window. The
champion of a series has the lowest summed absolute error, ties go to the simpler. A sparse series
(under `min_daily_mean`) is judged by squared error, because absolute error there rewards forecasting
zero, and goes without Prophet. Series are independent, so they run in parallel, and each
finished one can be kept in a folder and reused as long as its data and the config stay the same.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.counts import KEY
from data.errors import CountsError
from models.forecasting.config import ContenderName, ForecasterConfig
from models.forecasting.contenders import contender
from models.forecasting.distribution import fit_dispersion, pinball, quantile_levels, quantiles
from models.forecasting.series import SeriesKey, keys_of, panel, sums, trimmed

Progress = Callable[[SeriesKey, int, int], None]
"""Called after each finished series with its key, how many are finished, and how many there are."""

SIMPLEST_FIRST: list[ContenderName] = ["seasonal_naive", "weekday_mean", "profile_mean", "prophet"]
DAILY_PRIOR = 28
WEEKLY_PRIOR = 12
"""How many days (weeks) of a series' own errors the dispersion of all series together is worth."""

PREDICTIONS = ["date", *KEY, "window", "contender", "mean", "actual"]
"""`window` 0 is the last one; `actual` is NaN where nothing was observed."""


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
        coverage: share of the champions' days inside their 80 % interval, over all and by the mean's size.
        pinball_loss: mean pinball loss of the champions over the quantiles of the configured levels.
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
    for key, predictions in _run(jobs, config, folder):
        parts[key] = predictions
        if progress is not None:
            progress(key, len(parts), len(jobs))
    predictions = pd.concat([parts[key] for key in jobs], ignore_index=True)[PREDICTIONS]
    return evaluate(predictions, wide, config)


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
    jobs: dict[SeriesKey, "pd.Series[float]"], config: ForecasterConfig, folder: Path | None
) -> Iterator[tuple[SeriesKey, pd.DataFrame]]:
    """Finished series as they come: first those kept in `folder`, then those computed."""
    from joblib import Parallel, delayed

    kept = {key: _kept_as(folder, key, history, config) for key, history in jobs.items()}
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
    """Where the predictions of a series are kept: named by its data and by what of the config matters."""
    if folder is None:
        return None
    relevant = config.model_dump(exclude={"processes", "levels", "surges", "max_horizon", "scored_daily_mean"})
    digest = hashlib.sha256(json.dumps([*key, relevant], ensure_ascii=False, sort_keys=True).encode())
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
    best = _of_champions(predictions, champions)
    spread = fit_spread(best, keys_of(wide))
    coverage, loss = _calibration(best, spread, config)
    return BacktestResult(
        wape=_wape_table(errors, scored, sparse),
        scored=scored,
        champions=champions,
        spread=spread,
        predictions=predictions,
        coverage=coverage,
        pinball_loss=loss,
    )


def choose_champions(errors: pd.DataFrame, sparse: dict[SeriesKey, bool]) -> dict[SeriesKey, ContenderName]:
    """The contender with the lowest summed error of each series; ties go to the simpler."""
    summed = errors.groupby([*KEY, "contender"])[["absolute", "squared"]].sum().reset_index()
    champions: dict[SeriesKey, ContenderName] = {}
    for key, rows in by_series(summed):
        by_name = rows.set_index("contender")["squared" if sparse[key] else "absolute"]
        order: list[ContenderName] = [name for name in SIMPLEST_FIRST if name in by_name.index]
        champions[key] = min(order, key=lambda name: round(float(by_name[name]), 9))
    return champions


def _wape_table(errors: pd.DataFrame, scored: list[SeriesKey], sparse: dict[SeriesKey, bool]) -> pd.DataFrame:
    inside = errors[pd.MultiIndex.from_frame(errors[KEY]).isin(scored)]
    totals = inside.groupby(["contender", "window"])[["absolute", "actual"]].sum()
    table = (totals["absolute"] / totals["actual"]).unstack("window")
    for window in table.columns:
        others = inside[inside["window"] != window]
        if others.empty:
            continue
        chosen = choose_champions(others, sparse)
        rows = _of_champions(inside[inside["window"] == window], chosen)
        table.loc["champion", window] = rows["absolute"].sum() / rows["actual"].sum()
    table = table[sorted(table.columns, reverse=True)]
    order = [name for name in [*SIMPLEST_FIRST, "champion"] if name in table.index]
    table = table.loc[order].assign(mean=table.mean(axis=1))
    return table.rename_axis(columns=None)


def _of_champions(predictions: pd.DataFrame, champions: dict[SeriesKey, ContenderName]) -> pd.DataFrame:
    names = pd.MultiIndex.from_frame(predictions[[*KEY, "contender"]])
    return predictions[names.isin([(*key, name) for key, name in champions.items()])]


def fit_spread(best: pd.DataFrame, base: list[SeriesKey]) -> pd.DataFrame:
    """Dispersion of days and weeks around the champions' means, for base series and sums above them.

    A series' own errors are few, so they are joined with those of all series: `DAILY_PRIOR`, `WEEKLY_PRIOR`.
    The last window is left out where there are others: a surge that is going on must not hide itself.
    Sums compare only members that were observed. Columns: `municipality, sector, daily, weekly`.
    """
    known = best.dropna(subset=["actual"])
    if known["window"].nunique() > 1:
        known = known[known["window"] > 0]
    groups = dict(by_series(known))
    for key, members in sums(base).items():
        parts = [groups[member] for member in members if member in groups]
        if parts:
            joined = pd.concat(parts)
            groups[key] = joined.groupby(["date", "window"], as_index=False)[["actual", "mean"]].sum()
    weeks = {key: _weekly(rows) for key, rows in groups.items()}
    pooled = {
        "daily": fit_dispersion(known["actual"], known["mean"]),
        "weekly": _pooled([weeks[key] for key in base if key in weeks]),
    }
    rows = []
    for key, days in groups.items():
        daily, weekly = fit_dispersion(days["actual"], days["mean"]), _pooled([weeks[key]])
        rows.append(
            {
                **key._asdict(),
                "daily": _shrunk(daily, len(days), pooled["daily"], DAILY_PRIOR),
                "weekly": _shrunk(weekly, len(weeks[key]), pooled["weekly"], WEEKLY_PRIOR),
            }
        )
    return pd.DataFrame(rows, columns=[*KEY, "daily", "weekly"])


def _weekly(rows: pd.DataFrame) -> pd.DataFrame:
    """Totals of full 7-day blocks inside each window: `actual, mean`."""
    first = rows.groupby("window")["date"].transform("min")
    block = (rows["date"] - first).dt.days // 7
    totals = rows.groupby([rows["window"], block]).agg(
        actual=("actual", "sum"), mean=("mean", "sum"), days=("mean", "size")
    )
    return totals[totals["days"] == 7]


def _pooled(parts: list[pd.DataFrame]) -> float:
    joined = pd.concat(parts)
    return fit_dispersion(joined["actual"], joined["mean"])


def _shrunk(own: float, seen: int, pooled: float, prior: float) -> float:
    return (seen * own + prior * pooled) / (seen + prior)


def _calibration(best: pd.DataFrame, spread: pd.DataFrame, config: ForecasterConfig) -> tuple[dict[str, float], float]:
    """Coverage of the 80 % interval by size of the mean, and the mean pinball loss."""
    daily = spread.set_index(KEY)["daily"]
    levels = quantile_levels(config.levels)
    inside, sizes = [], []
    losses: list[npt.NDArray[np.float64]] = []
    for key, rows in by_series(best.dropna(subset=["actual"])):
        actual, mean = rows["actual"].to_numpy(), rows["mean"].to_numpy()
        dispersion = float(daily.get(key, daily.median()))
        bounds = quantiles(mean, dispersion, [0.1, 0.9])
        inside.append((bounds[:, 0] <= actual) & (actual <= bounds[:, 1]))
        sizes.append(mean)
        predicted = quantiles(mean, dispersion, levels).astype(np.float64)
        losses.extend(pinball(actual, predicted[:, at], level) for at, level in enumerate(levels))
    hit, size = np.concatenate(inside), np.concatenate(sizes)
    coverage = {"all": float(hit.mean())}
    for name, chosen in (("under 5 a day", size < 5), ("5 a day or more", size >= 5)):
        if chosen.any():
            coverage[name] = float(hit[chosen].mean())
    return coverage, float(np.concatenate(losses).mean())


def by_series(rows: pd.DataFrame) -> Iterator[tuple[SeriesKey, pd.DataFrame]]:
    """The rows of each series, in the order of their keys."""
    for key, group in rows.groupby(KEY):
        place, sector = key
        yield SeriesKey(str(place), str(sector)), group
