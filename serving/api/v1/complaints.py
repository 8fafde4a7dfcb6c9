"""`POST /v1/classify` and `POST /v1/feedback`: complaints in, routing decisions out, corrections back.

A complaint is answered when its decision is stored. The classifier reads the masked text, as it did in
training, and the same text is stored. Places and labels are checked against the catalogue that the
serving classifier was trained for; one without municipalities knows no place and refuses none.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from data.catalogue.model import Catalogue
from data.complaints.masking import MaskedText, mask, masked
from data.errors import LabelError, RequestError, TsurError
from data.store.corrections import Correction
from data.store.decisions import Decision
from models.classifier.classifier import Classifier
from models.classifier.decoding import Classification, Proposal, Reason
from models.classifier.explanation import explain
from models.classifier.segments import SegmentProposal, classify_with_proposals, with_several
from serving.api.v1.types import (
    MAX_EXPLAINED,
    ClassifyAnswer,
    ClassifyItem,
    ClassifyRequest,
    ClassifyResult,
    ErrorAnswer,
    ExplainedWord,
    FeedbackAnswer,
    FeedbackRequest,
    LabelProposal,
    ModelVersion,
    ProblemProposal,
)
from serving.config import ServingConfig
from serving.http.admission import admitted
from serving.runtime import Runtime, runtime_of

router = APIRouter(tags=["complaints"])
Parts = Annotated[Runtime, Depends(runtime_of)]

REASONS_RU: dict[Reason, str] = {
    "low_confidence": "Модель недостаточно уверена в исполнителе: решение за оператором.",
    "rare_label": "Тема встречается слишком редко, чтобы модель её выучила: нужна ручная маршрутизация.",
    "no_cyrillic": "В тексте нет ни одной русской буквы: прочитайте его сами.",
    "unlike_training": "Слова в тексте не похожи на те, на которых училась модель: прочитайте его сами.",
    "several_problems": "В сообщении несколько проблем: разделите его или выберите главную.",
}


@router.post(
    "/classify",
    summary="Classify complaints and decide where they go",
    response_model=ClassifyAnswer,
    dependencies=[Depends(admitted)],
    responses={429: {"model": ErrorAnswer, "description": "As many as can be answered in time (`too_many_requests`)"}},
)
def classify(body: ClassifyRequest, request: Request, runtime: Parts) -> Response:
    """Route or review each complaint; every answered decision is stored (with its text masked)."""
    request.state.items = len(body.items)
    champion = runtime.champions.classifier
    catalogue = champion.model.catalogue
    texts = [masked(item.text) for item in body.items]
    check_items(body.items, texts, runtime.config)
    check_explain(body)
    places = municipality_ids(body.items, catalogue)
    wholes, problems = classify_with_proposals(champion.model, texts, places)
    now = datetime.now(UTC)
    results, decisions = [], []
    for item, text, place, whole, parts in zip(body.items, texts, places, wholes, problems, strict=True):
        complaint_id = item.id or uuid.uuid4().hex
        created_at = item.created_at or now
        classification = with_several(whole, parts)
        words = explained(champion.model, text, place) if body.explain else None
        results.append(result_of(complaint_id, created_at, text, classification, parts, words))
        name = place_name(item.municipality, place, catalogue)
        decisions.append(
            _decision(runtime, item, text, complaint_id, created_at, name, classification, champion.version)
        )
    runtime.store.decisions.save(decisions)
    runtime.metrics.classified(result.decision for result in results)
    runtime.metrics.cache(champion.model.cache.hits, champion.model.cache.misses)
    answer = ClassifyAnswer(model=ModelVersion(name=champion.name, version=champion.version), results=results)
    return Response(answer.model_dump_json(), media_type="application/json")  # FastAPI would check it once more


@router.post(
    "/feedback",
    summary="Store operators' corrections",
    responses={404: {"model": ErrorAnswer, "description": "No such complaint (`unknown_complaint`)"}},
)
def feedback(body: FeedbackRequest, request: Request, runtime: Parts) -> FeedbackAnswer:
    """Keep what an operator decided instead: the best training data there is."""
    request.state.items = len(body.items)
    catalogue = runtime.champions.classifier.model.catalogue
    for index, item in enumerate(body.items):
        try:
            catalogue.check_labels(item.sector, item.topic, item.agency)
        except LabelError as error:
            raise _placed(error, f"items.{index}") from None
    runtime.store.corrections.save(
        [
            Correction(runtime.region.id, item.source, item.id, item.sector, item.topic, item.agency, item.operator)
            for item in body.items
        ]
    )
    return FeedbackAnswer(stored=len(body.items))


def check_items(items: list[ClassifyItem], texts: list[MaskedText], config: ServingConfig) -> None:
    """Check what the schema cannot: this installation's limits, texts of which nothing is left, ids given twice.

    Raises:
        RequestError: with every item that does not fit.
    """
    problems: dict[str, str] = {}
    if len(items) > config.max_items:
        problems["items"] = f"there are {len(items)} items; at most {config.max_items} fit in one request"
    seen: set[tuple[str, str]] = set()
    for index, (item, text) in enumerate(zip(items, texts, strict=True)):
        if len(item.text) > config.max_characters:
            problems[f"items.{index}.text"] = f"the text is longer than {config.max_characters} characters"
        elif not text:
            problems[f"items.{index}.text"] = "the text is empty"
        if item.id is not None:
            if (item.source, item.id) in seen:
                problems[f"items.{index}.id"] = "the id is given twice in this request"
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


def municipality_ids(items: list[ClassifyItem], catalogue: Catalogue) -> list[str | None]:
    """Each item's place as an id of the catalogue; None where it names none, or the catalogue knows none.

    Raises:
        LabelError: a place is not among those of the catalogue; names the item and the known places.
    """
    if not catalogue.municipalities:
        return [None] * len(items)
    places: list[str | None] = []
    for index, item in enumerate(items):
        try:
            places.append(catalogue.municipality_id(item.municipality) if item.municipality else None)
        except LabelError as error:
            raise _placed(error, f"items.{index}.municipality") from None
    return places


def place_name(given: str | None, place: str | None, catalogue: Catalogue) -> str | None:
    """The name that is stored: the catalogue's; where that knows no places, what was sent, masked."""
    if place is not None:
        return next(known.name for known in catalogue.municipalities if known.id == place)
    return mask(given) if given else None


