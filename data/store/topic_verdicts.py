"""What people decided about proposed topics: a draft for the catalogue, or nothing. Appended only.

In: a verdict with the complaints that it was given on. Out: verdicts of a region, the newest first. A proposal has no
name of its own, so a verdict is found again by its complaints, of which digests are kept: an erased one leaves no id.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import JSON, Index, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from data.store.digests import digest
from data.store.session import Database
from data.store.tables import NUMBER, Table, naive_utc, utc

Verdict = Literal["draft", "dismissed"]


class TopicVerdictRow(Table):
    """One verdict; `decided_at` is UTC."""

    __tablename__ = "topic_verdicts"
    __table_args__ = (Index("topic_verdicts_by_region", "region", "number"),)

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    region: Mapped[str]
    verdict: Mapped[str]
    title: Mapped[str]
    sector: Mapped[str]
    words: Mapped[list[str]] = mapped_column(JSON)
    complaints: Mapped[list[str]] = mapped_column(JSON)
    decided_at: Mapped[datetime]
    key_id: Mapped[str]
    author: Mapped[str]
    note: Mapped[str]


@dataclass(frozen=True)
class TopicVerdict:
    """A verdict.

    Attributes:
        verdict: `draft`: to be a topic; `dismissed`: no topic.
        title, sector: of the draft; empty where it was dismissed.
        words: what the complaints speak of.
        complaints: digests of their sources and ids, see `complaint_digest`.
        key_id: of the key that it was given with.
        author: who says so.
        note: masked.
    """

    region: str
    verdict: Verdict
    title: str
    sector: str
    words: list[str]
    complaints: list[str]
    decided_at: datetime
    key_id: str
    author: str
    note: str


def complaint_digest(source: str, complaint_id: str) -> str:
    """What a complaint is found again by, and nothing else can be."""
    return digest(f"{source}\n{complaint_id}")


class TopicVerdicts:
    """The verdicts of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, verdict: TopicVerdict) -> None:
        """Append a verdict.

        Raises:
            StoreError: nothing was stored.
        """
        row = asdict(verdict) | {"decided_at": naive_utc(verdict.decided_at)}
        with self._database.writing() as connection:
            connection.execute(insert(TopicVerdictRow), row)

    def of(self, region: str, limit: int) -> list[TopicVerdict]:
        """The newest verdicts of a region, the newest first.

        Raises:
            StoreError: the database cannot be read.
        """
        row = TopicVerdictRow
        columns = [getattr(row, name) for name in TopicVerdict.__dataclass_fields__]
        query = select(*columns).where(row.region == region).order_by(row.number.desc()).limit(limit)
        with self._database.reading() as connection:
            rows = [each._asdict() for each in connection.execute(query)]
        return [TopicVerdict(**each | {"decided_at": utc(each["decided_at"])}) for each in rows]
