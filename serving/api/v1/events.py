"""`GET /v1/events`: a stream of server-sent events that says what of a region has changed.

In: nothing. Out: one event at the beginning and whenever something has changed, its data a JSON object of counts. It
bears no rows: who wants them asks for them.
"""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from serving.auth.requires import Caller
from serving.http.routes import NO_BODY, limited
from serving.runtime import CurrentRuntime

EVENT_STREAM = "text/event-stream"
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events without an end", "content": {EVENT_STREAM: {"schema": {"type": "string"}}}}
}
router = APIRouter(tags=["service"])


@router.get("/events", summary="What changes, as it changes", responses=STREAM, response_class=StreamingResponse)
@limited(NO_BODY)
async def events(runtime: CurrentRuntime, principal: Caller) -> StreamingResponse:
    """`decisions` and `corrections` grow with each one, `waiting` are the queue's, `surges` those observed."""
    return StreamingResponse(runtime.live.stream(runtime.region.id), media_type=EVENT_STREAM)
