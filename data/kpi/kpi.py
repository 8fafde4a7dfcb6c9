"""KPIs of a span of days: of the region, and of its agencies, municipalities, sectors or sources.

In: a region, local days and the store. Out: `Kpis`, each figure beside that of as many days before. Whose complaints
count is part of each formula (`definitions.py`): volume and routing are of those received in the span, deadlines of
those that came due in it, times to an answer of those that were answered in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from data.errors import RequestError
from data.kpi.definitions import GROUPED, REPEAT_DAYS
from data.kpi.figures import Figure, Sample, count, quantile, share
from data.regions.region import Region
from data.store.store import Store
from data.store.tables import naive_utc

By = Literal["agency", "municipality", "sector", "source"]
BYS: tuple[By, ...] = get_args(By)
HEADS = ("sector", "topic", "agency")
DAY = timedelta(days=1)
MOST_DAYS = 366
FIRST_YEAR, LAST_YEAR = 2000, 2100
"""No complaint of a regional centre lies outside."""
UNKNOWN_PLACE = "не указан"


@dataclass(frozen=True)
class Span:
    """Local days, the first and the last included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Span":
        """As many days right before."""
        return Span(self.first - self.days * DAY, self.first - DAY)

    def moments(self, region: Region) -> tuple[datetime, datetime]:
        """The moments (UTC, naive) at which it begins and is over."""
        begin, end = (datetime.combine(day, time(), region.zone) for day in (self.first, self.last + DAY))
        return naive_utc(begin), naive_utc(end)


@dataclass(frozen=True)
class Group:
    """The figures of one agency, municipality, sector or source; of `GROUPED`."""

    name: str
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Kpis:
    """All figures of a span.

    Attributes:
        as_of: when they were computed: what is due later is not due yet.
        figures: by the ids of `definitions.py`.
        daily: complaints received on each local day of the span before and of this one.
        groups: by what was asked for, those with most complaints first; never ordered by a rate.
    """

    span: Span
    before: Span
    as_of: datetime
    figures: dict[str, Figure]
    daily: list[tuple[date, int]]
    groups: list[Group] = field(default_factory=list)


@dataclass(frozen=True)
class _Frames:
    """The complaints of one span, as `data/store/handling.py` gives them: received (with `repeat`), due, answered."""

    received: pd.DataFrame
    due: pd.DataFrame
    answered: pd.DataFrame

    def by(self, column: str) -> dict[str, "_Frames"]:
        """Those of each group."""
        frames = (self.received, self.due, self.answered)
        parts = [{str(name): rows for name, rows in frame.groupby(column, sort=False)} for frame in frames]
        return {
            name: _Frames(*(part.get(name, frame[:0]) for part, frame in zip(parts, frames, strict=True)))
            for name in dict.fromkeys(name for part in parts for name in part)
        }

    @property
    def none(self) -> "_Frames":
        """None of them."""
        return _Frames(self.received[:0], self.due[:0], self.answered[:0])


def last_week(today: date) -> Span:
    """The last whole week, Monday to Sunday."""
    monday = today - (today.weekday() + 7) * DAY
    return Span(monday, monday + 6 * DAY)


def compute_kpis(store: Store, region: Region, span: Span, by: By | None = None, as_of: datetime | None = None) -> Kpis:
    """The KPIs of a span of local days.

    Raises:
        RequestError: the span ends before it begins, is longer than a year, or of no year of ours.
        StoreError: the store cannot be read.
    """
    return kpis_by(store, region, span, (by,), as_of)[0]


def kpis_by(
    store: Store, region: Region, span: Span, bys: Sequence[By | None], as_of: datetime | None = None
) -> list[Kpis]:
    """The same once for each grouping, of complaints that are read once. Raises as `compute_kpis` does."""
    if not 1 <= span.days <= MOST_DAYS:
        raise RequestError(f"from {span.first} to {span.last} are {max(span.days, 0)} days; ask for 1 to {MOST_DAYS}")
    if span.first.year < FIRST_YEAR or span.last.year > LAST_YEAR:
        raise RequestError(f"from {span.first} to {span.last}: ask for days of the years {FIRST_YEAR} to {LAST_YEAR}")
    as_of = as_of or datetime.now(UTC)
    now, before = _frames(store, region, span, as_of)
    decided = [store.management_decisions.count(region.id, *each.moments(region)) for each in (span, span.before)]
    figures = _figures(now, before) | {"evidence": share(*decided)}
    daily = _daily(pd.concat([before.received["day"], now.received["day"]]), span)
    groups = [[] if by is None else _groups(now, before, by) for by in bys]
    return [Kpis(span, span.before, as_of, figures, daily, each) for each in groups]


def _frames(store: Store, region: Region, span: Span, as_of: datetime) -> tuple[_Frames, _Frames]:
    """The complaints of the span and of the one before, each read once for both."""
    begin, middle, end = span.before.moments(region)[0], *span.moments(region)
    received = store.handling.received(region.id, span.before.first - REPEAT_DAYS * DAY, span.last)
    received["repeat"] = _repeats(received)
    due = store.handling.due(region.id, _utc(begin), min(_utc(end), as_of))
    answered = store.handling.answered(region.id, _utc(begin), _utc(end))
    for frame in (received, due, answered):
        frame["municipality"] = frame["municipality"].fillna(UNKNOWN_PLACE)
    day = pd.to_datetime(received["day"])
    first, last = pd.Timestamp(span.before.first), pd.Timestamp(span.before.last)
    return (
        _Frames(received[day > last], due[due["due_at"] >= middle], answered[answered["answered_at"] >= middle]),
        _Frames(
            received[(day >= first) & (day <= last)],
            due[due["due_at"] < middle],
            answered[answered["answered_at"] < middle],
        ),
    )


