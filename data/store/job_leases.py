"""Leases: that one worker at a time works on a job, and that another goes on with it where that one dies.

In: a worker that asks for a job. Out: a `Lease` on one, for some seconds; who holds it renews it while it works. Each
lease has a number of its own, the fencing token: what a worker writes after its lease ran out or was taken away (it
was stopped for a while, its clock was turned, the job was cancelled) finds another token in the row and changes
nothing. What it writes into files meanwhile is what the next one writes too: chunks follow from the job alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from data.store.jobs import Job, JobRow, JobStatus, job_of
from data.store.session import Database
from data.store.tables import naive_utc

LEASE_SECONDS = 4.0
"""Without a renewal for so long a job is given to another: with a worker's start, below ten seconds."""
MAX_FRUITLESS = 10
"""A job that so many workers in a row died of, before they had finished one more chunk, is given up."""


class LeaseLostError(Exception):
    """Somebody else works on the job, or it was cancelled; what this one still has must not be written."""


@dataclass(frozen=True)
class Lease:
    """The right to work on a job, until it runs out."""

    job: Job
    token: int


class JobLeases:
    """The leases on the jobs of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self) -> Lease | None:
        """A lease on the oldest job that nobody works on; None where there is none.

        Raises:
            StoreError: the database cannot be read or written.
        """
        free = select(JobRow.number).where(_is_free(datetime.now(UTC))).order_by(JobRow.number).limit(1)
        with self._database.reading() as connection:  # to look costs no writer's lock
            if connection.execute(free).first() is None:
                return None
        with self._database.writing() as connection:
            found = connection.execute(free.with_for_update(skip_locked=True)).first()
            if found is None:
                return None
            now = naive_utc(datetime.now(UTC))
            values: dict[str, Any] = {
                "status": "running",
                "token": JobRow.token + 1,
                "fruitless": JobRow.fruitless + 1,
                "leased_until": now + timedelta(seconds=LEASE_SECONDS),
                "running_since": now,
                "read_before": JobRow.read,
            }
            this = JobRow.number == found.number
            connection.execute(update(JobRow).where(this).values(**values))
            connection.execute(update(JobRow).where(this, JobRow.started_at.is_(None)).values(started_at=now))
            row = connection.execute(select(JobRow).where(this)).one()
        lease = Lease(job_of(row), row.token)
        if row.fruitless > MAX_FRUITLESS:
            self.end(lease, "failed", error_code="internal", error="every worker that tried died of it: see its log")
            return None
        return lease

    def renew(self, lease: Lease, progress: Mapping[str, Any]) -> None:
        """Keep the lease for some seconds more, and store how far the job is.

        Args:
            lease: what `claim` gave.
            progress: columns of `JobRow`; rows read since the last time show that the job bears fruit.

        Raises:
            LeaseLostError: it is another's.
            StoreError: nothing was stored.
        """
        until = naive_utc(datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS))
        fruit: dict[str, Any] = {"fruitless": 0} if progress.get("read", 0) > lease.job.read else {}
        self._write(lease, {**progress, **fruit, "leased_until": until})

    def give_back(self, lease: Lease) -> None:
        """Let another worker go on at once; also where this one could not even begin."""
        self._write(lease, {"status": "queued", "leased_until": None, "fruitless": 0})

    def end(self, lease: Lease, status: JobStatus, **values: Any) -> None:
        """End the job, `done` or `failed`; values are columns of `JobRow`. Raises as `renew`."""
        ended = {"status": status, "leased_until": None, "finished_at": naive_utc(datetime.now(UTC))}
        self._write(lease, values | ended)

    def _write(self, lease: Lease, values: Mapping[str, Any]) -> None:
        held = (JobRow.number == lease.job.number, JobRow.token == lease.token, JobRow.status == "running")
        with self._database.writing() as connection:
            changed = connection.execute(update(JobRow).where(*held).values(**values))
            if changed.rowcount != 1:
                raise LeaseLostError(f"the lease on job {lease.job.id} is lost")


def _is_free(now: datetime) -> ColumnElement[bool]:
    """Queued, or its lease has run out; one that ends far ahead was given before the clock was turned back."""
    far = timedelta(seconds=10 * LEASE_SECONDS)
    ends = JobRow.leased_until
    expired = or_(ends < naive_utc(now), ends > naive_utc(now + far))
    return or_(JobRow.status == "queued", (JobRow.status == "running") & expired)
