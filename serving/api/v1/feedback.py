"""`POST /v1/feedback`: operators' corrections, the best training data there is.

In: labels of complaints that were classified here, of the serving classifier's catalogue. Out: how many were
stored; either all are or none.
"""

from fastapi import APIRouter, Request

from data.errors import LabelError
from data.store.store import Correction
from serving.api.v1.feedback_types import FeedbackAnswer, FeedbackItem, FeedbackRequest
from serving.http.errors import ErrorAnswer, error_at
from serving.runtime import CurrentRuntime

router = APIRouter(tags=["complaints"])


@router.post(
    "/feedback",
    summary="Store operators' corrections",
    responses={404: {"model": ErrorAnswer, "description": "No such complaint (`unknown_complaint`)"}},
)
def feedback(body: FeedbackRequest, request: Request, runtime: CurrentRuntime) -> FeedbackAnswer:
    """Keep what an operator decided instead: the best training data there is."""
    request.state.items = len(body.items)
    catalogue = runtime.champions.classifier.model.catalogue
    for index, item in enumerate(body.items):
        try:
            catalogue.check_labels(item.sector, item.topic, item.agency)
        except LabelError as error:
            raise error_at(f"items.{index}", error) from None
    runtime.store.save_corrections([_correction(item) for item in body.items])
    return FeedbackAnswer(stored=len(body.items))


def _correction(item: FeedbackItem) -> Correction:
    return Correction(
        source=item.source,
        complaint_id=item.id,
        sector=item.sector,
        topic=item.topic,
        agency=item.agency,
        operator=item.operator,
    )
