"""Workers that are killed at random: every row of every job comes out once, whoever dies and whenever.

The short form kills a few times on SQLite, the long form (`make test-reliability-long`) 200 times on each database, and
prints how long it took until the next worker had gone on.
"""

import csv
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from batch.jobs import JobFolder
from data.settings import settings
from data.store.jobs import NewJob
from data.store.store import Store
from tests.reliability import forked
from tests.serving.bundles import CLASSIFIER, REGION, register, write_classifier
from tests.serving.workers import export

KILLS = 200
ROWS_PER_CHUNK = 64
PROMPT_SECONDS = 10.0
"""Within so long a killed worker's job should go on; told, not asserted: this machine may be busy."""
LONGEST_LIFE_SECONDS = 0.1
"""Of a worker that has gone on: a job of 3,000 rows takes a second."""
BAD = (5, 150)
"""Rows without a text, of every job."""


@pytest.fixture()
def home(tmp_path: Path) -> Iterator[Path]:
    """A home with a champion, which is this process's."""
    (tmp_path / "mlflow" / "artifacts").mkdir(parents=True)
    register(tmp_path, CLASSIFIER, write_classifier(tmp_path / "classifier" / "bundle"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TSUR_HOME", str(tmp_path))
        settings.cache_clear()
        yield tmp_path
    settings.cache_clear()


def add_job(store: Store, home: Path, id: str, rows: int) -> None:
    folder = JobFolder(home, id)
    folder.make()
    (folder.path / "upload.csv").write_bytes(export(rows, BAD))
    store.jobs.add(NewJob(id, REGION, "test", "export.csv", "upload.csv", 0, "generic", None))


def progress(store: Store) -> int:
    """Rows read so far, of all jobs; one more for each that has ended."""
    jobs = store.jobs.page(REGION, None, 1000)
    return sum(job.read + (job.finished_at is not None) for job in jobs)


def lost_and_doubled(store: Store, home: Path, rows: dict[str, int]) -> tuple[int, int]:
    """Rows lost and doubled, of all jobs; each of them is done."""
    lost = doubled = 0
    for id, count in rows.items():
        job = store.jobs.get(REGION, id)
        assert job is not None
        assert (job.status, job.error) == ("done", None)
        assert (job.rows, job.rejected) == (count - len(BAD), len(BAD))
        with JobFolder(home, id).result.open(encoding="utf-8-sig", newline="") as file:
            ids = [int(row["id"]) for row in csv.DictReader(file, delimiter=";")]
        expected = [n for n in range(count) if n not in BAD]
        lost += len(set(expected) - set(ids))
        doubled += len(ids) - len(set(ids))
        assert ids == sorted(ids)
        assert sorted(path.name for path in JobFolder(home, id).path.iterdir()) == [
            "decisions.csv",
            "decisions.rejects.csv",
        ]
    return lost, doubled


def leftovers(home: Path) -> list[Path]:
    """Chunks and uploads that still lie in the folders of jobs."""
    return [path for pattern in ("*.chunks", "upload.*") for path in (home / "jobs").glob(f"*/{pattern}")]


@dataclass(frozen=True)
class Endured:
    """What so many kills did: rows in all, those lost and doubled, seconds until the next worker went on."""

    rows: int
    lost: int
    doubled: int
    waits: list[float]


def kill_again_and_again(url: str, home: Path, kills: int, jobs: list[int]) -> Endured:
    """Kill workers a moment after each has gone on; `jobs` are their rows, and come anew where a machine is quick."""
    store, rng = Store(url, REGION), random.Random(0)
    rows: dict[str, int] = {}
    waits: list[float] = []
    for _ in range(kills):
        if set(store.jobs.ids().values()) <= {"done"}:
            new = {f"{len(rows) + number}": count for number, count in enumerate(jobs)}
            for id, count in new.items():
                add_job(store, home, id, count)
            rows |= new
        before, began = progress(store), time.monotonic()
        worker = forked.start(url, home, ROWS_PER_CHUNK)
        while progress(store) == before:
            assert time.monotonic() - began < 120, "no worker goes on"
            assert worker.is_alive(), "the worker ended by itself"
            time.sleep(0.01)
        waits.append(time.monotonic() - began)
        time.sleep(rng.random() * LONGEST_LIFE_SECONDS)
        worker.kill()
        worker.join()
    worker = forked.start(url, home, ROWS_PER_CHUNK)
    while not set(store.jobs.ids().values()) <= {"done"} or leftovers(home):  # of one killed behind its job's end too
        assert worker.is_alive()
        time.sleep(0.1)
    worker.terminate()
    worker.join()
    return Endured(sum(rows.values()), *lost_and_doubled(store, home, rows), waits)


def test_workers_that_are_killed_lose_and_double_nothing(home: Path) -> None:
    endured = kill_again_and_again(f"sqlite:///{home}/store.db", home, 4, [6000, 200])
    assert (endured.lost, endured.doubled) == (0, 0)


@pytest.mark.reliability
def test_two_hundred_kills_on_each_database(home: Path, url: str) -> None:
    endured = kill_again_and_again(url, home, KILLS, [12_000] * 4)
    waits = sorted(endured.waits)
    slow = sum(wait > PROMPT_SECONDS for wait in waits)
    rows = f"{endured.rows:,} rows, lost {endured.lost}, doubled {endured.doubled}"
    print(
        f"\n{url.partition(':')[0]}: {KILLS} kills, {rows}; until the next went on: median {waits[KILLS // 2]:.1f} s, "
        f"worst {waits[-1]:.1f} s, above {PROMPT_SECONDS:.0f} s: {slow}"
    )
    assert (endured.lost, endured.doubled) == (0, 0)
