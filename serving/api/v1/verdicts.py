"""`/v1/emerging/verdicts`: proposed topics taken into the catalogue as drafts, or dismissed.

In: a verdict on the complaints of a proposal. Out: the verdicts of the region, a draft with its catalogue lines.
The catalogue's file is its editors': no request writes it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import yaml
from fastapi import APIRouter, Query, Response

from data.complaints.masking import mask
from data.errors import RequestError
from data.store.topic_verdicts import TopicVerdict, complaint_digest
from serving.api.v1.verdicts_types import VerdictOut, VerdictRequest, VerdictsAnswer
from serving.auth.requires import Caller
from serving.http.csv_answer import json_response
from serving.http.routes import NO_BODY, Limits, limited
from serving.runtime import CurrentRuntime

SAME = 0.5
"""A proposal of which at least half of the complaints were decided on is the one that was decided on."""
NEWEST = 500
"""Verdicts that proposals are looked up among."""
DEADLINE_HOURS = 72
"""Stands in a draft until its editor says otherwise: an urgent topic's usual deadline."""
router = APIRouter(tags=["analytics"])


@router.get("/emerging/verdicts", summary="What was decided about proposed topics", response_model=VerdictsAnswer)
@limited(NO_BODY)
def verdicts(
    runtime: CurrentRuntime,
    principal: Caller,
    limit: Annotated[int, Query(ge=1, le=2000, description="Verdicts, the newest first")] = 200,
) -> Response:
    """Drafts for the catalogue and dismissals, with who decided and why."""
    kept = runtime.store.topic_verdicts.of(runtime.region.id, limit)
    return json_response(VerdictsAnswer(verdicts=[verdict_out(each) for each in kept]))


@router.post("/emerging/verdicts", summary="Take a proposed topic as a draft, or dismiss it", response_model=VerdictOut)
@limited(Limits(body_bytes=1024 * 1024, seconds=30))
def decide(body: VerdictRequest, runtime: CurrentRuntime, principal: Caller) -> Response:
    """A later verdict on the same complaints stands instead of an earlier one."""
    if body.verdict == "draft" and not (body.title and body.sector):
        problem = "a draft needs a title and a sector"
        raise RequestError(f"title: {problem}", title=problem)
    kept = TopicVerdict(
        region=runtime.region.id,
        verdict=body.verdict,
        title=mask(body.title),
        sector=mask(body.sector),
        words=[mask(word) for word in body.words],
        complaints=[complaint_digest(each.source, each.id) for each in body.complaints],
        decided_at=datetime.now(UTC),
        key_id=principal.key_id,
        author=body.author,
        note=mask(body.note),
    )
    runtime.store.topic_verdicts.save(kept)
    return json_response(verdict_out(kept))


def verdict_on(complaints: Sequence[tuple[str, str]], kept: Sequence[TopicVerdict]) -> TopicVerdict | None:
    """The newest verdict on a proposal with these complaints (source and id of each); None where nobody has decided."""
    digests = {complaint_digest(*each) for each in complaints}
    return next((each for each in kept if len(digests & set(each.complaints)) >= SAME * len(digests)), None)


def verdict_out(kept: TopicVerdict) -> VerdictOut:
    """One verdict as it goes over the wire."""
    return VerdictOut(
        verdict=kept.verdict,
        title=kept.title,
        sector=kept.sector,
        words=kept.words,
        complaints=len(kept.complaints),
        decided_at=kept.decided_at,
        author=kept.author,
        note=kept.note,
        yaml=_lines(kept) if kept.verdict == "draft" else None,
    )


def _lines(kept: TopicVerdict) -> str:
    """A topic as `catalogue.yaml` has them, under its sector; routes are its editor's to write."""
    topic = {
        "name": kept.title,
        "deadline_hours": DEADLINE_HOURS,
        "description": ", ".join(kept.words),
        "routes": [{"agency": "administration"}],
    }
    sector = {"name": kept.sector, "topics": [topic]}
    return yaml.safe_dump([sector], allow_unicode=True, sort_keys=False, width=1000)
