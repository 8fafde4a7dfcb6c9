"""Copies of the store: the whole database into one file while the service goes on, and back.

In: the URL of a database. Out: one file. SQLite is copied page by page by its own backup, which sees one state however
much is written meanwhile; PostgreSQL by its own `pg_dump` and `pg_restore`, which have to be on this machine.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from data.atomic import atomic_file
from data.errors import ConfigError, FileError, StoreError

SQLITE_COPY, POSTGRESQL_COPY = "store.db", "store.dump"
PAGES = 4096
"""Copied in one step, between which others may write."""
SIDES = ("-wal", "-shm")


def copy_store(url: str, folder: Path) -> Path:
    """Copy the database into a file of `folder`; the file.

    Raises:
        StoreError: it cannot be read, or there is none.
        ConfigError: PostgreSQL's programs are not on this machine.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        copy_sqlite(Path(str(parsed.database)), folder / SQLITE_COPY)
        return folder / SQLITE_COPY
    _run([_program("pg_dump"), "--format=custom", f"--file={folder / POSTGRESQL_COPY}"], parsed)
    return folder / POSTGRESQL_COPY


def restore_store(url: str, folder: Path) -> None:
    """Put the copy in `folder` in place of the database.

    Raises:
        FileError: the copy is of another kind of database.
        StoreError: the database is as it was.
        ConfigError: PostgreSQL's programs are not on this machine.
    """
    parsed = make_url(url)
    name = SQLITE_COPY if parsed.get_backend_name() == "sqlite" else POSTGRESQL_COPY
    if not (folder / name).is_file():
        raise FileError(f"{folder} holds no {name}: its store is of another kind than TSUR_STORE_URL")
    if name == SQLITE_COPY:
        place_sqlite(folder / name, Path(str(parsed.database)))
        return
    options = ["--clean", "--if-exists", "--no-owner", "--single-transaction", f"--dbname={parsed.database}"]
    _run([_program("pg_restore"), *options, str(folder / name)], parsed)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite database that others may be writing.

    Raises:
        StoreError: there is none, or it cannot be read.
    """
    if not source.is_file():
        raise StoreError(f"there is no database at {source}")
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as one,
            closing(sqlite3.connect(target)) as other,
        ):
            one.backup(other, pages=PAGES)
    except sqlite3.Error as error:
        raise StoreError(f"{source} cannot be copied: {error}") from None


def place_sqlite(copy: Path, target: Path) -> None:
    """Put a copy in place of a database that nobody has open."""
    with atomic_file(target) as partial:
        shutil.copyfile(copy, partial)
        for side in SIDES:  # of the database before: they are not the copy's
            target.with_name(target.name + side).unlink(missing_ok=True)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ConfigError(f"{name} is not on this machine: install PostgreSQL's client programs")
    return found


def _run(command: list[str], url: URL) -> None:
    """Run one of PostgreSQL's programs; the password goes by the environment, which others cannot read."""
    said = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    given = {name: str(value) for name, value in said.items() if value is not None} | {"PGDATABASE": str(url.database)}
    done = subprocess.run(command, env={**os.environ, **given}, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise StoreError(f"{Path(command[0]).name} failed: {lines[0][:200]}")
