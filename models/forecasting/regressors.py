"""Future regressors: what is known of the coming days beside the counts: weather, heating, events.

In: a table `date[, municipality], <columns>`. Out: a frame, dates × regressor or dates × (municipality,
regressor), that covers every day of the history and of what is forecast.
"""

from pathlib import Path

import pandas as pd

from data.complaints.cleaning import folded
from data.complaints.quoting import quoted, what_there_is
from data.counts.reading import USUAL_NAMES, days_of, one_spelling, read_table
from data.errors import ColumnsError, CountsError, RegressorsError
from data.tables.header import matched
from data.tables.numbers import number
from data.tables.rows import Expected

KEYS = {name: USUAL_NAMES[name] for name in ("date", "municipality")}


def read_regressors(path: Path, timezone: str = "UTC") -> pd.DataFrame:
    """Read a table of regressors, of any kind that counts are read from; dates as `read_counts` reads them.

    Raises:
        FileError: the file is absent, empty, or no table.
        ColumnsError: there is no `date`, or nothing beside it.
        RegressorsError: a date cannot be read, a day is given twice, a value is no number.
    """
    raw = read_table(path, Expected(columns=KEYS, needed=("date",), dates=("date",)))
    fields = matched(KEYS, raw.columns)
    keys = [name for name in KEYS if name in fields]
    names = [str(name) for name in raw.columns if name not in fields.values()]
    if "date" not in keys or not names:
        there, _ = what_there_is(raw.columns, len(fields))
        raise ColumnsError(f"{path}: expected date, municipality (if by place) and regressors; {there}")
    frame = raw.rename(columns={column: name for name, column in fields.items()})
    try:
        frame["date"] = days_of(frame["date"], timezone, path)
    except CountsError as error:
        raise RegressorsError(error.message) from None
    if "municipality" in keys:
        frame["municipality"] = one_spelling(frame["municipality"])
    twice = frame[frame.duplicated(keys)]
    if len(twice):
        place = f" in {quoted(twice['municipality'].iloc[0])[1:-1]}" if len(keys) > 1 else ""
        raise RegressorsError(f"{path}: {twice['date'].iloc[0]:%Y-%m-%d}{place} is given twice")
    for name in names:
        numbers = frame[name].map(number).astype("float64")
        if numbers.isna().any():
            bad = frame[numbers.isna()].iloc[0]
            raise RegressorsError(
                f"{path}: {quoted(name)} on {bad['date']:%Y-%m-%d} is {quoted(bad[name])}, not a number"
            )
        frame[name] = numbers
    if len(keys) == 1:
        return frame.set_index("date")[names].sort_index()
    wide = frame.pivot(index="date", columns="municipality", values=names)
    return wide.swaplevel(axis=1).sort_index(axis=1).sort_index()


def check_covers(regressors: pd.DataFrame, panel: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """The days of a panel and of `horizon` days after it.

    Raises:
        RegressorsError: a day or a municipality of the counts is missing.
    """
    days = pd.date_range(panel.index[0], panel.index[-1] + pd.Timedelta(days=horizon), freq="D", name="date")
    if regressors.columns.nlevels == 2:
        spelled = {folded(place): place for place in panel.columns.get_level_values(0)}
        regressors = regressors.rename(columns=lambda place: spelled.get(folded(place), place), level=0)
        absent = sorted(set(panel.columns.get_level_values(0)) - set(regressors.columns.get_level_values(0)))
        if absent:
            raise RegressorsError(f"regressors: municipality {absent[0]!r} of the counts is missing")
    wanted = regressors.reindex(days)
    missing = wanted.index[wanted.isna().any(axis=1)]
    if len(missing):
        raise RegressorsError(
            f"regressors: {missing[0]:%Y-%m-%d} is missing; they have to cover the history and the forecast, "
            f"{days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d} ({len(missing)} days are missing)"
        )
    return wanted


def of_place(regressors: pd.DataFrame | None, municipality: str) -> pd.DataFrame | None:
    """The regressors of one municipality, dates × regressor."""
    if regressors is None or regressors.columns.nlevels == 1:
        return regressors
    return pd.DataFrame(regressors[municipality])
