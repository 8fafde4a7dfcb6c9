"""`POST /v1/forecast`: the coming days of a series, beside the end of its history.

Answers from the champion forecaster, whose means are computed already; a CSV table on request. Names of places
may be ids or aliases of the catalogue, as in `/v1/classify`.
"""

import math
from typing import Any

import pandas as pd
from fastapi import APIRouter, Request, Response

from models.forecasting.bundle import Forecasts
from models.forecasting.series import SeriesKey
from serving.analytics.endpoint import in_analytics
from serving.api.v1.forecast_types import ForecastAnswer, ForecastDay, ForecastRequest, HistoryDay
from serving.api.v1.queries import UNKNOWN_SERIES, municipality_name
from serving.api.v1.shared_types import ModelVersion
from serving.auth.requires import Caller
from serving.http.csv_answer import CSV_ANSWER, Format, csv_response, json_response, wants_csv
from serving.http.error_docs import documented
from serving.http.routes import Limits, limited
from serving.runtime import CurrentRuntime

STALE = documented(
    409,
    "The forecasts end before that day",
    forecast_stale="the forecasts end on 2026-12-13: run `tsur train forecaster --refresh`",
)
LIMITS = Limits(body_bytes=64 * 1024, seconds=30)
router = APIRouter(tags=["analytics"])


@router.post(
    "/forecast",
    summary="Forecast daily counts",
    responses={**UNKNOWN_SERIES, **STALE, **CSV_ANSWER},
    response_model=ForecastAnswer,
)
@limited(LIMITS)
@in_analytics
def forecast(
    body: ForecastRequest, request: Request, runtime: CurrentRuntime, principal: Caller, format: Format = None
) -> Response:
    """Mean and quantiles of each day, beside the end of the history."""
    champion = runtime.champions.forecaster
    forecasts = champion.model
    place = municipality_name(runtime, body.municipality)
    frame = forecasts.forecast(place, body.sector, body.start, body.horizon, body.levels)
    rows = [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
    for row in rows:
        row["date"] = row["date"].date()
    if wants_csv(request, format):
        return csv_response(rows, [str(name) for name in frame.columns])
    key = forecasts.resolve(place, body.sector)
    answer = ForecastAnswer(
        model=ModelVersion(name=champion.name, version=champion.version),
        municipality=key.municipality,
        sector=key.sector,
        method=str(forecasts.facts(key)["champion"]),
        days=[_day(row) for row in rows],
        history=_history(forecasts, key),
    )
    return json_response(answer)


def _day(row: dict[str, Any]) -> ForecastDay:
    bounds = {name: int(value) for name, value in row.items() if name not in ("date", "mean")}
    return ForecastDay(date=row["date"], mean=round(float(row["mean"]), 3), quantiles=bounds)


def _history(forecasts: Forecasts, key: SeriesKey) -> list[HistoryDay]:
    tail = forecasts.mean_of(key, forecasts.tail)
    counts = [None if math.isnan(value) else int(value) for value in tail.to_numpy()]
    days = pd.DatetimeIndex(tail.index).date
    return [HistoryDay(date=day, count=count) for day, count in zip(days, counts, strict=True)]
