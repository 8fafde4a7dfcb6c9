"""`GET /v1/surges`: counts that are, or are about to be, out of the ordinary; one alert an event.

Answers from the champion forecaster and the stored complaints of the days after its history; a CSV table on request.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from models.surges.types import Surge
from serving.analytics.endpoint import in_analytics
from serving.analytics.live_counts import recent_counts, yesterday
from serving.api.v1.queries import UNKNOWN_SERIES, AsOfQuery, MunicipalityQuery, SectorQuery, municipality_name
from serving.api.v1.shared_types import ModelVersion
from serving.api.v1.surges_types import SurgeOut, SurgesAnswer
from serving.auth.requires import Caller
from serving.http.csv_answer import CSV_ANSWER, Format, csv_response, json_response, wants_csv
from serving.http.routes import NO_BODY, limited
from serving.runtime import CurrentRuntime

router = APIRouter(tags=["analytics"])


@router.get(
    "/surges",
    summary="Surges, observed and expected",
    responses={**UNKNOWN_SERIES, **CSV_ANSWER},
    response_model=SurgesAnswer,
)
@limited(NO_BODY)
@in_analytics
def surges(
    request: Request,
    runtime: CurrentRuntime,
    principal: Caller,
    kind: Literal["observed", "expected"] | None = None,
    municipality: MunicipalityQuery = None,
    sector: SectorQuery = None,
    min_probability: Annotated[float | None, Query(ge=0, le=1)] = None,
    closed: Annotated[bool, Query(description="Also those that are over")] = False,
    as_of: AsOfQuery = None,
    format: Format = None,
) -> Response:
    """Counts clearly above what season, weekday and calendar explain, one alert an event, the most important first.

    An event of several places is the region's, and is found under each of them.
    """
    champion = runtime.champions.forecaster
    forecasts = champion.model
    place = municipality_name(runtime, municipality)
    forecasts.resolve(place, sector)
    counts = recent_counts(forecasts, runtime.store, runtime.region.id, yesterday(runtime.region), as_of)
    events = runtime.surges.surges(champion, counts)
    least = runtime.config.surges.min_probability if min_probability is None else min_probability
    shown = [
        surge_out(surge)
        for surge in events
        if surge.probability >= least
        and (closed or surge.closed is None)
        and kind in (None, surge.kind)
        and (place is None or place in (surge.municipality, *surge.places))
        and (sector is None or sector in (surge.sector, *surge.sectors))
    ]
    if wants_csv(request, format):
        columns = list(SurgeOut.model_fields)
        return csv_response([surge.model_dump() for surge in shown], columns)
    model = ModelVersion(name=champion.name, version=champion.version)
    return json_response(SurgesAnswer(model=model, as_of=counts.index[-1].date(), surges=shown))


def surge_out(surge: Surge) -> SurgeOut:
    """One event as it goes over the wire."""
    observed = surge.kind == "observed"
    return SurgeOut(
        kind=surge.kind,
        state=surge.state,
        municipality=surge.municipality,
        sector=surge.sector,
        places=list(surge.places),
        sectors=list(surge.sectors),
        start=surge.start,
        end=surge.end,
        since=surge.start if observed else None,
        noticed=surge.noticed,
        closed=surge.closed,
        expected=round(surge.expected, 2),
        observed=round(surge.count) if observed else None,
        forecast=None if observed else round(surge.count, 2),
        excess=round(surge.excess, 2),
        ratio=round(surge.ratio, 2),
        level=surge.level,
        probability=round(surge.probability, 4),
        confirmed=surge.confirmed,
        new_level=surge.new_level,
        importance=round(surge.importance, 2),
        reasons=list(surge.reasons),
    )
