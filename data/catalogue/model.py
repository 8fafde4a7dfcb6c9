"""The catalogue (рубрикатор): sectors, topics, agencies, who answers for which topic where.

In: a region's `catalogue.yaml`. Out: a checked, immutable `Catalogue` that answers three questions:
which (sector, topic, agency) are possible, who answers for a topic in a place, and in how many
hours. A catalogue that contradicts itself never loads; `draft_catalogue` writes one from
labelled complaints, for a region that has data but no file yet.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd
import yaml
from pydantic import Field

from data.complaints.cleaning import folded
from data.config import Config, load_config
from data.errors import CatalogueError, LabelError

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
    """What exactly a complaint is about; `deadline_hours` 0 means that no answer is owed."""

    name: str
    deadline_hours: int = Field(ge=0, le=24 * 366)
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
    municipalities: list[Municipality] = []
    agencies: list[Agency] = Field(min_length=1)
    sectors: list[Sector] = Field(min_length=1)

    @cached_property
    def agency_names(self) -> dict[str, str]:
        """Agency id → name."""
        return {agency.id: agency.name for agency in self.agencies}

    @cached_property
    def _places(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for place in self.municipalities:
            for spelling in (place.id, place.name, *place.aliases):
                names[folded(spelling)] = place.id
        return names

    @cached_property
    def _topics(self) -> dict[tuple[str, str], Topic]:
        return {(sector.name, topic.name): topic for sector in self.sectors for topic in sector.topics}

    def municipality_id(self, name: str) -> str:
        """The id of a municipality given by id, name or alias (case, ё and spaces do not matter).

        Raises:
            LabelError: no such municipality; lists the known ones.
        """
        found = self._places.get(folded(name))
        if found is None:
            known = ", ".join(place.name for place in self.municipalities) or "none"
            raise LabelError(f"municipality {name!r} is not in the catalogue: known are {known}")
        return found

    @cached_property
    def _place_names(self) -> dict[str, str]:
        return {place.name: place.id for place in self.municipalities}

    def place_ids(self, names: Iterable[str | None]) -> list[str | None]:
        """Ids of municipalities by the name that complaints bear; None where there is none or it is unknown."""
        return [self._place_names.get(name) if isinstance(name, str) else None for name in names]

    def topic(self, sector: str, topic: str) -> Topic:
        """The topic of that name in that sector.

        Raises:
            LabelError: no such sector, or no such topic in it.
        """
        found = self._topics.get((sector, topic))
        if found is None:
            names = [known.name for known in self.sectors]
            if sector not in names:
                raise LabelError(f"sector {sector!r} is not in the catalogue: known are {', '.join(names)}")
            topics = [name for owner, name in self._topics if owner == sector]
            raise LabelError(f"topic {topic!r} is not in sector {sector!r}: known are {', '.join(topics)}")
        return found

    def agencies_for(self, sector: str, topic: str, municipality: str | None = None) -> list[str]:
        """Names of the agencies that may answer; with a known place, as few as the routes allow."""
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
            place.administration
            for place in self.municipalities
            if place.administration and (not among or place.id in among)
        ]

    def triples(self, municipality: str | None = None) -> list[Triple]:
        """Every possible labelling, for one place or for all."""
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
        elif sector is not None and sector not in {known.name for known in self.sectors}:
            self.topic(sector, "")
        if agency is not None and agency not in set(self.agency_names.values()):
            raise LabelError(
                f"agency {agency!r} is not in the catalogue: known are " + ", ".join(sorted(self.agency_names.values()))
            )


def load_catalogue(path: Path) -> Catalogue:
    """Read and check a catalogue.

    Raises:
        ConfigError: not readable as a catalogue.
        CatalogueError: it contradicts itself; names the entry, its line and the known ones.
    """
    catalogue = load_config(path, Catalogue)
    problem = next(iter(_contradictions(catalogue)), None)
    if problem is not None:
        at, entry, sentence = problem
        raise CatalogueError(f"{path.name}: {entry} (line {_line_of(path, at)}) {sentence}")
    return catalogue


Keys = tuple[str | int, ...]
Problem = tuple[Keys, str, str]
"""Where in the file, which entry, and what is wrong with it."""


def _line_of(path: Path, at: Keys) -> int:
    node: Any = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    for step in at:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), node)
    return int(node.start_mark.line) + 1


def _contradictions(catalogue: Catalogue) -> Iterable[Problem]:
    """All that does not fit together; unknown names first, for the later checks look them up."""
    yield from _repeated(("municipalities",), "municipality", [p.id for p in catalogue.municipalities])
    yield from _repeated(("agencies",), "agency", [agency.id for agency in catalogue.agencies])
    yield from _repeated(("agencies",), "agency name", [agency.name for agency in catalogue.agencies])
    yield from _repeated(("sectors",), "sector", [sector.name for sector in catalogue.sectors])
    yield from _place_problems(catalogue)
    places = {place.id for place in catalogue.municipalities}
    agencies = {agency.id for agency in catalogue.agencies}
    for n, agency in enumerate(catalogue.agencies):
        for name in agency.municipalities:
            if name not in places:
                at: Keys = ("agencies", n)
                yield at, f'agency "{agency.id}"', _unknown("municipality", name, places)
    for n, sector in enumerate(catalogue.sectors):
        at = ("sectors", n, "topics")
        yield from _repeated(at, f'topic of "{sector.name}"', [topic.name for topic in sector.topics])
        for m, topic in enumerate(sector.topics):
            for route in topic.routes:
                entry = f'topic "{topic.name}"'
                if route.agency != ADMINISTRATION and route.agency not in agencies:
                    yield (*at, m), entry, _unknown("agency", route.agency, agencies)
                for name in route.municipalities:
                    if name not in places:
                        yield (*at, m), entry, _unknown("municipality", name, places)
    yield from _route_problems(catalogue)


def _place_problems(catalogue: Catalogue) -> Iterable[Problem]:
    agencies = {agency.id for agency in catalogue.agencies}
    called: dict[str, str] = {}
    for n, place in enumerate(catalogue.municipalities):
        entry = f'municipality "{place.name}"'
        if place.administration is not None and place.administration not in agencies:
            yield ("municipalities", n), entry, _unknown("agency", place.administration, agencies)
        for spelling in (place.id, place.name, *place.aliases):
            owner = called.setdefault(folded(spelling), place.id)
            if owner != place.id:
                yield ("municipalities", n), entry, f'is called "{spelling}", as "{owner}" is'


def _route_problems(catalogue: Catalogue) -> Iterable[Problem]:
    """Topics that nobody answers for in some place, or an agency that does not serve it."""
    serves = {agency.id: set(agency.municipalities) for agency in catalogue.agencies}
    places: list[str] = [place.id for place in catalogue.municipalities]
    everywhere: list[str | None] = [*places] or [None]
    for n, sector in enumerate(catalogue.sectors):
        for m, topic in enumerate(sector.topics):
            at, entry = ("sectors", n, "topics", m), f'topic "{topic.name}"'
            routed = {name for route in topic.routes for name in route.municipalities}
            for route in topic.routes:
                here = route.municipalities or [name for name in places if name not in routed]
                unserved = set(here) - (serves.get(route.agency) or set(here))
                if unserved:
                    yield at, entry, f'routes "{min(unserved)}" to "{route.agency}", which does not serve it'
            for place in everywhere:
                if not catalogue.agencies_for(sector.name, topic.name, place):
                    yield (
                        at,
                        entry,
                        f'has no agency in "{place or catalogue.region}": no administration there',
                    )


def _repeated(at: Keys, kind: str, names: list[str]) -> Iterable[Problem]:
    seen: set[str] = set()
    for n, name in enumerate(names):
        if name in seen:
            yield (*at, n), f'{kind} "{name}"', "is given twice"
        seen.add(name)


def _unknown(kind: str, name: str, known: set[str]) -> str:
    listed = ", ".join(sorted(known)[:12]) + ("…" if len(known) > 12 else "")
    return f'names {kind} "{name}", which is not in the catalogue: known are {listed or "none"}'


def draft_catalogue(complaints: pd.DataFrame, region: str, deadline_hours: int = 720) -> str:
    """YAML of a catalogue that holds exactly the combinations seen in labelled complaints.

    Columns used: `sector, topic, agency, municipality`. Deadlines start at the 30 days of
    Federal Law 59-FZ, article 12, and wait for an editor.
    """
    labelled = complaints.dropna(subset=["sector", "topic", "agency"])
    agencies = {name: f"agency-{n:03d}" for n, name in enumerate(sorted(labelled["agency"].unique()), start=1)}
    places = {
        name: f"place-{n:03d}" for n, name in enumerate(sorted(complaints["municipality"].dropna().unique()), start=1)
    }
    tree: dict[str, dict[str, list[str]]] = defaultdict(dict)
    grouped = labelled.groupby(["sector", "topic"])["agency"]
    for (sector, topic), seen in grouped:
        tree[str(sector)][str(topic)] = [agencies[name] for name in seen.value_counts().index]
    content = {
        "region": region,
        "municipalities": [{"id": code, "name": name} for name, code in places.items()],
        "agencies": [{"id": code, "name": name} for name, code in agencies.items()],
        "sectors": [
            {
                "name": sector,
                "topics": [
                    {
                        "name": topic,
                        "deadline_hours": deadline_hours,
                        "routes": [{"agency": code} for code in codes],
                    }
                    for topic, codes in topics.items()
                ],
            }
            for sector, topics in tree.items()
        ],
    }
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120)
