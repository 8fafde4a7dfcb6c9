"""Outcomes: what became of a complaint: sent, re-routed, answered, closed, reopened, and when. Append-only.

In: events of complaints that were decided here. Out: for each whether it was stored, or what is wrong with it. An event
that is there already is not stored again. What is wrong with one is judged against all events of its complaint, those
that came before and those that come with it, in the order of their times: systems tell late and out of order.
"""

from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast, get_args

from sqlalchemy import Connection, Index, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from data.complaints.masking import mask
from data.errors import RequestError, TsurError, UnknownComplaintError
from data.store.decisions import ComplaintName, DecisionRow, among
from data.store.handling import refresh_handling
from data.store.session import Database, one_at_a_time
from data.store.tables import NUMBER, Table, naive_utc, utc

Event = Literal["sent", "rerouted", "answered", "closed", "reopened"]
EVENTS: tuple[Event, ...] = get_args(Event)
FOLLOWS: Mapping[Event | None, frozenset[Event]] = {
    None: frozenset({"sent", "rerouted", "answered", "closed"}),
    "sent": frozenset({"rerouted", "answered", "closed"}),
    "rerouted": frozenset({"rerouted", "answered", "closed"}),
    "answered": frozenset({"rerouted", "answered", "closed", "reopened"}),
    "closed": frozenset({"reopened"}),
    "reopened": frozenset({"sent", "rerouted", "answered", "closed"}),
}
"""What may come after what; None: nothing has come yet. Not every system tells that it has sent a complaint on."""
CLOCKS = timedelta(minutes=5)
"""By how much the clocks of two systems may differ."""


class OutcomeRow(Table):
    """One event of a complaint; `at` is UTC, None where only that it happened is known, `nth` counts those."""

    __tablename__ = "outcomes"
    __table_args__ = (Index("outcomes_by_complaint", "region", "source", "complaint_id"),)

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    region: Mapped[str]
    source: Mapped[str]
    complaint_id: Mapped[str]
    event: Mapped[str]
    at: Mapped[datetime | None]
    nth: Mapped[int]
    agency: Mapped[str | None]
    received_at: Mapped[datetime]


@dataclass(frozen=True)
class Outcome:
    """An event to store.

    Attributes:
        at: when (UTC); None, of a re-routing, where a file only counts them.
        agency: to whom it was sent, or who answered; masked.
        nth: which of its re-routings without a time it is.
    """

    region: str
    source: str
    complaint_id: str
    event: Event
    at: datetime | None
    agency: str | None = None
    nth: int = 1

    @property
    def complaint(self) -> ComplaintName:
        """Region, source and id."""
        return self.region, self.source, self.complaint_id


Moment = tuple[datetime, int, Event]
"""A timed event as timelines hold it: when, its place in `EVENTS`, which."""


@dataclass
class Timeline:
    """What is known of one complaint: when it came, its timed events in order, its re-routings without a time."""

    created_at: datetime
    moments: list[Moment]
    untimed: set[int]


class Outcomes:
    """The outcomes of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, outcomes: Sequence[Outcome]) -> list[bool | TsurError]:
        """Store events; of each whether it is new (else it was there already), or what is wrong with it.

        Raises:
            StoreError: nothing was stored.
        """
        if not outcomes:
            return []
        with self._database.writing() as connection:
            return write_outcomes(connection, outcomes)


def write_outcomes(connection: Connection, outcomes: Sequence[Outcome]) -> list[bool | TsurError]:
    """Store events in a transaction; of each whether it is new, or what is wrong with it."""
    keys = list(dict.fromkeys(outcome.complaint for outcome in outcomes))
    one_at_a_time(connection, map(" ".join, keys))
    timelines = _timelines(connection, keys)
    now = datetime.now(UTC)
    answers: list[bool | TsurError] = []
    rows = []
    for outcome in outcomes:
        timeline = timelines.get(outcome.complaint)
        answer = _unknown(outcome) if timeline is None else _added(timeline, outcome, now)
        answers.append(answer)
        if answer is True:
            at = None if outcome.at is None else naive_utc(outcome.at)
            masked = mask(outcome.agency or "") or None
            rows.append(vars(outcome) | {"at": at, "agency": masked, "received_at": naive_utc(now)})
    if rows:
        connection.execute(insert(OutcomeRow), rows)
        refresh_handling(connection, [(row["region"], row["source"], row["complaint_id"]) for row in rows])
    return answers


def _timelines(connection: Connection, keys: Sequence[ComplaintName]) -> dict[ComplaintName, Timeline]:
    """What is known of each complaint that was decided here."""
    decided = (DecisionRow.region, DecisionRow.source, DecisionRow.id)
    came = select(*decided, func.min(DecisionRow.created_at)).where(among(keys, *decided)).group_by(*decided)
    timelines = {
        (region, source, name): Timeline(utc(created_at), [], set())
        for region, source, name, created_at in connection.execute(came)
    }
    row = OutcomeRow
    told = (row.region, row.source, row.complaint_id)
    for region, source, name, event, at, nth in connection.execute(
        select(*told, row.event, row.at, row.nth).where(among(keys, *told))
    ):
        timeline = timelines[region, source, name]
        if at is None:
            timeline.untimed.add(nth)
        else:
            insort(timeline.moments, _moment(event, utc(at)))
    return timelines


def _added(timeline: Timeline, outcome: Outcome, now: datetime) -> bool | RequestError:
    """Put an event into its complaint's timeline; False: it is there, an error: it does not fit and is left out."""
    if outcome.at is None:
        if outcome.nth in timeline.untimed:
            return False
        timeline.untimed.add(outcome.nth)
        return True
    moment = _moment(outcome.event, outcome.at)
    if moment in timeline.moments:
        return False
    if outcome.at > now + CLOCKS:
        return RequestError(f"{outcome.event} at {_when(outcome.at)} lies in the future")
    if outcome.at < timeline.created_at - CLOCKS:
        came = _when(timeline.created_at)
        return RequestError(f"{outcome.event} at {_when(outcome.at)} lies before the complaint came, at {came}")
    insort(timeline.moments, moment)
    problem = _disorder(timeline.moments, timeline.moments.index(moment))
    if problem is not None:
        timeline.moments.remove(moment)
        return RequestError(problem)
    return True


def _disorder(moments: Sequence[Moment], place: int) -> str | None:
    """Why the event at `place` cannot follow the one before it, or the next one cannot follow it; None: both can."""
    for index in (place, place + 1):
        if index >= len(moments):
            continue
        before, (at, _, event) = (moments[index - 1] if index else None), moments[index]
        if event not in FOLLOWS[None if before is None else before[2]]:
            behind = "with nothing before it" if before is None else f"after {before[2]} at {_when(before[0])}"
            return f"{event} at {_when(at)} cannot come {behind}: send what happened between them first"
    return None


def _moment(event: str, at: datetime) -> Moment:
    known = cast(Event, event)
    return at, EVENTS.index(known), known


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _unknown(outcome: Outcome) -> UnknownComplaintError:
    return UnknownComplaintError(
        f"no complaint {outcome.complaint_id!r} of source {outcome.source!r} was classified here"
    )
