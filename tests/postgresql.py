"""A PostgreSQL server of the tests' own: Debian's binaries, a folder and a port that nobody else has.

`make test` installs Debian's package where it can; where there is none, tests that need it are skipped and say so.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

DEBIAN = Path("/usr/lib/postgresql")
WHY_SKIPPED = "PostgreSQL is not installed: apt-get install postgresql (make test does so as root)"


@dataclass(frozen=True)
class PostgreSQL:
    """A server that runs.

    Attributes:
        control: the beginning of every `pg_ctl` call about it.
        options: what the server itself is started with.
    """

    folder: Path
    port: int
    control: list[str]
    options: str

    @property
    def url(self) -> str:
        """The URL of its one database."""
        return f"postgresql+psycopg://tsur@127.0.0.1:{self.port}/postgres"

    def schema(self) -> str:
        """The URL of a new, empty schema: a hundred times cheaper than a database, and the store sees no difference."""
        name = f"t{uuid.uuid4().hex}"
        self._run(f"CREATE SCHEMA {name}")
        return f"{self.url}?options=-csearch_path%3D{name}"

    def drop(self, url: str) -> None:
        """Drop a schema with all it holds."""
        self._run(f"DROP SCHEMA {url.rpartition('%3D')[2]} CASCADE")

    def _run(self, statement: str) -> None:
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        run([*self.control, "-o", self.options, "-l", str(self.folder / "log"), "start"], self.folder)

    @property
    def answers(self) -> bool:
        """Whether it takes connections now."""
        where = f"host=127.0.0.1 port={self.port} user=tsur dbname=postgres connect_timeout=2"
        with suppress(psycopg.OperationalError), psycopg.connect(where):
            return True
        return False

    def stop(self) -> None:
        """Stop it without a goodbye: whoever is connected loses his connection."""
        run([*self.control, "-m", "immediate", "stop"], self.folder)

    @property
    def process(self) -> int:
        """The id of its first process; those that answer are its children."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])


def run(command: list[str], folder: Path) -> None:
    """Run a command of PostgreSQL's."""
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def binaries() -> Path | None:
    """The folder of `initdb` and `pg_ctl`: Debian leaves them out of the path."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(os.path.realpath(on_path)).parent
    versions = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    return versions[-1].parent if versions else None


@contextmanager
def running_postgresql(place: Path | None = None) -> Iterator[PostgreSQL]:
    """A server, gone with all it holds at the end; `place` is where its folder is made."""
    found = binaries()
    if found is None:
        pytest.skip(WHY_SKIPPED)
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name  # it refuses to run as root
    as_user = ["runuser", "-u", user, "--"] if os.getuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="tsur-pg-", dir=place))  # short: a socket's path has at most 107 characters
    shutil.chown(folder, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    data = folder / "data"
    run([*as_user, str(found / "initdb"), "-D", str(data), "-U", "tsur", "-A", "trust", "--no-sync"], folder)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
    server = PostgreSQL(folder, port, [*as_user, str(found / "pg_ctl"), "-D", str(data), "-w"], options)
    server.start()
    try:
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):  # a test may have ended it
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
