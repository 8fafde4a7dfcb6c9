"""The tables of the store: one row a decision, a correction, a reading."""

from datetime import date, datetime

from sqlalchemy import JSON, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Table(DeclarativeBase):
    """The tables of the store."""


class DecisionRow(Table):
    """The last decision on one complaint; `day` is local, `created_at` and `received_at` are UTC."""

    __tablename__ = "decisions"
    __table_args__ = (Index("decisions_by_day", "day"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
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


class CorrectionRow(Table):
    """What an operator said of one complaint; the latest row of a complaint holds."""

    __tablename__ = "corrections"
    __table_args__ = (Index("corrections_by_complaint", "source", "complaint_id"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    source: Mapped[str]
    complaint_id: Mapped[str]
    sector: Mapped[str | None]
    topic: Mapped[str | None]
    agency: Mapped[str | None]
    operator: Mapped[str | None]
    received_at: Mapped[datetime]


class FeaturesRow(Table):
    """What a version of the classifier read of one complaint: half floats, so that texts can be compared."""

    __tablename__ = "features"

    source: Mapped[str] = mapped_column(primary_key=True)
    complaint_id: Mapped[str] = mapped_column(primary_key=True)
    model_version: Mapped[str]
    features: Mapped[bytes]
