"""`/v1/surges/notes`: who has seen a surge, and what they make of it.

In: a note about a surge that stands. Out: the notes of the region. Notes are masked as complaints are, and stay when
the surge is over: they are its history.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from data.complaints.masking import mask
from data.errors import RequestError
from data.store.surge_notes import SurgeNote
from serving.analytics.endpoint import in_analytics
from serving.analytics.live_counts import recent_counts, yesterday
from serving.api.v1.surge_notes_types import SurgeNoteOut, SurgeNoteRequest, SurgeNotesAnswer
from serving.auth.requires import Caller
from serving.http.csv_answer import json_response
from serving.http.routes import NO_BODY, Limits, limited
from serving.runtime import CurrentRuntime, Runtime

router = APIRouter(tags=["analytics"])


@router.get("/surges/notes", summary="What people wrote about surges", response_model=SurgeNotesAnswer)
@limited(NO_BODY)
def notes(
    runtime: CurrentRuntime,
    principal: Caller,
    limit: Annotated[int, Query(ge=1, le=2000, description="Notes, the newest first")] = 500,
) -> Response:
    """A note names its surge as it stood: a surge's first day may move by some days while it grows."""
    shown = [note_out(note) for note in runtime.store.surge_notes.of(runtime.region.id, limit)]
    return json_response(SurgeNotesAnswer(notes=shown))


@router.post("/surges/notes", summary="Say that a surge was seen", response_model=SurgeNoteOut)
@limited(Limits(body_bytes=16 * 1024, seconds=30))
@in_analytics
def note(body: SurgeNoteRequest, runtime: CurrentRuntime, principal: Caller) -> Response:
    """Acknowledge a surge that stands or has stood in the last days, with a name and a few words."""
    check_known(body, runtime)
    kept = SurgeNote(
        region=runtime.region.id,
        kind=body.kind,
        municipality=body.municipality,
        sector=body.sector,
        start=body.start,
        noted_at=datetime.now(UTC),
        key_id=principal.key_id,
        author=body.author,
        note=mask(body.note),
    )
    runtime.store.surge_notes.save(kept)
    return json_response(note_out(kept))


def check_known(body: SurgeNoteRequest, runtime: Runtime) -> None:
    """Whether there is such a surge.

    Raises:
        RequestError: there is none.
    """
    champion = runtime.champions.forecaster
    counts = recent_counts(champion.model, runtime.store, runtime.region.id, yesterday(runtime.region), None)
    wanted = (body.kind, body.municipality, body.sector, body.start)
    known = (
        (each.kind, each.municipality, each.sector, each.start) for each in runtime.surges.surges(champion, counts)
    )
    if wanted not in known:
        problem = "there is no such surge now: name one as GET /v1/surges does"
        raise RequestError(f"start: {problem}", start=problem)


def note_out(kept: SurgeNote) -> SurgeNoteOut:
    """One note as it goes over the wire."""
    return SurgeNoteOut(**{name: value for name, value in asdict(kept).items() if name not in ("region", "key_id")})
