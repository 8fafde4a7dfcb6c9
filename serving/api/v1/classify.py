"""`POST /v1/classify`: complaints in, routing decisions out.

A complaint is answered when its decision is stored. The classifier reads the masked text, as it did in
training, and the same text is stored. Places are looked up in the catalogue that the serving classifier was
trained for; without a known one a complaint is decided all the same, and the answer says so. Items that are wrong
are answered as such beside the good ones, which are stored together.
"""

import uuid
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Depends, Request, Response

from data.catalogue.model import Catalogue
from data.catalogue.places import PlaceNote
from data.complaints.identifiers import why_refused
from data.complaints.masking import MaskedText, mask, masked
from data.errors import RequestError
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
    Note,
    ProblemProposal,
)
from serving.api.v1.items import BadItem, Refusal, RefusedItem, bad_item, good_ones, refused
from serving.api.v1.shared_types import ModelVersion
from serving.auth.requires import Caller
from serving.config import MAX_ITEMS
from serving.http.admission import admitted
from serving.http.errors import ErrorAnswer
from serving.http.routes import Limits, check_count, limited
from serving.regions.shadow import Answered
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
        note: why there is no place, where the catalogue has some.
    """

    source: str
    id: str
    text: MaskedText
    created_at: datetime
    place_id: str | None
    municipality: str | None
    note: PlaceNote | None = None


PLACE_NOTES: dict[PlaceNote, str] = {
    "unknown_municipality": "the municipality is not in the catalogue: decided without it",
    "no_municipality": "no municipality was named: decided without it",
}


@router.post(
    "/classify",
    summary="Classify complaints and decide where they go",
    response_model=ClassifyAnswer,
    dependencies=[Depends(admitted)],
    responses={
        429: {
            "model": ErrorAnswer,
            "description": "More than fit in time (`too_many_requests`), or than a key may send (`rate_limited`)",
        }
    },
)
@limited(LIMITS)
def classify(body: ClassifyRequest, request: Request, runtime: CurrentRuntime, principal: Caller) -> Response:
    """Route or review each complaint; every answered decision is stored (with its text masked).

    An item that is wrong is answered with its own `error` in its place, beside the others' decisions. Where none is
    good, the request is refused.
    """
    request.state.items = len(body.items)
    champion = runtime.champions.classifier
    check_count(len(body.items), LIMITS.within(runtime.config).items)
    check_explain(body)
    read = read_items(body.items, champion.model.catalogue, runtime.config.max_characters)
    complaints = good_ones(read)
    places = [complaint.place_id for complaint in complaints]
    wholes, problems = classify_with_proposals(champion.model, [c.text for c in complaints], places)
    decided, decisions = [], []
    for complaint, whole, proposals in zip(complaints, wholes, problems, strict=True):
        classification = with_several(whole, proposals)
        words = explained(champion.model, complaint) if body.explain else None
        decided.append(result_of(complaint, classification, proposals, words))
        decisions.append(decision_of(complaint, runtime.region, classification, champion.version))
    numbers = runtime.store.decisions.save(decisions)
    runtime.shadow.offer([Answered(n, c.text, c.place_id) for n, c in zip(numbers, complaints, strict=True)])
    request.state.complaints = [(complaint.source, complaint.id) for complaint in complaints]
    runtime.metrics.classified(result.decision for result in decided)
    cache = champion.model.encoders.cache
    runtime.metrics.cache(cache.hits, cache.misses)
    answers = iter(decided)
    results: list[ClassifyResult | RefusedItem] = [
        item.answer if isinstance(item, Refusal) else next(answers) for item in read
    ]
    answer = ClassifyAnswer(model=ModelVersion(name=champion.name, version=champion.version), results=results)
    return Response(answer.model_dump_json(), media_type="application/json")  # FastAPI would check it once more


def check_explain(body: ClassifyRequest) -> None:
    """Explanations cost many classifications: fewer items fit in one request.

    Raises:
        RequestError: too many items for one request with `explain`.
    """
    if body.explain and len(body.items) > MAX_EXPLAINED:
        problem = f"there are {len(body.items)} items; with `explain` at most {MAX_EXPLAINED} fit in one request"
        raise RequestError(f"items: {problem}", items=problem)


def read_items(
    items: Sequence[ClassifyItem | BadItem], catalogue: Catalogue, max_characters: int
) -> list[Complaint | Refusal]:
    """Each item with its masked text, id, time and place, or what is wrong with it; an id counts once."""
    now = datetime.now(UTC)
    seen: set[tuple[str, str]] = set()
    read: list[Complaint | Refusal] = []
    for index, item in enumerate(items):
        if isinstance(item, BadItem):
            read.append(refused(index, item))
            continue
        text = masked(item.text[: max_characters + 1])
        problems = problems_of_item(item, text, max_characters, seen)
        if problems:
            shown = None if item.id is None or why_refused(item.id) else item.id
            read.append(Refusal(index, shown, bad_item(index, problems)))
            continue
        complaint = complaint_of(item, text, catalogue, now)
        seen.add((complaint.source, complaint.id))
        read.append(complaint)
    return read


def problems_of_item(
    item: ClassifyItem, text: MaskedText, max_characters: int, seen: Container[tuple[str, str]]
) -> dict[str, str]:
    """What the schema cannot say: this installation's limit, a text of which nothing is left, ids `seen` before."""
    problems: dict[str, str] = {}
    if len(item.text) > max_characters:
        problems["text"] = f"the text is longer than {max_characters} characters"
    elif not text:
        problems["text"] = "the text is empty"
    if item.id is not None:
        if (item.source, item.id) in seen:
            problems["id"] = "the id is given twice in this request"
        elif (why := why_refused(item.id)) is not None:
            problems["id"] = why
    return problems


def complaint_of(item: ClassifyItem, text: MaskedText, catalogue: Catalogue, now: datetime) -> Complaint:
    """One item with its id, time and place; one that the catalogue does not know is left out."""
    names = {place.id: place.name for place in catalogue.municipalities}
    (place_id,) = catalogue.municipality_ids([item.municipality])
    note: PlaceNote | None = None
    if names and place_id is None:
        note = "unknown_municipality" if item.municipality else "no_municipality"
    return Complaint(
        source=item.source,
        id=item.id or uuid.uuid4().hex,
        text=text,
        created_at=item.created_at or now,
        place_id=place_id,
        municipality=names.get(place_id or "") if names else _unchecked(item.municipality),
        note=note,
    )


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
        topic_sure=classification.topic_sure,
        truncated=classification.truncated,
        proposals=[_problem(proposal) for proposal in proposals],
        notes=[] if complaint.note is None else [Note(code=complaint.note, message=PLACE_NOTES[complaint.note])],
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
