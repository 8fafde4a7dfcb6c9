"""`/v1/queue`: complaints that wait for an operator, the most urgent or instructive first, and who gets which.

In: filters. Out: pages with counts; the next complaint for one operator, which no other gets meanwhile. What he says of
it: `desk.py`. Who saw which complaint is in the audit.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from data.complaints.schema import SourceName
from data.errors import RequestError
from data.store.review_queue import Place, QueueFilter, QueueOrder, WaitingComplaint
from serving.api.v1.cursors import CursorQuery, cursor_of, read_cursor
from serving.api.v1.desk_complaint import desk_complaint, waiting_out
from serving.api.v1.desk_types import LARGEST, ClaimAnswer
from serving.api.v1.queries import MunicipalityQuery, SectorQuery, municipality_name
from serving.api.v1.queue_types import (
    ClaimRequest,
    KindCount,
    QueueAnswer,
    ReleaseAnswer,
    ReleaseRequest,
)
from serving.auth.principal import Principal
from serving.auth.requires import Caller
from serving.http.csv_answer import json_response
from serving.http.routes import NO_BODY, Limits, limited
from serving.runtime import CurrentRuntime

LIMITS = Limits(body_bytes=64 * 1024, seconds=30)
router = APIRouter(tags=["desk"])
SourceQuery = Annotated[SourceName | None, Query(description="Only of this source")]
OrderQuery = Annotated[
    QueueOrder,
    Query(
        description="`urgent`: what is due first; `instructive`: where the two likeliest topics are nearest, whose "
        "labels teach most, as `tsur suggest-labels` chooses"
    ),
]


@router.get("/queue", summary="Complaints that wait for an operator", response_model=QueueAnswer)
@limited(NO_BODY)
def queue(
    request: Request,
    runtime: CurrentRuntime,
    sector: SectorQuery = None,
    municipality: MunicipalityQuery = None,
    source: SourceQuery = None,
    order: OrderQuery = "urgent",
    limit: Annotated[int, Query(ge=0, le=200, description="Complaints on a page; 0: counts only")] = 50,
    cursor: CursorQuery = None,
) -> Response:
    """Decided as `review` and not yet answered by anybody; claimed ones too."""
    region = runtime.region.id
    wanted = QueueFilter(sector, municipality_name(runtime, municipality), source)
    counts = runtime.store.queue.counts(region, wanted)
    after = None if cursor is None else _place(cursor, order)
    found = runtime.store.queue.page(region, wanted, limit + 1, after, order)
    shown = found[:limit]
    request.state.complaints = [(each.source, each.id) for each in shown]
    more = len(found) > limit > 0
    answer = QueueAnswer(
        waiting=counts.waiting,
        overdue=counts.overdue,
        claimed=counts.claimed,
        sectors=_counted((sector, n) for sector, _, _, n in counts.kinds),
        municipalities=_counted((place, n) for _, place, _, n in counts.kinds),
        sources=_counted((source, n) for _, _, source, n in counts.kinds),
        complaints=[waiting_out(each) for each in shown],
        next=_behind(shown[-1], order) if more else None,
    )
    return json_response(answer)


@router.post("/queue/claim", summary="The next complaint for this operator", response_model=ClaimAnswer)
@limited(LIMITS)
def claim(body: ClaimRequest, request: Request, runtime: CurrentRuntime, principal: Caller) -> Response:
    """Nobody else gets it for `desk.claim_minutes`; what is `held` is kept as long.

    A screen that was loaded anew and holds nothing is given what it had.
    """
    region, lasting = runtime.region.id, timedelta(minutes=runtime.config.desk.claim_minutes)
    wanted = QueueFilter(body.sector, municipality_name(runtime, body.municipality), body.source)
    held, holder = [(each.source, each.id) for each in body.held], holder_of(principal, body.screen)
    if body.complaint is None:
        claimed = runtime.store.claims.next(region, holder, held, wanted, lasting, body.order)
    else:
        claimed = runtime.store.claims.take(region, holder, (body.complaint.source, body.complaint.id), lasting)
    complaint = None
    if claimed is not None:
        request.state.complaints = [(claimed.source, claimed.id)]
        complaint = desk_complaint(runtime, principal, claimed.source, claimed.id)
    waiting = runtime.store.queue.counts(region, wanted).waiting
    return json_response(ClaimAnswer(complaint=complaint, until=claimed and claimed.until, waiting=waiting))


@router.post("/queue/release", summary="Give complaints back", response_model=ReleaseAnswer)
@limited(LIMITS)
def release(body: ReleaseRequest, request: Request, runtime: CurrentRuntime, principal: Caller) -> ReleaseAnswer:
    """Another operator may have them at once; with `later`, nobody for `desk.later_minutes`."""
    complaints = [(each.source, each.id) for each in body.complaints]
    request.state.complaints = complaints
    later = timedelta(minutes=runtime.config.desk.later_minutes) if body.later else None
    holder = holder_of(principal, body.screen)
    return ReleaseAnswer(released=runtime.store.claims.release(runtime.region.id, holder, complaints, later))


def holder_of(principal: Principal, screen: str) -> str:
    """Whose a claim is: a key's, on one of its screens."""
    return f"{principal.key_id} {screen}"


def _counted(kinds: Iterable[tuple[str | None, int]]) -> list[KindCount]:
    """How many there are of each name, the largest first."""
    counter: Counter[str | None] = Counter()
    for name, count in kinds:
        counter[name] += count
    return [KindCount(name=name, count=count) for name, count in counter.most_common()]


def _behind(complaint: WaitingComplaint, order: QueueOrder) -> str:
    """The cursor of the page behind this complaint."""
    first = complaint.urgent_at.isoformat() if order == "urgent" else complaint.topic_margin
    return cursor_of(first, complaint.number)


def _place(cursor: str, order: QueueOrder) -> Place:
    """Where a page begins: behind the complaint of this number, and what it stands by in this order.

    Raises:
        RequestError: the cursor is none, or one of the other order.
    """
    first, number = read_cursor(cursor, str if order == "urgent" else float, int)
    try:
        place = datetime.fromisoformat(str(first)).astimezone(UTC) if order == "urgent" else float(first)
        if 0 <= int(number) <= LARGEST:
            return place, int(number)
        raise ValueError
    except (ValueError, OverflowError):
        raise RequestError("cursor: it is not one that a page named as `next`", cursor="not a cursor") from None
