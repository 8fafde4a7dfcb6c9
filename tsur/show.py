"""What commands show: progress bars and tables; plain lines where there is no terminal."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pandas as pd
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from models.forecasting.backtest import BacktestResult
from models.forecasting.backtest import Progress as SeriesProgress
from models.labels import HEADS
from training.evaluate import Evaluation

PLAIN_SECONDS = 10.0
console = Console(width=None if sys.stdout.isatty() else 140)


@contextmanager
def counter(what: str) -> Iterator[Callable[[int], None]]:
    """A running count of rows; without a terminal, a line every few seconds."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what)
        printed = time.monotonic()

        def advance(rows: int) -> None:
            nonlocal printed
            progress.update(task, description=f"{what}: {rows} rows")
            now = time.monotonic()
            if not console.is_terminal and now - printed > PLAIN_SECONDS:
                printed = now
                console.print(f"{what}: {rows} rows")

        yield advance


@contextmanager
def rows_bar(what: str, total: int | None, done: int) -> Iterator[Callable[[int], None]]:
    """A bar over rows with rows a second and the time that is left; without a terminal, a line every few seconds.

    `total` may be an estimate; `done` rows were there when the run began.
    """
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=total, completed=done)
        started = printed = time.monotonic()

        def advance(rows: int) -> None:
            nonlocal printed
            now = time.monotonic()
            rate = (rows - done) / max(now - started, 1e-9)
            said = f"{what}: {rows} rows, {rate:.0f} a second"
            progress.update(task, completed=rows, description=said)
            if not console.is_terminal and now - printed > PLAIN_SECONDS:
                printed = now
                left = f", {max(total - rows, 0) / rate / 60:.0f} min left" if total and rate else ""
                console.print(said + left)

        yield advance


@contextmanager
def series_bars() -> Iterator[Callable[[str], SeriesProgress]]:
    """Bars over series, one a stage; without a terminal, a line every few seconds."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} series"),
    )
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:

        def stage(name: str) -> SeriesProgress:
            task = progress.add_task(name, total=None)
            printed = time.monotonic()

            def advance(key: object, done: int, total: int) -> None:
                nonlocal printed
                progress.update(task, completed=done, total=total)
                now = time.monotonic()
                if not console.is_terminal and now - printed > PLAIN_SECONDS:
                    printed = now
                    console.print(f"{name}: {done} of {total} series")

            return advance

        yield stage


def comparison(evaluation: Evaluation, lexical: Evaluation | None) -> Table:
    """Figures of each head; in brackets TF-IDF + linear SVM on the same rows."""
    title = "held-out rows" + ("; in brackets TF-IDF + linear SVM" if lexical else "")
    table = Table("", "rows", "accuracy", "macro-F1", "weighted F1", "top-3", "ECE", title=title)
    for head in HEADS:
        figures = evaluation.heads[head]
        cells = []
        for name in ("accuracy", "macro_f1", "weighted_f1", "top3"):
            beside = f" ({getattr(lexical.heads[head], name):.3f})" if lexical else ""
            cells.append(f"{getattr(figures, name):.3f}{beside}")
        table.add_row(head, str(figures.rows), *cells, f"{evaluation.calibration_error[head]:.3f}")
    if evaluation.coverage is not None:
        precision = "" if evaluation.routed_precision is None else f", {evaluation.routed_precision:.1%} rightly"
        table.caption = f"routed without an operator: {evaluation.coverage:.1%}{precision}"
    return table


def wape_table(result: BacktestResult) -> Table:
    """WAPE of each contender, window by window and in the mean."""
    days, covered = f"{len(result.scored)} series", result.coverage["all"]
    if not math.isnan(covered):  # one window alone leaves none to fit on
        days += f"; 80 % interval of the champions covers {covered:.1%} of the days held out"
    table = Table("WAPE", *[str(name) for name in result.wape.columns], title="rolling-origin backtest", caption=days)
    for name, row in result.wape.iterrows():
        table.add_row(str(name), *[f"{value:.3f}" for value in row])
    return table


def frame_table(frame: pd.DataFrame, title: str) -> Table:
    """A small frame as a table."""
    table = Table(*[str(name) for name in frame.columns], title=title)
    for row in frame.itertuples(index=False):
        cells = [
            f"{v:.1f}" if isinstance(v, float) else f"{v:%Y-%m-%d %a}" if hasattr(v, "strftime") else str(v)
            for v in row
        ]
        table.add_row(*cells)
    return table
