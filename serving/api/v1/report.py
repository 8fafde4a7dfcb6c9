"""`GET /v1/report`: the weekly report, one A4 page as PDF, of the figures of `GET /v1/kpi`."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from data.kpi.report import week_span, weekly_report
from serving.analytics.endpoint import in_analytics
from serving.api.v1.kpi_outlook import outlook_of
from serving.http.routes import Limits, limited
from serving.runtime import CurrentRuntime

router = APIRouter(tags=["analytics"])
PDF = "application/pdf"
LIMITS = Limits(body_bytes=4096)


@router.get(
    "/report",
    summary="The weekly report as PDF",
    response_class=Response,
    responses={200: {"content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}},
)
@limited(LIMITS)
@in_analytics
def report(
    runtime: CurrentRuntime,
    week: Annotated[
        str | None, Query(max_length=10, description="ISO week; default: the last whole one", examples=["2026-W47"])
    ] = None,
) -> Response:
    """One page in Russian: figures, days, agencies and municipalities, surges, the forecast of the next week."""
    from data.kpi.pdf import draw_report

    span = week_span(week, datetime.now(runtime.region.zone).date())
    drawn = draw_report(weekly_report(runtime.store, runtime.region, span, outlook_of(runtime, span)))
    year, number, _ = span.first.isocalendar()
    name = f"{runtime.region.id}-{year}-W{number:02}.pdf"
    return Response(drawn, media_type=PDF, headers={"Content-Disposition": f'inline; filename="{name}"'})