def _repeats(received: pd.DataFrame) -> "pd.Series[bool]":
    """Whether another complaint of the same place and topic came within the days before."""
    ordered = received.sort_values("created_at", kind="stable")
    since = ordered.groupby(["municipality", "topic"], sort=False)["created_at"].diff()
    return (since <= pd.Timedelta(days=REPEAT_DAYS)).reindex(received.index)


def _daily(received: "pd.Series[Any]", span: Span) -> list[tuple[date, int]]:
    counts = received.value_counts()
    days = [span.before.first + place * DAY for place in range(2 * span.days)]
    return [(day, int(counts.get(day, 0))) for day in days]


def _groups(now: _Frames, before: _Frames, by: By) -> list[Group]:
    earlier = before.by(by)
    groups = [Group(name, _grouped(frames, earlier.get(name, before.none))) for name, frames in now.by(by).items()]
    return sorted(groups, key=lambda group: (-group.figures["volume"].n, group.name))


def _grouped(now: _Frames, before: _Frames) -> dict[str, Figure]:
    return {name: FIGURES[name](now, before) for name in GROUPED}


def _figures(now: _Frames, before: _Frames) -> dict[str, Figure]:
    return {name: figure(now, before) for name, figure in FIGURES.items()}


Of = Callable[[_Frames], Any]


def _counted(of: Of) -> Callable[[_Frames, _Frames], Figure]:
    return lambda now, before: count(int(of(now)), int(of(before)))


def _shared(part: Of, whole: Of) -> Callable[[_Frames, _Frames], Figure]:
    """The share of the rows for which `part` holds among those for which `whole` does."""

    def counts(frames: _Frames) -> tuple[int, int]:
        among = whole(frames)
        return int((part(frames) & among).sum()), int(among.sum())

    return lambda now, before: share(counts(now), counts(before))


def _quantiled(sample: Callable[[_Frames], Sample], level: float) -> Callable[[_Frames, _Frames], Figure]:
    return lambda now, before: quantile(sample(now), sample(before), level)


def _all(frames: _Frames) -> "pd.Series[bool]":
    return pd.Series(True, frames.received.index)


def _routes(frames: _Frames) -> "pd.Series[bool]":
    return frames.received["decision"] == "route"


def _said(head: str) -> Of:
    return lambda frames: frames.received[f"said_{head}"].notna()


def _agrees(head: str) -> Of:
    return lambda frames: frames.received[f"said_{head}"] == frames.received[f"decided_{head}"]


def _corrected(frames: _Frames) -> "pd.Series[bool]":
    changed = {head: _said(head)(frames) & ~_agrees(head)(frames) for head in HEADS}
    return pd.DataFrame(changed, frames.received.index).any(axis=1)


def _met(frames: _Frames) -> "pd.Series[bool]":
    return frames.due["answered_at"] <= frames.due["due_at"]


def _placed(frames: _Frames) -> "pd.Series[bool]":
    return frames.received["municipality"] != UNKNOWN_PLACE


def _hours_to_routing(frames: _Frames) -> Sample:
    """Of complaints that went somewhere: sent, or routed, or decided by an operator."""
    rows = frames.received
    routed_at = rows["received_at"].where(rows["decision"] == "route", rows["spoken_at"])
    took = (rows["sent_at"].fillna(routed_at) - rows["created_at"]).dropna()
    return np.maximum(took.dt.total_seconds().to_numpy(np.float64), 0) / 3600


def _days_to_answer(frames: _Frames) -> Sample:
    took = frames.answered["answered_at"] - frames.answered["created_at"]
    return np.maximum(took.dt.total_seconds().to_numpy(np.float64), 0) / 86400


FIGURES: dict[str, Callable[[_Frames, _Frames], Figure]] = {
    "volume": _counted(lambda frames: len(frames.received)),
    "routed": _shared(_routes, _all),
    "reviewed": _shared(lambda frames: frames.received["spoken_at"].notna(), lambda frames: ~_routes(frames)),
    "corrected": _shared(_corrected, _all),
    **{f"agreement_{head}": _shared(_agrees(head), _said(head)) for head in HEADS},
    "routing_median": _quantiled(_hours_to_routing, 0.5),
    "routing_p90": _quantiled(_hours_to_routing, 0.9),
    "deadlines_met": _shared(_met, lambda frames: frames.due["due_at"].notna()),
    "overdue": _counted(lambda frames: (~_met(frames)).sum()),
    "answer_median": _quantiled(_days_to_answer, 0.5),
    "answer_p90": _quantiled(_days_to_answer, 0.9),
    "rerouted": _shared(lambda frames: frames.received["reroutings"] > 0, lambda frames: frames.received["told"]),
    "repeats": _shared(lambda frames: frames.received["repeat"], _placed),
}
"""How each figure of complaints is computed, of the span and the one before."""


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
