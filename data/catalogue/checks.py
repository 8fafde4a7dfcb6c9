"""A catalogue that contradicts itself never loads.

In: a region's `catalogue.yaml`. Out: a `Catalogue` whose names all lead somewhere, with an agency for every topic in
every municipality; or the first contradiction, with its entry and its line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from data.catalogue.migrations import problems as migration_problems
from data.catalogue.model import ADMINISTRATION, Catalogue, Sector, Topic
from data.complaints.cleaning import folded
from data.config import load_config
from data.errors import CatalogueError

Keys = tuple[str | int, ...]
"""The way to an entry of the file: `("sectors", 0, "topics", 2)`."""


@dataclass(frozen=True)
class Problem:
    """A contradiction: the way to the entry, what it is called, and what is wrong with it."""

    keys: Keys
    entry: str
    sentence: str


def load_catalogue(path: Path) -> Catalogue:
    """Read and check a catalogue.

    Raises:
        ConfigError: not readable as a catalogue.
        CatalogueError: it contradicts itself; names the entry, its line and the known ones.
    """
    catalogue = load_config(path, Catalogue)
    problem = next(iter(contradictions(catalogue)), None)
    if problem is not None:
        line = _line_of(path, problem.keys)
        raise CatalogueError(f"{path.name}: {problem.entry} (line {line}) {problem.sentence}")
    return catalogue


def _line_of(path: Path, keys: Keys) -> int:
    node: Any = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    for step in keys:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), node)
    return int(node.start_mark.line) + 1


def contradictions(catalogue: Catalogue) -> Iterator[Problem]:
    """All that does not fit together; unknown names first, for the later checks look them up."""
    yield from _repeated_names(catalogue)
    yield from _municipality_problems(catalogue)
    yield from _unknown_names(catalogue)
    yield from _route_problems(catalogue)
    for n, sentence in migration_problems(catalogue):
        yield Problem(("migrations", n), f"migration of {catalogue.migrations[n].day}", sentence)


def _repeated_names(catalogue: Catalogue) -> Iterator[Problem]:
    yield from _repeated(("municipalities",), "municipality", [entry.id for entry in catalogue.municipalities])
    yield from _repeated(("agencies",), "agency", [agency.id for agency in catalogue.agencies])
    yield from _repeated(("agencies",), "agency name", [agency.name for agency in catalogue.agencies])
    yield from _repeated(("sectors",), "sector", [sector.name for sector in catalogue.sectors])
    written = [(keys, topic.id) for keys, _, topic in _topics(catalogue) if topic.id is not None]
    for place, (keys, own) in enumerate(written):
        if own in [other for _, other in written[:place]]:
            yield Problem(keys, f'topic id "{own}"', "is given twice")
    for n, sector in enumerate(catalogue.sectors):
        topics = [topic.name for topic in sector.topics]
        yield from _repeated(("sectors", n, "topics"), f'topic of "{sector.name}"', topics)


def _municipality_problems(catalogue: Catalogue) -> Iterator[Problem]:
    agency_ids = {agency.id for agency in catalogue.agencies}
    owners: dict[str, str] = {}
    for n, municipality in enumerate(catalogue.municipalities):
        keys, entry = ("municipalities", n), f'municipality "{municipality.name}"'
        if municipality.administration is not None and municipality.administration not in agency_ids:
            yield Problem(keys, entry, _unknown("agency", municipality.administration, agency_ids))
        for spelling in (municipality.id, municipality.name, *municipality.aliases):
            owner = owners.setdefault(folded(spelling), municipality.id)
            if owner != municipality.id:
                yield Problem(keys, entry, f'is called "{spelling}", as "{owner}" is')


def _unknown_names(catalogue: Catalogue) -> Iterator[Problem]:
    """Agencies and municipalities that are named and not there."""
    municipality_ids = {municipality.id for municipality in catalogue.municipalities}
    agency_ids = {agency.id for agency in catalogue.agencies}
    for n, agency in enumerate(catalogue.agencies):
        for name in agency.municipalities:
            if name not in municipality_ids:
                sentence = _unknown("municipality", name, municipality_ids)
                yield Problem(("agencies", n), f'agency "{agency.id}"', sentence)
    for keys, _, topic in _topics(catalogue):
        entry = f'topic "{topic.name}"'
        for route in topic.routes:
            if route.agency != ADMINISTRATION and route.agency not in agency_ids:
                yield Problem(keys, entry, _unknown("agency", route.agency, agency_ids))
            for name in route.municipalities:
                if name not in municipality_ids:
                    yield Problem(keys, entry, _unknown("municipality", name, municipality_ids))


def _route_problems(catalogue: Catalogue) -> Iterator[Problem]:
    """Topics that nobody answers for in some municipality, or an agency that does not serve it."""
    served = {agency.id: set(agency.municipalities) for agency in catalogue.agencies}
    municipality_ids = [municipality.id for municipality in catalogue.municipalities]
    everywhere: list[str | None] = [*municipality_ids] or [None]
    for keys, sector, topic in _topics(catalogue):
        entry = f'topic "{topic.name}"'
        with_own_route = {name for route in topic.routes for name in route.municipalities}
        for route in topic.routes:
            routed = route.municipalities or [name for name in municipality_ids if name not in with_own_route]
            unserved = set(routed) - (served.get(route.agency) or set(routed))
            if unserved:
                yield Problem(keys, entry, f'routes "{min(unserved)}" to "{route.agency}", which does not serve it')
        for municipality in everywhere:
            if not catalogue.agencies_for(sector.name, topic.name, municipality):
                where = municipality or catalogue.region
                yield Problem(keys, entry, f'has no agency in "{where}": no administration there')


def _topics(catalogue: Catalogue) -> Iterator[tuple[Keys, Sector, Topic]]:
    for n, sector in enumerate(catalogue.sectors):
        for m, topic in enumerate(sector.topics):
            yield ("sectors", n, "topics", m), sector, topic


def _repeated(keys: Keys, kind: str, names: list[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for n, name in enumerate(names):
        if name in seen:
            yield Problem((*keys, n), f'{kind} "{name}"', "is given twice")
        seen.add(name)


def _unknown(kind: str, name: str, names: set[str]) -> str:
    listed = ", ".join(sorted(names)[:12]) + ("…" if len(names) > 12 else "")
    return f'names {kind} "{name}", which is not in the catalogue: known are {listed or "none"}'
