"""Decisions: what a classifier said of a complaint. Append-only.

In: decisions, each with its region and the version of the model. Out: their rows. A complaint's id is unique within
its region and source; sending it again adds a decision, unless the same model says the same of the same text, and
every reader takes the newest one (`newest`).
`day` is local to the region: whoever stores a decision knows its time zone. `due_at` is stored with the decision and
not computed from today's regulations: a queue is ordered by it, and who was late was late by the rule of that day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Index, Row, Select, and_, bindparam, false, insert, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, aliased, mapped_column

from data.complaints.masking import MaskedText
from data.store.features import Floats, write_features
from data.store.handling import refresh_handling
from data.store.reviews import SURE, WITHOUT_DEADLINE, drop_reviews, open_reviews
from data.store.session import Database, one_at_a_time
from data.store.tables import NUMBER, Table, naive_utc, utc


class DecisionRow(Table):
    """One decision; `day` is local, `created_at`, `received_at` and `due_at` are UTC."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index("decisions_by_complaint", "region", "source", "id", "number"),
        Index("decisions_by_day", "region", "day"),
    )

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    region: Mapped[str]
    source: Mapped[str]
    id: Mapped[str]
    text: Mapped[str]
    municipality: Mapped[str | None]
    created_at: Mapped[datetime]
    day: Mapped[date]
    received_at: Mapped[datetime]
    decision: Mapped[str]
    reasons: Mapped[list[str]] = mapped_column(JSON)
    sector: Mapped[str]
    sector_confidence: Mapped[float]
    topic: Mapped[str]
    topic_confidence: Mapped[float]
    agency: Mapped[str]
    agency_confidence: Mapped[float]
    model_version: Mapped[str]
    due_at: Mapped[datetime | None]


_INSERT = insert(DecisionRow).returning(DecisionRow.number, sort_by_parameter_order=True)
_LATER = aliased(DecisionRow, name="later")
ComplaintName = tuple[str, str, str]
"""Region, source and id."""


@dataclass(frozen=True)
class Decision:
    """A decision to store; `day` is the local one of `created_at`.

    Attributes:
        arrived: no time was sent: `created_at` is when the complaint came, and another time when it comes again.
        due_at: by when the answer is due; None where none is owed, or nothing says when.
        topic_margin: how much likelier the topic is than the next one: what is near 0 teaches most.
    """

    region: str
    source: str
    id: str
    text: MaskedText
    municipality: str | None
    created_at: datetime
    day: date
    decision: str
    reasons: list[str]
    sector: str
    sector_confidence: float
    topic: str
    topic_confidence: float
    agency: str
    agency_confidence: float
    model_version: str
    features: Floats | None = field(default=None, compare=False, repr=False)
    arrived: bool = False
    due_at: datetime | None = None
    topic_margin: float = field(default=SURE, compare=False)


NO_COLUMNS = ("features", "arrived", "topic_margin")
SAID = ("text", "municipality", "decision", "sector", "topic", "agency", "model_version")
"""What two decisions on a complaint have in common that are one, besides its time."""


@dataclass(frozen=True)
class StoredDecision:
    """The row of a decision.

    Attributes:
        created_at: of the complaint, as the row has it.
        repeated: the row was there already and says the same.
    """

    number: int
    created_at: datetime
    repeated: bool = False


@dataclass(frozen=True)
class Decided:
    """A decision as it was stored, without its text; `received_at` is UTC."""

    number: int
    source: str
    id: str
    received_at: datetime
    decision: str
    sector: str
    topic: str
    agency: str
    model_version: str


