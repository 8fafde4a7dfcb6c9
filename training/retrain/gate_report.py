"""The gate's report: a page whose first line says why.

In: a `Verdict`, and what was compared. Out: Markdown.
"""

import pandas as pd

from training.report.markdown import cell, markdown_table
from training.retrain.gate import Verdict

SHOWN = 30
"""Sectors and agencies in the table, those with the largest loss first."""


def gate_report(verdict: Verdict, champion: str, challenger: str) -> str:
    """The verdict on `challenger`, held against `champion`: names such as a model's and its version's."""
    parts = [cell(verdict.first_line) + ".", f"{cell(challenger)} (challenger) against {cell(champion)} (champion)."]
    checks = pd.DataFrame(
        [("passed" if check.passed else "failed", check.name, check.says) for check in verdict.checks],
        columns=["", "what", "figures"],
    )
    parts += ["## Checks", markdown_table(checks)]
    if verdict.slices:
        ordered = sorted(verdict.slices.items(), key=lambda item: item[1].difference)[:SHOWN]
        table = pd.DataFrame(
            [(name, compared.rows, str(compared), f"{compared.p_no_loss:.3f}") for name, compared in ordered],
            columns=["slice", "rows", "points of accuracy", "share of resamples without a loss"],
        )
        parts += ["## Sectors and agencies, the largest loss first", markdown_table(table)]
    return "\n\n".join(parts) + "\n"
