"""The sets of counts of the benchmark: their files, how they are cut, and what should be reached on each.

In: a file of `series/` in the folder of real data. Out: daily counts of the frequent series (at least `LEAST_DAILY`
a day over the last 365 days, of those the `MOST_SERIES` largest) and of the sparse ones (below that, but alive then).
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.forecast_quality.rivals import HORIZON
from data.counts.daily import complete
from data.counts.reading import CountColumns, read_counts

LEAST_DAILY, MOST_SERIES = 2.0, 10


@dataclass(frozen=True)
class Series:
    """One set of counts: its file, how it is cut, and what should be reached.

    Attributes:
        file: in `series/`.
        windows: judged ones.
        wape: target of the champion.
        known: WAPE of rivals when the targets were set, which show that the protocol is the same.
        before: days from this one on are left out.
    """

    file: str
    windows: int
    wape: float
    known: dict[str, float]
    before: str | None = None


SETS = {
    "chicago": Series(
        "chicago_sanitation_daily.csv",
        6,
        0.475,
        {"seasonal_naive": 0.599, "weekday_mean": 0.516, "auto_ets": 0.492, "prophet_default": 0.523},
    ),
    "boston": Series(
        "boston311_2015_daily.csv",
        4,
        0.575,
        {"seasonal_naive": 0.656, "weekday_mean": 0.596, "auto_ets": 0.612, "prophet_default": 0.677},
    ),
    "nyc": Series(
        "nyc_council_daily.csv",
        6,
        0.66,
        {"seasonal_naive": 0.802, "weekday_mean": 0.685, "auto_ets": 0.693, "prophet_default": 0.792},
        "2020-01-01",
    ),
}


def load_set(path: Path, of: Series, back: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Daily counts of the frequent and of the sparse series, without the last `back` windows.

    Raises:
        FileError: no such file.
        CountsError: it holds no daily counts.
    """
    counts = complete(read_counts(path, CountColumns(sector="category")))
    if of.before is not None:
        counts = counts[counts["date"] < of.before]
    last = counts["date"].max() - pd.Timedelta(days=HORIZON * back)
    daily = counts[counts["date"] > counts["date"].max() - pd.Timedelta(days=365)].groupby("sector")["count"].mean()
    total = counts[counts["sector"].isin(daily[daily >= LEAST_DAILY].index)].groupby("sector")["count"].sum()
    counts = counts[counts["date"] <= last]
    frequent = counts[counts["sector"].isin(total.nlargest(MOST_SERIES).index)]
    sparse = counts[counts["sector"].isin(daily[(daily > 0) & (daily < LEAST_DAILY)].index)]
    return frequent, sparse
