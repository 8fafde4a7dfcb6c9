"""One at a time: a lock on a folder that says who holds it, and that a killed process leaves open."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from data.errors import InputError

LOCK = ".lock"


@contextmanager
def alone(folder: Path, what: str, wait: str = "try again") -> Iterator[None]:
    """Alone among those who lock a folder, which is made; `what` is at work, `wait` is what the others are told to do.

    Raises:
        InputError: another one is at work there; says which process, and since when.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
            who = f" ({holder})" if holder else ""
            raise InputError(f"{folder}: another command is at work on {what}{who}; {wait}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M} UTC".encode(), 0)
        yield
    finally:
        os.close(descriptor)
