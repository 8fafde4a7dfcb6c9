"""Splits: problems that an operator has cut out of a message, each a complaint of its own from then on.

In: the span of a problem, and the decision on it. Out: the new complaint's id, and the splits of a message. The message
itself stays as it is: what is left of it is its first problem.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Index, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from data.errors import AlreadyAnsweredError, RequestError, UnknownComplaintError
from data.store.decisions import Decision, write_decisions
from data.store.reviews import ReviewRow
from data.store.session import Database, one_at_a_time
from data.store.tables import NUMBER, Table, naive_utc, utc

LONGEST_ID = 200
"""Characters of a complaint's id that the API takes."""


class SplitRow(Table):
    """Characters `start` to `end` of a message became the complaint `part_id` of the same source; moments are UTC."""

    __tablename__ = "splits"
    __table_args__ = (Index("splits_by_complaint", "region", "source", "complaint_id"),)

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    region: Mapped[str]
    source: Mapped[str]
    complaint_id: Mapped[str]
    part_id: Mapped[str]
    start: Mapped[int]
    end: Mapped[int]
    operator: Mapped[str | None]
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Split:
    """One problem that became a complaint of its own; `number` names the split."""

    number: int
    part_id: str
    start: int
    end: int
    operator: str | None
    at: datetime


class Splits:
    """The splits of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, region: str, source: str, complaint_id: str) -> list[Split]:
        """What was cut out of a message, in the order of its text.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._database.reading() as connection:
            return _splits(connection, region, source, complaint_id)


def write_split(connection: Connection, whole: str, span: tuple[int, int], decided: Decision, operator: str) -> Split:
    """Store the decision on a problem of a message that waits, in a transaction, under an id of its own.

    Args:
        connection: the transaction.
        whole: id of the message.
        span: of its text.
        decided: on the problem, as if it were the message.
        operator: who cuts.

    Raises:
        UnknownComplaintError: no such complaint is for an operator.
        AlreadyAnsweredError: the message is answered already.
        RequestError: the span is cut out already, at least in part.
    """
    region, source, (start, end) = decided.region, decided.source, span
    one_at_a_time(connection, [f"{region} {source} {whole}"])
    row, now = ReviewRow, datetime.now(UTC)
    this = (row.region == region, row.source == source, row.id == whole)
    review = connection.execute(select(row.closed_at).where(*this)).one_or_none()
    if review is None:
        raise UnknownComplaintError(f"no complaint {whole!r} of source {source!r} waits for an operator")
    if review.closed_at is not None:
        raise AlreadyAnsweredError(f"complaint {whole!r} was answered already: nothing of it can be split off")
    if any(start < each.end and each.start < end for each in _splits(connection, region, source, whole)):
        raise RequestError("start: this part of the message is a complaint of its own already", start="cut out already")
    part = replace(decided, id=_part_id(connection, region, source, whole))
    write_decisions(connection, [part])
    values = {"region": region, "source": source, "complaint_id": whole, "part_id": part.id, "start": start, "end": end}
    numbers = insert(SplitRow).returning(SplitRow.number)
    number = connection.scalar(numbers, values | {"operator": operator, "at": naive_utc(now), "undone_at": None})
    return Split(int(number or 0), part.id, start, end, operator, now)


def _part_id(connection: Connection, region: str, source: str, whole: str) -> str:
    """The first of ID/2, ID/3… that no part has had: one that was taken back may stand in the audit."""
    row = SplitRow
    ours = (row.region == region, row.source == source, row.complaint_id == whole)
    count = int(connection.scalar(select(func.count()).where(*ours)) or 0)
    name = f"{whole}/{count + 2}"
    if len(name) > LONGEST_ID:
        raise RequestError("id: it is too long for parts of the message to get ids of their own", id="too long")
    return name


def _splits(connection: Connection, region: str, source: str, complaint_id: str) -> list[Split]:
    row = SplitRow
    ours = (row.region == region, row.source == source, row.complaint_id == complaint_id, row.undone_at.is_(None))
    rows = connection.execute(select(row).where(*ours).order_by(row.start))
    return [Split(each.number, each.part_id, each.start, each.end, each.operator, utc(each.at)) for each in rows]
