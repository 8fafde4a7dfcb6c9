"""`POST /v1/outcomes`: what became of complaints: sent, re-routed, answered, closed, reopened, and when.

In: events of complaints that were classified here. Out: for each whether it was stored; those that are good are stored
together. Deadlines and re-routings of the KPIs (`data/kpi/`) are counted from them.
"""

from collections.abc import Sequence
from functools import partial
from typing import cast

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from data.complaints.schema import SourceName
from data.errors import TsurError, UnknownComplaintError
from data.store.answers import Answer
from data.store.outcomes import Outcome, write_outcomes
from serving.api.v1.idempotency import MaybeNamed
from serving.api.v1.items import Refusal, good_ones, refused
from serving.api.v1.outcomes_types import OutcomeItem, OutcomesAnswer, OutcomesRequest, StoredOutcome
from serving.auth.requires import Caller
from serving.config import MAX_ITEMS
from serving.http.errors import ErrorAnswer, error_at
from serving.http.routes import Limits, check_count, limited
from serving.runtime import CurrentRuntime

LIMITS = Limits(body_bytes=4 * 1024 * 1024, items=MAX_ITEMS)
router = APIRouter(tags=["complaints"])
Read = Outcome | Refusal


@router.post(
    "/outcomes",
    summary="Say what became of complaints",
    response_model=OutcomesAnswer,
    responses={404: {"model": ErrorAnswer, "description": "No such complaint (`unknown_complaint`)"}},
)
@limited(LIMITS)
def outcomes(
    body: OutcomesRequest, request: Request, runtime: CurrentRuntime, principal: Caller, asked: MaybeNamed
) -> Response:
    """Keep when a complaint was sent, re-routed, answered, closed or reopened.

    An item that is wrong, such as an answer before the complaint came, is answered with its own `error` in its place;
    the good ones are stored. Where none is good, the request is refused. What is there already is not stored again.
    """
    request.state.items = len(body.items)
    answer = runtime.store.answers.given(asked)
    if answer is None:
        check_count(len(body.items), LIMITS.within(runtime.config).items)
        read: list[Read] = [
            _outcome(item, runtime.region.id) if isinstance(item, OutcomeItem) else refused(index, item)
            for index, item in enumerate(body.items)
        ]
        answer = runtime.store.answers.once(asked, partial(_store, read))
    request.state.complaints = answer.complaints
    return Response(answer.text, media_type="application/json")


def _store(read: Sequence[Read], connection: Connection) -> Answer:
    """Store events with their answer.

    Raises:
        TsurError: none of them is good; nothing is stored.
    """
    said = iter(write_outcomes(connection, good_ones(read)))
    results = [
        item if isinstance(item, Refusal) else _result(index, item, next(said)) for index, item in enumerate(read)
    ]
    good = good_ones(results)
    return Answer(
        OutcomesAnswer(
            stored=sum(not result.repeated for result in good),
            results=[result.answer if isinstance(result, Refusal) else result for result in results],
        ).model_dump_json(),
        [(result.source, result.id) for result in good],
    )


def _result(index: int, outcome: Outcome, said: bool | TsurError) -> StoredOutcome | Refusal:
    """That an event is stored, or why it is not."""
    if isinstance(said, bool):
        source = cast(SourceName, outcome.source)
        return StoredOutcome(id=outcome.complaint_id, source=source, event=outcome.event, repeated=not said)
    place = "id" if isinstance(said, UnknownComplaintError) else "at"
    return Refusal(index, outcome.complaint_id, error_at(f"items.{index}.{place}", said))


def _outcome(item: OutcomeItem, region: str) -> Outcome:
    return Outcome(region, item.source, item.id, item.event, item.at, item.agency)
