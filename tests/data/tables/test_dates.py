"""Dates as sources write them: what each means, and which mean nothing."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from data.tables.dates import months_come_first, written_day, written_time

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize(
    ("cell", "local"),
    [
        *[(cell, "2026-11-01 00:00") for cell in (
            "01.11.2026", "1.11.2026", "01.11.26", "01.11.2026г.", "01.11.2026 г.", "01/11/2026", "01-11-2026",
            "2026-11-01", "2026.11.01", "2026/11/1", "20261101", "46327", "1 ноября 2026 г.", "1 ноября 2026 года",
            "01 ноя 2026", "01 нояб 2026", "01.ноя.26", "1-ноя-26", "нояб. 1, 2026", "Nov 1, 2026", "1 November 2026",
            "воскресенье, 1 ноября 2026 г.", "01.11.2026 (вс)", "1-го ноября 2026",
            "«01» ноября 2026 г.", "от 01.11.2026", "01. 11. 2026",
        )],
        *[(cell, "2026-11-01 10:15") for cell in (
            "01.11.2026 в 10:15", "01.11.2026, 10:15:00", "01.11.2026 10.15", "01.11.2026 10-15", "10:15 01.11.2026",
            "1 ноября 2026 г. в 10 ч. 15 мин.", "вс, 1 ноября 2026, 10:15", "Nov 1, 2026 10:15 AM", "20261101T101500",
            "2026-11-01T10:15", "2026-11-01T10:15:00.1234567", "2026-11-01T07:15:00Z", "2026-11-01 10:15:00 +0300",
            "2026-11-01 07:15:00+00", "2026-11-01 07:15:00 UTC", "2026-11-01T10:15+03:00[Europe/Moscow]",
            "01.11.2026 10:15 МСК", "01.11.2026 14:15 (UTC+7)", "01.11.2026 14:15 МСК+4", "1793517300", "1793517300000",
            "01-NOV-26 10.15.00.000000 AM", "2026-11-01 10.15.00", "01.11.2026 10 час. 15 мин.",
            "Sun Nov 01 2026 10:15:00 GMT+0300 (Москва, стандартное время)",
            "Sun, 01 Nov 2026 07:15:00 GMT", "Sun Nov 01 10:15:00 MSK 2026", "/Date(1793517300000)/",
        )],
        ("46327,4375", "2026-11-01 10:30"),
        ("01.11.2026 24:00", "2026-11-02 00:00"),
    ],
)  # fmt: skip
def test_a_date_is_read_however_it_is_written(cell: str, local: str):
    found = written_time(cell)
    assert found is not None
    here = found.replace(tzinfo=MOSCOW) if found.tzinfo is None else found.astimezone(MOSCOW)
    assert f"{here:%Y-%m-%d %H:%M}" == local


@pytest.mark.parametrize(
    "cell",
    [
        "вчера", "вчера утром", "00.00.0000", "32.11.2026", "29.02.2025", "03/11/25", "03-11-25", "11/25/2026", "2026",
        "1 ноября", "ноябрь 2026", "01.11.2026 - 30.11.2026", "10:15", "true", "Яма на Лесной 1", "01.11.0026", "",
    ],
)  # fmt: skip
def test_what_is_no_date_or_may_be_two_is_none(cell: str):
    assert written_time(cell) is None


def test_the_maps_own_formats_come_first():
    assert written_time("03/11/25", ["%y/%m/%d"]) == datetime(2003, 11, 25)


def test_american_dates_are_told_by_their_days():
    assert months_come_first(["11/25/2026", "11/03/2026"])
    assert months_come_first(["11/03/2026 10:15:00 AM"])
    assert not months_come_first(["25/11/2026", "11/03/2026"])
    assert written_time("11/03/2026", month_first=True) == datetime(2026, 11, 3)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-06-02T00:00:00+07:00", date(2026, 6, 2)),  # midnight is how a day is written
        ("2026-05-31T21:00:00Z", date(2026, 6, 1)),  # the region's midnight, written in UTC
        ("01.06.2026 23:59", date(2026, 6, 1)),
        (datetime(2026, 6, 1, 22, tzinfo=UTC), date(2026, 6, 2)),
    ],
)
def test_a_day_is_the_regions(cell: object, day: date):
    assert written_day(cell, MOSCOW) == day
