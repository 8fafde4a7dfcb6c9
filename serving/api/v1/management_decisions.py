"""`/v1/management-decisions`: what was decided because of what the figures said; no routing decisions.

An analyst records what was decided, by whom and until when, from a surge, a cell of the heat map, a new topic or a
KPI, which is kept as it was shown; and later whether it was done.
"""

from datetime import date, datetime
from typing import Annotated, cast

from fastapi import APIRouter, Query, Response

from data.store.management_decisions import STATUSES, Evidence, ManagementDecision, Status
from serving.api.v1.management_decisions_types import (
    DecisionChange,
    DecisionIn,
    DecisionOut,
    DecisionsAnswer,
    EvidenceOut,
)
from serving.auth.requires import Caller
from serving.http.csv_answer import json_response
from serving.http.errors import ErrorAnswer
from serving.http.routes import NO_BODY, Limits, limited
from serving.runtime import CurrentRuntime, Runtime

LIMITS = Limits(body_bytes=128 * 1024, seconds=30)
MOST_SHOWN = 500
router = APIRouter(tags=["management decisions"])


@router.get("/management-decisions", summary="Management decisions", response_model=DecisionsAnswer)
@limited(NO_BODY)
def decisions(
    runtime: CurrentRuntime,
    status: Annotated[Status | None, Query(description="Default: all")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_SHOWN, description="How many")] = 200,
) -> Response:
    """The newest first, each with its evidence as it was on the day it was recorded."""
    rows = runtime.store.management_decisions.newest(runtime.region.id, [status] if status else STATUSES, limit)
    today = _today(runtime)
    return json_response(DecisionsAnswer(decisions=[decision_out(row, today) for row in rows]))


@router.post(
    "/management-decisions", summary="Record a management decision", response_model=DecisionOut, status_code=201
)
@limited(LIMITS)
def record(body: DecisionIn, runtime: CurrentRuntime, principal: Caller) -> Response:
    """Record what was decided, with the evidence as it is shown now."""
    evidence = None if body.evidence is None else Evidence(**body.evidence.model_dump())
    kept = runtime.store.management_decisions.add(
        runtime.region.id, body.what, body.responsible, body.due_on, evidence, principal.name
    )
    answer = decision_out(kept, _today(runtime)).model_dump_json()
    return Response(answer, status_code=201, media_type="application/json")


@router.patch(
    "/management-decisions/{number}",
    summary="Change a management decision, or say that it is done",
    response_model=DecisionOut,
    responses={404: {"model": ErrorAnswer, "description": "No such decision (`unknown_decision`)"}},
)
@limited(LIMITS)
def change(number: int, body: DecisionChange, runtime: CurrentRuntime) -> Response:
    """Change what is named of it; its evidence stays as it was."""
    changes = body.model_dump(exclude_unset=True)
    row = runtime.store.management_decisions.change(runtime.region.id, number, changes)
    return json_response(decision_out(row, _today(runtime)))


def decision_out(row: ManagementDecision, today: date) -> DecisionOut:
    """A decision as it goes over the wire."""
    overdue = row.status == "open" and row.due_on is not None and row.due_on < today
    evidence = None if row.evidence is None else EvidenceOut(**vars(row.evidence))
    fields = vars(row) | {"evidence": evidence, "status": cast(Status, row.status), "overdue": overdue}
    return DecisionOut(**fields)


def _today(runtime: Runtime) -> date:
    return datetime.now(runtime.region.zone).date()
