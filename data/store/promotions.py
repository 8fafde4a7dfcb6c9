"""Promotions: which version of a model became champion when, in place of which, and on what evidence. Append-only.

In: promotions, as the registry makes them (MLflow keeps no history of an alias). Out: the history of a model.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from data.store.session import Database
from data.store.tables import NUMBER, Table, naive_utc, utc


class PromotionRow(Table):
    """One promotion; `promoted_at` is UTC."""

    __tablename__ = "promotions"
    __table_args__ = (Index("promotions_by_model", "region", "model", "number"),)

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    region: Mapped[str]
    model: Mapped[str]
    version: Mapped[int]
    previous_version: Mapped[int | None]
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    promoted_by: Mapped[str]
    promoted_at: Mapped[datetime]


@dataclass(frozen=True)
class Promotion:
    """A version that became champion.

    Attributes:
        model: the registered model's name.
        previous_version: the champion before; None where there was none.
        evidence: the figures it was promoted on, as JSON.
        promoted_by: a person, or the command.
    """

    region: str
    model: str
    version: int
    previous_version: int | None
    evidence: dict[str, Any]
    promoted_by: str
    promoted_at: datetime


class Promotions:
    """The promotions of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, promotion: Promotion) -> None:
        """Store a promotion.

        Raises:
            StoreError: nothing was stored.
        """
        row = asdict(promotion) | {"promoted_at": naive_utc(promotion.promoted_at)}
        with self._database.writing() as connection:
            connection.execute(insert(PromotionRow), row)

    def of(self, region: str, model: str) -> list[Promotion]:
        """The promotions of a region's model, the oldest first.

        Raises:
            StoreError: the database cannot be read.
        """
        table = PromotionRow
        columns = [getattr(table, name) for name in Promotion.__dataclass_fields__]
        query = select(*columns).where(table.region == region, table.model == model).order_by(table.number)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Promotion(**row._asdict() | {"promoted_at": utc(row.promoted_at)}) for row in rows]
