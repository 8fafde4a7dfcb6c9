"""`POST /v1/forecast`, `GET /v1/surges`, `GET /v1/heatmap`: what will come, and what is out of the ordinary.

All three answer from the champion forecaster, whose means are computed already; each also answers
with a CSV table. Names of places may be ids or aliases of the catalogue, as in `/v1/classify`.
"""

import math
from datetime import date
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Depends, Query, Request

from data.errors import TsurError
from models.forecasting.bundle import Forecasts
from models.forecasting.series import SeriesKey, sums_of_observed
from models.surges.detection import clearest_first, expected_surges, surge_events
from models.surges.types import Surge
from serving.api.v1.types import (
    ErrorAnswer,
    ForecastAnswer,
    ForecastDay,
    ForecastRequest,
    HeatCell,
    HeatmapAnswer,
    HistoryDay,
    ModelVersion,
    SurgeOut,
    SurgesAnswer,
)
from serving.http.csv_answer import CSV_ANSWER, Format, csv_response, wants_csv
from serving.live_counts import heat_cells, judged_days, recent_counts, yesterday
from serving.regions.champions import Champion
from serving.runtime import Runtime, runtime_of

UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorAnswer, "description": "No such series (`unknown_series`)"}
}
STALE: dict[int | str, dict[str, Any]] = {
    409: {"model": ErrorAnswer, "description": "The forecasts end before that day (`forecast_stale`)"}
}
REMEMBERED = 8
DAYS_JUDGED = 56
"""Counts that an observed surge is dated and explained by."""

router = APIRouter(tags=["outlook"])
Parts = Annotated[Runtime, Depends(runtime_of)]
Place = Annotated[str | None, Query(max_length=300, description="Only this municipality")]
Area = Annotated[str | None, Query(max_length=300, description="Only this sector")]
AsOf = Annotated[date | None, Query(description="The last day looked at; default: the last whole day known")]


