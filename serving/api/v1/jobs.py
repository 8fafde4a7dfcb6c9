"""`/v1/jobs`: a file is sent, a worker (`tsur worker`) classifies it, the result is fetched.

In: a file of any size, streamed to the job's folder and never held in memory. Out: the job, its progress, and in the
end the decisions as `tsur classify` writes them. A job is accepted when its file and its row are on the disk; from then
on nothing is lost, whoever dies. A file that cannot be read at all is refused at once.
"""

import re
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.requests import ClientDisconnect

from batch.jobs import UPLOAD as UPLOAD_NAME
from batch.jobs import JobFolder
from data.atomic import to_disk
from data.complaints.importing import stream_complaints
from data.complaints.masking import masked
from data.complaints.sources import load_source
from data.errors import JobStateError, RequestError, StoreError, TsurError, UnknownJobError
from data.regions.region import Region
from data.settings import settings
from data.store.jobs import Job, NewJob
from data.tables.kinds import NAMES
from registry.names import classifier_name
from serving.api.v1.cursors import CursorQuery, cursor_of, read_cursor
from serving.api.v1.jobs_types import JobError, JobOut, JobProgress, JobsAnswer
from serving.api.v1.shared_types import ModelVersion
from serving.auth.requires import Caller
from serving.http.error_docs import Responses, documented
from serving.http.routes import NO_BODY, Limits, limited
from serving.runtime import CurrentRuntime, Runtime

