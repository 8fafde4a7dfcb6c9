"""The queue of complaints that wait for an operator, read page by page and counted.

In: a region, what is wanted, and what comes first. Out: pages, and how many wait by sector, municipality and source.
Only reads; who gets which complaint: `claims.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, and_, case, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from data.store.decisions import DecisionRow
from data.store.reviews import ReviewRow
from data.store.session import Database
from data.store.tables import naive_utc, utc

QueueOrder = Literal["urgent", "instructive"]
"""What is due first, or where the two likeliest topics are nearest, whose labels teach most (`tsur suggest-labels`)."""
Place = tuple[datetime | float, int]
"""Where a complaint stands in the queue: when it is due or its margin, by the order, and its number."""


@dataclass(frozen=True)
class QueueFilter:
    """Which complaints are wanted; None wants all. The sector is the classifier's."""

    sector: str | None = None
    municipality: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class WaitingComplaint:
    """A complaint that waits, by its newest decision.

    Attributes:
        number: of its row in the queue.
        text: masked.
        urgent_at: when an answer is due; 30 days after it came, where nobody knows.
        topic_margin: how much likelier its topic is than the next one.
        claimed_by: who has it on his screen now; None where nobody has.
        later: somebody has put it aside for a while.
    """

    number: int
    source: str
    id: str
    text: str
    municipality: str | None
    created_at: datetime
    received_at: datetime
    urgent_at: datetime
    topic_margin: float
    reasons: list[str]
    sector: str
    topic: str
    agency: str
    confidence: float
    model_version: str
    claimed_by: str | None
    later: bool


@dataclass(frozen=True)
class QueueCounts:
    """How many wait.

    Attributes:
        overdue: whose answer is due already.
        claimed: on somebody's screen.
        kinds: how many of each sector, municipality and source, filters left out: an operator chooses among them.
    """

    waiting: int
    overdue: int
    claimed: int
    kinds: list[tuple[str, str | None, str, int]]


class ReviewQueue:
    """The queue of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        region: str,
        wanted: QueueFilter,
        limit: int,
        after: Place | None = None,
        order: QueueOrder = "urgent",
    ) -> list[WaitingComplaint]:
        """At most `limit` complaints behind the one at this place, claimed ones too.

        Raises:
            StoreError: the database cannot be read.
        """
        conditions = waiting(region, wanted)
        first, number = ordered_by(order)
        if after is not None:
            value = naive_utc(after[0]) if isinstance(after[0], datetime) else after[0]
            conditions.append(or_(first > value, and_(first == value, number > after[1])))
        query = _complaints().where(*conditions).order_by(first, number).limit(limit)
        with self._database.reading() as connection:
            return [_complaint(each) for each in connection.execute(query)]

    def of(self, region: str, source: str, complaint_id: str) -> tuple[WaitingComplaint, datetime | None] | None:
        """One complaint, and when an operator answered it (None: it waits); None where it never waited.

        Raises:
            StoreError: the database cannot be read.
        """
        row = ReviewRow
        this = (row.region == region, row.source == source, row.id == complaint_id)
        with self._database.reading() as connection:
            found = connection.execute(_complaints().where(*this)).one_or_none()
        if found is None:
            return None
        return _complaint(found), None if found.closed_at is None else utc(found.closed_at)

    def counts(self, region: str, wanted: QueueFilter) -> QueueCounts:
        """How many wait now.

        Raises:
            StoreError: the database cannot be read.
        """
        row, now = ReviewRow, naive_utc(datetime.now(UTC))
        kind = (row.sector, row.municipality, row.source)
        late = func.sum(case((row.urgent_at < now, 1), else_=0))
        kinds = select(*kind, func.count(), late).where(*waiting(region, QueueFilter())).group_by(*kind)
        on_screens = (*waiting(region, wanted), row.claimed_by.is_not(None), row.claimed_until > now)
        with self._database.reading() as connection:
            rows = [tuple(each) for each in connection.execute(kinds.order_by(*kind))]
            claimed = int(connection.scalar(select(func.count()).where(*on_screens)) or 0)
        asked = (wanted.sector, wanted.municipality, wanted.source)
        ours = [each for each in rows if all(want in (None, is_) for want, is_ in zip(asked, each[:3], strict=True))]
        return QueueCounts(
            waiting=sum(each[3] for each in ours),
            overdue=sum(int(each[4]) for each in ours),
            claimed=claimed,
            kinds=[each[:4] for each in rows],
        )


def waiting(region: str, wanted: QueueFilter) -> list[ColumnElement[bool]]:
    """The conditions of a row that waits and is wanted."""
    row = ReviewRow
    conditions: list[ColumnElement[bool]] = [row.region == region, row.closed_at.is_(None)]
    for name, value in vars(wanted).items():
        if value is not None:
            conditions.append(getattr(row, name) == value)
    return conditions


def ordered_by(order: QueueOrder) -> tuple[InstrumentedAttribute[Any], InstrumentedAttribute[int]]:
    """The columns by which the queue stands in this order."""
    return (ReviewRow.urgent_at if order == "urgent" else ReviewRow.topic_margin), ReviewRow.number


def _complaints() -> Any:
    decided = DecisionRow
    columns = [getattr(decided, name) for name in _DECIDED]
    own = [ReviewRow.number, ReviewRow.source, ReviewRow.id, ReviewRow.urgent_at, ReviewRow.closed_at]
    own += [ReviewRow.topic_margin, ReviewRow.claimed_by, ReviewRow.claimed_until, ReviewRow.later_until]
    return select(*own, *columns).join(decided, decided.number == ReviewRow.decision)


_DECIDED: Sequence[str] = (
    *("text", "municipality", "created_at", "received_at", "reasons", "sector", "topic", "agency"),
    *("agency_confidence", "model_version"),
)


def _complaint(row: Row[Any]) -> WaitingComplaint:
    now = naive_utc(datetime.now(UTC))
    held = row.claimed_until is not None and row.claimed_until > now
    plain = ("number", "source", "id", "text", "municipality", "reasons", "sector", "topic", "agency", "model_version")
    return WaitingComplaint(
        **{name: getattr(row, name) for name in (*plain, "topic_margin")},
        created_at=utc(row.created_at),
        received_at=utc(row.received_at),
        urgent_at=utc(row.urgent_at),
        confidence=row.agency_confidence,
        claimed_by=row.claimed_by if held else None,
        later=row.later_until is not None and row.later_until > now,
    )
