"""The database of the store: its URL, its transactions, its migrations.

In: a SQLAlchemy URL (SQLite or PostgreSQL). Out: transactions for reading and for writing, on tables brought up to
date before the first of them. On SQLite a writer begins with `BEGIN IMMEDIATE`: one that reads first and writes later
would fail with «database is locked» whatever its timeout, as soon as somebody has written in between.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from zlib import crc32

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from data.errors import ConfigError, StoreError

BACKENDS = ("sqlite", "postgresql")
LOCK_SECONDS = 10
"""How long a writer waits for another one of SQLite."""
CONNECT_SECONDS = 5
"""How long a server of PostgreSQL may take to answer at all: less than a sender waits for its 503."""
RETRY_SECONDS = 0.01
"""A new file is another process' alone for milliseconds."""
MIGRATION_SECONDS = 600
"""How long a worker waits for another one that migrates: a million decisions with their features took 40 seconds."""
MIGRATIONS = Path(__file__).with_name("migrations")
MIGRATION_LOCK = 0x7473_7572
"""PostgreSQL's advisory lock of a migration: the letters «tsur»."""
NAME_LOCKS = 64
"""PostgreSQL's table of locks has as many for each connection."""
_TAKE_LOCKS = text("SELECT pg_advisory_xact_lock(:group, lock) FROM unnest(CAST(:locks AS integer[])) AS lock")
WRITES = "tsur_writes"
HOLDS = "tsur_holds"
"""A function that SQLite gets: whether a text holds a word in lower case, Cyrillic too."""
_MIGRATING = Lock()
"""Alembic's context is one for the whole process."""


class Database:
    """One database and its connections. Thread-safe.

    Args:
        url: SQLAlchemy URL.
        old_region: the region of rows that were stored before the store knew regions.

    Raises:
        ConfigError: the URL is malformed or its driver is not installed.
    """

    def __init__(self, url: str, old_region: str) -> None:
        self._engine = _engine(url)
        self._writing = self._engine.execution_options(**{WRITES: True})
        self._old_region = old_region
        self._prepared = False
        self._lock = Lock()

    def prepare(self) -> None:
        """Create the tables, or bring those of an earlier version up to date; several processes may do so at once.

        Raises:
            StoreError: the database cannot be reached or written.
        """
        with self._lock:
            if self._prepared:
                return
            with _MIGRATING, _as_store_error("prepared"):
                if self._engine.dialect.name == "sqlite" and self._engine.url.database:
                    _private_file(Path(self._engine.url.database))
                self._migrate()
            self._prepared = True

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads.

        Raises:
            StoreError: the database cannot be read.
        """
        self.prepare()
        with _as_store_error("read"), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: all of it is stored, or nothing.

        Raises:
            StoreError: nothing was stored.
        """
        self.prepare()
        with _as_store_error("written"), self._writing.begin() as connection:
            yield connection

    def overwrite_remains(self) -> None:
        """Let nothing of deleted rows lie about: SQLite's journal is emptied, PostgreSQL's dead rows are cleared.

        SQLite overwrites what it deletes (`secure_delete`); its journal still holds the pages of before.

        Raises:
            StoreError: somebody reads all the time; the rows are deleted all the same.
        """
        with _as_store_error("cleared of what was deleted"):
            if self._engine.dialect.name == "sqlite":
                with closing(self._engine.raw_connection()) as connection:
                    busy = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if busy is not None and busy[0]:
                    raise StoreError("the rows are deleted, but the journal is being read; run the command once more")
                return
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connected:
                connected.execute(text("VACUUM"))

    def version(self) -> tuple[str | None, str | None]:
        """Which version of the tables is there (None: none yet), and which this code wants; nothing is changed.

        Raises:
            StoreError: the database cannot be reached.
        """
        from alembic.migration import MigrationContext
        from alembic.script import ScriptDirectory

        wanted = ScriptDirectory(str(MIGRATIONS)).get_current_head()
        url = self._engine.url
        if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
            return None, wanted
        with _as_store_error("read"), self._engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision(), wanted

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _migrate(self) -> None:
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with self._engine.connect() as waiting:
            if waiting.dialect.name == "sqlite":
                waiting.exec_driver_sql(f"PRAGMA busy_timeout = {1000 * MIGRATION_SECONDS}")
            waiting.commit()
            connection = waiting.execution_options(**{WRITES: True})
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
                config.attributes |= {"connection": connection, "old_region": self._old_region}
                command.upgrade(config, "head")
            waiting.invalidate()  # its patience is not that of the others


def _private_file(path: Path) -> None:
    """A new database is its user's alone; SQLite gives the files beside it the same permissions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in BACKENDS:
            raise ConfigError(f"TSUR_STORE_URL: {parsed.get_backend_name()!r} is neither sqlite nor postgresql")
        if parsed.get_backend_name() == "sqlite":
            engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": LOCK_SECONDS})
            event.listen(engine, "connect", _write_ahead)
            event.listen(engine, "begin", _begin)
            return engine
        patience = {"connect_timeout": CONNECT_SECONDS}
        return create_engine(parsed, hide_parameters=True, pool_pre_ping=True, connect_args=patience)
    except (ArgumentError, NoSuchModuleError):
        raise ConfigError("TSUR_STORE_URL is not a SQLAlchemy URL such as sqlite:////path/store.db") from None
    except ImportError as error:
        raise ConfigError(f"TSUR_STORE_URL needs a driver that is not installed: {error.name}") from None


def _write_ahead(connection: Any, _: Any) -> None:
    """Readers do not wait for the writer; transactions begin where SQLAlchemy says so, not where sqlite3 guesses."""
    connection.isolation_level = None
    connection.create_function(HOLDS, 2, lambda text, word: word in text.lower(), deterministic=True)
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    """Write ahead from now on; several processes may open a new file at once.

    The switch needs the file for itself, and beside a writer SQLite refuses it without its usual patience.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def one_at_a_time(connection: Connection, names: Iterable[str]) -> None:
    """Let no other transaction that names one of these go on before this one has ended.

    A writer of SQLite is alone as it is. PostgreSQL has few locks to give, so names share some; they are taken in
    order, so that no two transactions wait for each other.
    """
    if connection.dialect.name == "postgresql":
        locks = sorted({crc32(name.encode()) % NAME_LOCKS for name in names})
        connection.execute(_TAKE_LOCKS, {"group": MIGRATION_LOCK, "locks": locks})


@contextmanager
def _as_store_error(verb: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"the store cannot be {verb} ({type(error).__name__}); try again later") from error
