"""A worker cleans up behind those that died, and what waiting does not mend fails with its sentence."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from batch.jobs import JobFolder
from batch.worker import LoadedClassifiers, Worker
from data.store.jobs import NewJob
from data.store.store import Store
from tests.serving.bundles import REGION, registry_in
from tests.serving.workers import export


@pytest.fixture()
def worker(tmp_path: Path, at_home: Callable[[Path], None]) -> Worker:
    """A worker of a home without any model."""
    at_home(tmp_path)
    store = Store(f"sqlite:///{tmp_path}/store.db", REGION)
    return Worker(store, LoadedClassifiers(registry_in(tmp_path)), tmp_path, keep_days=1)


def add(home: Path, id: str) -> Path:
    folder = JobFolder(home, id)
    folder.make()
    (folder.path / "upload.csv").write_bytes(export(3))
    Store(f"sqlite:///{home}/store.db", REGION).jobs.add(
        NewJob(id, REGION, "k", "n.csv", "upload.csv", 1, "generic", None)
    )
    return folder.path


def test_a_job_of_a_region_without_a_champion_fails_and_its_upload_goes(worker: Worker, tmp_path: Path) -> None:
    folder = add(tmp_path, "a")
    assert worker.step()
    job = Store(f"sqlite:///{tmp_path}/store.db", REGION).jobs.get(REGION, "a")
    assert job is not None
    assert (job.status, job.error_code) == ("failed", "no_champion")
    assert "tsur train classifier" in (job.error or "")
    assert list(folder.iterdir()) == []
    assert not worker.step()


def test_what_dead_workers_and_broken_uploads_left_is_swept(worker: Worker, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.db", REGION)
    done, cancelled = add(tmp_path, "done"), add(tmp_path, "cancelled")
    lease = store.leases.claim()
    assert lease is not None
    store.leases.end(lease, "done")  # and its worker died here
    store.jobs.cancel(REGION, "cancelled")
    (done / "decisions.csv").touch()
    old, new = JobFolder(tmp_path, "old"), JobFolder(tmp_path, "new")
    for folder in (old, new):
        folder.make()
    os.utime(old.path, (time.time() - 2 * 86400,) * 2)
    worker.step()
    assert [path.name for path in done.iterdir()] == ["decisions.csv"]
    assert not cancelled.exists()
    assert (old.path.exists(), new.path.exists()) == (False, True)
