"""Messages of `/v1/jobs`: files that are classified beside the service."""

from datetime import datetime

from pydantic import Field

from data.store.jobs import JobStatus
from serving.api.v1.shared_types import ModelVersion, Wire


class JobProgress(Wire):
    """How far a job is."""

    read: int = Field(ge=0, description="Rows read so far, good and bad", examples=[20480])
    expected: int | None = Field(description="About how many there are; null where nobody knows yet", examples=[120000])
    seconds_left: float | None = Field(
        description="At the pace so far; null while it does not run or nobody can say", examples=[312.5]
    )


class JobError(Wire):
    """Why a job failed."""

    code: str = Field(examples=["missing_columns"])
    message: str


class JobOut(Wire):
    """A job as it stands."""

    id: str = Field(examples=["0b0c2c9e6f0b4b5f9a2f5d1f8a4f7c11"])
    status: JobStatus
    name: str = Field(description="The file as its sender calls it", examples=["november.csv"])
    source: str = Field(description="The source map by which it is read", examples=["generic"])
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    model: ModelVersion | None = Field(description="Which version decides; null until a worker has begun")
    progress: JobProgress
    rows: int = Field(description="Good ones", examples=[20470])
    routed: int = Field(description="Of these, those that need no operator", examples=[14200])
    rejected: int = Field(description="Rows set aside, each with its line and reason", examples=[10])
    unplaced: int = Field(description="Good ones whose municipality the catalogue does not know", examples=[3])
    notes: list[str] = Field(description="What of the file was not read as rows")
    error: JobError | None
    result: str | None = Field(description="Where the decisions are (CSV), once there are all", examples=[None])
    rejects: str | None = Field(description="Where the rows set aside are (CSV), once all are read", examples=[None])


class JobsAnswer(Wire):
    """A page of jobs, the newest first."""

    jobs: list[JobOut]
    next: str | None = Field(description="`cursor` of the next page; null on the last one")
