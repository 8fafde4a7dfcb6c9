"""What all tables of the store have in common. Each module beside this one holds its own."""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase

NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""A row's number, given in the order of writing; SQLite counts only in its own INTEGER."""


class Table(DeclarativeBase):
    """The tables of the store; constraints bear the same names in every database, so that a migration finds them."""

    metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s"})


def naive_utc(moment: datetime) -> datetime:
    """UTC without its offset: SQLite has no other."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def utc(moment: datetime) -> datetime:
    """What `naive_utc` made, with its offset again."""
    return moment.replace(tzinfo=UTC)
