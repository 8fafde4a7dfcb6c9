"""Daily counts: complaints per day × municipality × sector, with honest gaps.

In: a frame of complaints, or a file that already holds counts. Out: `DAILY_COUNTS` (`date,
municipality, sector, count`). The decision worth knowing: a day without complaints is a zero only
where a source was alive, that is, where it delivered at least one complaint of any kind within
`ALIVE_DAYS` days before or after. On other days the source was silent (a broken export, a migration):
there is no row, and no model learns that nobody complained.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.complaints.schema import check_counts
from data.config import Config
from data.errors import ColumnsError, CountsError, FileError

NO_PLACE = "не указано"
"""The municipality of complaints that name none."""

REGION = "весь регион"
"""The municipality of counts that know no places, and of region-wide sums."""

ALIVE_DAYS = 3
"""A source is alive on a day if it delivered anything within so many days before or after it."""

KEY = ["municipality", "sector"]
OFFSET = r"\d:?\d\d(?:[.,]\d+)?\s*(?:Z|[+-]\d\d(?::?\d\d)?)$"
"""At the end of a time that says where on earth it is."""


class CountColumns(Config):
    """Which columns of a counts file mean what; without `municipality` the counts are region-wide."""

    date: str = "date"
    sector: str = "sector"
    count: str = "count"
    municipality: str | None = None


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


def read_counts(path: Path, columns: CountColumns | None = None, timezone: str = "UTC") -> pd.DataFrame:
    """Read daily counts from CSV (also gzipped) or Parquet, whose columns `columns` maps, as `DAILY_COUNTS`.

    Days are not filled: see `complete`. Rows are sorted, whatever their order was. A moment with an offset
    (`2026-10-31T12:00Z`) stands for the day that it is in `timezone`, the region's.

    Raises:
        FileError: the file is absent or neither CSV nor Parquet.
        ColumnsError: a mapped column is missing.
        CountsError: empty, one day only, unreadable dates, or a count that is negative, fractional or given twice.
    """
    columns = columns or CountColumns()
    raw = read_table(path)
    names = {columns.date: "date", columns.sector: "sector", columns.count: "count"}
    if columns.municipality is not None:
        names[columns.municipality] = "municipality"
    missing = [name for name in names if name not in raw.columns]
    if missing:
        raise ColumnsError(
            f"{path}: column {missing[0]!r}, mapped to {names[missing[0]]!r}, is missing; "
            f"there are {', '.join(map(str, raw.columns))}: "
            "say which is which with --date, --sector, --count and --municipality"
        )
    if raw.empty:
        raise CountsError(f"{path}: there are no rows")
    frame = raw[list(names)].rename(columns=names)
    if columns.municipality is None:
        frame["municipality"] = REGION
    frame["municipality"] = frame["municipality"].fillna(NO_PLACE).astype(str)
    unnamed = frame["sector"].isna()
    if unnamed.any():
        raise CountsError(f"{path}: row {int(np.argmax(unnamed)) + 2} has no {columns.sector!r}")
    frame["sector"] = frame["sector"].astype(str)
    frame["date"] = _days(frame["date"], path, timezone)
    counts = check_counts(frame)
    if counts["date"].nunique() < 2:
        raise CountsError(f"{path}: there is only one day, {counts['date'].iloc[0]:%Y-%m-%d}: no history to learn")
    return counts


def read_table(path: Path) -> pd.DataFrame:
    """Read CSV (also gzipped) as text, or Parquet.

    Raises:
        FileError: the file is absent or neither CSV nor Parquet.
        CountsError: it is empty.
    """
    if not path.is_file():
        raise FileError(f"{path}: no such file")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype=object, keep_default_na=False, na_values=[""])
    except pd.errors.EmptyDataError:
        raise CountsError(f"{path}: the file is empty") from None
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be read as a table: {error}") from None


def read_days(path: Path, column: str, timezone: str) -> "pd.Series[pd.Timestamp]":
    """Read one column of dates, each as the day that it is in `timezone`.

    Raises:
        FileError: the file is absent or neither CSV nor Parquet.
        ColumnsError: there is no such column.
        CountsError: the file is empty, or a date cannot be read.
    """
    table = read_table(path)
    if column not in table:
        raise ColumnsError(f"{path}: column {column!r} is missing; there are {', '.join(map(str, table.columns))}")
    return _days(table[column], path, timezone)


def local_days(values: "pd.Series[Any]", timezone: str) -> "pd.Series[pd.Timestamp]":
    """Days of a column; what has an offset is the day that it is in `timezone`, all else as written. NaT: no date."""
    moments = pd.to_datetime(values, errors="coerce", format="ISO8601", utc=True)
    local = moments.dt.tz_convert(timezone).dt.tz_localize(None)
    with_offset = values.astype(str).str.contains(OFFSET)
    return local.where(with_offset, moments.dt.tz_localize(None)).dt.normalize().astype("datetime64[ns]")


def _days(values: "pd.Series[Any]", path: Path, timezone: str) -> "pd.Series[pd.Timestamp]":
    days = local_days(values, timezone)
    bad = values[days.isna()]
    if len(bad):
        raise CountsError(f"{path}: {bad.iloc[0]!r} is not a date; write YYYY-MM-DD")
    return days


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
    parts: list[pd.DataFrame] = []
    for key, rows in counts.groupby(KEY):
        municipality, sector = str(key[0]), str(key[1])
        filled = rows.set_index("date")["count"].reindex(observed[municipality], fill_value=0)
        columns = {"date": filled.index, "municipality": municipality, "sector": sector, "count": filled.to_numpy()}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)
