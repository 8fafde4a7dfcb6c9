"""Daily counts: complaints per day × municipality × sector, with honest gaps.

In: a frame of complaints, or counts that `reading.py` read from a file. Out: `DAILY_COUNTS` (`date,
municipality, sector, count`). The decision worth knowing: a day without complaints is a zero only
where a source was alive, that is, where it delivered at least one complaint of any kind within
`ALIVE_DAYS` days before or after. On other days the source was silent (a broken export, a migration):
there is no row, and no model learns that nobody complained.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.complaints.schema import check_counts
from data.errors import CountsError

NO_PLACE = "не указано"
"""The municipality of complaints that name none."""

REGION = "весь регион"
"""The municipality of counts that know no places, and of region-wide sums."""

ALIVE_DAYS = 3
"""A source is alive on a day if it delivered anything within so many days before or after it."""

KEY = ["municipality", "sector"]


def daily_counts(complaints: pd.DataFrame, timezone: str, alive_days: int = ALIVE_DAYS) -> pd.DataFrame:
    """Count complaints per local day × municipality × sector; rows without a sector are left out.

    A municipality is observed on a day if at least one source that ever delivered for it was alive
    then; every sector ever seen there has a row on that day, zero or more.

    Args:
        complaints: columns `created_at` (UTC), `source`, `municipality`, `sector`.
        timezone: the region's: its midnight ends a day.
        alive_days: see `ALIVE_DAYS`.

    Raises:
        CountsError: no complaint has a sector.
    """
    local = complaints["created_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    frame = pd.DataFrame(
        {
            "date": local.astype("datetime64[ns]"),
            "source": complaints["source"],
            "municipality": complaints["municipality"].fillna(NO_PLACE),
            "sector": complaints["sector"],
        }
    )
    labelled = frame.dropna(subset=["sector"])
    if labelled.empty:
        raise CountsError("daily counts: no complaint has a sector, so there is nothing to count")
    alive = {name: _around(rows["date"], alive_days) for name, rows in frame.groupby("source")}
    observed = {
        str(municipality): _union([alive[source] for source in rows["source"].unique()])
        for municipality, rows in labelled.groupby("municipality")
    }
    counted = labelled.groupby(["date", *KEY]).size().rename("count").reset_index()
    return check_counts(_with_zeros(counted, observed))


def complete(counts: pd.DataFrame, alive_days: int = ALIVE_DAYS) -> pd.DataFrame:
    """Add the zeros that a file of counts leaves out, within each municipality's observed days.

    A file that writes zeros says itself which days were observed: those with any row for the
    municipality. One that writes none (a group-by of complaints) is read like complaints: a day is
    observed if any sector has a row within `alive_days` of it.

    Raises:
        CountsError: the counts do not fit their schema.
    """
    counts = check_counts(counts)
    reach = 0 if (counts["count"] == 0).any() else alive_days
    observed = {
        str(municipality): _around(rows["date"], reach) for municipality, rows in counts.groupby("municipality")
    }
    return check_counts(_with_zeros(counts, observed))


def _around(dates: "pd.Series[pd.Timestamp]", reach: int) -> pd.DatetimeIndex:
    """Days at most `reach` days from one of `dates`, never outside their span."""
    given = pd.DatetimeIndex(dates.unique()).sort_values()
    days = pd.date_range(given[0], given[-1], freq="D")
    present: npt.NDArray[np.float64] = days.isin(given).astype(float)
    near = np.convolve(present, np.ones(2 * reach + 1), mode="full")[reach : reach + len(days)]
    return days[near > 0.5]


def _union(parts: list[pd.DatetimeIndex]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.unique(np.concatenate([part.to_numpy() for part in parts])))


def _with_zeros(counts: pd.DataFrame, observed: dict[str, pd.DatetimeIndex]) -> pd.DataFrame:
    """One row per observed day of the municipality for each of its sectors."""
    series = counts[KEY].drop_duplicates().sort_values(KEY)
    days = [observed[str(municipality)] for municipality in series["municipality"]]
    of_day = series.loc[series.index.repeat([len(of_series) for of_series in days])]
    wanted = pd.MultiIndex.from_frame(of_day.assign(date=np.concatenate(days)))
    filled = counts.set_index([*KEY, "date"])["count"].reindex(wanted, fill_value=0)
    return filled.reset_index()[["date", *KEY, "count"]]
