"""`POST /v1/feedback`: operators' corrections, the best training data there is.

In: labels of complaints that were classified here, of the serving classifier's catalogue. Out: for each whether it
was stored; those that are good are stored together.
"""

from collections.abc import Sequence

from fastapi import APIRouter, Request

from data.catalogue.model import Catalogue
from data.errors import LabelError, UnknownComplaintError
from data.store.corrections import Correction, Corrections
from serving.api.v1.feedback_types import FeedbackAnswer, FeedbackItem, FeedbackRequest, StoredCorrection
from serving.api.v1.items import BadItem, Refusal, RefusedItem, good_ones, refused
from serving.auth.requires import Caller
from serving.config import MAX_ITEMS
from serving.http.errors import ErrorAnswer, error_at
from serving.http.routes import Limits, check_count, limited
from serving.runtime import CurrentRuntime

LIMITS = Limits(body_bytes=4 * 1024 * 1024, items=MAX_ITEMS)
router = APIRouter(tags=["complaints"])


@router.post(
    "/feedback",
    summary="Store operators' corrections",
    responses={404: {"model": ErrorAnswer, "description": "No such complaint (`unknown_complaint`)"}},
)
@limited(LIMITS)
def feedback(body: FeedbackRequest, request: Request, runtime: CurrentRuntime, principal: Caller) -> FeedbackAnswer:
    """Keep what an operator decided instead: the best training data there is.

    An item that is wrong is answered with its own `error` in its place; the good ones are stored. Where none is good,
    the request is refused.
    """
    request.state.items = len(body.items)
    check_count(len(body.items), LIMITS.within(runtime.config).items)
    catalogue = runtime.champions.classifier.model.catalogue
    read = read_items(body.items, catalogue, runtime.store.corrections, runtime.region.id)
    corrections = good_ones(read)
    runtime.store.corrections.save(corrections)
    request.state.complaints = [(each.source, each.complaint_id) for each in corrections]
    return FeedbackAnswer(stored=len(corrections), results=[_answer(item) for item in read])


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
