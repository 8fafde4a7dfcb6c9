"""Corrections: what an operator decided instead; the best training data there is. Append-only.

In: an operator's labels for a complaint. Out: for training, all corrections since a moment, each with the text and the
decision that it corrected. A correction may be silent about a label (None); the last one that is not silent about it
holds. One that was taken back (`undos.py`) is nowhere read.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, Row, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from data.complaints.masking import MaskedText, mask
from data.errors import UnknownComplaintError
from data.store.decisions import ComplaintName, DecisionRow, among, newest
from data.store.handling import HEADS, refresh_handling
from data.store.reviews import WITHOUT_DEADLINE, close_reviews
from data.store.session import Database, one_at_a_time
from data.store.tables import NUMBER, Table, naive_utc, utc
from data.store.undos import standing


class CorrectionRow(Table):
    """What an operator said of one complaint, and of which decision on it.

    `decision` and `model_version` are None where that decision was replaced before the store kept them all.
    """

    __tablename__ = "corrections"
    __table_args__ = (
        Index("corrections_by_complaint", "region", "source", "complaint_id"),
        Index("corrections_by_time", "region", "received_at"),
        Index("corrections_by_decision", "decision"),  # PostgreSQL looks there before it deletes a decision
    )

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    region: Mapped[str]
    source: Mapped[str]
    complaint_id: Mapped[str]
    decision: Mapped[int | None] = mapped_column(NUMBER, ForeignKey("decisions.number"))
    model_version: Mapped[str | None]
    sector: Mapped[str | None]
    topic: Mapped[str | None]
    agency: Mapped[str | None]
    operator: Mapped[str | None]
    received_at: Mapped[datetime]
    why: Mapped[str | None]


@dataclass(frozen=True)
class Correction:
    """A correction to store: of the newest decision on a complaint; who said it and why are masked."""

    region: str
    source: str
    complaint_id: str
    sector: str | None
    topic: str | None
    agency: str | None
    operator: str | None
    why: str | None = None


@dataclass(frozen=True)
class Labels:
    """The three labels of a complaint; None where nothing was said."""

    sector: str | None
    topic: str | None
    agency: str | None


@dataclass(frozen=True)
class CorrectedComplaint:
    """A correction beside what it corrected.

    Attributes:
        number: of the correction; they are numbered in the order of writing.
        text: the complaint as it was classified.
        model_version: the classifier that was corrected; None where that is no longer known.
        decided: what it had said; all None where that is no longer known.
        corrected: what the operator said.
        operator: who; masked.
        received_at: when (UTC).
    """

    number: int
    region: str
    source: str
    complaint_id: str
    text: MaskedText
    municipality: str | None
    created_at: datetime
    model_version: str | None
    decided: Labels
    corrected: Labels
    operator: str | None
    received_at: datetime


@dataclass(frozen=True)
class Agreement:
    """Whether a decision had said of one label (`head`) what an operator says."""

    head: str
    agrees: bool


class Corrections:
    """The corrections of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def unknown(self, corrections: Sequence[Correction]) -> list[int]:
        """Which of these, by their places in the list, name a complaint that was never classified in their region.

        Raises:
            StoreError: the database cannot be read.
        """
        keys = [(c.region, c.source, c.complaint_id) for c in corrections]
        key = (DecisionRow.region, DecisionRow.source, DecisionRow.id)
        with self._database.reading() as connection:
            rows = connection.execute(select(*key).where(among(keys, *key)).distinct())
            classified = {tuple(row) for row in rows}
        return [place for place, each in enumerate(keys) if each not in classified]

    def save(self, corrections: Sequence[Correction]) -> None:
        """Store corrections; all or none.

        Raises:
            UnknownComplaintError: a complaint was never classified in that region; names all such ids.
            StoreError: nothing was stored.
        """
        if corrections:
            with self._database.writing() as connection:
                write_corrections(connection, corrections)

    def since(self, region: str, moment: datetime) -> list[CorrectedComplaint]:
        """Standing corrections of a region received at `moment` or later, in the order of writing.

        Raises:
            StoreError: the database cannot be read.
        """
        row, decided = CorrectionRow, DecisionRow
        newest_number = (
            select(func.max(decided.number))
            .where(decided.region == row.region, decided.source == row.source, decided.id == row.complaint_id)
            .correlate(row)
            .scalar_subquery()
        )
        query = (
            select(row, decided.text, decided.municipality, decided.created_at)
            .add_columns(decided.sector.label("decided_sector"), decided.topic.label("decided_topic"))
            .add_columns(decided.agency.label("decided_agency"))
            .join(decided, decided.number == func.coalesce(row.decision, newest_number))
            .where(row.region == region, row.received_at >= naive_utc(moment), standing(row.number))
            .order_by(row.number)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [_corrected_complaint(row) for row in rows]


def write_corrections(connection: Connection, corrections: Sequence[Correction]) -> list[Agreement]:
    """Store corrections in a transaction; one that repeats the last one of its complaint is not stored again.

    Out: of each label that was stored, whether the decision had said the same.

    Raises:
        UnknownComplaintError: a complaint was never classified in that region; names all such ids.
    """
    now = naive_utc(datetime.now(UTC))
    keys = [(c.region, c.source, c.complaint_id) for c in corrections]
    one_at_a_time(connection, map(" ".join, keys))
    decisions = _decisions_of(connection, keys)
    last, rows = _last_of(connection, keys), []
    for correction, key in zip(corrections, keys, strict=True):
        row = asdict(correction) | {name: mask(getattr(correction, name) or "") or None for name in ("operator", "why")}
        row |= {"decision": decisions[key].number, "model_version": decisions[key].model_version}
        if last.get(key) != row:
            rows.append(row | {"received_at": now})
        last[key] = row
    if rows:
        connection.execute(insert(CorrectionRow), rows)
        refresh_handling(connection, keys)
        close_reviews(connection, [_review(decisions[key]) for key in dict.fromkeys(keys)], now)
    decided = [decisions[row["region"], row["source"], row["complaint_id"]] for row in rows]
    return [
        Agreement(head, row[head] == getattr(decision, head))
        for row, decision in zip(rows, decided, strict=True)
        for head in HEADS
        if row[head] is not None
    ]


def _decisions_of(connection: Connection, keys: Sequence[ComplaintName]) -> dict[ComplaintName, Row[Any]]:
    """Number, version, labels, place and time of the newest decision on each complaint.

    Raises:
        UnknownComplaintError: there is none on some; names all such ids.
    """
    key = (DecisionRow.region, DecisionRow.source, DecisionRow.id)
    columns: list[Any] = [*key, DecisionRow.number, DecisionRow.model_version]
    columns += [DecisionRow.municipality, DecisionRow.created_at]
    columns += [getattr(DecisionRow, head) for head in HEADS]
    query = select(*columns).where(among(keys, *key), newest())
    decisions = {(row.region, row.source, row.id): row for row in connection.execute(query)}
    missing = {
        f"items.{place}.id": f"{complaint_id!r} of source {source!r}"
        for place, (region, source, complaint_id) in enumerate(keys)
        if (region, source, complaint_id) not in decisions
    }
    if missing:
        raise UnknownComplaintError(
            f"no complaint {next(iter(missing.values()))} was classified here; nothing was stored", **missing
        )
    return decisions


def _review(decision: Row[Any]) -> dict[str, Any]:
    """The complaint of a decision as one that an operator answered."""
    row = {name: getattr(decision, name) for name in ("region", "source", "id", "sector", "municipality")}
    return row | {"decision": decision.number, "urgent_at": decision.created_at + WITHOUT_DEADLINE}


def _last_of(connection: Connection, keys: Sequence[ComplaintName]) -> dict[ComplaintName, dict[str, Any]]:
    """The last standing correction of each complaint that has one, as the columns written, without its time."""
    table = CorrectionRow
    key = (table.region, table.source, table.complaint_id)
    numbers = select(func.max(table.number)).where(among(keys, *key), standing(table.number)).group_by(*key)
    columns = [column for column in table.__table__.columns if column.name not in ("number", "received_at")]
    rows = connection.execute(select(*columns).where(table.number.in_(numbers)))
    return {(row.region, row.source, row.complaint_id): row._asdict() for row in rows}


def _corrected_complaint(row: Row[Any]) -> CorrectedComplaint:
    """A row of the query of `Corrections.since`."""
    decided = Labels(row.decided_sector, row.decided_topic, row.decided_agency)
    return CorrectedComplaint(
        number=row.number,
        region=row.region,
        source=row.source,
        complaint_id=row.complaint_id,
        text=MaskedText(row.text),
        municipality=row.municipality,
        created_at=utc(row.created_at),
        model_version=row.model_version,
        decided=Labels(None, None, None) if row.decision is None else decided,
        corrected=Labels(row.sector, row.topic, row.agency),
        operator=row.operator,
        received_at=utc(row.received_at),
    )
