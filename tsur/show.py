"""What commands show: progress bars and tables; plain lines where there is no terminal."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
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

from data.tables.csv_writer import csv_text
from models.classifier.labels import HEADS, RARE_ROWS
from models.surges.types import Surge
from models.topics.emerging import LEAST_PAST, Emerging, EmergingTopic
from training.encoder.distillation_metrics import Comparison, Fidelity
from training.evaluate.evaluate import Evaluation
from training.evaluate.metrics import slice_figures
from training.evaluate.routed import RoutedFigures
from training.forecaster.backtest import Progress as SeriesProgress
from training.forecaster.evaluation import BacktestResult
from training.forecaster.surge_figure import IN_RUSSIAN, ratio_text
from tsur.heartbeat import heartbeat

WINDOWS_JUDGED = "the oldest of `windows` only chooses the first champions: one window less is judged"
PLAIN_SECONDS = 5.0
"""Between the lines of a progress that no terminal shows."""
console = Console(width=None if sys.stdout.isatty() else 140)


@contextmanager
def counter(what: str) -> Iterator[Callable[[int], None]]:
    """A running count of rows; without a terminal, a line every few seconds."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        heartbeat.step(what)
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
        heartbeat.step(what)
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
            heartbeat.step(name)
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
    """Figures of each head over all rows that have its label; in brackets TF-IDF + linear SVM on the same rows."""
    title = "rows that were not learnt from" + ("; in brackets TF-IDF + linear SVM" if lexical else "")
    columns = ("", "rows", "accuracy", "macro-F1", "weighted F1", "top-3", "ECE", f"label < {RARE_ROWS} rows")
    table = Table(*columns, title=title)
    for head in HEADS:
        figures = evaluation.heads[head]
        cells = []
        for name in ("accuracy", "macro_f1", "weighted_f1", "top3"):
            beside = f" ({getattr(lexical.heads[head], name):.3f})" if lexical else ""
            cells.append(f"{getattr(figures, name):.3f}{beside}" if figures.rows else "")
        cells.append(f"{evaluation.calibration_error[head]:.3f}" if figures.rows else "")
        rare = evaluation.rare[head]
        cells.append("" if rare.accuracy is None else f"{rare.accuracy:.3f} of {rare.rows}")
        table.add_row(head, str(figures.rows), *cells)
    if evaluation.routing is not None:
        table.caption = f"routed without an operator: {routed_rightly(evaluation.routing)}"
    return table


def routed_rightly(figures: RoutedFigures) -> str:
    """How much is routed, and in how much of it agency, topic and both are right."""
    shares = {"agency": figures.agency, "topic": figures.topic, "both": figures.both}
    told = [f"{name} right in {share:.1%}" for name, share in shares.items() if share is not None]
    if figures.sure is not None and figures.sure_topic is not None:
        told.append(f"the topic told as sure in {figures.sure:.1%}, right in {figures.sure_topic:.1%} of these")
    return ", ".join([f"{figures.coverage:.1%}", *told])


def promises(evaluation: Evaluation) -> Table:
    """What would be routed at several promised precisions, and how often rightly."""
    columns = ("promised", "routed", "agency right", "topic right", "both right", "topic sure", "right of these")
    table = Table(*columns, title="routed without an operator, by what is promised of the agency")
    for promise in sorted(evaluation.promises):
        figures = evaluation.routing_at(promise)
        shares = [figures.agency, figures.topic, figures.both, figures.sure, figures.sure_topic]
        cells = ["" if share is None else f"{share:.1%}" for share in shares]
        table.add_row(f"{promise:.0%}", f"{figures.coverage:.1%}", *cells)
    return table


def coverage_by_sector(evaluation: Evaluation) -> Table:
    """Of each true sector: rows, the share that is routed, and in how much of that the agency is right."""
    table = Table("sector", "rows", "routed", "agency right", title="routed without an operator, by sector")
    named = np.append(evaluation.labels.names["sector"], "not given")[evaluation.targets["sector"].clip(-1)]
    if evaluation.routed is None:
        return table
    figures = slice_figures(pd.Series(named, name="sector"), {"agency": evaluation.marks("agency")}, evaluation.routed)
    columns = figures[["sector", "rows", "coverage", "routed precision"]]
    for sector, rows, coverage, precision in columns.itertuples(index=False):
        table.add_row(sector, str(rows), f"{coverage:.1%}", "" if math.isnan(precision) else f"{precision:.1%}")
    return table


