"""Special days: the Russian production calendar as kinds of days that counts depend on.

In: dates, or a `calendar_frame`. Out: Prophet's holidays, or the runs of days off. The decision worth knowing:
what matters is not the holiday's name but what it does to counts: a long run of days off quiets its weekends
too, and complaints pile up on the first working day after it.
"""

from datetime import date
from functools import lru_cache

import pandas as pd

from data.production_calendar import FIRST_YEAR, LAST_YEAR, calendar_frame

LONG_RUN = 4
"""So many days off in a row are a long holiday: it quiets weekends too, and complaints pile up after it."""
DAYS_OFF = ["weekend", "holiday"]
KINDS = ["new_year", "long_holiday", "holiday", "short", "working_saturday", "after_long"]


def holidays_for_prophet(start: date, end: date) -> pd.DataFrame:
    """The production calendar as Prophet's holidays: `ds, holiday`; years it does not cover are left out.

    Kinds: `new_year`, `long_holiday` (four days off or more, weekends included), `holiday`, `short`,
    `working_saturday`, `after_long` (the first working day after a long run).
    """
    special = _special_days()
    inside = special["ds"].between(pd.Timestamp(start), pd.Timestamp(end))
    return special[inside].reset_index(drop=True)


@lru_cache(maxsize=1)
def _special_days() -> pd.DataFrame:
    """The special days of all years that the calendar covers; not to be changed."""
    calendar = calendar_frame(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31))
    off = calendar["kind"].isin(DAYS_OFF)
    long = long_runs(calendar)
    month, weekday = calendar["date"].dt.month, calendar["date"].dt.weekday
    kind = pd.Series("", index=calendar.index)
    kind[calendar["kind"] == "holiday"] = "holiday"
    kind[long] = "long_holiday"
    kind[long & month.isin([12, 1])] = "new_year"
    kind[calendar["kind"] == "short"] = "short"
    kind[~off & (weekday == 5)] = "working_saturday"
    kind[~off & long.shift(1, fill_value=False)] = "after_long"
    return pd.DataFrame({"ds": calendar["date"], "holiday": kind})[kind != ""]


def long_runs(calendar: pd.DataFrame) -> "pd.Series[bool]":
    """Which days of a `calendar_frame` belong to a run of `LONG_RUN` days off or more."""
    off = calendar["kind"].isin(DAYS_OFF)
    return off & (off.groupby((~off).cumsum()).transform("sum") >= LONG_RUN)


def kinds_of(days: pd.DatetimeIndex) -> "pd.Series[int]":
    """Each day's kind as a number: 0 for a usual one, else its place in `KINDS`, from 1."""
    return _special_kinds().reindex(days, fill_value=0)


@lru_cache(maxsize=1)
def _special_kinds() -> "pd.Series[int]":
    """The places in `KINDS` of all special days; not to be changed."""
    kinds = _special_days().set_index("ds")["holiday"]
    return kinds.map({kind: at for at, kind in enumerate(KINDS, 1)}).astype("int64")
