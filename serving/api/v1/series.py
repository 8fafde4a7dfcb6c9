"""`GET /v1/series`: one series as people look at it: its past, its future, its surges, in words too.

Answers from the champion forecaster and the stored complaints of the days after its history; a CSV table on request.
`GET /v1/series/chart` draws the same as SVG.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Depends, Query, Request, Response

from models.forecasting.bundle import Forecasts
from models.forecasting.series import SeriesKey
from models.surges.types import Surge
from serving.analytics.charts import series_chart
from serving.analytics.endpoint import in_analytics
from serving.analytics.live_counts import recent_counts, yesterday
from serving.analytics.series_view import fit_of, series_days
from serving.analytics.series_words import series_words
from serving.api.v1.queries import UNKNOWN_SERIES, AsOfQuery, MunicipalityQuery, SectorQuery, municipality_name
from serving.api.v1.series_types import FitOut, PlaceSectors, SeriesAnswer, SeriesDay
from serving.api.v1.shared_types import ModelVersion
from serving.api.v1.surges import surge_out
from serving.auth.requires import Caller
from serving.http.csv_answer import CSV_ANSWER, Format, csv_response, json_response, wants_csv
from serving.http.routes import NO_BODY, limited
from serving.runtime import CurrentRuntime, Runtime

router = APIRouter(tags=["analytics"])
PAST_DAYS = 56
"""As many as the forecaster keeps of its history."""
LEVELS = (0.5, 0.8, 0.95)
SVG = "image/svg+xml"
SVG_ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {SVG: {"schema": {"type": "string"}}}}}
HorizonQuery = Annotated[int, Query(ge=1, le=366, description="Days to come, as far as the forecasts reach")]
LevelQuery = Annotated[float, Query(ge=0.01, le=0.99, description="The central interval")]
PastQuery = Annotated[int, Query(ge=7, le=366, description="Days of the past")]


@dataclass(frozen=True)
class SeriesQuery:
    """Which series, and what of it; without a municipality or sector the sum over all of them."""

    municipality: MunicipalityQuery = None
    sector: SectorQuery = None
    past: PastQuery = PAST_DAYS
    horizon: HorizonQuery = 14
    level: LevelQuery = 0.8
    as_of: AsOfQuery = None


@router.get(
    "/series",
    summary="One series: past, future, surges",
    responses={**UNKNOWN_SERIES, **CSV_ANSWER},
    response_model=SeriesAnswer,
)
@limited(NO_BODY)
@in_analytics
def series(
    request: Request,
    runtime: CurrentRuntime,
    principal: Caller,
    query: Annotated[SeriesQuery, Depends()],
    format: Format = None,
) -> Response:
    """Without a municipality or sector the sum over all of them."""
    answer = series_out(runtime, query)
    if wants_csv(request, format):
        rows = [{**day.model_dump(exclude={"quantiles"}), **day.quantiles} for day in answer.days]
        return csv_response(rows, ["date", "count", "expected", "kind", "name"])
    return json_response(answer)


@router.get(
    "/series/chart",
    summary="One series as a picture",
    responses={**UNKNOWN_SERIES, **SVG_ANSWER},
    response_class=Response,
)
@limited(NO_BODY)
@in_analytics
def chart(
    runtime: CurrentRuntime,
    principal: Caller,
    query: Annotated[SeriesQuery, Depends()],
    width: Annotated[int, Query(ge=200, le=3000, description="Of the picture, pixels")] = 900,
) -> Response:
    """Its colours are CSS variables of the page it is put into, with defaults for light paper."""
    answer = series_out(runtime, query)
    return Response(runtime.drawer.svg(series_chart(answer, query.level, width)), media_type=SVG)


def series_out(runtime: Runtime, query: SeriesQuery) -> SeriesAnswer:
    """The series as it goes over the wire."""
    champion = runtime.champions.forecaster
    forecasts = champion.model
    key = forecasts.resolve(municipality_name(runtime, query.municipality), query.sector)
    counts = recent_counts(forecasts, runtime.store, runtime.region.id, yesterday(runtime.region), query.as_of)
    frame = series_days(forecasts, counts, key, query.past, query.horizon, sorted({*LEVELS, query.level}))
    fit = fit_of(frame, query.level)
    surges = [surge for surge in runtime.surges.surges(champion, counts) if _concerns(surge, key)]
    return SeriesAnswer(
        model=ModelVersion(name=champion.name, version=champion.version),
        municipality=key.municipality,
        sector=key.sector,
        method=str(forecasts.facts(key)["champion"]),
        origin=forecasts.origin,
        last=counts.index[-1].date(),
        stale=forecasts.last_day <= datetime.now(runtime.region.zone).date(),
        days=_days(frame),
        surges=[surge_out(surge) for surge in surges],
        fit=None if fit is None else FitOut(**vars(fit)),
        words=series_words(frame),
        known=_known(forecasts),
    )


def _concerns(surge: Surge, key: SeriesKey) -> bool:
    """Whether an event is of this series, or of a sum that it is part of."""
    places, sectors = (surge.municipality, *surge.places), (surge.sector, *surge.sectors)
    return key.municipality in places and key.sector in sectors


def _days(frame: pd.DataFrame) -> list[SeriesDay]:
    bounds = [name for name in frame.columns if name.startswith("q")]
    return [
        SeriesDay(
            date=day,
            count=None if pd.isna(row["count"]) else int(row["count"]),
            expected=None if pd.isna(row["expected"]) else round(float(row["expected"]), 2),
            quantiles={name: int(row[name]) for name in bounds if not pd.isna(row[name])},
            kind=row["kind"] or None,
            name=row["name"] or "",
        )
        for day, row in zip(pd.DatetimeIndex(frame.index).date, frame.to_dict("records"), strict=True)
    ]


def _known(forecasts: Forecasts) -> list[PlaceSectors]:
    """Each place with its sectors, the region and the sum over all sectors first."""
    rows = forecasts.series[["municipality", "sector"]]
    sums = set(rows["municipality"]) - {key.municipality for key in forecasts.keys}
    places = sorted(set(rows["municipality"]), key=lambda name: (name not in sums, name))
    return [
        PlaceSectors(municipality=place, sectors=sorted(rows.loc[rows["municipality"] == place, "sector"]))
        for place in places
    ]
