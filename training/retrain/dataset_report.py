"""The report of a dataset version: for people as Markdown, for programs as JSON, the same figures in both.

In: a manifest and what the checks found. Out: `report.md` and `report.json` in the version's folder. No complaint is
quoted there: single rows are in `findings.csv`, from which an erased complaint can be taken.
"""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from data.complaints.schema import LABELS
from training.report.markdown import cell, markdown_table
from training.retrain.checks import Checked
from training.retrain.drift import LabelDrift
from training.retrain.versions import FINDINGS, REPORT, REPORT_JSON, Manifest, version_name

SHOWN = 15
"""Lines of a table in the report; `report.json` has all."""
COUNTS = {
    "of_earlier_version": "rows of the version before",
    "read": "rows of files",
    "given_again": "of them given again by a later file, whose row holds",
    "given_again_otherwise": "with other labels",
    "from_store_alone": "complaints that only the store has",
    "conflicts": "labels that two operators disagree about; the newest word holds",
    "no_label": "left out: nobody gave a label that the catalogue knows",
    "refused_id": "left out: the id is personal data",
    "erased": "left out: erased earlier",
    "rows": "labelled complaints in this version",
}


def write_report(folder: Path, manifest: Manifest, checked: Checked) -> None:
    """Write both files."""
    (folder / REPORT).write_text(report_text(manifest, checked), encoding="utf-8")
    content = json.dumps(report_json(manifest, checked), ensure_ascii=False, indent=1)
    (folder / REPORT_JSON).write_text(content, encoding="utf-8")


def report_json(manifest: Manifest, checked: Checked) -> dict[str, Any]:
    """All figures, findings about single rows as their numbers only."""
    content = asdict(checked)
    content["findings"] = _by_kind(checked)
    return {
        "version": version_name(manifest.number, manifest.history[0].fingerprint),
        "parent": manifest.parent,
    } | content


def report_text(manifest: Manifest, checked: Checked) -> str:
    """What an engineer reads in a minute; the first line says what there is to look at."""
    name = version_name(manifest.number, manifest.history[0].fingerprint)
    parts = [
        f"# Dataset {name} of {manifest.region}",
        first_line(checked),
        "## Rows",
        markdown_table(
            pd.DataFrame(
                [(text, checked.counts[key]) for key, text in COUNTS.items() if checked.counts.get(key)],
                columns=["what", "rows"],
            )
        ),
        f"{checked.test_rows} rows are held out for good, by a hash of their text."
        + (f" {checked.moved} complaints have another text than before, and so another side." if checked.moved else ""),
        "## Labels",
        markdown_table(_labels_table(checked)),
        *_of_migrations(checked),
        *([] if checked.drift is None else ["## Since the version before", *_of_drift(checked.drift)]),
        *_of_operators(checked),
        "## Duplicates",
        _of_duplicates(checked),
        *_of_wrong_labels(checked),
        f"Single rows are in `{FINDINGS}`: "
        + (", ".join(f"{kind} {rows}" for kind, rows in sorted(_by_kind(checked).items())) or "nothing to see")
        + ".",
    ]
    return "\n\n".join(parts) + "\n"


def first_line(checked: Checked) -> str:
    """One sentence: how many rows, and what a person should look at."""
    look: list[str] = []
    if checked.drift is not None:
        changes = len(checked.drift.changed)
        new = sum(map(len, checked.drift.appeared.values()))
        gone = sum(map(len, checked.drift.vanished.values()))
        look += [f"{changes} labels changed their share"] if changes else []
        look += [f"{new} labels are new"] if new else []
        look += [f"{gone} labels are gone"] if gone else []
    kinds = _by_kind(checked)
    words = {
        "unknown_label": "labels are not in the catalogue",
        "conflict": "labels are disputed",
        "likely_wrong": "labels are likely wrong",
    }
    look += [f"{kinds[kind]} {text}" for kind, text in words.items() if kinds.get(kind)]
    return f"{checked.counts['rows']} labelled complaints. " + (
        f"Look at these: {'; '.join(look)}." if look else "Nothing stands out."
    )


def _by_kind(checked: Checked) -> dict[str, int]:
    return dict(Counter(finding.kind for finding in checked.findings))


def _labels_table(checked: Checked) -> pd.DataFrame:
    lines = []
    for head in LABELS:
        of_head, origins = checked.labels[head], checked.origins[head]
        texts = checked.contradictions.get(head, (0, 0))[1]
        said = ", ".join(f"{origin} {labels}" for origin, labels in sorted(origins.items()))
        lines.append((head, of_head.rows, of_head.labels, of_head.rare, said, texts))
    return pd.DataFrame(
        lines,
        columns=["head", "rows", "labels", "of few rows", "who says so", "texts with several labels in one place"],
    )


def _of_migrations(checked: Checked) -> list[str]:
    if not checked.migrations:
        return []
    done = ", ".join(f"{kind} {rows}" for kind, rows in sorted(checked.migrations.items()))
    return [f"Labels under names that the catalogue no longer has: {done}."]


def _of_drift(drift: LabelDrift) -> list[str]:
    lines: list[str] = []
    for what, by_head in (("New", drift.appeared), ("Gone", drift.vanished)):
        for head, labels in by_head.items():
            if labels:
                named = ", ".join(f"{cell(label)} ({rows})" for label, rows in list(labels.items())[:SHOWN])
                lines.append(f"{what} as {head}: {named}{' …' if len(labels) > SHOWN else ''}.")
    if drift.changed:
        table = pd.DataFrame([asdict(change) for change in drift.changed[:SHOWN]])
        lines.append(markdown_table(table.assign(p=[f"{p:.1g}" for p in table["p"]])))
    sure = f"Fisher's exact test on the texts that joined, Holm, level {drift.level:g}"
    lines.append(f"{len(drift.changed)} labels have another share than before ({sure}).")
    return lines


def _of_operators(checked: Checked) -> list[str]:
    if not checked.operators:
        return []
    table = pd.DataFrame([asdict(figures) for figures in checked.operators[:SHOWN]])
    return ["## Operators", markdown_table(table.assign(operator=table["operator"].replace("", "(no name)")))]


def _of_duplicates(checked: Checked) -> str:
    found = checked.duplicates
    return (
        f"{found.copies} rows repeat the text of another, one text stands in {found.most_copies} rows. "
        f"Of {found.compared} different texts compared, {found.near} have a near-duplicate "
        f"(largest group: {found.largest}); {found.across} of those held out have one among the taught."
    )


def _of_wrong_labels(checked: Checked) -> list[str]:
    if checked.wrong is None:
        return []
    table = pd.DataFrame([{"head": head} | asdict(figures) for head, figures in checked.wrong.figures.items()])
    return ["## Labels that are likely wrong", markdown_table(table)]