router = APIRouter(tags=["jobs"])
UPLOAD = Limits(upload=True)
ENDING = rf"(?i)(?:{'|'.join(map(re.escape, NAMES))})(?:\.gz)?$"
BLOCK = 1 << 20
"""Bytes that go to the disk together: few enough changes of threads."""
UNKNOWN = documented(
    404, "No such job", unknown_job="there is no such job in this region; jobs are kept for `jobs.keep_days`"
)
WRONG_STATE = documented(
    409, "Not while the job stands so", wrong_job_state="job 5f0c is running: it has no result yet"
)
CSV_FILE: Responses = {
    200: {"content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}}, "description": "The table"}
}
BODY = {
    "requestBody": {
        "required": True,
        "description": "The file itself; what it is says `name`, and its bytes",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
NameQuery = Annotated[
    str,
    Query(
        min_length=1,
        max_length=200,
        pattern=ENDING,
        description="The file's name: its ending says what it is",
        examples=["november.csv"],
    ),
]


@router.post(
    "/jobs",
    status_code=202,
    summary="Classify a file of any size",
    response_model=JobOut,
    openapi_extra=BODY,
    responses=documented(
        400,
        "The file cannot be read",
        bad_file="november.csv: not a table",
        missing_columns="november.csv: no column text",
    ),
)
@limited(UPLOAD)
async def start_job(
    request: Request,
    runtime: CurrentRuntime,
    principal: Caller,
    name: NameQuery,
    source: Annotated[
        str | None, Query(pattern=r"^[a-z0-9_-]{1,100}$", description="Source map; default: the region's")
    ] = None,
    date: Annotated[date | None, Query(description="Date of the rows, where the file has none")] = None,
) -> JobOut:
    """Send a table as `tsur import` reads it: `curl -X POST -T november.csv '…/v1/jobs?name=november.csv'`."""
    job = uuid.uuid4().hex
    folder = JobFolder(settings().home, job)
    new = NewJob(
        id=job,
        region=runtime.region.id,
        key_id=principal.key_id,
        name=masked(Path(name).name),
        file=UPLOAD_NAME + _suffix(name),
        bytes=0,
        source=source or runtime.region.source,
        date=None if date is None else date.isoformat(),
    )
    try:
        received = await _receive(request.stream(), folder, new.file)
        await anyio.to_thread.run_sync(check_readable, folder.path / new.file, new, runtime.region)
        stored = await anyio.to_thread.run_sync(runtime.store.jobs.add, _sized(new, received))
    except BaseException:
        await anyio.to_thread.run_sync(folder.remove)
        raise
    return job_out(stored)


@router.get("/jobs", summary="Jobs, the newest first", response_model=JobsAnswer)
@limited(NO_BODY)
def list_jobs(
    runtime: CurrentRuntime,
    limit: Annotated[int, Query(ge=1, le=200, description="Jobs on a page")] = 50,
    cursor: CursorQuery = None,
) -> JobsAnswer:
    """The jobs of the region, whoever sent them, as long as they are kept."""
    before = None if cursor is None else int(read_cursor(cursor, int)[0])
    jobs = runtime.store.jobs.page(runtime.region.id, before, limit + 1)
    shown, more = jobs[:limit], len(jobs) > limit
    return JobsAnswer(jobs=[job_out(job) for job in shown], next=cursor_of(shown[-1].number) if more else None)


@router.get("/jobs/{id}", summary="How far a job is", response_model=JobOut, responses=UNKNOWN)
@limited(NO_BODY)
def get_job(id: str, runtime: CurrentRuntime) -> JobOut:
    """Its status, progress and time left."""
    return job_out(_job(runtime, id))


@router.post("/jobs/{id}/cancel", summary="Cancel a job", response_model=JobOut, responses={**UNKNOWN, **WRONG_STATE})
@limited(NO_BODY)
def cancel_job(id: str, runtime: CurrentRuntime) -> JobOut:
    """Stop it and remove its files; a cancelled job may be cancelled again."""
    job = runtime.store.jobs.cancel(runtime.region.id, id) or _job(runtime, id)
    if job.status != "cancelled":
        raise JobStateError(f"job {job.id} is {job.status}: there is nothing to cancel")
    JobFolder(settings().home, job.id).remove()
    return job_out(job)


@router.get(
    "/jobs/{id}/result",
    summary="The decisions of a job",
    response_class=FileResponse,
    responses={**CSV_FILE, **UNKNOWN, **WRONG_STATE},
)
@limited(NO_BODY)
def job_result(id: str, runtime: CurrentRuntime) -> Response:
    """One row a complaint in the file's order, as `tsur classify` writes them; no texts."""
    job = _job(runtime, id)
    if job.status != "done":
        raise JobStateError(f"job {job.id} is {job.status}: it has no result{'' if _ended(job) else ' yet'}")
    return _table(JobFolder(settings().home, job.id).result, f"decisions-{job.id}.csv")


@router.get(
    "/jobs/{id}/rejects",
    summary="The rows that a job set aside",
    response_class=FileResponse,
    responses={**CSV_FILE, **UNKNOWN, **WRONG_STATE},
)
@limited(NO_BODY)
def job_rejects(id: str, runtime: CurrentRuntime) -> Response:
    """Line, reason and the masked row of each, as `tsur import` writes them."""
    job = _job(runtime, id)
    path = JobFolder(settings().home, job.id).rejects
    if not _ended(job) or not job.rejected:
        raise JobStateError(f"job {job.id} is {job.status}: no rows were set aside{'' if _ended(job) else ' yet'}")
    return _table(path, f"rejects-{job.id}.csv")


def check_readable(upload: Path, job: NewJob, region: Region) -> None:
    """Whether the file is a table with the columns that are needed.

    Raises:
        InputError: it is not; names the file as its sender does.
        RequestError: there is no such source map.
    """
    known = sorted({path.stem for folder in region.source_folders for path in folder.glob("*.yaml")})
    if job.source not in known:
        problem = f"source {job.source!r} is not known: known are {', '.join(known)}"
        raise RequestError(f"source: {problem}", source=problem)
    source = load_source(job.source, *region.source_folders, timezone=region.timezone)
    default = None if job.date is None else datetime.fromisoformat(job.date)
    try:
        next(islice(stream_complaints(upload, source.without_labels(), None, default, unique=False), 1), None)
    except TsurError as error:
        raise type(error)(error.message.replace(str(upload), job.name)) from None


def job_out(job: Job) -> JobOut:
    """A job as it goes over the wire."""
    address = f"/v1/jobs/{job.id}"
    name = classifier_name(job.region)
    left = job.seconds_left(datetime.now(UTC))
    return JobOut(
        id=job.id,
        status=job.status,
        name=job.name,
        source=job.source,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        model=None if job.model_version is None else ModelVersion(name=name, version=str(job.model_version)),
        progress=JobProgress(
            read=job.read, expected=job.expected, seconds_left=None if left is None else round(left, 1)
        ),
        rows=job.rows,
        routed=job.routed,
        rejected=job.rejected,
        unplaced=job.unplaced,
        notes=job.notes,
        error=None if job.error_code is None else JobError(code=job.error_code, message=job.error or ""),
        result=f"{address}/result" if job.status == "done" else None,
        rejects=f"{address}/rejects" if job.status in ("done", "failed") and job.rejected else None,
    )


async def _receive(body: AsyncIterator[bytes], folder: JobFolder, file: str) -> int:
    """Write a body to the disk as it comes; its size.

    Raises:
        StoreError: the disk takes no more of it.
        RequestError: its sender is gone.
    """
    in_thread, size = anyio.to_thread.run_sync, 0
    try:
        await in_thread(folder.make)
        with (folder.path / file).open("wb") as upload:  # unbuffered, a disk that gets full would take part of a block
            block = bytearray()
            async for part in body:
                block += part
                if len(block) >= BLOCK:
                    size += await in_thread(upload.write, bytes(block))
                    block.clear()
            size += await in_thread(upload.write, bytes(block))
            await in_thread(upload.flush)
            await in_thread(partial(to_disk, folder.path / file))
    except OSError as error:
        raise StoreError(f"the file cannot be stored ({error.strerror}); try again later") from None
    except ClientDisconnect:
        raise RequestError("the upload broke off") from None
    return size


def _sized(job: NewJob, size: int) -> NewJob:
    return NewJob(**vars(job) | {"bytes": size})


def _suffix(name: str) -> str:
    """The ending that says what the file is."""
    ending = re.search(ENDING, name)
    assert ending is not None  # the query's pattern
    return ending[0].lower()


def _job(runtime: Runtime, id: str) -> Job:
    job = runtime.store.jobs.get(runtime.region.id, id)
    if job is None:
        raise UnknownJobError("there is no such job in this region; jobs are kept for `jobs.keep_days`")
    return job


def _ended(job: Job) -> bool:
    return job.finished_at is not None


def _table(path: Path, name: str) -> Response:
    if not path.is_file():
        raise UnknownJobError("the job's files are gone")
    return FileResponse(path, media_type="text/csv; charset=utf-8", filename=name)
