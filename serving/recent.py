"""The days that surges and the heat map look at: the forecaster's history, then the store.

In: the forecaster and the store. Out: a panel, dates × base series, NaN where nothing was observed.
Only whole days count, so today never does: half a day's complaints against a whole day's
expectation would hide every surge until the evening.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from data.counts import ALIVE_DAYS
from data.errors import RequestError
from models.forecasting.distribution import window_dispersion
from models.forecasting.forecast import Forecasts
from models.forecasting.series import NAMES, keys_of
from serving.store import Store
from serving.types import HeatCell


def yesterday(timezone: str) -> date:
    """The last whole day."""
    return datetime.now(ZoneInfo(timezone)).date() - timedelta(days=1)


def recent_counts(forecasts: Forecasts, store: Store, last_whole_day: date, as_of: date | None) -> pd.DataFrame:
    """Counts up to `as_of` (default: the last day known), as whole days.

    Raises:
        RequestError: `as_of` lies outside the days known.
        StoreError: the store cannot be read.
    """
    panel = with_stored(forecasts.tail, store.daily_counts(forecasts.origin), last_whole_day, forecasts.last_day)
    if as_of is None:
        return panel
    first, last = panel.index[0].date(), panel.index[-1].date()
    if not first <= as_of <= last:
        problem = f"counts are known from {first} to {last}"
        raise RequestError(f"as_of {as_of}: {problem}", as_of=problem)
    return panel.loc[: pd.Timestamp(as_of)]


def with_stored(tail: pd.DataFrame, stored: pd.DataFrame, last_whole_day: date, last_forecast: date) -> pd.DataFrame:
    """The history's tail with the stored days after it; zeros only around days with complaints.

    A municipality counts as observed within `ALIVE_DAYS` of a day on which it delivered anything,
    as in `data/counts.py`.
    """
    end = pd.Timestamp(min(last_whole_day, last_forecast))
    stored = stored[stored["date"] <= end]
    if stored.empty:
        return tail
    days = pd.date_range(tail.index[-1] + pd.Timedelta(days=1), stored["date"].max(), freq="D", name="date")
    counted = stored.pivot(index="date", columns=NAMES, values="count")
    places = counted.T.groupby(level="municipality").sum().T.reindex(days)
    alive = places.rolling(2 * ALIVE_DAYS + 1, center=True, min_periods=1).count() > 0
    fresh = counted.reindex(index=days, columns=tail.columns).astype("float64")
    for key in keys_of(tail):
        if key.municipality in alive:
            fresh.loc[alive[key.municipality], tuple(key)] = fresh[tuple(key)].fillna(0.0)
    return pd.concat([tail, fresh])


def heat_cells(forecasts: Forecasts, counts: pd.DataFrame, days: int) -> list[HeatCell]:
    """Each base series' last days beside their expectation, the hottest first."""
    window = counts.iloc[-days:]
    means = forecasts.known_means()[window.columns].reindex(window.index)
    spread = forecasts.series.set_index(NAMES)[["daily", "weekly"]].to_dict("index")
    cells = []
    for key in forecasts.keys:
        observed, expected = window[tuple(key)], means[tuple(key)]
        both = observed.notna() & expected.notna()
        facts = spread[tuple(key)]
        alpha = window_dispersion(facts["daily"], facts["weekly"], max(int(both.sum()), 1))
        cells.append(_cell(key.municipality, key.sector, observed[both], expected[both], alpha))
    return sorted(cells, key=lambda cell: -np.inf if cell.z is None else cell.z, reverse=True)


def _cell(
    municipality: str, sector: str, observed: "pd.Series[float]", expected: "pd.Series[float]", alpha: float
) -> HeatCell:
    mean = float(expected.sum())
    if observed.empty:
        return HeatCell(municipality=municipality, sector=sector, observed=None, expected=0.0, ratio=None, z=None)
    count = int(observed.sum())
    deviation = float(np.sqrt(mean + alpha * mean**2))
    return HeatCell(
        municipality=municipality,
        sector=sector,
        observed=count,
        expected=round(mean, 2),
        ratio=round(count / mean, 3) if mean > 0 else None,
        z=round((count - mean) / deviation, 2) if deviation > 0 else None,
    )
