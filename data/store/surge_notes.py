"""What people wrote about surges: that they have seen one, and what they make of it. Appended only.

In: a note, masked. Out: notes of a region, the newest first. A surge has no row of its own, for it is computed from
counts, so a note names it as it stood: kind, place, sector, first day.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import Index, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from data.store.session import Database
from data.store.tables import NUMBER, Table, naive_utc, utc


class SurgeNoteRow(Table):
    """One note; `noted_at` is UTC."""

    __tablename__ = "surge_notes"
    __table_args__ = (Index("surge_notes_by_region", "region", "number"),)

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    region: Mapped[str]
    kind: Mapped[str]
    municipality: Mapped[str]
    sector: Mapped[str]
    start: Mapped[date]
    noted_at: Mapped[datetime]
    key_id: Mapped[str]
    author: Mapped[str]
    note: Mapped[str]


@dataclass(frozen=True)
class SurgeNote:
    """A note.

    Attributes:
        kind, municipality, sector, start: the surge as it stood.
        key_id: of the key that it was written with.
        author: who says so.
        note: masked; empty where somebody has only seen the surge.
    """

    region: str
    kind: Literal["observed", "expected"]
    municipality: str
    sector: str
    start: date
    noted_at: datetime
    key_id: str
    author: str
    note: str


class SurgeNotes:
    """The notes of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, note: SurgeNote) -> None:
        """Append a note.

        Raises:
            StoreError: nothing was stored.
        """
        row = asdict(note) | {"noted_at": naive_utc(note.noted_at)}
        with self._database.writing() as connection:
            connection.execute(insert(SurgeNoteRow), row)

    def of(self, region: str, limit: int) -> list[SurgeNote]:
        """The newest notes of a region, the newest first.

        Raises:
            StoreError: the database cannot be read.
        """
        columns = [getattr(SurgeNoteRow, name) for name in SurgeNote.__dataclass_fields__]
        query = select(*columns).where(SurgeNoteRow.region == region).order_by(SurgeNoteRow.number.desc()).limit(limit)
        with self._database.reading() as connection:
            rows = [row._asdict() for row in connection.execute(query)]
        return [SurgeNote(**row | {"noted_at": utc(row["noted_at"])}) for row in rows]
