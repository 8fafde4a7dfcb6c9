"""The gate's report: a page whose first line says why.

In: a `Verdict`, what was compared, and the names of both. Out: a folder with `report.md`, `report.html` (the plot
inside), `differences.png` and `verdict.json`; the same goes to the run in MLflow.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.atomic import atomic_file
from data.complaints.schema import LABELS
from training.report.markdown import as_html, cell, markdown_table
from training.report.plots import plot_differences
from training.retrain.answers import Answers, Bools
from training.retrain.comparison import Comparison
from training.retrain.gate import Verdict
from training.retrain.gate_limits import Check
from training.retrain.trial import REPORT, VERDICT

SHOWN = 30
"""Sectors and agencies in the table, those with the largest loss first."""
HTML, PLOT = "report.html", "differences.png"


@dataclass(frozen=True)
class Judged:
    """What a verdict is about: names such as a model's and its version's, and the dataset version."""

    champion: str
    challenger: str
    dataset: str


def gate_report(verdict: Verdict, judged: Judged, comparison: Comparison | None = None, plot: bool = False) -> str:
    """The verdict as Markdown; with the figures of both models where what was compared is given."""
    parts = [
        cell(verdict.first_line) + ".",
        f"{cell(judged.challenger)} (challenger) against {cell(judged.champion)} (champion), both on the rows that "
        f"dataset {cell(judged.dataset)} holds out for good.",
    ]
    if comparison is not None:
        parts += ["## Figures", markdown_table(figures(comparison))]
        if comparison.left_out:
            parts.append(f"{comparison.left_out} test rows are left out, because the champion was taught them.")
    parts += ["## Checks", checks_table(verdict.checks)]
    if plot:
        parts.append(f"![differences]({PLOT})")
    if verdict.slices:
        ordered = sorted(verdict.slices.items(), key=lambda item: item[1].difference)[:SHOWN]
        table = pd.DataFrame(
            [(name, compared.rows, str(compared), f"{compared.p_no_loss:.3f}") for name, compared in ordered],
            columns=["slice", "rows", "points of accuracy", "share of resamples without a loss"],
        )
        parts += ["## Sectors and agencies, the largest loss first", markdown_table(table)]
    return "\n\n".join(parts) + "\n"


def checks_table(checks: Sequence[Check]) -> str:
    """The checks as a table, those that failed first."""
    rows = [("passed" if check.passed else "failed", check.name, check.says) for check in checks]
    return markdown_table(pd.DataFrame(rows, columns=["", "what", "figures"]).sort_values("", kind="stable"))


def figures(comparison: Comparison) -> pd.DataFrame:
    """Columns `rows, count, head, champion, challenger`: accuracy on all test rows, the newest, those tested before."""
    chosen: dict[str, Bools] = {"all": np.ones(len(comparison.rows), dtype=bool), "the newest": comparison.newest}
    if comparison.before is not None:
        chosen["tested before"] = comparison.before.rows
    lines = []
    for name, rows in chosen.items():
        for head in LABELS:
            shares = [_accuracy(side, comparison, head, rows) for side in (comparison.champion, comparison.challenger)]
            lines.append((name, int(rows.sum()), head, *shares))
    return pd.DataFrame(lines, columns=["rows", "count", "head", "champion", "challenger"])


def _accuracy(side: Answers, comparison: Comparison, head: str, rows: Bools) -> float | None:
    marks = side.right(comparison.truth, head)[rows]
    known = marks[~np.isnan(marks)]
    return float(known.mean()) if len(known) else None


def write_gate_report(folder: Path, verdict: Verdict, judged: Judged, comparison: Comparison) -> None:
    """Write the report into a folder; `verdict.json` last, so that where it is the others are."""
    folder.mkdir(parents=True, exist_ok=True)
    if verdict.overall is not None:
        plot_differences({**verdict.compared, **verdict.slices}, folder / PLOT)
    text = gate_report(verdict, judged, comparison, plot=verdict.overall is not None)
    (folder / REPORT).write_text(text, encoding="utf-8")
    (folder / HTML).write_text(as_html(text, folder), encoding="utf-8")
    with atomic_file(folder / VERDICT) as partial:
        said = verdict_json(verdict, judged, comparison)
        partial.write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")


def verdict_json(verdict: Verdict, judged: Judged, comparison: Comparison) -> dict[str, Any]:
    """All of it, for a promotion's evidence and for other programs."""
    return {
        **asdict(judged),
        "passed": bool(verdict.promote),
        "says": verdict.first_line,
        "test_rows": len(comparison.rows),
        "checks": [asdict(check) | {"passed": bool(check.passed)} for check in verdict.checks],
        "compared": {name: asdict(each) for name, each in {**verdict.compared, **verdict.slices}.items()},
        "accuracy": figures(comparison).to_dict("records"),
    }
