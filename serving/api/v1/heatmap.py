"""`GET /v1/heatmap`: municipality × sector, each observed count beside what was expected.

Answers from the champion forecaster and the stored complaints of the days after its history; a CSV table on request.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pandas as pd
from fastapi import APIRouter, Query, Request, Response

from models.forecasting.bundle import Forecasts
from models.forecasting.distribution import Floats, window_dispersion
from models.forecasting.series import NAMES, SeriesKey
from models.surges.types import Surge
from serving.analytics.endpoint import in_analytics
from serving.analytics.live_counts import judged_days, recent_counts, yesterday
from serving.analytics.surges import going_on
from serving.api.v1.heatmap_types import HeatCell, HeatmapAnswer
from serving.api.v1.queries import AsOfQuery
from serving.api.v1.shared_types import ModelVersion
from serving.auth.requires import Caller
from serving.http.csv_answer import CSV_ANSWER, Format, csv_response, json_response, wants_csv
from serving.http.routes import NO_BODY, limited
from serving.runtime import CurrentRuntime

router = APIRouter(tags=["analytics"])


@router.get(
    "/heatmap",
    summary="Observed against expected, municipality × sector",
    responses={**CSV_ANSWER},
    response_model=HeatmapAnswer,
)
@limited(NO_BODY)
@in_analytics
def heatmap(
    request: Request,
    runtime: CurrentRuntime,
    principal: Caller,
    days: Annotated[int | None, Query(ge=1, le=28, description="Default: `surges.window_days`")] = None,
    as_of: AsOfQuery = None,
    format: Format = None,
) -> Response:
    """The heat map of the region's problems, the hottest cells first.

    It covers `start` to `end`: those of the last days that have an expectation. The forecaster keeps
    expectations of its last backtest window and of all days ahead.
    """
    champion = runtime.champions.forecaster
    counts = recent_counts(champion.model, runtime.store, runtime.region.id, yesterday(runtime.region), as_of)
    wanted = runtime.config.surges.window_days if days is None else days
    window = judged_days(champion.model, counts, wanted)
    surges = going_on(runtime.surges.surges(champion, counts))
    cells = heat_cells(champion.model, counts, window, surges)
    if wants_csv(request, format):
        rows = [cell.model_dump() for cell in cells]
        return csv_response(rows, list(HeatCell.model_fields))
    model = ModelVersion(name=champion.name, version=champion.version)
    return json_response(HeatmapAnswer(model=model, start=window[0].date(), end=window[-1].date(), cells=cells))


def heat_cells(
    forecasts: Forecasts,
    counts: pd.DataFrame,
    days: pd.DatetimeIndex,
    surges: Mapping[tuple[str, str], Surge] | None = None,
) -> list[HeatCell]:
    """Each base series on these days beside its expectation, the hottest first.

    Args:
        forecasts: the champion.
        counts: dates × base series, NaN where nothing was observed.
        days: of `counts`, those to add up.
        surges: those that go on, by municipality and sector.
    """
    window = counts.loc[days]
    means = pd.concat([forecasts.past_means, forecasts.means]).reindex(index=days, columns=counts.columns)
    dispersions = forecasts.series.set_index(NAMES)[["daily", "weekly"]].to_dict("index")
    places: dict[Any, int] = {series: place for place, series in enumerate(counts.columns)}
    came, expectations = window.to_numpy(), means.to_numpy()  # arrays: pandas takes long over hundreds of short columns
    cells = []
    for key in forecasts.keys:
        series = (key.municipality, key.sector)
        observed, expected = came[:, places[series]], expectations[:, places[series]]
        both = ~(np.isnan(observed) | np.isnan(expected))
        dispersion = dispersions[series]
        alpha = window_dispersion(dispersion["daily"], dispersion["weekly"], max(int(both.sum()), 1))
        surge = (surges or {}).get(series)
        cells.append(_cell(key, observed[both], expected[both], alpha, surge))
    return sorted(cells, key=lambda cell: -np.inf if cell.z is None else cell.z, reverse=True)


def _cell(key: SeriesKey, observed: Floats, expected: Floats, alpha: float, surge: Surge | None) -> HeatCell:
    """One series: its observed and expected days, the dispersion of their sum (variance μ + αμ²)."""
    if not len(observed):
        count, mean = None, 0.0
        ratio = z = None
    else:
        count, mean = int(observed.sum()), float(expected.sum())
        deviation = float(np.sqrt(mean + alpha * mean**2))
        ratio = round(count / mean, 3) if mean > 0 else None
        z = round((count - mean) / deviation, 2) if deviation > 0 else None
    return HeatCell(
        municipality=key.municipality,
        sector=key.sector,
        observed=count,
        expected=round(mean, 2),
        ratio=ratio,
        z=z,
        surge=None if surge is None else surge.start,
        surge_state=None if surge is None else surge.state,
    )
