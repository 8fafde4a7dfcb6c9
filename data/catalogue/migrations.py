"""Migrations of topics: what became of a topic that the catalogue once had, so that old rows and old models survive.

In: the recorded migrations of a `catalogue.yaml`, and a label as an old row or an old model says it. Out: the label as
the catalogue says it today. Renamed and merged topics have a successor; a split topic has several, and which one an old
row belongs to nobody knows, so it keeps its sector alone; so does a retired one. A name that was given up is gone
for good: only a split topic may leave its name to one of its parts, and there the day tells old rows from new ones.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from data.config import Config

if TYPE_CHECKING:
    from data.catalogue.model import Catalogue

Kind = Literal["renamed", "merged", "split", "retired"]


class TopicName(Config):
    """A topic by its names, today's or former ones."""

    sector: str
    topic: str

    @property
    def pair(self) -> tuple[str, str]:
        """Both names."""
        return self.sector, self.topic


class Migration(Config):
    """On this day the topics `was` became the topics `now`: none where they were retired."""

    day: date
    was: list[TopicName] = Field(min_length=1)
    now: list[TopicName] = []
    why: str = ""

    @property
    def kind(self) -> Kind:
        """What happened, by how many there were and are."""
        if not self.now:
            return "retired"
        if len(self.now) > 1:
            return "split"
        return "merged" if len(self.was) > 1 else "renamed"

    @property
    def former(self) -> list[tuple[str, str]]:
        """Names before."""
        return [name.pair for name in self.was]

    @property
    def current(self) -> list[tuple[str, str]]:
        """Names afterwards."""
        return [name.pair for name in self.now]


class Migrated(NamedTuple):
    """A label as the catalogue says it today; `kind` says what last happened to its topic, None where nothing did."""

    sector: str | None
    topic: str | None
    kind: Kind | None


def in_order(migrations: Iterable[Migration]) -> list[Migration]:
    """The oldest first; those of one day as they stand."""
    return sorted(migrations, key=lambda migration: migration.day)


def migrated(migrations: Sequence[Migration], sector: str | None, topic: str | None, labelled: date) -> Migrated:
    """The label of a row that was labelled on this day, under today's names.

    `migrations` are in order. A row that names a sector alone follows its topics, where all of them went one way.
    """
    if sector is None:
        return Migrated(None, topic, None)
    if topic is None:
        return Migrated(_sector_of_all_topics(migrations, sector), None, None)
    pair, kind = (sector, topic), None
    for migration in migrations:
        if pair not in migration.former:
            continue
        if migration.kind == "split" and pair in migration.current and labelled >= migration.day:
            continue
        kind = migration.kind
        if kind in ("split", "retired"):
            sectors = {name.sector for name in migration.now} or {pair[0]}
            rest = sectors.pop() if len(sectors) == 1 else None
            return Migrated(migrated(migrations, rest, None, labelled).sector, None, kind)
        (pair,) = migration.current
    return Migrated(*pair, kind)


def _sector_of_all_topics(migrations: Sequence[Migration], sector: str) -> str:
    """Where all migrated topics of a sector went to one other sector, that one; else the sector itself."""
    went: set[str] = set()
    for migration in migrations:
        if migration.kind != "retired" and any(name.sector == sector for name in migration.was):
            went |= {name.sector for name in migration.now}
    (other,) = went if len(went) == 1 else (sector,)
    return sector if other == sector else _sector_of_all_topics(migrations, other)


def successors(migrations: Sequence[Migration], topics: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Migrated]:
    """Of topics that an old model knows, those with another name today: what its answers mean under this catalogue."""
    today = {pair: migrated(migrations, *pair, labelled=date.min) for pair in topics}
    return {pair: now for pair, now in today.items() if (now.sector, now.topic) != pair}


def topic_id(migrations: Sequence[Migration], sector: str, topic: str) -> str:
    """A topic's stable id, made of its first name: a renamed topic keeps it, a part of a split one gets its own."""
    pair, since = (sector, topic), ""
    for migration in reversed(migrations):
        if pair not in migration.current:
            continue
        if migration.kind == "renamed":
            (pair,) = migration.former
        elif migration.kind == "split" or pair not in migration.former:
            since = migration.day.isoformat()
            break
    return "topic-" + hashlib.sha256("\n".join((*pair, since)).encode()).hexdigest()[:8]


def problems(catalogue: "Catalogue") -> Iterator[tuple[int, str]]:
    """What does not fit together: the place of the migration in the file, and what is wrong with it."""
    topics = {(sector.name, topic.name) for sector in catalogue.sectors for topic in sector.topics}
    ordered = in_order(catalogue.migrations)
    for place, migration in enumerate(catalogue.migrations):
        later = ordered[ordered.index(migration) + 1 :]
        if len(migration.was) > 1 and len(migration.now) > 1:
            yield place, "leads from several topics to several: write one migration for each"
        if migration.former == migration.current:
            yield place, "leads from a topic to itself"
        for pair in migration.former:
            if pair in migration.current or pair not in topics or any(pair in other.current for other in later):
                continue
            yield place, f"gives up {_quoted(pair)}, which is still in the catalogue"
        for pair in migration.current:
            if pair not in topics and not any(pair in other.former for other in later):
                yield place, f"leads to {_quoted(pair)}, which is neither in the catalogue nor migrated later"


def _quoted(pair: tuple[str, str]) -> str:
    return f'topic "{pair[1]}" of "{pair[0]}"'
