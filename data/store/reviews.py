"""Reviews: the complaints that wait for an operator, and those that one has answered; kept beside their decisions.

In: decisions and corrections, in the transaction that stores them. Out: one row a complaint whose newest decision is
`review`, open until an operator has said something of it; his word holds, so a complaint that is sent again stays
closed. A table of its own, because the queue must not get slower with all that was ever answered.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from data.store.tables import NUMBER, Table

WITHOUT_DEADLINE = timedelta(days=30)
"""How urgent a complaint is whose due time nobody knows: an answer is owed in 30 days (59-ФЗ)."""
UPSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
KEY = ("region", "source", "id")
SURE = 1.0
"""The largest margin: an operator's label would teach nothing that is known of."""


class ReviewRow(Table):
    """One complaint for an operator; all moments are UTC.

    Attributes:
        decision: the number of the newest decision.
        urgent_at: by which the queue is ordered: when an answer is due.
        topic_margin: how much likelier the likeliest topic is than the next one; 1 where nobody knows.
        closed_at: when an operator answered; None while nobody has.
        claimed_by, claimed_until: who has it on his screen, and until when nobody else gets it.
        later_until: until when it was put aside.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        Index("reviews_by_complaint", *KEY, unique=True),
        Index("reviews_by_urgency", "region", "closed_at", "urgent_at", "number"),
        Index("reviews_by_margin", "region", "closed_at", "topic_margin", "number"),
        Index("reviews_by_kind", "region", "closed_at", "sector", "municipality", "source", "urgent_at"),
        Index("reviews_by_claim", "region", "claimed_by"),
        Index("reviews_by_decision", "decision"),  # PostgreSQL looks there before it deletes a decision
    )

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    region: Mapped[str]
    source: Mapped[str]
    id: Mapped[str]
    decision: Mapped[int] = mapped_column(NUMBER, ForeignKey("decisions.number"))
    sector: Mapped[str]
    municipality: Mapped[str | None]
    urgent_at: Mapped[datetime]
    topic_margin: Mapped[float] = mapped_column(default=SURE, server_default="1")
    closed_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    later_until: Mapped[datetime | None]


UNCLAIMED = {"claimed_by": None, "claimed_until": None, "later_until": None}


def open_reviews(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Complaints of new decisions `review` wait from now on; one that is answered already stays so.

    Args:
        connection: a transaction.
        rows: `region, source, id, decision, sector, municipality, urgent_at, topic_margin` of each.
    """
    if rows:
        renewed = ("decision", "sector", "municipality", "urgent_at", "topic_margin")
        _upsert(connection, [row | UNCLAIMED | {"closed_at": None} for row in rows], renewed)


def drop_reviews(connection: Connection, keys: Sequence[tuple[str, str, str]]) -> None:
    """Complaints that are routed now, by region, source and id, wait no longer."""
    if keys:
        row = ReviewRow.__table__.c
        these = (row[name] == bindparam(f"the_{name}") for name in KEY)
        gone = delete(ReviewRow).where(*these, ReviewRow.closed_at.is_(None))
        parameters = [dict(zip((f"the_{name}" for name in KEY), key, strict=True)) for key in keys]
        connection.execute(gone.execution_options(synchronize_session=False), parameters)


def close_reviews(connection: Connection, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """An operator has said something of these complaints, which may never have waited; rows as for `open_reviews`."""
    if rows:
        closed = [row | UNCLAIMED | {"closed_at": now} for row in rows]
        _upsert(connection, closed, ("closed_at", *UNCLAIMED))


def _upsert(connection: Connection, rows: Sequence[dict[str, Any]], renewed: Sequence[str]) -> None:
    """Insert rows; where a complaint has one, its columns `renewed` are replaced."""
    statement = UPSERTS[connection.dialect.name](ReviewRow)
    values = {name: statement.excluded[name] for name in renewed}
    last = {tuple(row[name] for name in KEY): row for row in rows}  # PostgreSQL changes no row twice in one statement
    connection.execute(statement.on_conflict_do_update(index_elements=KEY, set_=values), list(last.values()))
