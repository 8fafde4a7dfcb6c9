"""Keys: who may ask the service what, for which regions, until when.

In: name, role, regions and end of a key. Out: its text, once, and from then on only what is kept: its digest, never
the key. A row is not deleted: a revoked key stays to be named in the audit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, Index, Row, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from data.errors import InputError
from data.store.digests import digest
from data.store.key_text import new_key
from data.store.session import Database
from data.store.tables import NUMBER, Table, naive_utc, utc


class KeyRow(Table):
    """One key; times are UTC, `regions` is null where it opens all."""

    __tablename__ = "keys"
    __table_args__ = (Index("keys_by_digest", "digest", unique=True),)

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    digest: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    regions: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Key:
    """A key as it is kept.

    Attributes:
        number: names it on the command line, in logs and in the audit.
        digest: of its text.
        name: whose it is, for people.
        regions: ids of the regions that it opens; None: all.
        last_used_at: to the minute.
    """

    number: int
    digest: str
    name: str
    role: str
    regions: frozenset[str] | None
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def opens_at(self, moment: datetime) -> bool:
        """Whether it opens anything at this moment."""
        return self.revoked_at is None and (self.expires_at is None or moment < self.expires_at)


class Keys:
    """The keys of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(
        self, name: str, role: str, regions: frozenset[str] | None, expires_at: datetime | None
    ) -> tuple[int, str]:
        """Make a key; its number, and its text, which is kept nowhere.

        Raises:
            StoreError: nothing was stored.
        """
        text = new_key()
        row = {
            "digest": digest(text),
            "name": name,
            "role": role,
            "regions": None if regions is None else sorted(regions),
            "made_at": naive_utc(datetime.now(UTC)),
            "expires_at": None if expires_at is None else naive_utc(expires_at),
        }
        with self._database.writing() as connection:
            number = connection.scalar(insert(KeyRow).returning(KeyRow.number), row)
        return int(number or 0), text

    def all(self) -> list[Key]:
        """All keys that ever were, in the order of their making.

        Raises:
            StoreError: the database cannot be read.
        """
        columns = [getattr(KeyRow, name) for name in Key.__dataclass_fields__]
        with self._database.reading() as connection:
            return [_key(row) for row in connection.execute(select(*columns).order_by(KeyRow.number))]

    def rotate(self, number: int, overlap: timedelta) -> tuple[int, str]:
        """A new key like an old one, which ends after `overlap`; the new one lasts as long as the old one was to.

        Raises:
            InputError: there is no such key, or it is revoked or has ended.
            StoreError: nothing was stored.
        """
        now = datetime.now(UTC)
        old = self._living(number, now)
        lasts = None if old.expires_at is None else now + (old.expires_at - old.made_at)
        made = self.make(old.name, old.role, old.regions, lasts)
        ends = min(filter(None, (old.expires_at, now + overlap)))
        self._change(number, {"expires_at": naive_utc(ends)})
        return made

    def revoke(self, number: int) -> Key:
        """End a key at once; the key as it was.

        Raises:
            InputError: there is no such key, or it is revoked or has ended.
            StoreError: nothing was stored.
        """
        now = datetime.now(UTC)
        key = self._living(number, now)
        self._change(number, {"revoked_at": naive_utc(now)})
        return key

    def used(self, moments: Mapping[int, datetime]) -> None:
        """Write down when keys were last used, by their numbers.

        Raises:
            StoreError: nothing was stored.
        """
        with self._database.writing() as connection:
            for number, moment in sorted(moments.items()):
                used = update(KeyRow).where(KeyRow.number == number).values(last_used_at=naive_utc(moment))
                connection.execute(used)

    def _living(self, number: int, now: datetime) -> Key:
        key = next((key for key in self.all() if key.number == number), None)
        if key is None:
            raise InputError(f"there is no key {number}; `tsur keys list` shows those there are")
        if not key.opens_at(now):
            raise InputError(f"key {number} ({key.name}) is revoked or has ended: make a new one with `tsur keys make`")
        return key

    def _change(self, number: int, values: Mapping[str, Any]) -> None:
        with self._database.writing() as connection:
            connection.execute(update(KeyRow).where(KeyRow.number == number).values(**values))


def _key(row: Row[Any]) -> Key:
    values = row._asdict()
    moments = {name: values[name] for name in ("made_at", "expires_at", "revoked_at", "last_used_at")}
    moments = {name: None if moment is None else utc(moment) for name, moment in moments.items()}
    regions = None if row.regions is None else frozenset(row.regions)
    return Key(**values | moments | {"regions": regions})
