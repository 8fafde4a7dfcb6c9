"""Undone corrections: an operator took back what he had said. Append-only: beside a correction stands its undoing.

In: the number of a correction, and who takes it back. Out: the condition by which every reader leaves it out.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from data.store.tables import NUMBER, Table


class UndoRow(Table):
    """One correction that was taken back; `at` is UTC."""

    __tablename__ = "undone_corrections"

    correction: Mapped[int] = mapped_column(
        NUMBER, ForeignKey("corrections.number"), primary_key=True, autoincrement=False
    )
    region: Mapped[str]
    operator: Mapped[str | None]
    at: Mapped[datetime]


def standing(correction: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """That a correction, by the column of its number, was not taken back."""
    return ~select(UndoRow.correction).where(UndoRow.correction == correction).exists()
