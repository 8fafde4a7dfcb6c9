"""Decisions: what a classifier said of a complaint. Append-only.

In: decisions, each with its region and the version of the model. Out: their numbers. A complaint's id is unique
within its region and source; sending it again adds a decision, and every reader takes the newest one (`newest`).
`day` is local to the region: whoever stores a decision knows its time zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from sqlalchemy import JSON, ColumnElement, Index, insert, select
from sqlalchemy.orm import Mapped, aliased, mapped_column

from data.complaints.masking import MaskedText
from data.store.features import Floats, write_features
from data.store.session import Database
from data.store.tables import NUMBER, Table, naive_utc, utc


class DecisionRow(Table):
    """One decision; `day` is local, `created_at` and `received_at` are UTC."""

    __tablename__ = "decisions"
    __table_args__ = (
        Index("decisions_by_complaint", "region", "source", "id", "number"),
        Index("decisions_by_day", "region", "day"),
        Index("decisions_by_number", "region", "number"),
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


@dataclass(frozen=True)
class Decision:
    """A decision to store; `day` is the local one of `created_at`."""

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


class Decisions:
    """The decisions of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, decisions: Sequence[Decision]) -> list[int]:
        """Store decisions; all or none. Returns their numbers.

        Raises:
            StoreError: nothing was stored.
        """
        if not decisions:
            return []
        now = naive_utc(datetime.now(UTC))
        rows = [
            {name: value for name, value in vars(decision).items() if name != "features"}
            | {"created_at": naive_utc(decision.created_at), "received_at": now}
            for decision in decisions
        ]
        statement = insert(DecisionRow).returning(DecisionRow.number, sort_by_parameter_order=True)
        with self._database.writing() as connection:
            numbers = [int(number) for number in connection.scalars(statement, rows)]
            write_features(
                connection,
                [
                    (number, decision.model_version, decision.features)
                    for number, decision in zip(numbers, decisions, strict=True)
                    if decision.features is not None
                ],
            )
        return numbers

    def newest_moment(self) -> datetime | None:
        """When the last decision was stored (UTC); None where there is none.

        Raises:
            StoreError: the database cannot be read.
        """
        last = select(DecisionRow.received_at).order_by(DecisionRow.number.desc()).limit(1)
        with self._database.reading() as connection:
            moment = connection.scalar(last)
        return None if moment is None else utc(moment)


def newest() -> ColumnElement[bool]:
    """That no later decision on the same complaint exists: one look into an index for each row."""
    later = aliased(DecisionRow)
    same = (later.region == DecisionRow.region) & (later.source == DecisionRow.source) & (later.id == DecisionRow.id)
    return ~select(later.number).where(same, later.number > DecisionRow.number).exists()
