"""Jobs on their files: a folder a job, what lies in it, and how a worker makes the result of the upload.

In: a lease on a job (`data/store/job_leases.py`). Out: `decisions.csv` and `decisions.rejects.csv` in the job's
folder, of the rows as `tsur classify` writes them, through its chunks; the upload is removed with them as soon as the
job has ended, for only masked rows may stay. Which version of the classifier decides is written down with the first
lease, so that a job that changes hands does not change its mind.
"""

import shutil
import threading
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from batch.classify import ClassifyRun, Engine, chunks_folder, rejects_path
from batch.classify_chunk import classify_here
from data.errors import StoreError, TsurError
from data.regions.region import Region
from data.store.job_leases import LEASE_SECONDS, JobLeases, Lease, LeaseLostError
from data.store.jobs import Job
from data.tables.readers import estimated_rows
from models.classifier.classifier import Classifier
from registry.names import classifier_name

FOLDER = "jobs"
RESULT = "decisions.csv"
UPLOAD = "upload"
"""What the uploaded file is called, before the ending of its own name."""
PRIVATE = 0o700
"""Of the folders: uploads are as citizens wrote them."""
RENEWALS = 4
"""Of a lease before it runs out: three may be late."""


class StoppedError(Exception):
    """The worker was asked to end; the job goes on with another."""


class Champions(Protocol):
    """Where classifiers come from."""

    def version(self, region: str) -> int:
        """The version of a region's champion."""

    def classifier(self, region: str, version: int) -> Classifier:
        """That version, loaded."""


class JobFolder:
    """Where the files of one job lie.

    Args:
        home: of the installation.
        id: of the job.
    """

    def __init__(self, home: Path, id: str) -> None:
        self.path = home / FOLDER / id

    def make(self) -> None:
        """Make it, for this user alone."""
        for folder in (self.path.parent, self.path):
            folder.mkdir(parents=True, mode=PRIVATE, exist_ok=True)
            folder.chmod(PRIVATE)

    @property
    def result(self) -> Path:
        """The CSV of decisions."""
        return self.path / RESULT

    @property
    def rejects(self) -> Path:
        """The CSV of the rows that were set aside."""
        return rejects_path(self.result)

    def remove_upload(self) -> None:
        """Remove what nobody needs behind the job's end: the upload and the chunks."""
        for upload in self.path.glob(f"{UPLOAD}.*"):
            upload.unlink(missing_ok=True)
        shutil.rmtree(chunks_folder(self.result), ignore_errors=True)

    def remove(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.path, ignore_errors=True)


class JobRun:
    """One job in the hands of a worker.

    Args:
        lease: on the job.
        leases: where it is renewed.
        region: the job's.
        champions: give the classifier.
        home: of the installation.
        stopping: set when the worker has to end.
    """

    def __init__(
        self,
        lease: Lease,
        leases: JobLeases,
        region: Region,
        champions: Champions,
        home: Path,
        stopping: threading.Event,
    ) -> None:
        self._lease, self._leases, self._region = lease, leases, region
        self._champions, self._stopping = champions, stopping
        self._folder = JobFolder(home, lease.job.id)
        self._progress: dict[str, Any] = {}
        self._lost = threading.Event()

    def finish(self) -> None:
        """Work on the job to its end.

        Raises:
            LeaseLostError: it is another's now, or was cancelled.
            StoppedError: the worker has to end; the job was given back.
            TsurError: it cannot be worked on now (no store, no registry, no champion).
            OSError: nor can its files.
        """
        ended = threading.Event()
        renewing = threading.Thread(target=self._keep_renewing, args=(ended,), name="lease", daemon=True)
        renewing.start()
        try:
            self._work()
        finally:
            ended.set()
            renewing.join()

    def _work(self) -> None:
        job = self._lease.job
        run, engine = self._opened(job)
        self._progress |= {"read_before": run.done.read} | asdict(run.done)
        try:
            done = run.complete(engine, lambda rows: self._step(run), joining=lambda rows: self._check())
            run.check()
        except TsurError as error:
            if isinstance(error, StoreError):
                raise
            self._check()
            self._leases.end(self._lease, "failed", **self._progress, **_told(error, self._folder.path / job.file, job))
        else:
            self._check()
            self._leases.end(self._lease, "done", **(self._progress | asdict(done) | {"notes": _named(run.notes, job)}))
        self._folder.remove_upload()

    def _opened(self, job: Job) -> tuple[ClassifyRun, Engine]:
        from data.complaints.sources import load_source

        version = job.model_version or self._champions.version(job.region)
        self._progress["model_version"] = version
        classifier = self._champions.classifier(job.region, version)
        source = load_source(job.source, *self._region.source_folders, timezone=self._region.timezone)
        upload = self._folder.path / job.file
        if job.expected is None and upload.is_file():
            self._progress["expected"] = estimated_rows(upload)
        date = None if job.date is None else datetime.fromisoformat(job.date)
        name = f"{classifier_name(job.region)} {version}"
        run = ClassifyRun(name, upload, source.without_labels(), date, self._folder.result)
        return run, partial(classify_here, classifier)

    def _step(self, run: ClassifyRun) -> None:
        """A chunk is on the disk."""
        self._progress |= asdict(run.done)
        self._check()

    def _check(self) -> None:
        if self._lost.is_set():
            raise LeaseLostError(f"the lease on job {self._lease.job.id} is lost")
        if self._stopping.is_set():
            self._leases.give_back(self._lease)
            raise StoppedError

    def _keep_renewing(self, ended: threading.Event) -> None:
        while not ended.wait(LEASE_SECONDS / RENEWALS):
            with suppress(StoreError):  # it may be back before the lease runs out; if not, the lease is lost
                try:
                    self._leases.renew(self._lease, dict(self._progress))
                except LeaseLostError:
                    self._lost.set()
                    return


def _told(error: TsurError, upload: Path, job: Job) -> dict[str, str]:
    """The error as its sender reads it: the file by the sender's name, others without their folder."""
    message = error.message.replace(str(upload), job.name).replace(f"{upload.parent}/", "")
    return {"error_code": error.code, "error": message}


def _named(notes: list[str], job: Job) -> list[str]:
    return [note.replace(job.file, job.name) for note in notes]
