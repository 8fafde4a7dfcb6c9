"""`POST /v1/feedback`: operators' corrections, the best training data there is.

In: labels of complaints that were classified here, of the serving classifier's catalogue. Out: how many were
stored; either all are or none.
"""

from fastapi import APIRouter, Request

from data.errors import LabelError
from data.store.corrections import Correction
from serving.api.v1.feedback_types import FeedbackAnswer, FeedbackItem, FeedbackRequest
from serving.auth.requires import Operator
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
def feedback(body: FeedbackRequest, request: Request, runtime: CurrentRuntime, principal: Operator) -> FeedbackAnswer:
    """Keep what an operator decided instead: the best training data there is."""
    request.state.items = len(body.items)
    check_count(len(body.items), LIMITS.within(runtime.config).items)
    catalogue = runtime.champions.classifier.model.catalogue
    for index, item in enumerate(body.items):
        try:
            catalogue.check_labels(item.sector, item.topic, item.agency)
        except LabelError as error:
            raise error_at(f"items.{index}", error) from None
    runtime.store.corrections.save([_correction(item, runtime.region.id) for item in body.items])
    return FeedbackAnswer(stored=len(body.items))


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
