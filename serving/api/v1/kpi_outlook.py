"""`GET /v1/kpi/outlook`: the surges of a span and what became of them, and the forecast of the week after it."""

from dataclasses import asdict

from fastapi import APIRouter, Response

from data.kpi.outlook import LEVEL, Outlook
from data.kpi.span import Span
from serving.analytics.endpoint import in_analytics
from serving.analytics.week_outlook import week_outlook
from serving.api.v1.kpi import FirstQuery, LastQuery, asked_span
from serving.api.v1.kpi_outlook_types import OutlookAnswer, SectorForecastOut, WeekSurgeOut
from serving.http.csv_answer import json_response
from serving.http.routes import NO_BODY, limited
from serving.runtime import CurrentRuntime, Runtime

router = APIRouter(tags=["analytics"])


@router.get("/kpi/outlook", summary="Surges of a span, and the week after it", response_model=OutlookAnswer)
@limited(NO_BODY)
@in_analytics
def outlook(runtime: CurrentRuntime, first: FirstQuery = None, last: LastQuery = None) -> Response:
    """What stands beside the figures of `/v1/kpi` on its page and in the report; the last whole week by default."""
    span = asked_span(runtime, first, last)
    span.check()
    told = outlook_of(runtime, span)
    answer = OutlookAnswer(
        start=span.first,
        end=span.last,
        surges=[WeekSurgeOut(**asdict(surge)) for surge in told.surges],
        surges_missing=told.surges_missing,
        coming_start=told.coming.first,
        coming_end=told.coming.last,
        level=LEVEL,
        forecast=[SectorForecastOut(**asdict(each)) for each in told.forecast],
        forecast_missing=told.forecast_missing,
    )
    return json_response(answer)


def outlook_of(runtime: Runtime, span: Span) -> Outlook:
    """The outlook of a span as this worker knows it."""
    least = runtime.config.surges.min_probability
    champions, memory = runtime.champions, runtime.surges
    return week_outlook(lambda: champions.forecaster, memory, runtime.store, runtime.region, span, least)
