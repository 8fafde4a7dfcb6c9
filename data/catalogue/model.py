"""The catalogue (рубрикатор): sectors, topics, agencies, who answers for which topic where.

In: the keys of a region's `catalogue.yaml`. Out: an immutable `Catalogue` that answers three questions:
which (sector, topic, agency) are possible, who answers for a topic in a municipality, and in how many
hours. What became of topics that it once had, `migrations` say. `checks.load_catalogue` reads one,
`draft.draft_catalogue` writes one from labelled complaints.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Literal, NamedTuple

from pydantic import Field

from data.catalogue.migrations import Migration, in_order, topic_id
from data.catalogue.places import place_keys, without_kind
from data.complaints.cleaning import folded
from data.config import Config
from data.errors import LabelError

Priority = Literal["ordinary", "urgent"]
"""How soon an answer is owed, where a regulation tells two ways; which topics are urgent, the region's own act says."""
ADMINISTRATION = "administration"
"""In a route: the administration of the complaint's own municipality."""


class Triple(NamedTuple):
    """One possible labelling of a complaint, by names."""

    sector: str
    topic: str
    agency: str


class Municipality(Config):
    """A place complaints come from."""

    id: str
    name: str
    kind: str = "муниципальный район"
    aliases: list[str] = []
    administration: str | None = None


class Agency(Config):
    """A body that acts on complaints; `municipalities` empty means the whole region."""

    id: str
    name: str
    level: Literal["municipal", "regional", "federal"] = "regional"
    municipalities: list[str] = []


class Route(Config):
    """Who answers for a topic; with `municipalities`, only there, and before routes without."""

    agency: str
    municipalities: list[str] = []


class Topic(Config):
    """What exactly a complaint is about; `deadline_hours` 0 means that no answer is owed.

    `id` stays when the name changes; where none is written, it follows from the first name (`Catalogue.topic_id`).
    """

    name: str
    id: str | None = None
    deadline_hours: int = Field(ge=0, le=24 * 366)
    priority: Priority = "ordinary"
    description: str = ""
    examples: list[str] = []
    routes: list[Route] = Field(min_length=1)


class Sector(Config):
    """An area of topics."""

    name: str
    topics: list[Topic] = Field(min_length=1)


