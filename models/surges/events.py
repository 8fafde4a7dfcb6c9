"""From daily evidence to events: one alert a surge, with a beginning and an end, at the level that explains it.

In: evidence of every day and series, or the events of single series. Out: events. An event opens on the
first day whose evidence passes the threshold and is dated back to the first day of that evidence; it is over
once `QUIET_DAYS` observed days together are no surge any more: under `min_ratio` times the usual, and nearer to
it than to the surge. The decision worth
knowing: a surge in one sector of several places is one event of the region with its places; a sum is
reported only for what its members do not explain.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from data.counts.daily import REGION
from models.forecasting.config import SurgeConfig
from models.forecasting.series import ALL_SECTORS
from models.surges.evidence import LEAST_MEAN, SHORTEST, Evidence
from models.surges.thresholds import Thresholds
from models.surges.types import Surge

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

QUIET_DAYS = 3
SAME_EVENT_DAYS = 7
"""What flares up again within so many days is the same event; what begins within so many days elsewhere
in the region, in the same sector, too."""
EXPLAINED = 0.6
"""A sum whose excess is to this share that of its members' events says nothing new."""
BROAD = 3
"""So many sectors of a place at once are one event of the place."""


@dataclass(frozen=True)
class Span:
    """An event of one series, as positions of days: its first and last day, when it was noticed, when found over."""

    first: int
    noticed: int
    last: int
    closed: int | None


def spans(counts: Floats, evidence: Evidence, column: int, thresholds: Thresholds, config: SurgeConfig) -> list[Span]:
    """The events of one series.

    Args:
        counts: days; NaN where nothing was observed or a day is left out as bulk entry.
        evidence: of the whole panel.
        column: which series of it.
        thresholds: what is an alarm.
        config: `window_days`, `min_count`, `min_ratio`.
    """
    means = evidence.means[:, column]
    seen = np.isfinite(counts) & np.isfinite(means)
    y, mu = np.where(seen, counts, 0.0), np.where(seen, means, 0.0)
    total = np.concatenate([[0.0], np.cumsum(evidence.ratios[:, column])])
    tail = thresholds.tail_weight * evidence.tail[:, column], evidence.tail_days[:, column]
    found: list[Span] = []
    floor = at = 0
    while at < len(y):
        first = _begun(total, tail, at, floor, thresholds.alarm, config.window_days) if seen[at] else None
        first = None if first is None else _dated(y, mu, first, at)
        if first is None or not _large(y[first : at + 1], mu[first : at + 1], config):
            at += 1
            continue
        span = _followed(y, mu, seen, first, at, config.min_ratio)
        if found and span.first - found[-1].last <= SAME_EVENT_DAYS:
            span = Span(found[-1].first, found[-1].noticed, span.last, span.closed)
            found.pop()
        found.append(span)
        if span.closed is None:
            break
        floor, at = span.last + 1, span.closed + 1
    return found


def _begun(total: Floats, tail: tuple[Floats, Ints], at: int, floor: int, alarm: float, longest: int) -> int | None:
    """The first day of the evidence, if that of day `at`, none of it from before `floor`, is an alarm."""
    starts = np.arange(max(floor, at + 1 - longest), max(at + 2 - min(SHORTEST, longest), 1))
    sums = total[at + 1] - total[starts]
    if len(starts) and sums.max() >= alarm:
        first = int(starts[int(sums.argmax())])
    elif tail[0][at] >= alarm and at + 1 - tail[1][at] >= floor:
        first = max(at + 1 - int(tail[1][at]), 0)
    else:
        return None
    return first


def _dated(y: Floats, mu: Floats, first: int, at: int) -> int:
    """The first day that is nearer to the surge than to the usual, in terms of the days after it."""
    while first < at:
        ratio = max(y[first + 1 : at + 1].sum() / max(mu[first + 1 : at + 1].sum(), LEAST_MEAN), 1.0)
        if y[first] >= mu[first] * np.sqrt(ratio) and y[first] > 0:
            break
        first += 1
    return first


def _large(y: Floats, mu: Floats, config: SurgeConfig) -> bool:
    return bool(y.sum() >= config.min_count and y.sum() >= config.min_ratio * mu.sum())


