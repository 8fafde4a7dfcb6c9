"""`POST /v1/feedback`: operators' corrections, the best training data there is.

In: labels of complaints that were classified here, of the serving classifier's catalogue. Out: for each whether it
was stored; those that are good are stored together.
"""

from collections.abc import Sequence
from functools import partial

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from data.catalogue.model import Catalogue
from data.errors import LabelError, UnknownComplaintError
from data.store.answers import Answer
from data.store.corrections import Agreement, Correction, Corrections, write_corrections
from serving.api.v1.feedback_types import FeedbackAnswer, FeedbackItem, FeedbackRequest, StoredCorrection
from serving.api.v1.idempotency import MaybeNamed
from serving.api.v1.items import BadItem, Refusal, RefusedItem, good_ones, refused
from serving.auth.requires import Caller
from serving.config import MAX_ITEMS
from serving.http.error_docs import documented
from serving.http.errors import error_at
from serving.http.routes import Limits, check_count, limited
from serving.runtime import CurrentRuntime

LIMITS = Limits(body_bytes=4 * 1024 * 1024, items=MAX_ITEMS)
router = APIRouter(tags=["complaints"])


@router.post(
    "/feedback",
    summary="Store operators' corrections",
    response_model=FeedbackAnswer,
    responses=documented(
        404, "No such complaint", unknown_complaint="no complaint '2026-001' of source 'pos' was classified here"
    ),
)
@limited(LIMITS)
def feedback(
    body: FeedbackRequest, request: Request, runtime: CurrentRuntime, principal: Caller, asked: MaybeNamed
) -> Response:
    """Keep what an operator decided instead: the best training data there is.

    An item that is wrong is answered with its own `error` in its place; the good ones are stored. Where none is good,
    the request is refused. A correction that repeats the last one of its complaint is not stored again.
    """
    request.state.items = len(body.items)
    answer = runtime.store.answers.given(asked)
    if answer is None:
        check_count(len(body.items), LIMITS.within(runtime.config).items)
        catalogue = runtime.champions.classifier.model.catalogue
        read = read_items(body.items, catalogue, runtime.store.corrections, runtime.region.id)
        agreements: list[Agreement] = []
        answer = runtime.store.answers.once(asked, partial(_store, read, good_ones(read), agreements))
        runtime.metrics.corrected(agreements)
    request.state.complaints = answer.complaints
    return Response(answer.text, media_type="application/json")


def _store(
    read: Sequence[Correction | Refusal],
    corrections: Sequence[Correction],
    agreements: list[Agreement],
    connection: Connection,
) -> Answer:
    """Store corrections with their answer; `agreements` gets what they say of the decisions."""
    agreements += write_corrections(connection, corrections)
    answer = FeedbackAnswer(stored=len(corrections), results=[_answer(item) for item in read])
    return Answer(answer.model_dump_json(), [(each.source, each.complaint_id) for each in corrections])


def read_items(
    items: Sequence[FeedbackItem | BadItem], catalogue: Catalogue, corrections: Corrections, region: str
) -> list[Correction | Refusal]:
    """Each item as a correction to store, or what is wrong with it.

    Raises:
        StoreError: the store cannot be read.
    """
    fitting = {index: _correction(item, region) for index, item in enumerate(items) if isinstance(item, FeedbackItem)}
    places = list(fitting)
    unknown = {places[place] for place in corrections.unknown(list(fitting.values()))}
    read: list[Correction | Refusal] = []
    for index, item in enumerate(items):
        if isinstance(item, BadItem):
            read.append(refused(index, item))
            continue
        try:
            if index in unknown:
                raise UnknownComplaintError(f"no complaint {item.id!r} of source {item.source!r} was classified here")
            catalogue.check_labels(item.sector, item.topic, item.agency)
            read.append(fitting[index])
        except UnknownComplaintError as error:
            read.append(Refusal(index, item.id, error_at(f"items.{index}.id", error)))
        except LabelError as error:
            read.append(Refusal(index, item.id, error_at(f"items.{index}", error)))
    return read


def _answer(item: Correction | Refusal) -> StoredCorrection | RefusedItem:
    return item.answer if isinstance(item, Refusal) else StoredCorrection(id=item.complaint_id, source=item.source)


def _correction(item: FeedbackItem, region: str) -> Correction:
    return Correction(
        region=region,
        source=item.source,
        complaint_id=item.id,
        sector=item.sector,
        topic=item.topic,
        agency=item.agency,
        operator=item.operator,
    )
