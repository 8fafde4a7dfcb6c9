"""`POST /v1/classify`: complaints in, routing decisions out.

A complaint is answered when its decision is stored. The classifier reads the masked text, as it did in
training, and the same text is stored. Places are checked against the catalogue that the serving
classifier was trained for; one without municipalities knows no place and refuses none.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Depends, Request, Response

from data.catalogue.model import Catalogue
from data.complaints.identifiers import why_refused
from data.complaints.masking import MaskedText, mask, masked
from data.errors import LabelError, RequestError
from data.regions.region import Region
from data.store.decisions import Decision
from models.classifier.classifier import Classifier
from models.classifier.explanation import explain
from models.classifier.routing import Classification, Proposal
from models.classifier.segments import SegmentProposal, classify_with_proposals, with_several
from serving.api.v1.classify_types import (
    MAX_EXPLAINED,
    ClassifyAnswer,
    ClassifyItem,
    ClassifyRequest,
    ClassifyResult,
    ExplainedWord,
    LabelProposal,
    ProblemProposal,
)
from serving.api.v1.shared_types import ModelVersion
from serving.auth.requires import Operator
from serving.config import MAX_ITEMS
from serving.http.admission import admitted
from serving.http.errors import ErrorAnswer, error_at
from serving.http.routes import Limits, check_count, limited
from serving.runtime import CurrentRuntime
from serving.texts import REASONS_RU

LIMITS = Limits(items=MAX_ITEMS)
router = APIRouter(tags=["complaints"])


@dataclass(frozen=True)
class Complaint:
    """One complaint of a request as it is classified and stored.

    Attributes:
        source: the source system.
        id: its id there, or one made up here.
        text: cleaned and masked.
        created_at: in UTC.
        place_id: of the catalogue; None where none was named, or the catalogue knows none.
        municipality: the name that is stored.
    """

    source: str
    id: str
    text: MaskedText
    created_at: datetime
    place_id: str | None
    municipality: str | None


@router.post(
    "/classify",
    summary="Classify complaints and decide where they go",
    response_model=ClassifyAnswer,
    dependencies=[Depends(admitted)],
    responses={429: {"model": ErrorAnswer, "description": "As many as can be answered in time (`too_many_requests`)"}},
)
@limited(LIMITS)
def classify(body: ClassifyRequest, request: Request, runtime: CurrentRuntime, principal: Operator) -> Response:
    """Route or review each complaint; every answered decision is stored (with its text masked)."""
    request.state.items = len(body.items)
    champion = runtime.champions.classifier
    check_count(len(body.items), LIMITS.within(runtime.config).items)
    check_explain(body)
    texts = [masked(item.text) for item in body.items]
    check_items(body.items, texts, runtime.config.max_characters)
    complaints = complaints_of(body.items, texts, champion.model.catalogue)
    wholes, problems = classify_with_proposals(champion.model, texts, [c.place_id for c in complaints])
    results, decisions = [], []
    for complaint, whole, proposals in zip(complaints, wholes, problems, strict=True):
        classification = with_several(whole, proposals)
        words = explained(champion.model, complaint) if body.explain else None
        results.append(result_of(complaint, classification, proposals, words))
        decisions.append(decision_of(complaint, runtime.region, classification, champion.version))
    runtime.store.decisions.save(decisions)
    runtime.metrics.classified(result.decision for result in results)
    cache = champion.model.encoders.cache
    runtime.metrics.cache(cache.hits, cache.misses)
    answer = ClassifyAnswer(model=ModelVersion(name=champion.name, version=champion.version), results=results)
    return Response(answer.model_dump_json(), media_type="application/json")  # FastAPI would check it once more


def check_items(items: list[ClassifyItem], texts: list[MaskedText], max_characters: int) -> None:
    """Check what the schema cannot: this installation's limits, texts of which nothing is left, ids given twice.

    Raises:
        RequestError: with every item that does not fit.
    """
    problems: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for index, (item, text) in enumerate(zip(items, texts, strict=True)):
        if len(item.text) > max_characters:
            problems[f"items.{index}.text"] = f"the text is longer than {max_characters} characters"
        elif not text:
            problems[f"items.{index}.text"] = "the text is empty"
        if item.id is not None:
            if (item.source, item.id) in seen:
                problems[f"items.{index}.id"] = "the id is given twice in this request"
            elif (why := why_refused(item.id)) is not None:
                problems[f"items.{index}.id"] = why
            seen.add((item.source, item.id))
    if problems:
        where, problem = next(iter(problems.items()))
        raise RequestError(f"{where}: {problem}", **problems)


def check_explain(body: ClassifyRequest) -> None:
    """Explanations cost many classifications: fewer items fit in one request.

    Raises:
        RequestError: too many items for one request with `explain`.
    """
    if body.explain and len(body.items) > MAX_EXPLAINED:
        problem = f"there are {len(body.items)} items; with `explain` at most {MAX_EXPLAINED} fit in one request"
        raise RequestError(f"items: {problem}", items=problem)


def complaints_of(items: list[ClassifyItem], texts: list[MaskedText], catalogue: Catalogue) -> list[Complaint]:
    """The items of a request with their masked texts, ids, times and places.

    Raises:
        LabelError: a place is not among those of the catalogue; names the item and the known places.
    """
    now = datetime.now(UTC)
    names = {place.id: place.name for place in catalogue.municipalities}
    complaints = []
    for index, (item, text) in enumerate(zip(items, texts, strict=True)):
        try:
            place_id = catalogue.municipality_id(item.municipality) if item.municipality and names else None
        except LabelError as error:
            raise error_at(f"items.{index}.municipality", error) from None
        complaint = Complaint(
            source=item.source,
            id=item.id or uuid.uuid4().hex,
            text=text,
            created_at=item.created_at or now,
            place_id=place_id,
            municipality=names[place_id] if place_id else _unchecked(item.municipality),
        )
        complaints.append(complaint)
    return complaints


def _unchecked(municipality: str | None) -> str | None:
    """A place as it was sent to a catalogue that knows none: it may say anything, so it is masked."""
    return mask(municipality) if municipality else None


def explained(classifier: Classifier, complaint: Complaint) -> list[ExplainedWord]:
    """The words that carried the decision as they go over the wire."""
    words = explain(classifier, complaint.text, complaint.place_id).words
    return [ExplainedWord(word=w.word, start=w.start, end=w.end, weight=round(w.weight, 4)) for w in words]


def result_of(
    complaint: Complaint,
    classification: Classification,
    proposals: list[SegmentProposal],
    words: list[ExplainedWord] | None,
) -> ClassifyResult:
    """One classification as it goes over the wire."""
    hours = classification.deadline_hours
    return ClassifyResult(
        id=complaint.id,
        text=complaint.text,
        decision=classification.decision,
        reasons=list(classification.reasons),
        reasons_ru=[REASONS_RU[reason] for reason in classification.reasons],
        sector=_label(classification.sector),
        topic=_label(classification.topic),
        agency=_label(classification.agency),
        alternatives={head: [_label(label) for label in top] for head, top in classification.alternatives.items()},
        deadline_hours=hours,
        due_at=complaint.created_at + timedelta(hours=hours) if hours else None,
        truncated=classification.truncated,
        proposals=[_problem(proposal) for proposal in proposals],
        explanation=words,
    )


def decision_of(complaint: Complaint, region: Region, classification: Classification, version: str) -> Decision:
    """One classification as it is stored."""
    return Decision(
        region=region.id,
        source=complaint.source,
        id=complaint.id,
        text=complaint.text,
        municipality=complaint.municipality,
        created_at=complaint.created_at,
        day=complaint.created_at.astimezone(region.zone).date(),
        decision=classification.decision,
        reasons=list(classification.reasons),
        sector=classification.sector.label,
        sector_confidence=classification.sector.confidence,
        topic=classification.topic.label,
        topic_confidence=classification.topic.confidence,
        agency=classification.agency.label,
        agency_confidence=classification.agency.confidence,
        model_version=version,
        features=classification.features,
    )


def _problem(proposal: SegmentProposal) -> ProblemProposal:
    return ProblemProposal(
        start=proposal.start,
        end=proposal.end,
        sector=_label(proposal.sector),
        topic=_label(proposal.topic),
        agency=_label(proposal.agency),
        deadline_hours=proposal.deadline_hours,
    )


def _label(proposal: Proposal) -> LabelProposal:
    return LabelProposal(label=proposal.label, confidence=round(proposal.confidence, 4))
