"""Reading what comes as a table beside complaints: daily counts, delays of entry, regressors.

In: a file of any kind that exports are read from (`data/tables`), or Parquet, and which columns mean what. Out:
`DAILY_COUNTS`, a series of days, or the table itself. Names of places and sectors that differ only in case, ё and
spaces are one; rows of totals are left out. What cannot be read is refused with its line, for a count that is left
out would be a day without complaints.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from data.complaints.cleaning import clean_text, folded
from data.complaints.quoting import quoted, what_there_is
from data.complaints.schema import MAX_COUNT, check_counts
from data.config import Config
from data.counts.daily import NO_PLACE, REGION
from data.errors import ColumnsError, CountsError, FileError
from data.tables.cells import is_total, plain
from data.tables.dates import months_come_first, written_day
from data.tables.header import matched
from data.tables.numbers import counted
from data.tables.readers import read_rows
from data.tables.rows import BadRow, Expected, Tell, tell_nobody

USUAL_NAMES: Mapping[str, Sequence[str]] = {
    "date": ("date", "day", "дата", "день"),
    "sector": ("sector", "category", "сектор", "категория", "группа тем", "отрасль"),
    "count": ("count", "количество", "кол-во", "число обращений", "количество обращений", "обращений", "число"),
    "municipality": ("municipality", "муниципалитет", "муниципальное образование", "район", "мо"),
}
"""What columns are called; taken where no option names one."""


class CountColumns(Config):
    """Which columns of a counts file mean what; without `municipality` the counts are region-wide."""

    date: str = "date"
    sector: str = "sector"
    count: str = "count"
    municipality: str | None = None

    def accepted(self) -> dict[str, Sequence[str]]:
        """Field → names that its column may have: the one that was said, or the usual ones."""
        said = {name: value for name, value in self.model_dump().items() if value is not None}
        return {name: USUAL_NAMES[name] if value == name else (value,) for name, value in said.items()}


def read_counts(
    path: Path, columns: CountColumns | None = None, timezone: str = "UTC", tell: Tell = tell_nobody
) -> pd.DataFrame:
    """Read daily counts, whose columns `columns` maps, as `DAILY_COUNTS`; `tell` hears what was left out.

    Days are not filled: see `complete`. Rows are sorted, whatever their order was. A moment with an offset
    (`2026-10-31T12:00Z`) stands for the day that it is in `timezone`, the region's; midnight stands for its own day.

    Raises:
        FileError: the file is absent, empty, or no table.
        ColumnsError: a mapped column is missing.
        CountsError: one day only, unreadable dates, or a count that is negative, fractional or given twice.
    """
    accepted = (columns or CountColumns()).accepted()
    table = read_table(path, Expected(columns=accepted, needed=("date", "sector", "count"), dates=("date",)), tell)
    names = _columns_of(table, accepted, path)
    frame = _without_totals(table, names, tell)[list(names.values())].set_axis(list(names), axis=1)
    if "municipality" not in frame:
        frame["municipality"] = REGION
    frame["municipality"] = frame["municipality"].fillna(NO_PLACE)
    unnamed = frame.index[frame["sector"].isna()]
    if len(unnamed):
        raise CountsError(f"{path}: line {unnamed[0]} has no {names['sector']!r}")
    frame["date"] = days_of(frame["date"], timezone, path)
    frame["count"] = _counts_of(frame["count"], path)
    places_given = "municipality" in names or not matched({"municipality": USUAL_NAMES["municipality"]}, table.columns)
    counts = check_counts(_one_spelling(frame, path, tell, places_given))
    if counts["date"].nunique() < 2:
        raise CountsError(f"{path}: there is only one day, {counts['date'].iloc[0]:%Y-%m-%d}: no history to learn")
    return counts


def read_table(path: Path, expected: Expected, tell: Tell = tell_nobody) -> pd.DataFrame:
    """Every column of a table, cells as they are read; the index holds the lines.

    Raises:
        FileError: the file is absent, empty, or no table.
        CountsError: a row cannot be read; gives its line.
    """
    if path.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(path)
    lines, rows = [], []
    for line, row in read_rows(path, expected, tell):
        if isinstance(row, BadRow):
            raise CountsError(f"{path}: line {line}: {row.reason}")
        lines.append(line)
        rows.append(row)
    return pd.DataFrame(rows, index=lines, dtype=object).astype(object).where(lambda frame: frame.notna(), None)


def read_days(path: Path, column: str, timezone: str) -> "pd.Series[pd.Timestamp]":
    """Read one column of dates, each as the day that it is in `timezone`.

    Raises:
        FileError: the file is absent, empty, or no table.
        ColumnsError: there is no such column.
        CountsError: a date cannot be read.
    """
    accepted = {"date": (column,)}
    table = read_table(path, Expected(columns=accepted, needed=("date",), dates=("date",)))
    names = matched(accepted, map(str, table.columns))
    if not names:
        raise ColumnsError(f"{path}: column {column!r} is missing; {what_there_is(table.columns, 0)[0]}")
    return days_of(table[names["date"]], timezone, path)


def days_of(values: "pd.Series[Any]", timezone: str, path: Path) -> "pd.Series[pd.Timestamp]":
    """The days of a column's cells.

    Raises:
        CountsError: a cell is no date; gives its line.
    """
    zone: tzinfo = ZoneInfo(timezone)
    distinct = values.unique()
    month_first = months_come_first(distinct)
    days = {value: written_day(value, zone, month_first) for value in distinct}
    for line, value in zip(values.index, values, strict=True):
        if days[value] is None:
            raise CountsError(f"{path}: line {line}: {quoted(value or '')} is not a date; write YYYY-MM-DD")
    return pd.to_datetime(values.map(days)).astype("datetime64[ns]")


def one_spelling(names: "pd.Series[Any]") -> "pd.Series[str]":
    """Names that differ only in case, ё, underscores and spaces, all in the commonest of their spellings."""
    spelled = names.astype(str)
    spelled = spelled.map({name: clean_text(name) for name in spelled.unique()})
    counted_names = Counter(spelled)
    best: dict[str, str] = {}
    for name in counted_names:
        other = best.setdefault(folded(name), name)
        if (counted_names[name], "ё" in name.lower()) > (counted_names[other], "ё" in other.lower()):
            best[folded(name)] = name
    return spelled.map({name: best[folded(name)] for name in counted_names})


def _read_parquet(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise FileError(f"{path}: no such file")
    try:
        table = pd.read_parquet(path).astype(object)
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be read as Parquet: {error}") from None
    if table.empty:
        raise FileError(f"{path}: there are no rows in the file")
    table = table.where(table.notna(), None).map(plain)
    return table.set_axis([str(name) for name in table.columns], axis=1).set_axis(range(1, len(table) + 1), axis=0)


def _columns_of(table: pd.DataFrame, accepted: Mapping[str, Sequence[str]], path: Path) -> dict[str, str]:
    names = matched(accepted, map(str, table.columns))
    missing = [name for name in accepted if name not in names]
    if missing:
        raise ColumnsError(
            f"{path}: no column for {missing[0]!r} (looked for {' / '.join(accepted[missing[0]])}); "
            f"{what_there_is(table.columns, len(names))[0]}: say which is which with "
            "--date-column, --sector-column, --count-column and --municipality-column"
        )
    return names


def _without_totals(table: pd.DataFrame, names: Mapping[str, str], tell: Tell) -> pd.DataFrame:
    """«Итого» among days, places or sectors, or in any column where one of these is empty, would count twice."""
    says_total = pd.DataFrame({name: table[name].isin([*filter(is_total, table[name].unique())]) for name in table})
    mapped = [name for field, name in names.items() if field != "count"]
    total = says_total[mapped].any(axis=1) | (says_total.any(axis=1) & table[mapped].isna().any(axis=1))
    if total.any():
        tell(f"{int(total.sum())} rows of totals were left out, the first on line {table.index[total][0]}")
    return table[~total].copy()


def _counts_of(values: "pd.Series[Any]", path: Path) -> "pd.Series[float]":
    numbers = {value: counted(value) for value in values.unique()}
    for line, value in zip(values.index, values, strict=True):
        number = numbers[value]
        if not (0 <= number <= MAX_COUNT and number.is_integer()):
            raise CountsError(
                f"{path}: line {line}: {quoted(value if value is not None else '')} is not a whole number of "
                f"complaints, 0 to {MAX_COUNT:,}"
            )
    return values.map(numbers)


def _one_spelling(frame: pd.DataFrame, path: Path, tell: Tell, places_given: bool) -> pd.DataFrame:
    """Rows of one place and sector under one name; those of one day in two spellings are added up.

    Raises:
        CountsError: a day is given twice in the same spelling.
    """
    key = ["date", "municipality", "sector"]
    twice = frame.duplicated(key, keep=False)
    if twice.any():
        first = frame[twice].iloc[0]
        same = (frame[key] == first[key]).all(axis=1)
        hint = "" if places_given else "; if these are of several places, name their column with --municipality-column"
        where = f"{quoted(first['municipality'])[1:-1]} · {quoted(first['sector'])[1:-1]}"
        lines = " and ".join(map(str, frame.index[same][:2]))
        raise CountsError(f"{path}: {first['date']:%Y-%m-%d} in {where} is given twice, on lines {lines}{hint}")
    for name in ("municipality", "sector"):
        frame[name] = one_spelling(frame[name])
    added = int(frame.duplicated(key).sum())
    if added:
        tell(f"{added} rows had another spelling of a place or sector on the same day: their counts were added up")
        return pd.DataFrame(frame.groupby(key, as_index=False)[["count"]].sum())
    return frame
