"""`GET /v1/kpi`: what the head of a regional centre is judged by, each number with its formula, n and interval."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from data.errors import RequestError
from data.kpi.definitions import DEFINITIONS
from data.kpi.figures import LEAST, Figure
from data.kpi.kpi import By, Kpis, compute_kpis
from data.kpi.span import Span, last_week
from serving.analytics.endpoint import in_analytics
from serving.api.v1.kpi_types import DayOut, DefinitionOut, FigureOut, GroupOut, KpiAnswer
from serving.api.v1.shared_types import IsoDate
from serving.http.csv_answer import json_response
from serving.http.routes import NO_BODY, limited
from serving.runtime import CurrentRuntime, Runtime

router = APIRouter(tags=["analytics"])
FirstQuery = Annotated[date | None, IsoDate, Query(alias="from", description="First local day; default: last week's")]
LastQuery = Annotated[date | None, IsoDate, Query(alias="to", description="Last one, at most 366 days from the first")]


@router.get("/kpi", summary="KPIs of a span of days", response_model=KpiAnswer)
@limited(NO_BODY)
@in_analytics
def kpi(
    runtime: CurrentRuntime,
    first: FirstQuery = None,
    last: LastQuery = None,
    by: Annotated[By | None, Query(description="Whose figures besides the region's")] = None,
) -> Response:
    """Volume, shares, deadlines and times, beside those of as many days before; the last whole week by default."""
    span = asked_span(runtime, first, last)
    return json_response(answer_of(compute_kpis(runtime.store, runtime.region, span, by), by))


def asked_span(runtime: Runtime, first: date | None, last: date | None) -> Span:
    """The days that were asked for.

    Raises:
        RequestError: only one end was named.
    """
    if first is None and last is None:
        return last_week(datetime.now(runtime.region.zone).date())
    if first is None or last is None:
        raise RequestError("from, to: name both days, or none for the last whole week")
    return Span(first, last)


def answer_of(kpis: Kpis, by: str | None) -> KpiAnswer:
    """KPIs as they go over the wire."""
    return KpiAnswer(
        start=kpis.span.first,
        end=kpis.span.last,
        before_start=kpis.before.first,
        before_end=kpis.before.last,
        as_of=kpis.as_of,
        least=LEAST,
        definitions=[DefinitionOut(**vars(definition)) for definition in DEFINITIONS],
        figures=figures_out(kpis.figures),
        daily=[DayOut(date=day, count=number) for day, number in kpis.daily],
        by=by,
        groups=[GroupOut(name=group.name, figures=figures_out(group.figures)) for group in kpis.groups],
    )


def figures_out(figures: dict[str, Figure]) -> dict[str, FigureOut]:
    """Figures as they go over the wire."""
    return {name: FigureOut(**vars(figure)) for name, figure in figures.items()}
