"""Today's labels: what a row or an operator once said, under the names that the catalogue has today.

In: labels as a file or a correction holds them, and when they were given. Out: the same in the catalogue's spelling,
migrated where the topic was renamed, merged, split or retired; a label that the catalogue does not know is left out
and named. Without a catalogue labels stay as they came, masked.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from data.catalogue.migrations import migrated
from data.catalogue.model import Catalogue
from data.complaints.cleaning import folded
from data.complaints.matching import CatalogueLabels, Names, RejectedError, masked_label

Labels = tuple[str | None, str | None, str | None]
"""Sector, topic, agency; None where nothing was said."""


@dataclass(frozen=True)
class Unknown:
    """A label that was left out: which one, as it came (masked), and why."""

    head: str
    label: str
    reason: str


@dataclass
class TodaysLabels:
    """A catalogue that translates.

    Attributes:
        catalogue: None where the region has none.
        migrations: how often labels were renamed, merged, split or retired.
    """

    catalogue: Catalogue | None
    migrations: "Counter[str]" = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._known = None if self.catalogue is None else CatalogueLabels(self.catalogue)
        self._migrations = [] if self.catalogue is None else self.catalogue.ordered_migrations
        self._former = {
            (folded(sector), folded(topic)): (sector, topic)
            for migration in self._migrations
            for sector, topic in migration.former
        }

    def of(self, labels: Labels, given: date) -> tuple[Labels, list[Unknown]]:
        """The labels under today's names, and those that were left out."""
        sector, topic, agency = labels
        if self._known is None:
            return tuple(None if label is None else masked_label(label) for label in labels), []  # type: ignore[return-value]
        if sector is not None and topic is not None:
            sector, topic = self._former.get((folded(sector), folded(topic)), (sector, topic))
        now = migrated(self._migrations, sector, topic, given)
        if now.kind is not None:
            self.migrations[now.kind] += 1
        unknown: list[Unknown] = []
        known_sector = _match(self._known.sectors, "sector", now.sector, unknown)
        known_topic = None
        if known_sector is not None or now.sector is None:
            known_topic = _match(self._known.topics[known_sector], "topic", now.topic, unknown)
        return (known_sector, known_topic, _match(self._known.agencies, "agency", agency, unknown)), unknown

    def of_version(self, labels: Labels, topic_id: str | None, given: date) -> tuple[Labels, list[Unknown]]:
        """The labels of a row of an earlier version, which knows its topic's id: an id means one topic for good."""
        known = self._topics_by_id.get(topic_id or "")
        if known is None:
            return self.of(labels, given)
        (_, _, agency), unknown = self.of((None, None, labels[2]), given)
        return (*known, agency), unknown

    @cached_property
    def _topics_by_id(self) -> dict[str, tuple[str, str]]:
        sectors = [] if self.catalogue is None else self.catalogue.sectors
        pairs = [(sector.name, topic.name) for sector in sectors for topic in sector.topics]
        return {str(self.topic_id(*pair)): pair for pair in pairs}

    def municipality(self, name: str | None) -> str | None:
        """The place in the catalogue's spelling; None where it is not known."""
        if self._known is not None:
            return self._known.municipality(name)
        return None if name is None else masked_label(name)

    def topic_id(self, sector: str | None, topic: str | None) -> str | None:
        """The topic's stable id; None without a catalogue."""
        if self.catalogue is None or sector is None or topic is None:
            return None
        return self.catalogue.topic_id(sector, topic)


def _match(names: Names, head: str, label: str | None, unknown: list[Unknown]) -> str | None:
    try:
        return names.match(label)
    except RejectedError as error:
        unknown.append(Unknown(head, masked_label(label or ""), str(error)))
        return None
