"""Jobs: files that are classified beside the service, as rows; the files themselves lie in a folder a job.

In: what was uploaded, by whom, for which region. Out: jobs as they stand, the newest first. Who works on one, and
that nobody else does, is `job_leases`' business. Cancelling takes the lease away: whoever works notices at its next
step, and nothing that it writes afterwards counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import JSON, Index, Row, delete, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from data.store.session import Database
from data.store.tables import NUMBER, Table, naive_utc, utc

JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED: tuple[JobStatus, ...] = ("done", "failed", "cancelled")
COUNTS = ("read", "rows", "routed", "rejected", "unplaced")
MOMENTS = ("created_at", "started_at", "running_since", "finished_at", "leased_until")


class JobRow(Table):
    """One job; all moments are UTC. `token` counts how often it changed hands: the fence of `job_leases`."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_by_id", "id", unique=True),
        Index("jobs_by_region", "region", "number"),
        Index("jobs_by_status", "status", "number"),
    )

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    id: Mapped[str]
    region: Mapped[str]
    key_id: Mapped[str]
    name: Mapped[str]
    file: Mapped[str]
    bytes: Mapped[int] = mapped_column(NUMBER)
    source: Mapped[str]
    date: Mapped[str | None]
    status: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    running_since: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    model_version: Mapped[int | None]
    expected: Mapped[int | None] = mapped_column(NUMBER)
    read_before: Mapped[int] = mapped_column(NUMBER)
    read: Mapped[int] = mapped_column(NUMBER)
    rows: Mapped[int] = mapped_column(NUMBER)
    routed: Mapped[int] = mapped_column(NUMBER)
    rejected: Mapped[int] = mapped_column(NUMBER)
    unplaced: Mapped[int] = mapped_column(NUMBER)
    notes: Mapped[list[str]] = mapped_column(JSON)
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    token: Mapped[int]
    fruitless: Mapped[int]
    leased_until: Mapped[datetime | None]


@dataclass(frozen=True)
class NewJob:
    """A job to store: its file is whole and on the disk.

    Attributes:
        id: also its folder's name.
        key_id: who asked.
        name: of the file as its sender calls it; masked.
        file: its name in the job's folder.
        source: the source map.
        date: of rows that have none, as ISO 8601.
    """

    id: str
    region: str
    key_id: str
    name: str
    file: str
    bytes: int
    source: str
    date: str | None


@dataclass(frozen=True)
class Job(NewJob):
    """A job as it stands.

    Attributes:
        number: jobs are numbered in the order of their coming.
        running_since: when the one who works on it took it over.
        expected: about how many rows the file has; None where that is not known.
        read_before: rows that were read before `running_since`.
        read: rows read so far: the good ones (`rows`) and those set aside (`rejected`).
        routed: good ones that need no operator.
        unplaced: good ones whose municipality the catalogue does not know.
        notes: what of the file was not read as rows.
        error_code, error: why it failed.
        token: of who works on it.
    """

    number: int
    status: JobStatus
    created_at: datetime
    started_at: datetime | None
    running_since: datetime | None
    finished_at: datetime | None
    model_version: int | None
    expected: int | None
    read_before: int
    read: int
    rows: int
    routed: int
    rejected: int
    unplaced: int
    notes: list[str]
    error_code: str | None
    error: str | None
    token: int
    leased_until: datetime | None

    def seconds_left(self, now: datetime) -> float | None:
        """How long it will still take at the pace since it was taken over; None where nobody can say yet."""
        done = self.read - self.read_before
        if self.status != "running" or self.expected is None or self.running_since is None or done <= 0:
            return None
        pace = done / max((now - self.running_since).total_seconds(), 1e-3)
        return max(self.expected - self.read, 0) / pace


class Jobs:
    """The jobs of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, job: NewJob) -> Job:
        """Queue a job.

        Raises:
            StoreError: it was not stored.
        """
        empty = dict.fromkeys((*COUNTS, "read_before", "token", "fruitless"), 0)
        row = vars(job) | empty | {"status": "queued", "created_at": naive_utc(datetime.now(UTC)), "notes": []}
        with self._database.writing() as connection:
            connection.execute(insert(JobRow), row)
            return job_of(connection.execute(select(JobRow).where(JobRow.id == job.id)).one())

    def get(self, region: str, id: str) -> Job | None:
        """A job of a region; None where it has none of that id.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(JobRow).where(JobRow.id == id, JobRow.region == region)).one_or_none()
        return None if row is None else job_of(row)

    def page(self, region: str, before: int | None, limit: int) -> list[Job]:
        """Jobs of a region, the newest first, numbered below `before`, at most `limit`.

        Raises:
            StoreError: the database cannot be read.
        """
        query = select(JobRow).where(JobRow.region == region).order_by(JobRow.number.desc()).limit(limit)
        if before is not None:
            query = query.where(JobRow.number < before)
        with self._database.reading() as connection:
            return [job_of(row) for row in connection.execute(query)]

    def cancel(self, region: str, id: str) -> Job | None:
        """Cancel a job that has not ended, and take it from whoever works on it; the job as it stands then.

        Raises:
            StoreError: nothing was changed.
        """
        changed = {"status": "cancelled", "token": JobRow.token + 1, "leased_until": None}
        of_region = JobRow.id == id, JobRow.region == region
        with self._database.writing() as connection:
            connection.execute(
                update(JobRow)
                .where(*of_region, JobRow.status.not_in(ENDED))
                .values(**changed, finished_at=naive_utc(datetime.now(UTC)))
            )
            row = connection.execute(select(JobRow).where(*of_region)).one_or_none()
        return None if row is None else job_of(row)

    def remove_ended(self, before: datetime) -> None:
        """Remove the rows of jobs that ended before a moment.

        Raises:
            StoreError: nothing was removed.
        """
        with self._database.writing() as connection:
            connection.execute(delete(JobRow).where(JobRow.status.in_(ENDED), JobRow.finished_at < naive_utc(before)))

    def ids(self) -> dict[str, JobStatus]:
        """Every job's status by its id, of all regions.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._database.reading() as connection:
            return {row.id: row.status for row in connection.execute(select(JobRow.id, JobRow.status))}

    def waiting_since(self) -> datetime | None:
        """Since when the job waits that is next, while nobody works on any; None where none waits so.

        Raises:
            StoreError: the database cannot be read.
        """
        now = naive_utc(datetime.now(UTC) - timedelta(seconds=1))
        open_jobs = select(JobRow.status, JobRow.created_at, JobRow.leased_until).where(JobRow.status.not_in(ENDED))
        with self._database.reading() as connection:
            rows: Sequence[Any] = connection.execute(open_jobs.order_by(JobRow.number)).all()
        if any(row.leased_until is not None and row.leased_until > now for row in rows):
            return None
        return utc(rows[0].created_at) if rows else None


def job_of(row: Row[Any]) -> Job:
    """A row of the table."""
    fields = {name: getattr(row, name) for name in Job.__dataclass_fields__}
    moments = {name: utc(fields[name]) for name in MOMENTS if fields[name] is not None}
    return Job(**fields | moments)
