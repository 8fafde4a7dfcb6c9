"""Copies of a registry on this machine: its database and its artifacts into a folder, and back, to another home too.

In: the registry's home. Out: `mlflow.db` and `artifacts`. The database is copied first: what is registered while the
artifacts are copied is then not in it, and nothing that is in it lacks its files. MLflow writes whole paths; put back
in another home, they are rewritten.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from data.atomic import atomic_folder
from data.errors import ConfigError
from data.store.copying import copy_sqlite, place_sqlite
from registry.connection import is_local

DATABASE, ARTIFACTS = "mlflow.db", "artifacts"


def copy_registry(uri: str, artifacts: Path, folder: Path) -> None:
    """Copy database and artifacts into `folder`.

    Raises:
        ConfigError: the registry is a server: it is copied where it runs.
        StoreError: there is none.
    """
    _check_local(uri)
    copy_sqlite(_database(uri), folder / DATABASE)
    if artifacts.is_dir():
        shutil.copytree(artifacts, folder / ARTIFACTS)


def restore_registry(uri: str, artifacts: Path, folder: Path, former: str) -> None:
    """Put a copy in place of the registry; `former` is the folder in which its artifacts lay.

    Raises:
        ConfigError: the registry is a server.
    """
    _check_local(uri)
    artifacts.parent.mkdir(parents=True, exist_ok=True)
    if (folder / ARTIFACTS).is_dir():
        with atomic_folder(artifacts) as partial:
            shutil.copytree(folder / ARTIFACTS, partial, dirs_exist_ok=True)
    moved = folder.with_name(f"{folder.name}.mlflow.db")
    try:
        shutil.copyfile(folder / DATABASE, moved)
        _rewrite(moved, former, str(artifacts))
        place_sqlite(moved, _database(uri))
    finally:
        moved.unlink(missing_ok=True)


def _rewrite(database: Path, former: str, now: str) -> None:
    """Let every path in the database begin with the folder that the artifacts have now."""
    if former == now:
        return
    with closing(sqlite3.connect(database)) as connection, connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            for column in columns:
                connection.execute(
                    f'UPDATE "{table}" SET "{column}" = replace("{column}", ?, ?) WHERE instr("{column}", ?)',  # noqa: S608
                    (former, now, former),
                )


def _database(uri: str) -> Path:
    return Path(uri.removeprefix("sqlite:///"))


def _check_local(uri: str) -> None:
    if not is_local(uri):
        raise ConfigError(f"the registry at {uri} is a server: copy it where it runs, its database and its artifacts")
