"""Checks of a dataset version before it is frozen: what a person should know of it, none of which stops it.

In: gathered rows as they will be written, what operators said, the version before. Out: a `Checked`: figures for the
report and findings about single rows. What is wrong beyond doubt was set aside while gathering; here is what somebody
has to judge.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from data.complaints.schema import LABELS
from models.classifier.labels import RARE_ROWS
from training.arguments import DatasetBuild
from training.classifier.splits import contradictions
from training.retrain.drift import LabelDrift, label_drift
from training.retrain.duplicates import Duplicates, find_duplicates
from training.retrain.findings import Finding
from training.retrain.gathering import ORIGINS, Gathered
from training.retrain.operators import Operators
from training.retrain.todays_labels import TodaysLabels
from training.retrain.versions import TEST, DatasetVersion, read_row_list
from training.retrain.wrong_labels import WrongLabels, find_wrong_labels


@dataclass(frozen=True)
class HeadLabels:
    """Labels of one head: how many rows have one, how many labels there are, how many of these have few rows."""

    rows: int
    labels: int
    rare: int


@dataclass(frozen=True)
class OperatorFigures:
    """How many labels an operator gave, and how many of them another one overruled later."""

    operator: str
    labels: int
    overruled: int


@dataclass(frozen=True)
class Checked:
    """What there is to know of a version.

    Attributes:
        counts: rows by what happened to them on the way.
        test_rows: held out for good.
        labels: of each head.
        origins: of each head, origin → labels.
        migrations: how often labels took a migration of the catalogue.
        contradictions: of each head, rows of equal text and place with different labels, and how many such texts.
        operators: those who were overruled most first.
        moved: complaints whose text changed since the version before so that the split changed too.
        drift: None where there is no version before.
        wrong: None where it was not asked for.
        findings: about single rows.
    """

    counts: Mapping[str, int]
    test_rows: int
    labels: Mapping[str, HeadLabels]
    origins: Mapping[str, Mapping[str, int]]
    migrations: Mapping[str, int]
    contradictions: Mapping[str, tuple[int, int]]
    operators: tuple[OperatorFigures, ...]
    moved: int
    duplicates: Duplicates
    drift: LabelDrift | None
    wrong: WrongLabels | None
    findings: list[Finding]


def check(
    gathered: Gathered,
    operators: Operators,
    names: TodaysLabels,
    draft: Path,
    parent: DatasetVersion | None,
    arguments: DatasetBuild,
    say: Callable[[str], None],
) -> Checked:
    """Everything about the rows that lie in the folder `draft`."""
    rows, splits = gathered.rows, [str(entry["split"]) for entry in read_row_list(draft)]
    say("looking for duplicates")
    duplicates = find_duplicates(rows["text"], np.array(splits) == TEST)
    wrong = None
    if arguments.wrong_labels:
        say("looking for labels that are likely wrong")
        wrong = find_wrong_labels(rows)
    return Checked(
        counts=dict(gathered.counts),
        test_rows=splits.count(TEST),
        labels={head: _head_labels(rows[head]) for head in LABELS},
        origins={head: _counted(rows[origin]) for head, origin in zip(LABELS, ORIGINS, strict=True)},
        migrations=dict(names.migrations),
        contradictions=contradictions(rows),
        operators=_operator_figures(operators),
        moved=0 if parent is None else _moved(rows, splits, parent),
        duplicates=duplicates,
        drift=None if parent is None else label_drift(parent.rows, rows, arguments.drift_level),
        wrong=wrong,
        findings=gathered.findings + ([] if wrong is None else wrong.findings(rows)),
    )


def _head_labels(labels: "pd.Series[str]") -> HeadLabels:
    counts = labels.value_counts()
    return HeadLabels(int(counts.sum()), len(counts), int((counts < RARE_ROWS).sum()))


def _counted(origins: "pd.Series[str]") -> dict[str, int]:
    return {str(origin): int(labels) for origin, labels in origins.value_counts().items()}


def _operator_figures(operators: Operators) -> tuple[OperatorFigures, ...]:
    figures = [OperatorFigures(name, given, operators.overruled[name]) for name, given in operators.spoken.items()]
    return tuple(sorted(figures, key=lambda each: (-each.overruled, -each.labels, each.operator)))


def _moved(rows: pd.DataFrame, splits: list[str], parent: DatasetVersion) -> int:
    """Complaints that were on the other side of the split."""
    before = parent.rows.set_index(["source", "id"])["split"]
    now = pd.Series(splits, index=pd.MultiIndex.from_frame(rows[["source", "id"]]))
    both = before.index.intersection(now.index)
    return int((before.loc[both].to_numpy() != now.loc[both].to_numpy()).sum())
