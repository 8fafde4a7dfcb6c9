"""`/v1/queue/…`: an operator's desk: one complaint, his answer to it, and the way back.

In: his labels, or the span of a problem. Out: what was stored, and until when he may take it back. The second of two
who answer one complaint gets 409 `already_answered`. A request under an `Idempotency-Key` that is sent again, because
its answer got lost, is answered as the first time.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from data.complaints.masking import masked
from data.complaints.schema import SourceName
from data.errors import RequestError
from data.regulations.deadlines import load_deadlines
from data.store.answers import Answer
from data.store.corrections import Agreement, Correction
from data.store.operator_answers import write_answer
from data.store.review_queue import WaitingComplaint
from data.store.splits import write_split
from models.classifier.routing import Classification
from models.classifier.segments import classify_with_proposals, with_several
from serving.analytics.endpoint import in_analytics
from serving.api.v1.classify import deadline_of
from serving.api.v1.classify_result import Complaint, decision_of, explained
from serving.api.v1.complaints_types import StandingLabels
from serving.api.v1.desk_complaint import desk_complaint, part_text, place_of, split_out, undo_until, waiting_complaint
from serving.api.v1.desk_types import (
    AnswerRequest,
    DeskComplaint,
    SplitAnswer,
    SplitRequest,
    StoredAnswer,
    UndoneAnswer,
    UndoRequest,
    WordsAnswer,
)
from serving.api.v1.idempotency import MaybeNamed
from serving.api.v1.shared_types import Identifier
from serving.auth.requires import Caller
from serving.http.csv_answer import json_response
from serving.http.error_docs import documented
from serving.http.routes import NO_BODY, Limits, limited
from serving.runtime import CurrentRuntime, Runtime

LIMITS = Limits(body_bytes=64 * 1024, seconds=30)
UNKNOWN = documented(
    404, "No such complaint waits", unknown_complaint="no complaint '2026-001' of source 'pos' waits here"
)
CONFLICT = documented(
    409, "Somebody has answered it", already_answered="another operator has answered complaint '2026-001'"
)
TOO_LATE = documented(
    409, "Not this key's, or no longer", cannot_undo="the answer is another key's, or older than a quarter of an hour"
)
router = APIRouter(tags=["desk"])
SourceQuery = Annotated[SourceName, Query(description="The complaint's source")]
IdQuery = Annotated[Identifier, Query(description="Its id")]


@router.get(
    "/queue/complaint", summary="One complaint with proposals", response_model=DeskComplaint, responses={**UNKNOWN}
)
@limited(NO_BODY)
def complaint(
    request: Request, runtime: CurrentRuntime, principal: Caller, source: SourceQuery, id: IdQuery
) -> Response:
    """A complaint that waits or was answered; nothing is claimed."""
    found = desk_complaint(runtime, principal, source, id)
    request.state.complaints = [(source, id)]
    return json_response(found)


@router.get(
    "/queue/words", summary="The words that carry the decision", response_model=WordsAnswer, responses={**UNKNOWN}
)
@limited(NO_BODY)
@in_analytics
def words(request: Request, runtime: CurrentRuntime, source: SourceQuery, id: IdQuery) -> Response:
    """By how much the confidence in topic and agency falls without each word: dear, so it is asked for apart."""
    model = runtime.champions.classifier.model
    found, _ = waiting_complaint(runtime, source, id)
    request.state.complaints = [(source, id)]
    return json_response(WordsAnswer(words=explained(model, _as_sent(runtime, found, (0, len(found.text))))))


@router.post(
    "/queue/answer",
    summary="Confirm or correct a complaint",
    response_model=StoredAnswer,
    responses={**UNKNOWN, **CONFLICT},
)
@limited(LIMITS)
def answer(
    body: AnswerRequest, request: Request, runtime: CurrentRuntime, principal: Caller, asked: MaybeNamed
) -> Response:
    """Keep what an operator decided; with the classifier's own labels he confirms them. The complaint waits no more."""
    runtime.champions.classifier.model.catalogue.check_labels(body.sector, body.topic, body.agency)
    said = Correction(
        region=runtime.region.id,
        source=body.source,
        complaint_id=body.id,
        sector=body.sector,
        topic=body.topic,
        agency=body.agency,
        operator=principal.key_id,
        why=masked(body.why) if body.why else None,
    )
    agreements: list[Agreement] = []

    def store(connection: Connection) -> Answer:
        number, agreed = write_answer(connection, said)
        agreements.extend(agreed)
        stored = StoredAnswer(number=number, undo_until=undo_until(runtime, datetime.now(UTC)))
        return Answer(stored.model_dump_json(), [(body.source, body.id)])

    given = runtime.store.answers.once(asked, store)
    runtime.metrics.corrected(agreements)
    request.state.complaints = given.complaints
    return Response(given.text, media_type="application/json")


