"""The surges of a week, what became of them, and the forecast of the week after it, as page, API and report tell it.

In: a champion forecaster, or why there is none, and the store. Out: an `Outlook` (`data/kpi/outlook.py`). Surges are
those of `GET /v1/surges`, as they stand now; the forecast of a sector is the sum of its daily means, with the interval
of a week's total.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from data.counts.daily import REGION
from data.errors import NoChampionError, TsurError
from data.kpi.outlook import (
    LEVEL,
    NO_FORECASTER,
    NOT_SERVED,
    Outlook,
    SectorForecast,
    WeekSurge,
    became_text,
    forecast_gap_text,
    surges_gap_text,
)
from data.kpi.span import Span
from data.regions.region import Region
from data.store.store import Store
from data.store.surge_notes import SurgeNote
from models.forecasting.bundle import Forecasts
from models.forecasting.distribution import quantiles
from models.forecasting.series import SeriesKey
from models.surges.types import Surge
from serving.analytics.live_counts import judged_days, recent_counts, yesterday
from serving.analytics.surges import DAYS_JUDGED, SurgeMemory
from serving.regions.champions import Champion

WEEK = timedelta(days=7)
MOVES = timedelta(days=7)
"""How far the first day of a surge may move while it grows: notes about it name the one it had."""
NOTES = 2000
"""The newest notes, among which those on the surges of a week are looked for."""


def week_outlook(
    champion: Callable[[], Champion[Forecasts]],
    memory: SurgeMemory,
    store: Store,
    region: Region,
    span: Span,
    min_probability: float,
) -> Outlook:
    """Surges and forecast of a span; `champion` raises where there is none, and a sentence says so.

    Raises:
        StoreError: the store cannot be read.
    """
    coming = Span(span.last + timedelta(days=1), span.last + WEEK)
    try:
        served = champion()
    except TsurError as error:
        missing = NO_FORECASTER if isinstance(error, NoChampionError) else NOT_SERVED
        return Outlook([], missing, coming, [], missing)
    forecasts = served.model
    counts = recent_counts(forecasts, store, region.id, yesterday(region), None)
    notes = store.surge_notes.of(region.id, NOTES)
    surges = [
        _week_surge(surge, notes)
        for surge in memory.surges(served, counts)
        if surge.kind == "observed"
        and surge.start <= span.last
        and surge.end >= span.first
        and surge.probability >= min_probability
    ]
    judged = judged_days(forecasts, counts, DAYS_JUDGED)
    first_judged = (judged if len(judged) else counts.index)[0].date()
    surges_missing = surges_gap_text(span, first_judged, counts.index[-1].date())
    return Outlook(surges, surges_missing, coming, *_forecast(forecasts, coming))


def _week_surge(surge: Surge, notes: Sequence[SurgeNote]) -> WeekSurge:
    about = [
        note.note
        for note in notes
        if note.note
        and (note.kind, note.municipality, note.sector) == (surge.kind, surge.municipality, surge.sector)
        and surge.start - MOVES <= note.start <= surge.end
    ]
    return WeekSurge(
        municipality=surge.municipality,
        sector=surge.sector,
        start=surge.start,
        end=surge.end,
        count=round(surge.count),
        expected=surge.expected,
        state=surge.state,
        became=became_text(surge.state, surge.confirmed, surge.new_level, surge.closed),
        note=about[0] if about else None,
    )


def _forecast(forecasts: Forecasts, coming: Span) -> tuple[list[SectorForecast], str | None]:
    """The total of each sector over the coming days, the largest first; or why there is none."""
    known = pd.concat([forecasts.past_means, forecasts.means])
    means = known.reindex(pd.date_range(coming.first, coming.last, freq="D", name="date"))
    if means.isna().any(axis=None):
        return [], forecast_gap_text(coming, known.index[0].date(), forecasts.last_day)
    of_sector: dict[str, list[SeriesKey]] = {}
    for key in forecasts.keys:
        of_sector.setdefault(key.sector, []).append(key)
    told = []
    for sector, keys in of_sector.items():
        key = keys[0] if len(keys) == 1 else SeriesKey(REGION, sector)
        total = float(forecasts.mean_of(key, means).sum())
        weekly = float(forecasts.facts(key)["weekly"])
        low, high = quantiles(np.array([total]), weekly, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])[0]
        told.append(SectorForecast(sector, total, int(low), int(high)))
    return sorted(told, key=lambda each: (-each.mean, each.sector)), None