class Catalogue(Config):
    """A region's sectors, topics, agencies, routes and deadlines, checked against each other."""

    region: str
    drafted: bool = False
    """Its routes are what was seen in complaints, nobody's rule: other agencies may answer for a topic too."""
    municipalities: list[Municipality] = []
    agencies: list[Agency] = Field(min_length=1)
    sectors: list[Sector] = Field(min_length=1)
    migrations: list[Migration] = []
    """What became of topics that it once had."""

    @cached_property
    def agency_names(self) -> dict[str, str]:
        """Agency id → name."""
        return {agency.id: agency.name for agency in self.agencies}

    @cached_property
    def _id_by_spelling(self) -> dict[str, str]:
        """Municipality ids by id, name and alias, folded."""
        return {
            folded(spelling): entry.id
            for entry in self.municipalities
            for spelling in (entry.id, entry.name, *entry.aliases)
        }

    @cached_property
    def _id_by_bare_name(self) -> dict[str, str]:
        """Municipality ids by what is left of their names without «г.», «район»; those that two would share are out."""
        owners: dict[str, set[str]] = {}
        for entry in self.municipalities:
            for spelling in (entry.name, *entry.aliases):
                owners.setdefault(without_kind(folded(spelling)), set()).add(entry.id)
        return {name: ids.pop() for name, ids in owners.items() if len(ids) == 1}

    @cached_property
    def _topics(self) -> dict[tuple[str, str], Topic]:
        return {(sector.name, topic.name): topic for sector in self.sectors for topic in sector.topics}

    def municipality_id(self, name: str) -> str:
        """The id of a municipality, however its name is written (see `places.py`).

        Raises:
            LabelError: no such municipality; lists the known ones.
        """
        municipality_id = self._municipality_id(name)
        if municipality_id is None:
            names = ", ".join(municipality.name for municipality in self.municipalities) or "none"
            raise LabelError(f"municipality {name!r} is not in the catalogue: known are {names}")
        return municipality_id

    def municipality_ids(self, names: Iterable[str | None]) -> list[str | None]:
        """Ids of municipalities; None where there is none or it is unknown."""
        return [self._municipality_id(name) if isinstance(name, str) else None for name in names]

    def _municipality_id(self, name: str) -> str | None:
        keys = list(place_keys(name))
        ids_of_keys = (ids[key] for ids in (self._id_by_spelling, self._id_by_bare_name) for key in keys if key in ids)
        return next(ids_of_keys, None)

    def topic(self, sector: str, topic: str) -> Topic:
        """The topic of that name in that sector.

        Raises:
            LabelError: no such sector, or no such topic in it.
        """
        entry = self._topics.get((sector, topic))
        if entry is None:
            self._check_sector(sector)
            names = [name for owner, name in self._topics if owner == sector]
            raise LabelError(f"topic {topic!r} is not in sector {sector!r}: known are {', '.join(names)}")
        return entry

    @cached_property
    def ordered_migrations(self) -> list[Migration]:
        """The migrations, the oldest first."""
        return in_order(self.migrations)

    def topic_id(self, sector: str, topic: str) -> str:
        """The stable id of a topic: the one that is written, or one that follows from its first name.

        Raises:
            LabelError: no such sector, or no such topic in it.
        """
        return self.topic(sector, topic).id or topic_id(self.ordered_migrations, sector, topic)

    @cached_property
    def label_names(self) -> dict[str, list[str]]:
        """Every name that a complaint may have as `sector`, `topic` or `agency`."""
        return {
            "sector": [sector.name for sector in self.sectors],
            "topic": [topic.name for sector in self.sectors for topic in sector.topics],
            "agency": [agency.name for agency in self.agencies],
        }

    def known_topic(self, sector: str, topic: str) -> Topic | None:
        """The topic of that name in that sector; None: there is none."""
        return self._topics.get((sector, topic))

    def _check_sector(self, sector: str) -> None:
        names = [entry.name for entry in self.sectors]
        if sector not in names:
            raise LabelError(f"sector {sector!r} is not in the catalogue: known are {', '.join(names)}")

    def agencies_for(self, sector: str, topic: str, municipality: str | None = None) -> list[str]:
        """Names of the agencies that may answer; with a known municipality, as few as the routes allow."""
        routes = self.topic(sector, topic).routes
        if municipality is not None:
            here = [route for route in routes if municipality in route.municipalities]
            routes = here or [route for route in routes if not route.municipalities] or routes
        names: dict[str, None] = {}
        for route in routes:
            for agency in self._resolved(route, municipality):
                names[self.agency_names[agency]] = None
        return list(names)

    def _resolved(self, route: Route, municipality: str | None) -> list[str]:
        if route.agency != ADMINISTRATION:
            return [route.agency]
        among = [municipality] if municipality else route.municipalities
        return [
            owner.administration
            for owner in self.municipalities
            if owner.administration and (not among or owner.id in among)
        ]

    def triples(self, municipality: str | None = None) -> list[Triple]:
        """Every possible labelling, for one municipality or for all."""
        return [
            Triple(sector, topic, agency)
            for sector, topic in self._topics
            for agency in self.agencies_for(sector, topic, municipality)
        ]

    def check_labels(self, sector: str | None, topic: str | None, agency: str | None) -> None:
        """Check the labels of one complaint against the catalogue.

        Raises:
            LabelError: an unknown label, or a topic outside its sector.
        """
        if sector is not None and topic is not None:
            self.topic(sector, topic)
        elif sector is not None:
            self._check_sector(sector)
        if agency is not None and agency not in set(self.agency_names.values()):
            raise LabelError(
                f"agency {agency!r} is not in the catalogue: known are " + ", ".join(sorted(self.agency_names.values()))
            )
