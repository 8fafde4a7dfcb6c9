"""`POST /v1/classify`: complaints in, routing decisions out.

A complaint is answered when its decision is stored. The classifier reads the masked text, as it did in
training, and the same text is stored. Places are looked up in the catalogue that the serving classifier was
trained for; without a known one a complaint is decided all the same, and the answer says so. Items that are wrong
are answered as such beside the good ones, which are stored together.
"""

import uuid
from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import Connection

from data.catalogue.model import Catalogue
from data.catalogue.places import PlaceNote
from data.complaints.identifiers import why_refused
from data.complaints.masking import MaskedText, mask, masked
from data.errors import RequestError
from data.regulations.deadlines import Deadline, Deadlines, load_deadlines
from data.store.answers import Answer, NamedRequest
from data.store.decisions import write_decisions
from models.classifier.routing import Classification
from models.classifier.segments import classify_with_proposals, with_several
from serving.api.v1.classify_result import Complaint, decision_of, explained, result_of
from serving.api.v1.classify_types import (
    MAX_EXPLAINED,
    ClassifyAnswer,
    ClassifyItem,
    ClassifyRequest,
    ClassifyResult,
)
from serving.api.v1.idempotency import MaybeNamed
from serving.api.v1.items import BadItem, Refusal, RefusedItem, bad_item, good_ones, refused
from serving.api.v1.shared_types import ModelVersion
from serving.auth.requires import Caller
from serving.config import MAX_ITEMS
from serving.http.admission import admitted
from serving.http.errors import ErrorAnswer
from serving.http.routes import Limits, check_count, limited
from serving.regions.shadow import Answered
from serving.runtime import CurrentRuntime, Runtime

LIMITS = Limits(items=MAX_ITEMS)
router = APIRouter(tags=["complaints"])


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
def classify(
    body: ClassifyRequest, request: Request, runtime: CurrentRuntime, principal: Caller, asked: MaybeNamed
) -> Response:
    """Route or review each complaint; every answered decision is stored (with its text masked).

    An item that is wrong is answered with its own `error` in its place, beside the others' decisions. Where none is
    good, the request is refused. A complaint that is sent again with its id, unchanged, is not stored again.
    """
    request.state.items = len(body.items)
    answer = runtime.store.answers.given(asked)
    if answer is None:
        answer = decided_once(body, runtime, asked)
    request.state.complaints = answer.complaints
    return Response(answer.text, media_type="application/json")  # FastAPI would check it once more


def decided_once(body: ClassifyRequest, runtime: Runtime, asked: NamedRequest | None) -> Answer:
    """Decide all items and store the decisions with the answer."""
    champion = runtime.champions.classifier
    check_count(len(body.items), LIMITS.within(runtime.config).items)
    check_explain(body)
    read = read_items(body.items, champion.model.catalogue, runtime.config.max_characters)
    complaints = good_ones(read)
    places = [complaint.place_id for complaint in complaints]
    wholes, problems = classify_with_proposals(champion.model, [c.text for c in complaints], places)
    decided = [with_several(whole, proposals) for whole, proposals in zip(wholes, problems, strict=True)]
    words = [explained(champion.model, complaint) if body.explain else None for complaint in complaints]
    due = partial(_deadline, load_deadlines(runtime.region), champion.model.catalogue)
    pairs = list(zip(complaints, decided, strict=True))
    decisions = [decision_of(c, runtime.region, said, champion.version, due(c, said)) for c, said in pairs]
    model = ModelVersion(name=champion.name, version=champion.version)
    fresh: list[Answered] = []

    def store(connection: Connection) -> Answer:
        stored = write_decisions(connection, decisions)
        rows = list(zip(complaints, stored, strict=True))
        fresh.extend(Answered(row.number, each.text, each.place_id) for each, row in rows if not row.repeated)
        # a complaint that came before keeps the time of its first coming, and with it its deadline
        whens = [replace(each, created_at=row.created_at) for each, row in rows]
        deadlines = map(due, whens, decided)
        results = [result_of(*parts) for parts in zip(whens, decided, problems, words, deadlines, strict=True)]
        return Answer(answer_of(model, read, results), [(complaint.source, complaint.id) for complaint in complaints])

    answer = runtime.store.answers.once(asked, store)
    runtime.shadow.offer(fresh)
    runtime.metrics.classified(decisions)
    cache = champion.model.encoders.cache
    runtime.metrics.cache(cache.hits, cache.misses)
    return answer


def _deadline(
    deadlines: Deadlines, catalogue: Catalogue, complaint: Complaint, said: Classification
) -> Deadline | None:
    """By when it is to be answered, were the topic the one that was said."""
    topic = catalogue.known_topic(said.sector.label, said.topic.label)
    return deadlines.of(complaint.source, topic, complaint.created_at)


def answer_of(model: ModelVersion, read: list[Complaint | Refusal], decided: list[ClassifyResult]) -> str:
    """Results and refusals in the order sent, as JSON."""
    answers = iter(decided)
    results: list[ClassifyResult | RefusedItem] = [
        item.answer if isinstance(item, Refusal) else next(answers) for item in read
    ]
    return ClassifyAnswer(model=model, results=results).model_dump_json()


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
        arrived=item.created_at is None,
        place_id=place_id,
        municipality=names.get(place_id or "") if names else _unchecked(item.municipality),
        note=note,
    )


def _unchecked(municipality: str | None) -> str | None:
    """A place as it was sent to a catalogue that knows none: it may say anything, so it is masked."""
    return mask(municipality) if municipality else None
