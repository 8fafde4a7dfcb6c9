"""`GET /v1/municipalities`: places side by side, per 1,000 inhabitants where the region gives them.

In: the panel of `live_counts`, the inhabitants of `region.yaml`. Out: a row a place. A rate has an interval, and below
`LEAST` complaints there is none: small places would lead and close every ranking by chance.
"""

from typing import Annotated

import pandas as pd
from fastapi import APIRouter, Query, Request, Response

from data.counts.daily import REGION
from models.forecasting.bundle import Forecasts
from models.forecasting.series import ALL_SECTORS
from serving.analytics.endpoint import in_analytics
from serving.analytics.live_counts import recent_counts, yesterday
from serving.api.v1.municipalities_types import MunicipalitiesAnswer, PlaceCounts
from serving.api.v1.queries import UNKNOWN_SERIES, AsOfQuery, SectorQuery
from serving.api.v1.shared_types import ModelVersion
from serving.auth.requires import Caller
from serving.http.csv_answer import CSV_ANSWER, Format, csv_response, json_response, wants_csv
from serving.http.routes import NO_BODY, limited
from serving.runtime import CurrentRuntime

LEAST = 20
"""Complaints without which a rate says nothing: its 95 % interval is as wide as the rate itself."""
LEVEL = 0.95
router = APIRouter(tags=["analytics"])


@router.get(
    "/municipalities",
    summary="Places side by side, per 1,000 inhabitants",
    responses={**UNKNOWN_SERIES, **CSV_ANSWER},
    response_model=MunicipalitiesAnswer,
)
@limited(NO_BODY)
@in_analytics
def municipalities(
    request: Request,
    runtime: CurrentRuntime,
    principal: Caller,
    days: Annotated[int, Query(ge=1, le=56, description="The last days")] = 28,
    sector: SectorQuery = None,
    as_of: AsOfQuery = None,
    format: Format = None,
) -> Response:
    """What came in each municipality beside what was expected; no ranking: the order is the alphabet's."""
    champion = runtime.champions.forecaster
    forecasts = champion.model
    asked = forecasts.resolve(None, sector).sector
    counts = recent_counts(forecasts, runtime.store, runtime.region.id, yesterday(runtime.region), as_of).iloc[-days:]
    people = runtime.region.inhabitants
    rows = place_counts(forecasts, counts, None if asked == ALL_SECTORS else asked, people)
    if wants_csv(request, format):
        return csv_response([row.model_dump() for row in rows], list(PlaceCounts.model_fields))
    answer = MunicipalitiesAnswer(
        model=ModelVersion(name=champion.name, version=champion.version),
        start=counts.index[0].date(),
        end=counts.index[-1].date(),
        sector=asked,
        sectors=sorted({key.sector for key in forecasts.keys}),
        region=rows[0],
        municipalities=rows[1:],
    )
    return json_response(answer)


def place_counts(
    forecasts: Forecasts, counts: pd.DataFrame, sector: str | None, people: dict[str, int]
) -> list[PlaceCounts]:
    """The region and then each place, over the days of `counts` (dates × base series)."""
    columns = [key for key in forecasts.keys if sector in (None, key.sector)]
    means = pd.concat([forecasts.past_means, forecasts.means]).reindex(index=counts.index, columns=counts.columns)
    places = sorted({key.municipality for key in columns} - {REGION})
    of_place = [[tuple(key) for key in columns if key.municipality == place] for place in places]
    everybody = sum(people[place] for place in places) if places and all(place in people for place in places) else None
    every = [tuple(key) for key in columns]
    return [
        _counts(REGION, counts[every], means[every], everybody),
        *(
            _counts(place, counts[names], means[names], people.get(place))
            for place, names in zip(places, of_place, strict=True)
        ),
    ]


def _counts(place: str, counts: pd.DataFrame, means: pd.DataFrame, inhabitants: int | None) -> PlaceCounts:
    seen = counts.notna()
    judged = seen & means.notna()
    observed = int(counts.sum().sum()) if seen.any(axis=None) else None
    expected = float(means.where(judged).sum().sum()) if judged.any(axis=None) else None
    rate = low = high = None
    if observed is not None and observed >= LEAST and inhabitants:
        rate, low, high = (round(1000 * each / inhabitants, 3) for each in (observed, *poisson_interval(observed)))
    return PlaceCounts(
        municipality=place,
        observed=observed,
        days=int(seen.any(axis=1).sum()),
        expected=None if expected is None else round(expected, 2),
        observed_of_expected=None if expected is None else int(counts.where(judged).sum().sum()),
        inhabitants=inhabitants,
        per_thousand=rate,
        low=low,
        high=high,
    )


def poisson_interval(count: int) -> tuple[float, float]:
    """The exact 95 % interval of a Poisson mean of which this was seen (Garwood 1936)."""
    from scipy.stats import chi2

    tail = (1 - LEVEL) / 2
    low = chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    return float(low), float(chi2.ppf(1 - tail, 2 * count + 2) / 2)
