"""How well daily counts are forecast 14 days ahead: all forecasters, their champion and rivals on the same windows.

In: `series/` in the folder of real data. Out: a table, and `results/forecast_quality.json`. The protocol:
series with at least 2 a day over the last 365 days, of those the 10 largest; non-overlapping windows
stepping back from the end. The champion of a judged window, its dispersion and its quantile levels come from
the `INNER` windows and more before it; design choices (boosting's size, the combination's members, `LEAN`) were made
on windows further back than the judged ones. Finished pieces are kept in `TSUR_HOME`, so a run that was stopped
goes on where it was. A second table has the median of the series below 2 a day, which are too small for the first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from batch.task_cache import TaskCache
from benchmarks.forecast_quality import rivals as field
from benchmarks.forecast_quality.figures import figures_of
from benchmarks.forecast_quality.rivals import HORIZON, INTERVALS, LEVELS, POINT_RIVALS, RIVAL, RIVALS
from benchmarks.forecast_quality.sets import SETS, load_set
from benchmarks.forecast_quality.sparse import sparse_figures
from benchmarks.forecast_quality.tables import markdown, targets
from benchmarks.results import RESULTS, console, real_data, targets_line, write_results
from data.settings import settings
from models.forecasting.config import ForecasterConfig
from models.forecasting.series import keys_of, panel
from models.forecasting.series_kinds import is_sparse
from training.forecaster.backtest import Progress as BacktestProgress
from training.forecaster.backtest import backtest
from training.forecaster.evaluation import BacktestResult, with_errors
from training.forecaster.model_selection import held_out
from training.forecaster.train import counts_fingerprint

NAME = "forecast_quality"
INNER = 8
"""Windows before the first judged one, to choose and calibrate on."""
TIMED = 2
LIBRARIES = ("numpy", "pandas", "prophet", "scikit-learn", "scipy", "statsforecast")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    sets: Annotated[str, typer.Option(help="Sets of counts, comma-separated.")] = ",".join(SETS),
    back: Annotated[int, typer.Option(min=0, help="Leave out so many last windows: to tune on; writes no JSON.")] = 0,
    inner: Annotated[int, typer.Option(min=1, help="Windows to choose and calibrate on before the judged.")] = INNER,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
    table: Annotated[Path | None, typer.Option(help="Write the table here too (Markdown).")] = None,
) -> None:
    """Compare the forecasters on real counts; finished windows are not computed again."""
    names = [name.strip() for name in sets.split(",")]
    if unknown := [name for name in names if name not in SETS]:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(SETS)}")
    measured, data = {}, {}
    for name in names:
        frequent, sparse = load_set(real_data() / "series" / SETS[name].file, SETS[name], back)
        data[name], data[f"{name}, sparse"] = counts_fingerprint(frequent), counts_fingerprint(sparse)
        measured[name] = set_figures(name, frequent, inner)
        measured[name]["sparse"] = _sparse(name, sparse, inner)
    text = markdown(measured)
    console.print(text)
    if table is not None:
        table.write_text(text, encoding="utf-8")
    if back:
        console.print(f"{back} windows back: an exploration, no JSON written")
        return
    goals = targets(measured)
    protocol = {"horizon": HORIZON, "inner_windows": inner, "levels": LEVELS, "seconds": "CPU, one process"}
    write_results(out, data, LIBRARIES, {"protocol": protocol, "sets": measured}, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def set_figures(name: str, counts: pd.DataFrame, inner: int = INNER) -> dict[str, Any]:
    """Figures of the champion, every forecaster and every rival on one set."""
    judged_windows = SETS[name].windows
    config = _config(judged_windows + inner)
    wide = panel(counts)
    folder = settings().home / "benchmarks" / NAME / name
    result = _backtest(name, counts, config, folder)
    rivals = _rivals(name, wide, judged_windows, folder)
    seconds = _seconds(name, wide, pd.concat(rivals.values()), folder)
    parts = {**_own(result, config, wide, judged_windows), **rivals}
    actual = result.predictions.drop_duplicates(["date", "municipality", "sector"])
    actual = actual[["date", "municipality", "sector", "actual"]]
    figures = {}
    for forecaster, rows in parts.items():
        rows = rows.drop(columns=["actual"], errors="ignore").merge(actual, on=["date", "municipality", "sector"])
        figures[forecaster] = {**figures_of(rows, wide), "seconds_per_series": seconds.get(forecaster)}
    return {
        "series": len(keys_of(wide)),
        "windows": judged_windows,
        "days": [str(wide.index[0].date()), str(wide.index[-1].date())],
        "champions": {
            str(key): int(n) for key, n in _judged(result, judged_windows)["forecaster"].value_counts().items()
        },
        "known_wape": SETS[name].known,
        "figures": figures,
    }


def _config(windows: int) -> ForecasterConfig:
    return ForecasterConfig(
        calendar="none", horizon=HORIZON, windows=windows, levels=INTERVALS, processes=settings_processes()
    )


def settings_processes() -> int:
    """Two at most: what the machines have that this is run on."""
    import os

    return min(2, os.cpu_count() or 1)


def _backtest(name: str, counts: pd.DataFrame, config: ForecasterConfig, folder: Path) -> BacktestResult:
    with _job_bar(f"{name}: backtest") as show:
        return backtest(counts, config, show, folder / "backtest")


def _sparse(name: str, counts: pd.DataFrame, inner: int) -> dict[str, Any]:
    """Figures of the sparse series of a set."""
    windows = SETS[name].windows
    folder = settings().home / "benchmarks" / NAME / name / "sparse"
    with _job_bar(f"{name}: sparse series") as show:
        return sparse_figures(counts, _config(windows + inner), windows, folder, show)


def _judged(result: BacktestResult, windows: int) -> pd.DataFrame:
    return result.judged[result.judged["window"] < windows]


def _own(result: BacktestResult, config: ForecasterConfig, wide: pd.DataFrame, windows: int) -> dict[str, pd.DataFrame]:
    """Judged days of the champion and of each forecaster alone, by name; quantiles as the product makes them."""
    errors = with_errors(result.predictions)
    sparse = {key: is_sparse(wide[tuple(key)], config) for key in keys_of(wide)}
    out = {"champion": _judged(result, windows)}
    for name in config.forecasters:
        alone = errors[errors["forecaster"] == name]
        if name in POINT_RIVALS:
            out[name] = field.with_past_errors(field.points(name, wide, config.windows), windows)
        else:
            judged = held_out(alone, sparse, config.levels)
            out[name] = judged[judged["window"] < windows]
    return out


def _rivals(name: str, wide: pd.DataFrame, windows: int, folder: Path) -> dict[str, pd.DataFrame]:
    """Judged days of the rivals that only this script knows; kept by rival and window."""
    cache = TaskCache(folder / "rivals")
    parts: dict[str, list[pd.DataFrame]] = {rival: [] for rival in RIVALS}
    columns = [*RIVAL, "seconds"]
    for rival, method in RIVALS.items():
        method(rival, wide.iloc[:120, :1], 0)  # imports and first calls: nobody's time
    with _bar(f"{name}: rivals", len(RIVALS) * windows) as (progress, task):
        for window, past in _pasts(wide, windows):
            for rival, method in RIVALS.items():
                path = cache.path([rival, window], past)
                piece = cache.read_frame(path, columns)
                if piece is None:
                    started = field.cpu_seconds()
                    piece = method(rival, past, window)
                    piece["seconds"] = (field.cpu_seconds() - started) / past.shape[1]
                    cache.write_frame(path, piece)
                parts[rival].append(piece)
                progress.advance(task)
    return {rival: pd.concat(pieces, ignore_index=True) for rival, pieces in parts.items()}


def _seconds(name: str, wide: pd.DataFrame, rivals: pd.DataFrame, folder: Path) -> dict[str, float]:
    """CPU seconds a series, fit and forecast, by forecaster: medians over windows, of ours over `TIMED` of them."""
    config = ForecasterConfig(calendar="none", horizon=HORIZON)
    cache = TaskCache(folder / "seconds")
    alone = [one for one in config.forecasters if one != "combination"]
    pieces = [rivals[["forecaster", "seconds"]]]
    with _bar(f"{name}: seconds", TIMED) as (progress, task):
        for window, past in _pasts(wide, TIMED):
            path = cache.path(["seconds", window, config.model_dump(mode="json")], past)
            piece = cache.read_frame(path, ["forecaster", "seconds"])
            if piece is None:
                measured: dict[str, float] = {}
                for one in alone:
                    field.forecaster_seconds(one, past.iloc[:120, :1], config)  # imports and first calls: nobody's time
                    measured[one] = field.forecaster_seconds(one, past, config)
                measured["champion"] = measured["combination"] = field.champion_seconds(past, config)
                piece = pd.DataFrame({"forecaster": list(measured), "seconds": list(measured.values())})
                cache.write_frame(path, piece)
            pieces.append(piece)
            progress.advance(task)
    medians = pd.concat(pieces).groupby("forecaster")["seconds"].median()
    return {str(one): float(spent) for one, spent in medians.items()}


def _pasts(wide: pd.DataFrame, windows: int) -> Iterator[tuple[int, pd.DataFrame]]:
    for window in range(windows):
        yield window, wide.iloc[: len(wide) - HORIZON * (window + 1)]


@contextmanager
def _job_bar(what: str) -> Iterator[BacktestProgress]:
    """A bar over the jobs of a backtest."""
    with _bar(what) as (progress, task):

        def show(key: object, done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield show


def _bar(what: str, total: int | None = None) -> Any:
    @contextmanager
    def shown() -> Iterator[tuple[Progress, Any]]:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        with Progress(*columns, console=console, transient=console.is_terminal) as progress:
            yield progress, progress.add_task(what, total=total)

    return shown()
