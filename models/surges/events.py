"""From the events of single series to one alert a surge, at the level that explains it.

In: events of series, sums included. Out: fewer. The decision worth knowing: a surge in one sector of several places is
one event of the region with its places; several sectors of one place are one event of the place; and a sum is
reported only for what its members do not explain.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from data.counts.daily import REGION
from models.forecasting.series import ALL_SECTORS
from models.surges.spans import SAME_EVENT_DAYS
from models.surges.types import Surge

EXPLAINED = 0.6
"""A sum whose excess is to this share that of its members' events says nothing new."""
BROAD = 3
"""So many sectors of a place at once are one event of the place."""


@dataclass(frozen=True)
class _Levels:
    """Events by what they are of: a place's sector, a sector of the region, a place, the region."""

    base: list[Surge]
    sectors: list[Surge]
    places: list[Surge]
    region: list[Surge]

    @classmethod
    def of(cls, surges: list[Surge]) -> "_Levels":
        def those(everywhere: bool, all_sectors: bool) -> list[Surge]:
            return [
                surge
                for surge in surges
                if (surge.municipality == REGION) == everywhere and (surge.sector == ALL_SECTORS) == all_sectors
            ]

        return cls(those(False, False), those(True, False), those(False, True), those(True, True))


def merged(surges: list[Surge]) -> list[Surge]:
    """Events of all series, sums included, without telling the same thing twice."""
    levels = _Levels.of(surges)
    merged: list[Surge] = []
    for sector in sorted({surge.sector for surge in levels.base + levels.sectors}):
        merged += _merged_sector(
            base=[surge for surge in levels.base if surge.sector == sector],
            regional=[surge for surge in levels.sectors if surge.sector == sector],
        )
    for place in levels.places:
        inside = [s for s in levels.base if s.municipality == place.municipality and _overlap(s, place)]
        if len({surge.sector for surge in inside}) >= BROAD:
            merged = [surge for surge in merged if surge not in inside]
        elif inside and _is_explained(place, inside):
            continue
        merged.append(replace(place, sectors=_by_excess(inside, "sector")))
    for region in levels.region:
        inside = [surge for surge in merged if _overlap(surge, region)]
        if not inside or not _is_explained(region, inside):
            merged.append(replace(region, sectors=_by_excess(inside, "sector")))
    return merged


def _merged_sector(base: list[Surge], regional: list[Surge]) -> list[Surge]:
    """One sector's events: of single places, or of the region where several places surge together."""
    merged: list[Surge] = []
    unmatched = list(regional)
    for group in _groups(base):
        above = [total for total in unmatched if any(_overlap(total, member) for member in group)]
        unmatched = [total for total in unmatched if total not in above]
        if len(group) == 1 and all(_is_explained(total, group) for total in above):
            merged += group
        elif above:
            merged.append(replace(_joined(above), places=_by_excess(group, "municipality")))
        else:
            merged.append(replace(_joined(group), municipality=REGION, places=_by_excess(group, "municipality")))
    return merged + unmatched


def _groups(base: list[Surge]) -> list[list[Surge]]:
    """Events of different places that overlap and begin within `SAME_EVENT_DAYS` of the first."""
    groups: list[list[Surge]] = []
    for surge in sorted(base, key=lambda surge: (surge.start, surge.municipality)):
        for group in groups:
            near = surge.start - group[0].start <= timedelta(days=SAME_EVENT_DAYS)
            if near and any(_overlap(surge, member) for member in group):
                group.append(surge)
                break
        else:
            groups.append([surge])
    return groups


def _joined(surges: list[Surge]) -> Surge:
    """One event of several: from the first to the last day, open while one is, counted together."""
    closed = [surge.closed for surge in surges]
    return replace(
        surges[0],
        start=min(surge.start for surge in surges),
        end=max(surge.end for surge in surges),
        noticed=min((surge.noticed for surge in surges if surge.noticed is not None), default=None),
        closed=None if None in closed else max(day for day in closed if day is not None),
        expected=sum(surge.expected for surge in surges),
        count=sum(surge.count for surge in surges),
        level=surges[0].level if len(surges) == 1 else None,
        probability=max(surge.probability for surge in surges),
        confirmed=any(surge.confirmed for surge in surges),
        recovering=all(surge.recovering or surge.closed is not None for surge in surges),
        new_level=any(surge.new_level for surge in surges),
        strength=max(surge.strength for surge in surges),
    )


def _overlap(one: Surge, other: Surge) -> bool:
    return one.kind == other.kind and one.start <= other.end and other.start <= one.end


def _is_explained(total: Surge, members: list[Surge]) -> bool:
    return sum(surge.excess for surge in members) >= EXPLAINED * total.excess


def _by_excess(surges: list[Surge], attribute: str) -> tuple[str, ...]:
    """Places or sectors of some events, the largest excess first."""
    names = [str(getattr(surge, attribute)) for surge in sorted(surges, key=lambda surge: -surge.excess)]
    return tuple(dict.fromkeys(name for name in names if name not in (REGION, ALL_SECTORS)))


def most_important_first(surges: list[Surge]) -> list[Surge]:
    """What goes on or is still to come before what is over, each by importance."""
    return sorted(surges, key=lambda surge: (surge.closed is not None, -surge.importance))
