"""`GET /v1/complaints`: decided complaints, searched and filtered.

Pages go on by a cursor: what was decided since the first page stands on none of the later ones. Who saw which
complaint is in the audit.
"""

from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Query, Request, Response

from data.errors import RequestError
from data.kpi.kpi import By
from data.kpi.span import Span
from data.regions.region import Region
from data.store.complaint_search import ComplaintFilter, DecidedComplaint
from data.store.handling_sums import ANSWERED, DUE, CountedIn
from models.classifier.routing import Reason
from serving.analytics.endpoint import in_analytics
from serving.api.v1.complaints_types import ComplaintOut, ComplaintsAnswer, StandingLabels
from serving.api.v1.cursors import CursorQuery, cursor_of, read_cursor
from serving.api.v1.queries import MunicipalityQuery, SectorQuery, municipality_name
from serving.api.v1.shared_types import IsoDate
from serving.http.csv_answer import json_response
from serving.http.routes import NO_BODY, limited
from serving.runtime import CurrentRuntime
from serving.texts import REASONS_RU

router = APIRouter(tags=["complaints"])
MAX_WORDS = 8
"""Words of a search that count: each costs a look at every text."""
TextQuery = Annotated[
    str | None, Query(max_length=200, description="Words that the text holds, letter case apart", examples=["мусор"])
]
CountedQuery = Annotated[
    CountedIn | None,
    Query(
        description="Only those that this figure of `/v1/kpi` counts, or is a quantile of, from `since` to `until`; "
        "for `deadlines_met` and `overdue`, which need both, these are the days on which the answer came due, for "
        "`answer_median` and `answer_p90`, which need both, those of the first answer"
    ),
]
LabelQuery = Annotated[str | None, Query(max_length=300, description="As it stands: the operator's word holds")]


@router.get("/complaints", summary="Decided complaints", response_model=ComplaintsAnswer)
@limited(NO_BODY)
@in_analytics
def complaints(
    request: Request,
    runtime: CurrentRuntime,
    since: Annotated[date | None, IsoDate, Query(description="First local day on which it was sent")] = None,
    until: Annotated[date | None, IsoDate, Query(description="Last one")] = None,
    municipality: MunicipalityQuery = None,
    sector: SectorQuery = None,
    topic: LabelQuery = None,
    agency: LabelQuery = None,
    decision: Annotated[Literal["route", "review"] | None, Query(description="Of the classifier")] = None,
    corrected: Annotated[bool | None, Query(description="Whether an operator said otherwise")] = None,
    counted_in: CountedQuery = None,
    by: Annotated[By | None, Query(description="With `group`: only those of this group of `/v1/kpi?by=…`")] = None,
    group: Annotated[str | None, Query(max_length=300, description="Its name there")] = None,
    q: TextQuery = None,
    limit: Annotated[int, Query(ge=1, le=200, description="Complaints on a page")] = 50,
    cursor: CursorQuery = None,
) -> Response:
    """The newest decision first; a complaint that was sent again counts by its newest decision."""
    wanted = ComplaintFilter(
        since=since,
        until=until,
        municipality=municipality_name(runtime, municipality),
        sector=sector,
        topic=topic,
        agency=agency,
        decision=decision,
        corrected=corrected,
        counted_in=counted_in,
        group=_group(by, group),
        words=tuple((q or "").split()[:MAX_WORDS]),
    )
    as_of, below = (None, None) if cursor is None else map(int, read_cursor(cursor, int, int))
    wanted = _by_moments(wanted, runtime.region) if counted_in in (*DUE, *ANSWERED) else wanted
    page = runtime.store.search.page(runtime.region.id, wanted, limit, as_of, below)
    request.state.complaints = [(each.source, each.id) for each in page.complaints]
    following = None if page.next_below is None else cursor_of(page.as_of, page.next_below)
    return json_response(ComplaintsAnswer(complaints=[complaint_out(c) for c in page.complaints], next=following))


def _group(by: By | None, name: str | None) -> tuple[str, str] | None:
    """A group of figures.

    Raises:
        RequestError: only one of both is named.
    """
    if (by is None) != (name is None):
        raise RequestError("by, group: name both, the grouping and the group's name in it, or none")
    return None if by is None or name is None else (by, name)


def _by_moments(wanted: ComplaintFilter, region: Region) -> ComplaintFilter:
    """The same of complaints that came due, or were answered, on these days: what is due later than now is not due yet.

    Raises:
        RequestError: a day is missing, or no figure is of so many.
    """
    if wanted.since is None or wanted.until is None:
        raise RequestError("since, until: name both, the days of the figure of `counted_in`")
    span = Span(wanted.since, wanted.until)
    span.check()
    begin, end = (moment.replace(tzinfo=UTC) for moment in span.moments(region))
    if wanted.counted_in in ANSWERED:
        return replace(wanted, since=None, until=None, answered=(begin, end))
    return replace(wanted, since=None, until=None, due=(begin, min(end, datetime.now(UTC))))


def complaint_out(complaint: DecidedComplaint) -> ComplaintOut:
    """One complaint as it goes over the wire."""
    plain = ("source", "id", "text", "municipality", "created_at", "received_at", "reasons", "model_version", "due_at")
    return ComplaintOut(
        **{name: getattr(complaint, name) for name in plain},
        decision=cast(Literal["route", "review"], complaint.decision),
        reasons_ru=[REASONS_RU.get(cast(Reason, reason), reason) for reason in complaint.reasons],
        confidence=round(complaint.confidence, 4),
        decided=StandingLabels(**asdict(complaint.decided)),
        stands=StandingLabels(**asdict(complaint.stands)),
        corrected=complaint.corrected,
    )