def explained(classifier: Classifier, text: str, place: str | None) -> list[ExplainedWord]:
    """The words that carried the decision as they go over the wire."""
    words = explain(classifier, text, place).words
    return [ExplainedWord(word=w.word, start=w.start, end=w.end, weight=round(w.weight, 4)) for w in words]


def result_of(
    complaint_id: str,
    created_at: datetime,
    text: MaskedText,
    found: Classification,
    parts: list[SegmentProposal],
    words: list[ExplainedWord] | None,
) -> ClassifyResult:
    """One classification as it goes over the wire."""
    hours = found.deadline_hours
    return ClassifyResult(
        id=complaint_id,
        text=text,
        decision=found.decision,
        reasons=list(found.reasons),
        reasons_ru=[REASONS_RU[reason] for reason in found.reasons],
        sector=_proposal(found.sector),
        topic=_proposal(found.topic),
        agency=_proposal(found.agency),
        alternatives={head: [_proposal(p) for p in top] for head, top in found.alternatives.items()},
        deadline_hours=hours,
        due_at=created_at + timedelta(hours=hours) if hours else None,
        truncated=found.truncated,
        proposals=[_problem(part) for part in parts],
        explanation=words,
    )


def _problem(part: SegmentProposal) -> ProblemProposal:
    return ProblemProposal(
        start=part.start,
        end=part.end,
        sector=_proposal(part.sector),
        topic=_proposal(part.topic),
        agency=_proposal(part.agency),
        deadline_hours=part.deadline_hours,
    )


def _proposal(proposal: Proposal) -> LabelProposal:
    return LabelProposal(label=proposal.label, confidence=round(proposal.confidence, 4))


def _placed(error: TsurError, where: str) -> LabelError:
    return LabelError(f"{where}: {error.message}", **{where: error.message})


def _decision(
    runtime: Runtime,
    item: ClassifyItem,
    text: MaskedText,
    complaint_id: str,
    created_at: datetime,
    municipality: str | None,
    found: Classification,
    version: str,
) -> Decision:
    return Decision(
        region=runtime.region.id,
        source=item.source,
        id=complaint_id,
        text=text,
        municipality=municipality,
        created_at=created_at,
        day=created_at.astimezone(runtime.region.zone).date(),
        decision=found.decision,
        reasons=list(found.reasons),
        sector=found.sector.label,
        sector_confidence=found.sector.confidence,
        topic=found.topic.label,
        topic_confidence=found.topic.confidence,
        agency=found.agency.label,
        agency_confidence=found.agency.confidence,
        model_version=version,
        features=found.features,
    )
