"""The days that surges and the heat map look at: the forecaster's history, then the store.

In: the forecaster and the store. Out: a panel, dates × base series, NaN where nothing was observed.
Only whole days count, so today never does: half a day's complaints against a whole day's
expectation would hide every surge until the evening. The store need not see all that the history
saw: a few calls of the API are no sign that nobody else complained. So a place's stored days count
in full, zeros included, where a source of its is alive and brings about what was forecast; elsewhere
a stored count is a lower bound, and is used only when it is a surge already.
"""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from data.counts.daily import ALIVE_DAYS, NO_PLACE, REGION, daily_counts
from data.errors import RequestError
from data.regions.region import Region
from data.store.store import Store
from models.forecasting.bundle import Forecasts
from models.forecasting.distribution import tail_probability
from models.forecasting.series import NAMES, keys_of

FED = 1 / 3
"""A place is fed by the store where its series together have this share of their forecast, each counted
up to its forecast only: a flood of one sector does not speak for the others."""
CLEARLY_MORE = 0.01
"""The chance below which a day's lower bound is a surge already."""


def yesterday(region: Region) -> date:
    """The region's last whole day."""
    return datetime.now(region.zone).date() - timedelta(days=1)


def recent_counts(
    forecasts: Forecasts, store: Store, region: str, last_whole_day: date, as_of: date | None
) -> pd.DataFrame:
    """Counts of a region up to `as_of` (default: the last day known), as whole days.

    Raises:
        RequestError: `as_of` lies outside the days that are known and have an expectation.
        StoreError: the store cannot be read.
    """
    panel = with_stored(forecasts, store.complaints.counts(region, forecasts.origin), last_whole_day)
    if as_of is None:
        return panel
    first = max(panel.index[0], forecasts.past_means.index[0]).date()
    last = panel.index[-1].date()
    if not first <= as_of <= last:
        problem = f"counts beside expectations are known from {first} to {last}"
        raise RequestError(f"as_of {as_of}: {problem}", as_of=problem)
    return panel.loc[: pd.Timestamp(as_of)]


def with_stored(forecasts: Forecasts, stored: pd.DataFrame, last_whole_day: date) -> pd.DataFrame:
    """The history's tail, with the days after it on which the store says something.

    Args:
        forecasts: the champion; its tail ends on its origin.
        stored: as `Complaints.counts`.
        last_whole_day: later days are left out, as are those beyond the forecasts.
    """
    tail = forecasts.tail
    stored = stored[stored["date"] <= pd.Timestamp(min(last_whole_day, forecasts.last_day))]
    if stored.empty:
        return tail
    places = {key.municipality for key in keys_of(tail)}
    if places in ({REGION}, {NO_PLACE}):  # a forecaster that knows no places: every complaint is of its one
        stored = stored.assign(municipality=places.pop())
    counts = _with_zeros(stored, tail)
    means = forecasts.means.loc[counts.index, counts.columns]
    fresh = counts.where(_fed(counts, means) | _clearly_more(counts, means, forecasts))
    observed_days = fresh.index[fresh.notna().any(axis=1)]
    return pd.concat([tail, fresh.loc[: observed_days[-1]]]) if len(observed_days) else tail


def _with_zeros(stored: pd.DataFrame, tail: pd.DataFrame) -> pd.DataFrame:
    """Dates × the tail's series: what was delivered, zeros where a place's source was alive, NaN elsewhere."""
    complaints = stored.loc[stored.index.repeat(stored["count"])]
    # the days are local already: the midnight that ends them is no longer UTC's business
    counted = daily_counts(complaints.assign(created_at=complaints["date"].dt.tz_localize("UTC")), timezone="UTC")
    alive = counted.groupby(["date", "municipality"]).size().unstack() > 0
    wide = counted.pivot(index="date", columns=NAMES, values="count")
    days = pd.date_range(tail.index[-1] + pd.Timedelta(days=1), stored["date"].max(), freq="D", name="date")
    counts = wide.reindex(index=days, columns=tail.columns).astype("float64")
    alive = alive.reindex(index=days, columns=counts.columns.get_level_values("municipality"), fill_value=False)
    return counts.fillna(0.0).where(alive.to_numpy())


def _fed(counts: pd.DataFrame, means: pd.DataFrame) -> pd.DataFrame:
    """Dates × series: whether the store brings its place about what was forecast, over the days around."""
    observed = counts.notna()
    around = 2 * ALIVE_DAYS + 1
    forecast = means.where(observed).rolling(around, center=True, min_periods=1).sum()
    brought = counts.rolling(around, center=True, min_periods=1).sum().clip(upper=forecast)
    share = brought.T.groupby(level=NAMES[0]).transform("sum").T / forecast.T.groupby(level=NAMES[0]).transform("sum").T
    return (share >= FED) & observed


def _clearly_more(counts: pd.DataFrame, means: pd.DataFrame, forecasts: Forecasts) -> pd.DataFrame:
    """Dates × series: whether so many would be a surge even if they were all of them."""
    spreads = forecasts.series.set_index(NAMES)["daily"].loc[list(counts.columns)].to_numpy()
    came, expected = counts.to_numpy(), means.to_numpy()
    is_surge = came >= forecasts.config.surges.min_count  # most days have fewer: only the others have a tail computed
    for place in np.flatnonzero(is_surge.any(axis=0)):
        rows = is_surge[:, place]
        tail = tail_probability(came[rows, place], expected[rows, place], float(spreads[place]))
        is_surge[rows, place] = tail < CLEARLY_MORE
    return pd.DataFrame(is_surge, index=counts.index, columns=counts.columns)


def judged_days(forecasts: Forecasts, counts: pd.DataFrame, days: int) -> pd.DatetimeIndex:
    """The last so many days of `counts`, without those that have no expectation."""
    window = counts.index[-days:]
    return pd.DatetimeIndex(window[window >= forecasts.past_means.index[0]])
