"""The production calendar, against the official norms of working time and the `holidays` package."""

from datetime import date

import holidays
import pandas as pd
import pytest

from data.errors import ConfigError
from data.production_calendar import FIRST_YEAR, LAST_YEAR, calendar_frame

YEARS = range(FIRST_YEAR, LAST_YEAR + 1)


def one_day(day: date) -> "pd.Series[str]":
    return calendar_frame(day, day).iloc[0]


@pytest.mark.parametrize(
    ("year", "working_days", "hours"),
    [
        (2019, 247, 1970),
        (2020, 248, 1979),
        (2021, 247, 1972),
        (2022, 247, 1973),
        (2023, 247, 1973),
        (2024, 248, 1979),
        (2025, 247, 1972),
        (2026, 247, 1972),
        (2027, 247, 1972),
    ],
)
def test_a_year_has_the_official_norm_of_working_days_and_hours(year: int, working_days: int, hours: int):
    kinds = calendar_frame(date(year, 1, 1), date(year, 12, 31))["kind"]
    short = int((kinds == "short").sum())
    assert int((kinds == "working").sum()) + short == working_days
    assert working_days * 8 - short == hours


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2024-04-27", "working"),  # a Saturday worked instead of Monday, 29 April
        ("2024-04-29", "holiday"),
        ("2024-11-02", "short"),  # a working Saturday before a holiday
        ("2024-12-28", "working"),
        ("2025-11-01", "short"),
        ("2025-12-31", "holiday"),
        ("2026-01-09", "holiday"),
        ("2026-03-09", "holiday"),  # 8 March is a Sunday: article 112
        ("2026-11-03", "short"),
        ("2026-11-22", "weekend"),
        ("2027-02-20", "short"),
        ("2027-02-22", "holiday"),
        ("2027-06-14", "holiday"),
        ("2027-07-14", "working"),
    ],
)
def test_days_that_differ_from_their_weekday(day: str, kind: str):
    assert one_day(date.fromisoformat(day))["kind"] == kind


@pytest.mark.parametrize("year", YEARS)
def test_every_day_off_agrees_with_the_holidays_package(year: int):
    theirs = holidays.country_holidays("RU", years=year)
    for day, kind, name in calendar_frame(date(year, 1, 1), date(year, 12, 31)).itertuples(index=False):
        off = kind in ("weekend", "holiday")
        if day.weekday() < 5:
            assert off == (day.date() in theirs), day
        elif not off:  # a working Saturday stands in for a weekday that is off
            assert name


def test_a_year_outside_the_calendar_is_refused_with_the_years_it_covers():
    with pytest.raises(ConfigError, match="2019 to 2027"):
        one_day(date(LAST_YEAR + 1, 1, 1))
    with pytest.raises(ConfigError, match="2018-12-31"):
        calendar_frame(date(2018, 12, 31), date(2019, 1, 2))


def test_a_transferred_day_says_where_it_came_from():
    assert one_day(date(2026, 12, 31))["name"] == "Выходной, перенесённый с 4 января"
    assert one_day(date(2025, 11, 1))["name"] == "Рабочий день вместо 3 ноября"
