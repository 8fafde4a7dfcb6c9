"""A winter replayed: topics that came with its end, kept from the classifier, are they found week by week?

In: complaints with real days (Petersburg). Out: how many of the topics that were left out are proposed, after how many
complaints, and what is proposed beside them. The classifier has learned what came before `TAUGHT_UNTIL`; all of
`late_topics` are left out of it together, as a catalogue of the autumn would lack them. Every Sunday the search looks
at what a region's service would: the newest complaints in real order, none planted. Nothing was chosen on these days.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import track

from benchmarks.emerging_topics.material import Material, said
from benchmarks.emerging_topics.rivals import Group, Stream
from benchmarks.kept import kept

TAUGHT_UNTIL = pd.Timestamp("2021-02-01")
SUNDAYS = 6
FORTNIGHT = 14
LEAST_COMPLAINTS = 40
TIMES_MORE = 3.0
"""A late topic has so many complaints since, and in its fullest fortnight so many times its usual one before."""

Proposals = Callable[[Stream], list[Group]]


@dataclass(frozen=True)
class Moment:
    """What the search sees on one evening; `rows` are positions of its complaints in the material."""

    stream: Stream
    rows: np.ndarray


def late_topics(material: Material) -> list[int]:
    """Topics that came with the end of the winter."""
    frame = pd.DataFrame({"topic": material.topics, "day": material.days, "text": material.texts})
    frame = frame[frame["topic"] >= 0].drop_duplicates("text")
    before, since = frame[frame["day"] < TAUGHT_UNTIL], frame[frame["day"] >= TAUGHT_UNTIL]
    fortnights = (TAUGHT_UNTIL - before["day"].min()).days / FORTNIGHT
    usual = (before["topic"].value_counts() + 1) / fortnights
    daily = since.groupby(["day", "topic"]).size().unstack(fill_value=0).asfreq("D", fill_value=0)
    fullest = daily.rolling(FORTNIGHT).sum().max()
    late = (daily.sum() >= LEAST_COMPLAINTS) & (fullest >= TIMES_MORE * usual.reindex(fullest.index, fill_value=0))
    return sorted(int(topic) for topic in late.index[late])


def moments(material: Material, left_out: list[int]) -> list[Moment]:
    """The evenings on which the search looks, with what a classifier without the topics left out has said by then."""
    taught = (material.days < TAUGHT_UNTIL).to_numpy()
    named, sure = said(material, left_out, taught)
    frame = pd.DataFrame(
        {
            "text": material.texts,
            "day": material.days.to_numpy(),
            "municipality": None,
            "topic": named.astype(str),
            "confidence": sure,
            "unlike": False,
        }
    )
    out = []
    for week in range(1, SUNDAYS + 1):
        end = TAUGHT_UNTIL + pd.Timedelta(days=7 * week - 1)
        rows = np.flatnonzero((frame["day"] <= end).to_numpy())
        stream = Stream(frame.iloc[rows].reset_index(drop=True), material.vectors[rows], end.date())
        out.append(Moment(stream, rows))
    return out


@dataclass(frozen=True, eq=False)
class Winter:
    """The evenings of a replay, made when they are first asked for."""

    material: Material
    late: list[int]

    @cached_property
    def without(self) -> list[Moment]:
        """The late topics are left out of the classifier."""
        return moments(self.material, self.late)

    @cached_property
    def whole(self) -> list[Moment]:
        """All topics are taught."""
        return moments(self.material, [])


def replayed(material: Material, searches: dict[str, Proposals], folder: Path) -> dict[str, Any]:
    """What each search proposes where the late topics are left out, and where none is; kept search by search."""
    winter = Winter(material, late_topics(material))
    of_searches = {
        name: kept(folder / f"{name}.json", partial(of_search, winter, name, proposals))
        for name, proposals in searches.items()
    }
    return {"topics": len(winter.late), "evenings": SUNDAYS, **of_searches}


def of_search(winter: Winter, name: str, proposals: Proposals) -> dict[str, Any]:
    """One search's figures of a winter."""
    material, late = winter.material, winter.late
    told = [proposals(moment.stream) for moment in track(winter.without, f"{material.name}, {name}")]
    found = _found(material, late, winter.without, told)
    pairs = [(moment, group) for moment, groups in zip(winter.without, told, strict=True) for group in groups]
    beside = sum(not _is_late(material, late, moment, group) for moment, group in pairs)
    with_all = [len(proposals(moment.stream)) for moment in winter.whole]
    return {
        "found": len(found) / max(len(late), 1),
        "median_complaints_until_found": float(np.median(list(found.values()))) if found else None,
        "proposals_beside_per_evening": beside / SUNDAYS,
        "proposals_per_evening_with_all_taught": float(np.mean(with_all)),
    }


def _is_late(material: Material, late: list[int], moment: Moment, group: Group) -> bool:
    """Whether most of a proposal's complaints are of the topics left out."""
    return bool(np.isin(material.topics[moment.rows[group.rows]], late).mean() > 0.5)


def _found(material: Material, late: list[int], evenings: list[Moment], told: list[list[Group]]) -> dict[int, int]:
    """Topic left out → its complaints since `TAUGHT_UNTIL` by the evening on which it was first proposed.

    A proposal is the topic's that most of its late complaints are of.
    """
    found: dict[int, int] = {}
    for moment, groups in zip(evenings, told, strict=True):
        seen = (material.days >= TAUGHT_UNTIL) & (material.days <= pd.Timestamp(moment.stream.end))
        for group in groups:
            if _is_late(material, late, moment, group):
                topics = material.topics[moment.rows[group.rows]]
                topic = int(np.bincount(topics[np.isin(topics, late)]).argmax())
                found.setdefault(topic, int((seen.to_numpy() & (material.topics == topic)).sum()))
    return found
