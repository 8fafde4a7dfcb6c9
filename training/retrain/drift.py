"""Drift of labels: which appeared, which vanished, and whose share among the rows that joined is another than before.

In: the rows of the previous version, those of the new one. Out: a `LabelDrift`. The rows that joined are held against
those that were there, label by label, by Fisher's exact test, Holm's correction over all labels of all heads: where
nothing has changed, at most a stated share of the versions is told of any change (Holm 1979). A text that came many
times counts once a label, for a flood of copies is one event.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from data.complaints.schema import LABELS
from training.classifier.splits import text_keys

LEVEL = 0.01
"""One version in a hundred is told of a change where there is none."""


@dataclass(frozen=True)
class ShareChange:
    """A label whose share among the texts that joined differs from its share before; `p` is corrected."""

    head: str
    label: str
    before: float
    joined: float
    p: float


@dataclass(frozen=True)
class LabelDrift:
    """What became of the labels; of each head label → rows.

    Attributes:
        appeared: in the new version, and not in the previous one.
        vanished: in the previous version, and not in the new one.
        changed: other shares than before, the surest first.
        level: how many versions in one are told of a change where there is none.
    """

    appeared: Mapping[str, Mapping[str, int]]
    vanished: Mapping[str, Mapping[str, int]]
    changed: tuple[ShareChange, ...]
    level: float = LEVEL


def label_drift(before: pd.DataFrame, now: pd.DataFrame, level: float = LEVEL) -> LabelDrift:
    """Compare two versions; columns used: `source, id, text, sector, topic, agency`."""
    appeared, vanished = {}, {}
    for head in LABELS:
        old, new = before[head].value_counts(), now[head].value_counts()
        appeared[head] = {str(label): int(rows) for label, rows in new.items() if label not in old.index}
        vanished[head] = {str(label): int(rows) for label, rows in old.items() if label not in new.index}
    keys = pd.MultiIndex.from_frame(before[["source", "id"]])
    joined = now[~pd.MultiIndex.from_frame(now[["source", "id"]]).isin(keys)]
    return LabelDrift(appeared, vanished, tuple(share_changes(before, joined, level)), level)


def share_changes(before: pd.DataFrame, joined: pd.DataFrame, level: float) -> list[ShareChange]:
    """Labels whose shares differ, by tests that together err in at most `level` of all comparisons."""
    from scipy.stats import fisher_exact

    tested: list[ShareChange] = []
    for head in LABELS:
        old, new = _texts_of_labels(before, head), _texts_of_labels(joined, head)
        olds, news = int(old.sum()), int(new.sum())
        if not olds or not news:
            continue
        for label in sorted({*old.index, *new.index}):
            was, joins = int(old.get(label, 0)), int(new.get(label, 0))
            p = float(fisher_exact([[was, olds - was], [joins, news - joins]]).pvalue)
            tested.append(ShareChange(head, label, was / olds, joins / news, p))
    return _after_holm(tested, level)


def _texts_of_labels(rows: pd.DataFrame, head: str) -> "pd.Series[int]":
    """Label → its different texts."""
    labelled = rows[rows[head].notna()]
    keys = pd.Series(text_keys(labelled["text"]), index=labelled.index, dtype=object)
    return keys.groupby(labelled[head].astype(str)).nunique()


def _after_holm(tested: list[ShareChange], level: float) -> list[ShareChange]:
    """Those that stay below the level, with corrected p-values."""
    changed: list[ShareChange] = []
    highest = 0.0
    for place, each in enumerate(sorted(tested, key=lambda change: change.p)):
        highest = max(highest, min(1.0, each.p * (len(tested) - place)))
        if highest > level:
            break
        changed.append(ShareChange(each.head, each.label, each.before, each.joined, highest))
    return changed