def _followed(y: Floats, mu: Floats, seen: npt.NDArray[np.bool_], first: int, noticed: int, min_ratio: float) -> Span:
    """Until when an event goes on that was noticed on a day."""
    observed = np.flatnonzero(seen)
    for day in observed[observed > noticed]:
        recent = observed[(observed >= first) & (observed <= day)][-QUIET_DAYS:]
        before = slice(first, recent[0])
        if len(recent) < QUIET_DAYS or not mu[before].sum():
            continue
        ratio = max(y[before].sum() / mu[before].sum(), 1.0)
        if y[recent].sum() < mu[recent].sum() * min(np.sqrt(ratio), min_ratio):
            above = np.flatnonzero(seen[before] & (y[before] > mu[before]))
            return Span(first, noticed, first + int(above[-1]) if len(above) else recent[0] - 1, int(day))
    return Span(first, noticed, int(observed[-1]), None)


def merged(surges: list[Surge]) -> list[Surge]:
    """Events of all series, sums included, without telling the same thing twice."""
    base = [s for s in surges if s.municipality != REGION and s.sector != ALL_SECTORS]
    regional = [s for s in surges if s.municipality == REGION and s.sector != ALL_SECTORS]
    local = [s for s in surges if s.municipality != REGION and s.sector == ALL_SECTORS]
    whole = [s for s in surges if s.municipality == REGION and s.sector == ALL_SECTORS]
    told: list[Surge] = []
    for sector in sorted({s.sector for s in base + regional}):
        told += _of_sector([s for s in base if s.sector == sector], [s for s in regional if s.sector == sector])
    for place in local:
        inside = [s for s in base if s.municipality == place.municipality and _together(s, place)]
        if len({s.sector for s in inside}) >= BROAD:
            told = [s for s in told if s not in inside]
        elif inside and _explained(place, inside):
            continue
        told.append(replace(place, sectors=_by_excess(inside, "sector")))
    for region in whole:
        inside = [s for s in told if _together(s, region)]
        if not inside or not _explained(region, inside):
            told.append(replace(region, sectors=_by_excess(inside, "sector")))
    return told


def _of_sector(base: list[Surge], regional: list[Surge]) -> list[Surge]:
    """One sector's events: of single places, or of the region where several places surge together."""
    told: list[Surge] = []
    left = list(regional)
    for group in _groups(base):
        above = [s for s in left if any(_together(s, member) for member in group)]
        explained = len(group) == 1 and all(_explained(s, group) for s in above)
        left = [s for s in left if s not in above]
        if explained:
            told += group
        elif above:
            told.append(replace(_joined(above), places=_by_excess(group, "municipality")))
        else:
            told.append(replace(_joined(group), municipality=REGION, places=_by_excess(group, "municipality")))
    return told + left


def _groups(base: list[Surge]) -> list[list[Surge]]:
    """Events of different places that overlap and begin within `SAME_EVENT_DAYS` of the first."""
    groups: list[list[Surge]] = []
    for surge in sorted(base, key=lambda s: (s.start, s.municipality)):
        for group in groups:
            near = surge.start - group[0].start <= timedelta(days=SAME_EVENT_DAYS)
            if near and any(_together(surge, s) for s in group):
                group.append(surge)
                break
        else:
            groups.append([surge])
    return groups


def _joined(surges: list[Surge]) -> Surge:
    """One event of several: from the first to the last day, open while one is, counted together."""
    closed = [s.closed for s in surges]
    known = [s for s in surges if s.noticed is not None]
    return replace(
        surges[0],
        start=min(s.start for s in surges),
        end=max(s.end for s in surges),
        noticed=min((s.noticed for s in known if s.noticed), default=None),
        closed=None if None in closed else max(day for day in closed if day),
        expected=sum(s.expected for s in surges),
        count=sum(s.count for s in surges),
        level=None if len(surges) > 1 else surges[0].level,
        probability=max(s.probability for s in surges),
    )


def _together(one: Surge, other: Surge) -> bool:
    return one.kind == other.kind and one.start <= other.end and other.start <= one.end


def _explained(total: Surge, members: list[Surge]) -> bool:
    return sum(s.excess for s in members) >= EXPLAINED * total.excess


def _by_excess(surges: list[Surge], attribute: str) -> tuple[str, ...]:
    names = [str(getattr(s, attribute)) for s in sorted(surges, key=lambda s: -s.excess)]
    return tuple(dict.fromkeys(name for name in names if name not in (REGION, ALL_SECTORS)))