@router.post(
    "/queue/split",
    summary="Make a problem of a message a complaint of its own",
    response_model=SplitAnswer,
    responses={**UNKNOWN, **CONFLICT},
)
@limited(LIMITS)
def split(
    body: SplitRequest, request: Request, runtime: CurrentRuntime, principal: Caller, asked: MaybeNamed
) -> Response:
    """The problem is classified and routed, or waits, by itself; what is left of the message is its first problem."""
    found, _ = waiting_complaint(runtime, body.source, body.id)
    part = _as_sent(runtime, found, (body.start, body.end))
    if body.end > len(found.text) or not part.text:
        problem = f"the text has {len(found.text)} characters, and a problem is one at least"
        raise RequestError(f"end: {problem}", end=problem)
    champion = runtime.champions.classifier
    decided = _classified(runtime, part)
    deadline = deadline_of(load_deadlines(runtime.region), champion.model.catalogue, part, decided)
    decision = decision_of(part, runtime.region, decided, champion.version, deadline)

    def store(connection: Connection) -> Answer:
        made = write_split(connection, body.id, (body.start, body.end), decision, principal.key_id)
        labels = StandingLabels(sector=decision.sector, topic=decision.topic, agency=decision.agency)
        shown = SplitAnswer(split=split_out(runtime, principal, made), decision=decision.decision, decided=labels)
        return Answer(shown.model_dump_json(), [(body.source, body.id), (body.source, made.part_id)])

    given = runtime.store.answers.once(asked, store)
    request.state.complaints = given.complaints
    return Response(given.text, media_type="application/json")


@router.post(
    "/queue/undo", summary="Take an answer or a split back", response_model=UndoneAnswer, responses={**TOO_LATE}
)
@limited(LIMITS)
def undo(body: UndoRequest, request: Request, runtime: CurrentRuntime, principal: Caller) -> UndoneAnswer:
    """For `desk.undo_minutes`, by the key that gave it; the complaint waits again."""
    within, region = timedelta(minutes=runtime.config.desk.undo_minutes), runtime.region.id
    answers = runtime.store.operator_answers
    take_back = answers.undo if body.what == "answer" else answers.undo_split
    source, complaint_id = take_back(region, body.number, principal.key_id, within)
    request.state.complaints = [(source, complaint_id)]
    return UndoneAnswer(source=source, id=complaint_id)


def _as_sent(runtime: Runtime, waiting: WaitingComplaint, span: tuple[int, int]) -> Complaint:
    """A stored complaint, or a piece of it, as if it had just been sent."""
    return Complaint(
        source=waiting.source,
        id=waiting.id,
        text=part_text(waiting.text, *span),
        created_at=waiting.created_at,
        place_id=place_of(runtime.champions.classifier.model, waiting),
        municipality=waiting.municipality,
    )


def _classified(runtime: Runtime, part: Complaint) -> Classification:
    """The decision on it, as `POST /v1/classify` makes it."""
    model = runtime.champions.classifier.model
    wholes, problems = classify_with_proposals(model, [part.text], [part.place_id])
    return with_several(wholes[0], problems[0])
