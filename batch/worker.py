"""The worker: one process beside the service that works on jobs, one after the other, until it is told to end.

In: the store and the registry. Out: the jobs' results, in their folders. It may be killed at any time, and any number
of workers may run: who works on which job is the store's word. Where the store, the registry or the disk does not
answer it waits, and the job waits with it; a job that is wrong in itself fails with the sentence that says why.
"""

import logging
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from batch.jobs import FOLDER, JobFolder, JobRun, StoppedError
from data.errors import BundleError, ConfigError, NoChampionError, TsurError
from data.regions.region import load_region
from data.store.job_leases import Lease, LeaseLostError
from data.store.store import Store
from models.classifier.classifier import Classifier
from models.encoder.onnx_runtime import Encoders
from registry.client import Registry
from registry.names import classifier_name

POLL_SECONDS = 1.0
"""Between two looks for a job: one read of an index."""
PATIENCE_SECONDS = 5.0
"""Before the next try, where the store, the registry or the disk does not answer."""
SWEEP_SECONDS = 3600.0
LOADED = 4
"""Classifiers that stay in memory: of so many regions jobs come mixed without loading anew."""
UNFINISHED_DAYS = 1.0
"""A folder that no job names is an upload that goes on, or one whose service died in the middle."""
HOPELESS = (BundleError, NoChampionError, ConfigError)
"""What waiting does not mend: the job fails with it."""
logger = logging.getLogger("tsur.worker")


class LoadedClassifiers:
    """The classifiers of the regions that jobs were of last.

    Args:
        registry: where they are registered.
        threads: cores that they share; 0: all.
    """

    def __init__(self, registry: Registry, threads: int = 0) -> None:
        self._registry = registry
        self._encoders = Encoders(threads, folder=registry.encoders)
        self._loaded: OrderedDict[tuple[str, int], Classifier] = OrderedDict()

    def version(self, region: str) -> int:
        """The version of a region's champion. Raises as `Registry.champion`."""
        return self._registry.champion(classifier_name(region))

    def classifier(self, region: str, version: int) -> Classifier:
        """That version, loaded. Raises as `Registry.bundle` and `Classifier.load`."""
        key = (region, version)
        if key not in self._loaded:
            folder = self._registry.bundle(classifier_name(region), version)
            self._loaded[key] = Classifier.load(folder, self._encoders)
            while len(self._loaded) > LOADED:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(key)
        return self._loaded[key]


class Worker:
    """Works on the jobs of an installation.

    Args:
        store: of the installation.
        champions: give the classifiers.
        home: where the jobs' folders lie.
        keep_days: how long a job and its result are kept behind its end.

    Attributes:
        stopping: set it to let the worker end at its next step.
    """

    def __init__(self, store: Store, champions: LoadedClassifiers, home: Path, keep_days: float) -> None:
        self._store, self._champions, self._home = store, champions, home
        self._keep = timedelta(days=keep_days)
        self._swept = -SWEEP_SECONDS
        self._trouble: str | None = None
        self.stopping = Event()

    def run(self) -> None:
        """Work until told to end."""
        while not self.stopping.is_set():
            try:
                worked = self.step()
                self._trouble = None
            except (TsurError, OSError) as error:  # no store, no registry, no disk: they come back
                trouble = error.message if isinstance(error, TsurError) else f"{type(error).__name__} {error.errno}"
                if trouble != self._trouble:
                    logger.error("waiting: %s", trouble)
                self._trouble = trouble
                self.stopping.wait(PATIENCE_SECONDS)
                continue
            if not worked:
                self.stopping.wait(POLL_SECONDS)

    def step(self) -> bool:
        """Work on the next job to its end; False where there is none.

        Raises:
            TsurError, OSError: the store, the registry or the disk does not answer; the job was given back.
        """
        self._sweep()
        lease = self._store.leases.claim()
        if lease is None:
            return False
        job = lease.job
        logger.info("job %s of %s: from row %d on", job.id, job.region, job.read)
        try:
            JobRun(
                lease, self._store.leases, load_region(job.region), self._champions, self._home, self.stopping
            ).finish()
            logger.info("job %s ended", job.id)
        except LeaseLostError:
            self._leave(lease)
        except StoppedError:
            logger.info("job %s is given back", job.id)
        except HOPELESS as error:
            self._fail(lease, error.code, error.message)
        except (TsurError, OSError):
            self._give_back(lease)
            raise
        except Exception as error:  # a bug, and not the other jobs'
            logger.error("job %s failed", job.id, exc_info=error)
            self._fail(lease, "internal", "something went wrong inside the worker; its log has the job's id")
        return True

    def _leave(self, lease: Lease) -> None:
        """The job is another's now; where it was cancelled, nothing of it stays."""
        job = self._store.jobs.get(lease.job.region, lease.job.id)
        if job is None or job.status == "cancelled":
            JobFolder(self._home, lease.job.id).remove()
        logger.info("job %s is another's now", lease.job.id)

    def _fail(self, lease: Lease, code: str, message: str) -> None:
        try:
            self._store.leases.end(lease, "failed", error_code=code, error=message)
            JobFolder(self._home, lease.job.id).remove_upload()
        except LeaseLostError:
            self._leave(lease)

    def _give_back(self, lease: Lease) -> None:
        try:
            self._store.leases.give_back(lease)
        except (LeaseLostError, TsurError):
            logger.info("job %s waits until its lease runs out", lease.job.id)

    def _sweep(self) -> None:
        """Remove what is kept no longer, and the folders of cancelled jobs and of uploads that broke off."""
        if time.monotonic() - self._swept < SWEEP_SECONDS:
            return
        self._store.jobs.remove_ended(datetime.now(UTC) - self._keep)
        known = self._store.jobs.ids()
        parent = self._home / FOLDER
        for path in parent.iterdir() if parent.is_dir() else ():
            status = known.get(path.name)
            age = time.time() - path.stat().st_mtime
            if status == "cancelled" or (status is None and age > 86400 * UNFINISHED_DAYS):
                JobFolder(self._home, path.name).remove()
            elif status in ("done", "failed"):  # its worker may have died before it could do so
                JobFolder(self._home, path.name).remove_upload()
        self._swept = time.monotonic()
