"""Sessions of the console: a browser that has shown a key once.

In: who asks, and until when. Out: a token, once; what is kept is its digest and the id of the key behind it, so that a
session ends with its key. Rows that are over are deleted when the next session begins.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from data.store.digests import digest
from data.store.session import Database
from data.store.tables import Table, naive_utc, utc

TOKEN_BYTES = 32
"""As many random bits as a key has, so that plain SHA-256 is enough to keep it by."""


class SessionRow(Table):
    """One browser that is logged in; times are UTC."""

    __tablename__ = "sessions"

    digest: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]


@dataclass(frozen=True)
class Session:
    """A session as it is kept.

    Attributes:
        digest: of its token.
        key_id: of the key that it was begun with, as the audit names it.
        expires_at: when it ends, whatever is done in it.
    """

    digest: str
    key_id: str
    made_at: datetime
    expires_at: datetime


class Sessions:
    """The sessions of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, key_id: str, expires_at: datetime) -> str:
        """Begin a session; its token, which is kept nowhere.

        Raises:
            StoreError: nothing was stored.
        """
        token, now = secrets.token_urlsafe(TOKEN_BYTES), naive_utc(datetime.now(UTC))
        row = {"digest": digest(token), "key_id": key_id, "made_at": now, "expires_at": naive_utc(expires_at)}
        with self._database.writing() as connection:
            connection.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
            connection.execute(insert(SessionRow), row)
        return token

    def end(self, token_digest: str) -> None:
        """End a session, if there is one.

        Raises:
            StoreError: it goes on.
        """
        with self._database.writing() as connection:
            connection.execute(delete(SessionRow).where(SessionRow.digest == token_digest))

    def living(self) -> list[Session]:
        """All that are not over.

        Raises:
            StoreError: the database cannot be read.
        """
        columns = [getattr(SessionRow, name) for name in Session.__dataclass_fields__]
        query = select(*columns).where(SessionRow.expires_at > naive_utc(datetime.now(UTC)))
        with self._database.reading() as connection:
            rows = [row._asdict() for row in connection.execute(query)]
        return [Session(**row | {name: utc(row[name]) for name in ("made_at", "expires_at")}) for row in rows]