class Decisions:
    """The decisions of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, decisions: Sequence[Decision]) -> list[StoredDecision]:
        """Store decisions; all or none. Returns the row of each.

        Raises:
            StoreError: nothing was stored.
        """
        if not decisions:
            return []
        with self._database.writing() as connection:
            return write_decisions(connection, decisions)

    def newest_moment(self) -> datetime | None:
        """When the last decision was stored (UTC); None where there is none.

        Raises:
            StoreError: the database cannot be read.
        """
        last = select(DecisionRow.received_at).order_by(DecisionRow.number.desc()).limit(1)
        with self._database.reading() as connection:
            moment = connection.scalar(last)
        return None if moment is None else utc(moment)

    def of_complaint(self, region: str, complaint_id: str) -> list[Decided]:
        """All decisions on the complaints of a region with this id, whatever their source, the oldest first.

        Raises:
            StoreError: the database cannot be read.
        """
        row = DecisionRow
        columns = [getattr(row, name) for name in Decided.__dataclass_fields__]
        query = select(*columns).where(row.region == region, row.id == complaint_id).order_by(row.number)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Decided(**each._asdict() | {"received_at": utc(each.received_at)}) for each in rows]


def write_decisions(connection: Connection, decisions: Sequence[Decision]) -> list[StoredDecision]:
    """Store decisions in a transaction; the row of each.

    One that says what the newest decision on its complaint says already is not stored again: that row is its row.
    """
    if not decisions:
        return []
    keys = [(decision.region, decision.source, decision.id) for decision in decisions]
    one_at_a_time(connection, map(" ".join, keys))
    before = _newest_of(connection, keys)
    repeated = [
        row if (row := before.get(key)) is not None and _says_the_same(row, decision) else None
        for key, decision in zip(keys, decisions, strict=True)
    ]
    new = [decision for decision, row in zip(decisions, repeated, strict=True) if row is None]
    numbers = _insert(connection, new)
    _write_reviews(connection, dict(zip(numbers, new, strict=True)), before)
    refresh_handling(connection, [(each.region, each.source, each.id) for each in new])
    following = iter(numbers)
    return [
        StoredDecision(next(following), decision.created_at)
        if row is None
        else StoredDecision(row.number, utc(row.created_at), repeated=True)
        for decision, row in zip(decisions, repeated, strict=True)
    ]


def _write_reviews(
    connection: Connection, decisions: Mapping[int, Decision], before: Mapping[ComplaintName, Row[Any]]
) -> None:
    """Let complaints of new decisions, given by number, wait for an operator, or wait no longer."""
    waiting = {(each.region, each.source, each.id): number for number, each in decisions.items()}
    for_review = [
        {"region": each.region, "source": each.source, "id": each.id, "decision": number}
        | {"sector": each.sector, "municipality": each.municipality, "urgent_at": naive_utc(_urgent_at(each))}
        | {"topic_margin": each.topic_margin}
        for number, each in decisions.items()
        if each.decision == "review" and waiting[each.region, each.source, each.id] == number
    ]
    open_reviews(connection, for_review)
    drop_reviews(
        connection, [key for key, number in waiting.items() if key in before and decisions[number].decision == "route"]
    )


def _urgent_at(decision: Decision) -> datetime:
    return decision.due_at or decision.created_at + WITHOUT_DEADLINE


def _newest_of(connection: Connection, keys: Sequence[ComplaintName]) -> dict[ComplaintName, Row[Any]]:
    """The newest decision on each complaint that has one."""
    return {
        (region, source, row.id): row
        for (region, source), ids in _by_source(keys).items()
        for row in connection.execute(_newest_statement(), {"region": region, "source": source, "ids": ids})
    }


@lru_cache(maxsize=1)
def _newest_statement() -> Select[Any]:
    """Built once: building it takes longer than its look into the index."""
    row = DecisionRow
    columns = [row.number, row.id, row.created_at, *(getattr(row, name) for name in SAID)]
    ours = (row.region == bindparam("region"), row.source == bindparam("source"))
    return select(*columns).where(*ours, row.id.in_(bindparam("ids", expanding=True)), newest())


def _says_the_same(row: Row[Any], decision: Decision) -> bool:
    same_time = decision.arrived or utc(row.created_at) == decision.created_at
    return same_time and all(getattr(row, name) == getattr(decision, name) for name in SAID)


def _insert(connection: Connection, decisions: Sequence[Decision]) -> list[int]:
    """Append decisions with their features; their numbers."""
    if not decisions:
        return []
    now = naive_utc(datetime.now(UTC))
    rows = [
        {name: value for name, value in vars(decision).items() if name not in NO_COLUMNS}
        | {"created_at": naive_utc(decision.created_at), "received_at": now}
        | {"due_at": None if decision.due_at is None else naive_utc(decision.due_at)}
        for decision in decisions
    ]
    numbers = [int(number) for number in connection.scalars(_INSERT, rows)]
    write_features(
        connection,
        [
            (number, decision.model_version, decision.features)
            for number, decision in zip(numbers, decisions, strict=True)
            if decision.features is not None
        ],
    )
    return numbers


def among(
    keys: Iterable[ComplaintName],
    region: InstrumentedAttribute[str],
    source: InstrumentedAttribute[str],
    complaint_id: InstrumentedAttribute[str],
) -> ColumnElement[bool]:
    """That a row is of one of these complaints, said so that an index is looked into.

    SQLite reads the whole table where three columns at once are compared with a list.
    """
    groups = _by_source(keys).items()
    return or_(false(), *(and_(region == r, source == s, complaint_id.in_(ids)) for (r, s), ids in groups))


def _by_source(keys: Iterable[ComplaintName]) -> dict[tuple[str, str], list[str]]:
    """Ids by region and source."""
    ids: dict[tuple[str, str], list[str]] = {}
    for region, source, complaint_id in keys:
        ids.setdefault((region, source), []).append(complaint_id)
    return ids


def newest() -> ColumnElement[bool]:
    """That no later decision on the same complaint exists: one look into an index for each row."""
    later = _LATER
    same = (later.region == DecisionRow.region) & (later.source == DecisionRow.source) & (later.id == DecisionRow.id)
    return ~select(later.number).where(same, later.number > DecisionRow.number).exists()