def distillation_table(comparison: Comparison, fidelity: Fidelity) -> Table:
    """Figures of each head on the test rows: the student's, the teacher's in brackets, and how alike they are."""
    columns = ("rows", "accuracy", "macro-F1", "top-3", "loss", "KL", "agreement")
    table = Table("head", *columns, title="the student (its teacher in brackets) on test rows")
    for head in HEADS:
        student, teacher = comparison.student.heads[head], comparison.teacher.heads[head]
        alike = comparison.heads[head]
        cells = [f"{getattr(student, n):.3f} ({getattr(teacher, n):.3f})" for n in ("accuracy", "macro_f1", "top3")]
        cells += [f"{alike.student_loss:.3f} ({alike.teacher_loss:.3f})", f"{alike.divergence:.3f}"]
        table.add_row(head, str(student.rows), *cells, f"{alike.agreement:.3f}")
    table.caption = (
        f"on {fidelity.texts} texts held out, {fidelity.explained:.1%} of the variance of the teacher's vectors"
    )
    return table


def adaptation_table(figures: dict[str, dict[str, float]]) -> Table:
    """Accuracy of each region's heads on the rows that an adapted encoder did not see."""
    table = Table("region", *HEADS, title="accuracy on held-out rows")
    for region, of_heads in figures.items():
        table.add_row(region, *(f"{of_heads[head]:.3f}" if head in of_heads else "–" for head in HEADS))
    return table


def wape_table(result: BacktestResult) -> Table:
    """WAPE of each forecaster, window by window and in the mean."""
    days, covered = f"{len(result.scored)} series", result.coverage["all"]
    if not math.isnan(covered):  # one window alone leaves none to fit on
        days += f"; 80 % interval of the champions covers {covered:.1%} of the days held out"
    days += f"\n{WINDOWS_JUDGED}" if len(result.judged) else ""
    spans = window_days(result)
    table = Table(
        "WAPE",
        *[spans.get(name, str(name)) for name in result.wape.columns],
        title="rolling-origin backtest",
        caption=days,
    )
    for name, row in result.wape.iterrows():
        table.add_row(str(name), *[f"{value:.3f}" for value in row])
    return table


def window_days(result: BacktestResult) -> dict[object, str]:
    """First and last day of each judged window, as its column is headed."""
    days = result.judged.groupby("window")["date"].agg(["min", "max"])
    return {window: f"{row['min']:%d.%m.%y}–{row['max']:%d.%m.%y}" for window, row in days.iterrows()}


def emerging_report(search: Emerging) -> str:
    """What was looked at, and the proposed topics, in Russian."""
    span = f"{search.start:%d.%m.%Y} – {search.end:%d.%m.%Y}"
    head = f"{span}: обращений {search.recent}, из них без подходящей темы {search.doubtful}; раньше {search.past}"
    if not search.enough_past:
        return f"{head}\nСравнить не с чем: нужно хотя бы {LEAST_PAST} прежних обращений."
    if not search.topics:
        return f"{head}\nНовых тем не видно."
    parts = [head]
    for number, topic in enumerate(search.topics, start=1):
        municipalities = ", ".join(f"{name} {count}" for name, count in topic.municipalities.items())
        lines = [f"{number}. {topic.summary}", f"Обращений: {topic.size}; слова: {', '.join(topic.words)}"]
        lines += [f"Где: {municipalities}"] if municipalities else []
        parts.append("\n   ".join([*lines, *(f"– {' '.join(text.split())}" for text in topic.examples)]))
    return "\n\n".join(parts)


def emerging_csv(search: Emerging) -> str:
    """The proposed topics as CSV, a line each; lists are joined by `; `."""
    columns = [name for name in EmergingTopic.__dataclass_fields__ if name != "rows"]
    rows = []
    for topic in search.topics:
        municipalities = [f"{name}: {count}" for name, count in topic.municipalities.items()]
        cells = {name: getattr(topic, name) for name in columns} | {"municipalities": municipalities}
        flat = {name: "; ".join(cell) if isinstance(cell, list) else cell for name, cell in cells.items()}
        rows.append({"summary_ru": topic.summary, **flat})
    return csv_text(pd.DataFrame(rows, columns=["summary_ru", *columns]))


def surge_table(surges: list[Surge], title: str) -> Table:
    """Surges as an official reads them, in Russian."""
    columns = ("состояние", "где", "отрасль", "дни", "замечен", "ожидалось", "пришло / прогноз", "раз")
    table = Table(*columns, "вероятность", "почему", title=title)
    table.columns[3].no_wrap = True
    for surge in surges:
        days = f"{surge.start:%d.%m.%y}–{surge.end:%d.%m.%y}"
        noticed = "" if surge.noticed is None else f"{surge.noticed:%d.%m}"
        figures = [f"{surge.expected:.0f}", f"{surge.count:.0f}", ratio_text(surge)]
        sure = f"{surge.probability:.3f}".replace(".", ",")
        reasons = "; ".join(surge.reasons)
        table.add_row(IN_RUSSIAN[surge.state], surge.municipality, surge.sector, days, noticed, *figures, sure, reasons)
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