@router.post("/forecast", summary="Forecast daily counts", responses={**UNKNOWN, **STALE, **CSV_ANSWER})
def forecast(body: ForecastRequest, request: Request, runtime: Parts, format: Format = None) -> ForecastAnswer:
    """Mean and quantiles of each day, beside the end of the history."""
    champion = runtime.champions.forecaster
    forecasts = champion.model
    place = place_name(runtime, body.municipality)
    frame = forecasts.forecast(place, body.sector, body.start, body.horizon, body.levels)
    rows = [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
    for row in rows:
        row["date"] = row["date"].date()
    if wants_csv(request, format):
        return csv_response(rows, [str(name) for name in frame.columns])  # type: ignore[return-value]
    key = forecasts.resolve(place, body.sector)
    return ForecastAnswer(
        model=_version(champion),
        municipality=key.municipality,
        sector=key.sector,
        method=str(forecasts.facts(key)["champion"]),
        days=[_day(row) for row in rows],
        history=_history(forecasts, key),
    )


@router.get("/surges", summary="Surges, observed and expected", responses={**UNKNOWN, **CSV_ANSWER})
def surges(
    request: Request,
    runtime: Parts,
    kind: Literal["observed", "expected"] | None = None,
    municipality: Place = None,
    sector: Area = None,
    min_probability: Annotated[float | None, Query(ge=0, le=1)] = None,
    closed: Annotated[bool, Query(description="Also those that are over")] = False,
    as_of: AsOf = None,
    format: Format = None,
) -> SurgesAnswer:
    """Counts clearly above what season, weekday and calendar explain, one alert an event, the clearest first.

    An event of several places is the region's, and is found under each of them.
    """
    champion = runtime.champions.forecaster
    forecasts = champion.model
    place = place_name(runtime, municipality)
    forecasts.resolve(place, sector)
    counts = recent_counts(forecasts, runtime.store, runtime.region.id, yesterday(runtime.region), as_of)
    found = remembered_surges(runtime.surges, champion, counts)
    least = runtime.config.surges.min_probability if min_probability is None else min_probability
    shown = [
        _surge(surge)
        for surge in found
        if surge.probability >= least
        and (closed or surge.closed is None)
        and kind in (None, surge.kind)
        and (place is None or place in (surge.municipality, *surge.places))
        and (sector is None or sector in (surge.sector, *surge.sectors))
    ]
    if wants_csv(request, format):
        columns = list(SurgeOut.model_fields)
        return csv_response([surge.model_dump() for surge in shown], columns)  # type: ignore[return-value]
    return SurgesAnswer(model=_version(champion), as_of=counts.index[-1].date(), surges=shown)


@router.get("/heatmap", summary="Observed against expected, municipality × sector", responses={**CSV_ANSWER})
def heatmap(
    request: Request,
    runtime: Parts,
    days: Annotated[int | None, Query(ge=1, le=28, description="Default: `surges.window_days`")] = None,
    as_of: AsOf = None,
    format: Format = None,
) -> HeatmapAnswer:
    """The heat map of the region's problems, the hottest cells first.

    It covers `start` to `end`: those of the last days that have an expectation. The forecaster keeps
    expectations of its last backtest window and of all days ahead.
    """
    champion = runtime.champions.forecaster
    counts = recent_counts(champion.model, runtime.store, runtime.region.id, yesterday(runtime.region), as_of)
    wanted = runtime.config.surges.window_days if days is None else days
    window = judged_days(champion.model, counts, wanted)
    cells = heat_cells(champion.model, counts, window)
    cells = with_surges(cells, remembered_surges(runtime.surges, champion, counts))
    if wants_csv(request, format):
        rows = [cell.model_dump() for cell in cells]
        return csv_response(rows, list(HeatCell.model_fields))  # type: ignore[return-value]
    start, end = window[0].date(), window[-1].date()
    return HeatmapAnswer(model=_version(champion), start=start, end=end, cells=cells)


def place_name(runtime: Runtime, municipality: str | None) -> str | None:
    """The catalogue's name of a place; what it does not know is left to the forecaster."""
    if municipality is None:
        return None
    try:
        catalogue = runtime.champions.classifier.model.catalogue
        place_id = catalogue.municipality_id(municipality)
    except TsurError:
        return municipality
    return next(place.name for place in catalogue.municipalities if place.id == place_id)


def _version(champion: Champion[Forecasts]) -> ModelVersion:
    return ModelVersion(name=champion.name, version=champion.version)


def _day(row: dict[str, Any]) -> ForecastDay:
    bounds = {name: int(value) for name, value in row.items() if name not in ("date", "mean")}
    return ForecastDay(date=row["date"], mean=round(float(row["mean"]), 3), quantiles=bounds)


def _history(forecasts: Forecasts, key: SeriesKey) -> list[HistoryDay]:
    tail = forecasts.mean_of(key, forecasts.tail)
    counts = [None if math.isnan(value) else int(value) for value in tail.to_numpy()]
    days = pd.DatetimeIndex(tail.index).date
    return [HistoryDay(date=day, count=count) for day, count in zip(days, counts, strict=True)]


def remembered_surges(
    remembered: dict[tuple[object, ...], list[Surge]], champion: Champion[Forecasts], counts: pd.DataFrame
) -> list[Surge]:
    """`all_surges`, computed once for the same champion and counts: it takes about a second for a region."""
    digest = int(pd.util.hash_pandas_object(counts).sum())
    key = (champion.version, counts.index[-1], digest)
    found = remembered.get(key)
    if found is None:
        found = all_surges(champion.model, counts)
        if len(remembered) >= REMEMBERED:
            remembered.clear()
        remembered[key] = found
    return found


def all_surges(forecasts: Forecasts, counts: pd.DataFrame) -> list[Surge]:
    """Events of both kinds as known at the end of `counts`, over places and sectors too, closed ones among them."""
    last, config = counts.index[-1].date(), forecasts.config
    known = pd.concat([forecasts.past_means, forecasts.means])
    panel, means = sums_of_observed(counts.iloc[-DAYS_JUDGED:], known)
    found = surge_events(panel, means.dropna(how="all"), forecasts.series, config.surges, last, config.calendar)
    return clearest_first(found + expected_surges(forecasts, counts))


def with_surges(cells: list[HeatCell], surges: list[Surge]) -> list[HeatCell]:
    """Each cell with the first day of the open surge that goes on there, in its place and sector by name."""
    since: dict[tuple[str, str], date] = {}
    for surge in sorted(surges, key=lambda surge: surge.start, reverse=True):
        if surge.state == "open":
            places, sectors = surge.places or (surge.municipality,), surge.sectors or (surge.sector,)
            since |= {(place, sector): surge.start for place in places for sector in sectors}
    return [cell.model_copy(update={"surge": since.get((cell.municipality, cell.sector))}) for cell in cells]


def _surge(surge: Surge) -> SurgeOut:
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
        reasons=list(surge.reasons),
    )
