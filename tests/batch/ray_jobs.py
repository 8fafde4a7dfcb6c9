"""Jobs that the tests send to a cluster: its workers import them from here."""

import errno
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data.errors import InputError


@dataclass(frozen=True)
class Square:
    """A job with a number, and perhaps a frame that others share."""

    number: int
    frame: pd.DataFrame | None = None
    note: Path | None = None


@dataclass(frozen=True)
class Cube(Square):
    """A job of another kind."""


def squared(job: Square) -> int:
    return job.number**2


def sum_of_frame(job: Square) -> float:
    assert job.frame is not None
    return float(job.frame["x"].sum()) + job.number


def failing_at_three(job: Square) -> int:
    if job.number == 3:
        raise ValueError("the text of a citizen")
    return job.number


def refusing(job: Square) -> int:
    raise InputError(f"no square of {job.number}")


def killing_at_three(job: Square) -> int:
    """The worker of the job 3 dies whenever it is tried."""
    if job.number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return job.number


def on_a_full_disk(job: Square) -> int:
    """The first machine that tries has a full disk, and so has each that tries the job 0."""
    import ray

    assert job.note is not None
    mine = ray.get_runtime_context().get_node_id()
    if job.number == 0 or not job.note.exists():
        if job.number:
            job.note.write_text(mine)
        raise OSError(errno.ENOSPC, "No space left on device")
    return int(mine != job.note.read_text())


def slowly(job: Square) -> int:
    """Marks where it ran, then takes a moment."""
    import ray

    assert job.note is not None
    (job.note / f"{job.number}.{ray.get_runtime_context().get_node_id()}").touch()
    time.sleep(0.3)
    return job.number
