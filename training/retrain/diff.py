"""`tsur dataset diff A B`: what became of the rows and labels between two versions.

In: two versions. Out: a `DatasetDiff`, in words and as JSON: complaints that joined, left or were erased, labels that
changed and who changed them, and whether the labels of those that joined have other shares. A renamed topic is no
change: its id says that it is the same.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from data.complaints.schema import LABELS
from training.retrain.drift import LEVEL, LabelDrift, label_drift
from training.retrain.versions import DatasetVersion, erased_mark, erased_marks

SHOWN = 10
"""Kinds of changes that are told in words, the commonest first; the JSON has all."""


@dataclass(frozen=True)
class Relabelled:
    """A label that became another in so many rows, and who says the new one."""

    head: str
    was: str | None
    now: str | None
    origin: str | None
    rows: int


@dataclass(frozen=True)
class DatasetDiff:
    """What changed from version `first` to version `second`.

    Attributes:
        joined: origins of the complaints that only the second has: how many have a label from each.
        left: complaints that only the first has, the erased ones apart.
        erased: complaints that left because they were erased.
        texts: complaints whose text or place changed.
        relabelled: labels that changed, the commonest change first.
        renamed: topics that have another name and the same id: name → name.
        confirmed: labels that stayed and that an operator has confirmed since.
    """

    first: str
    second: str
    rows: tuple[int, int]
    joined: int
    joined_origins: Mapping[str, int]
    left: int
    erased: int
    texts: int
    relabelled: tuple[Relabelled, ...]
    renamed: Mapping[str, str]
    confirmed: int
    drift: LabelDrift

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)


def diff_versions(first: DatasetVersion, second: DatasetVersion, level: float = LEVEL) -> DatasetDiff:
    """Compare two versions, of one folder or of two."""
    before, now = (version.rows.set_index(["source", "id"], drop=False) for version in (first, second))
    before, now = before.astype(object).where(before.notna(), None), now.astype(object).where(now.notna(), None)
    both = before.index.intersection(now.index)
    joined = now[~now.index.isin(before.index)]
    left = before.index.difference(now.index)
    marks = erased_marks(second.folder.parent)
    erased = sum(erased_mark((source, id_)) in marks for source, id_ in left) if marks else 0
    old, new = before.loc[both], now.loc[both]
    changed, renamed = _changes(old, new)
    origins = Counter(origin for head in LABELS for origin in joined[f"{head}_origin"] if origin is not None)
    moved = (old["text"] != new["text"]) | (old["municipality"].fillna("") != new["municipality"].fillna(""))
    return DatasetDiff(
        first=first.name,
        second=second.name,
        rows=(len(before), len(now)),
        joined=len(joined),
        joined_origins=dict(sorted(origins.items())),
        left=len(left) - erased,
        erased=erased,
        texts=int(moved.sum()),
        relabelled=changed,
        renamed=renamed,
        confirmed=_confirmed(old, new),
        drift=label_drift(first.rows, second.rows, level),
    )


def _changes(old: pd.DataFrame, new: pd.DataFrame) -> tuple[tuple[Relabelled, ...], dict[str, str]]:
    """Labels that changed, and topics that were renamed only."""
    same_topic = (old["topic_id"] == new["topic_id"]) & old["topic_id"].notna()
    renamed = same_topic & ((old["topic"] != new["topic"]) | (old["sector"] != new["sector"]))
    names = zip(old["sector"], old["topic"], new["sector"], new["topic"], renamed, strict=True)
    pairs = {f"{was} · {topic}": f"{sector} · {now}" for was, topic, sector, now, is_renamed in names if is_renamed}
    changes: Counter[tuple[str, str | None, str | None, str | None]] = Counter()
    for head in LABELS:
        other = (old[head].fillna("") != new[head].fillna("")).to_numpy()
        if head != "agency":
            other &= ~same_topic.to_numpy()
        rows = zip(old[head][other], new[head][other], new[f"{head}_origin"][other], strict=True)
        changes.update((head, was, now, origin) for was, now, origin in rows)
    return tuple(Relabelled(*change, rows=rows) for change, rows in changes.most_common()), pairs


def _confirmed(old: pd.DataFrame, new: pd.DataFrame) -> int:
    """Labels that are the same and have an operator's word now."""
    return sum(
        int(((old[head] == new[head]) & (old[f"{head}_origin"] == "file") & (new[f"{head}_origin"] != "file")).sum())
        for head in LABELS
    )


def diff_text(diff: DatasetDiff) -> str:
    """The changes in words, one a line."""
    lines = [
        f"{diff.first} → {diff.second}: {diff.rows[0]} → {diff.rows[1]} complaints",
        f"joined {diff.joined}, left {diff.left}, erased {diff.erased}; {diff.texts} have another text or place",
    ]
    if diff.joined_origins:
        lines.append("labels that joined: " + ", ".join(f"{name} {rows}" for name, rows in diff.joined_origins.items()))
    lines.append(
        f"{sum(change.rows for change in diff.relabelled)} labels changed, "
        f"{diff.confirmed} were confirmed by an operator"
    )
    lines += [
        f"  {change.rows} × {change.head}: {change.was or '—'} → {change.now or '—'} ({change.origin or 'nobody'})"
        for change in diff.relabelled[:SHOWN]
    ]
    lines += [f"renamed: {was} → {now}" for was, now in diff.renamed.items()]
    for what, by_head in (("new", diff.drift.appeared), ("gone", diff.drift.vanished)):
        named = [f"{label} ({rows})" for labels in by_head.values() for label, rows in labels.items()]
        if named:
            lines.append(f"{what}: {', '.join(named[:SHOWN])}{' …' if len(named) > SHOWN else ''}")
    lines += [
        f"share of {each.head} {each.label}: {each.before:.1%} → {each.joined:.1%} of what joined (p {each.p:.1g})"
        for each in diff.drift.changed[:SHOWN]
    ]
    if not diff.drift.changed:
        lines.append(f"no label has another share among what joined (level {diff.drift.level:g})")
    return "\n".join(lines)
