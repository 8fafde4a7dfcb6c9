"""Stores for the tests: on SQLite, and on a real PostgreSQL where one is installed."""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from data.store.store import Store
from tests.data.store.rows import REGION


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of its own, without a database's name."""
    if shutil.which("initdb") is None or importlib.util.find_spec("psycopg") is None:
        pytest.skip("PostgreSQL and psycopg are not installed")
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name  # it refuses to run as root
    as_user = ["runuser", "-u", user, "--"] if os.getuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="tsur-pg-"))  # short: a socket's path has at most 107 characters
    shutil.chown(folder, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    initdb = Path(os.path.realpath(str(shutil.which("initdb"))))
    server, data = [*as_user, str(initdb.with_name("pg_ctl")), "-D", str(folder / "data"), "-w"], folder / "data"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True, "cwd": folder}
    subprocess.run([*as_user, str(initdb), "-D", str(data), "-U", "tsur", "-A", "trust", "--no-sync"], **quiet)  # type: ignore[call-overload]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    subprocess.run([*server, "-o", options, "-l", str(folder / "log"), "start"], **quiet)  # type: ignore[call-overload]
    try:
        yield f"postgresql+psycopg://tsur@127.0.0.1:{port}"
    finally:
        subprocess.run([*server, "-m", "immediate", "stop"], **quiet)  # type: ignore[call-overload]
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new/store.db"
    server, name = request.getfixturevalue("postgres"), f"t{uuid.uuid4().hex}"
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{server}/{name}"


@pytest.fixture()
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    made = Store(url, REGION)
    yield made
    made.close()
