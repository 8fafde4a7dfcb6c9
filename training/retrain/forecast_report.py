"""The gate's report on forecasters: a page whose first line says why.

In: a `ForecastVerdict`, what was compared, and the names of both. Out: a folder with `report.md`, `report.html` (the
plot inside), `differences.png` and `verdict.json`; the same goes to the run in MLflow.
"""

import json
from dataclasses import asdict
from typing import Any

import pandas as pd

from data.atomic import atomic_file
from training.report.markdown import as_html, cell, markdown_table
from training.report.plots import plot_differences
from training.retrain.forecast_gate import ForecastVerdict, by_series_sums, wape
from training.retrain.forecast_windows import ForecastComparison, Served
from training.retrain.gate_report import HTML, PLOT, checks_table
from training.retrain.trial import REPORT, VERDICT, Trial

SHOWN = 30
"""Sectors in the table, those with the largest loss first."""


def forecast_report(verdict: ForecastVerdict, trial: Trial, comparison: ForecastComparison) -> str:
    """The verdict as Markdown, with the figures of both sides."""
    days = f"{comparison.first:%Y-%m-%d} to {comparison.last:%Y-%m-%d}"
    ordered = sorted(verdict.sectors.items(), key=lambda item: item[1].difference)[:SHOWN]
    sectors = pd.DataFrame(
        [(name, each.rows, str(each), f"{each.p_no_loss:.3f}") for name, each in ordered],
        columns=["sector", "series", "points of WAPE gained", "share of resamples without a loss"],
    )
    parts = [
        cell(verdict.first_line) + ".",
        f"{cell(trial.named(trial.challenger))} (challenger) against {cell(trial.named(trial.champion))} (champion), "
        f"both fitted anew before each of {comparison.windows} windows, {days}. The champion was chosen on earlier "
        "days; the challenger is its training rehearsed on the days before the windows.",
        "## Figures",
        markdown_table(figures(comparison)),
        "## Checks",
        checks_table(verdict.checks),
        f"![differences]({PLOT})",
        "## Sectors, the largest loss first",
        markdown_table(sectors),
    ]
    return "\n\n".join(parts) + "\n"


def figures(comparison: ForecastComparison) -> pd.DataFrame:
    """Columns `figure, champion, challenger`."""
    columns = {
        name: _figures_of(side, comparison.months)
        for name, side in (("champion", comparison.champion), ("challenger", comparison.challenger))
    }
    if len(comparison.unrefreshed):
        columns["champion"]["WAPE as it serves, without these weeks"] = wape(by_series_sums(comparison.unrefreshed))
    return pd.DataFrame(columns).rename_axis("figure").reset_index()


def _figures_of(side: Served, months: float) -> dict[str, float]:
    sums = by_series_sums(side.days)
    by_window = {
        f"WAPE of the window from {rows['date'].min():%Y-%m-%d}": wape(by_series_sums(rows))
        for _, rows in sorted(side.days.groupby("window"), reverse=True)
    }
    return {
        "WAPE": wape(sums),
        **by_window,
        "coverage of the 80 % interval": float(sums["inside"].sum() / sums["days"].sum()),
        "surges a series and month": float(side.alarms.mean() / months),
        "seconds to fit": side.fit_seconds,
        "seconds to answer": side.answer_seconds,
    }


def write_forecast_report(verdict: ForecastVerdict, trial: Trial, comparison: ForecastComparison) -> None:
    """Write the report into the trial's folder; `verdict.json` last, so that where it is the others are."""
    folder = trial.folder
    folder.mkdir(parents=True, exist_ok=True)
    of_all = {"WAPE": verdict.overall, **verdict.compared, **verdict.sectors}
    plot_differences(of_all, folder / PLOT, what="points gained")
    text = forecast_report(verdict, trial, comparison)
    (folder / REPORT).write_text(text, encoding="utf-8")
    (folder / HTML).write_text(as_html(text, folder), encoding="utf-8")
    with atomic_file(folder / VERDICT) as partial:
        said = verdict_json(verdict, comparison)
        partial.write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")


def verdict_json(verdict: ForecastVerdict, comparison: ForecastComparison) -> dict[str, Any]:
    """All of it, for a promotion's evidence and for other programs."""
    return {
        "passed": bool(verdict.promote),
        "says": verdict.first_line,
        "series": verdict.overall.rows,
        "days": f"{comparison.first:%Y-%m-%d} to {comparison.last:%Y-%m-%d}",
        "checks": [asdict(check) | {"passed": bool(check.passed)} for check in verdict.checks],
        "compared": {
            name: asdict(each)
            for name, each in {"WAPE": verdict.overall, **verdict.compared, **verdict.sectors}.items()
        },
        "figures": figures(comparison).to_dict("records"),
    }
