"""Deadlines: by when a complaint is to be answered, and by what law.

In: a complaint's source, its topic in the catalogue and when it came. Out: a `Deadline` in UTC. Two things give one:
the regulation of the source, and the catalogue's own `deadline_hours` of the topic; the earlier one holds. A topic
whose `deadline_hours` is 0 is owed no answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from data.catalogue.model import Topic
from data.errors import ConfigError
from data.regions.region import Region
from data.regulations.regulation import Regulation, load_regulation

CATALOGUE_BASIS = "Рубрикатор региона: срок темы"


@dataclass(frozen=True)
class Deadline:
    """By when (UTC) the answer is due, and an interim one where it is asked for; `basis` quotes the law."""

    due_at: datetime
    interim_due_at: datetime | None
    basis: str


class Deadlines:
    """The deadlines of one region.

    Args:
        regulations: of each source that has one.
        zone: the region's, whose days count.
    """

    def __init__(self, regulations: Mapping[str, Regulation], zone: ZoneInfo) -> None:
        self._regulations, self._zone = dict(regulations), zone

    def of(self, source: str, topic: Topic | None, created_at: datetime) -> Deadline | None:
        """The deadline of a complaint; None where no answer is owed, or nothing says when.

        A topic that is not known counts as an ordinary one.
        """
        if topic is not None and not topic.deadline_hours:
            return None
        owed = [] if topic is None else [Deadline(_later(created_at, topic), None, CATALOGUE_BASIS)]
        regulation = self._regulations.get(source)
        if regulation is not None:
            terms = regulation.of("ordinary" if topic is None else topic.priority)
            due = regulation.after(created_at, terms.answer, self._zone)
            interim = None if terms.interim is None else regulation.after(created_at, terms.interim, self._zone)
            owed.append(Deadline(due, interim, regulation.basis))
        return min(owed, key=lambda deadline: deadline.due_at, default=None)


@lru_cache(maxsize=64)
def load_deadlines(region: Region) -> Deadlines:
    """The deadlines that a region's `region.yaml` names the regulations of; read once a process.

    Raises:
        ConfigError: a regulation is not known or malformed, or two rule the same source.
    """
    ruled: dict[str, tuple[str, Regulation]] = {}
    for name in region.regulations:
        regulation = load_regulation(name, *region.regulation_folders)
        for source in regulation.sources:
            if source in ruled:
                raise ConfigError(
                    f"region {region.id!r}: regulations {ruled[source][0]!r} and {name!r} both rule the source "
                    f"{source!r}; take one out of `regulations` of its region.yaml, or the source out of one"
                )
            ruled[source] = (name, regulation)
    return Deadlines({source: regulation for source, (_, regulation) in ruled.items()}, region.zone)


def _later(moment: datetime, topic: Topic) -> datetime:
    return moment.astimezone(UTC) + timedelta(hours=topic.deadline_hours)
