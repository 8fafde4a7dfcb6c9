"""Terms end when working hours, working days and calendar days say so: at nights, weekends, in May, at New Year."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.production_calendar import calendar_frame
from data.regulations.working_time import WorkingTime, after_calendar_days, after_hours, after_working_days

MOSCOW, KAMCHATKA = ZoneInfo("Europe/Moscow"), ZoneInfo("Asia/Kamchatka")
NINE_TO_SIX = WorkingTime()
SHORT_WEEK = WorkingTime(opens=time(10), closes=time(16, 30))


def local(text: str, zone: ZoneInfo = MOSCOW) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("came", "hours", "due"),
    [
        ("2026-11-24 10:30", 4, "2026-11-24 14:30"),
        ("2026-11-24 09:00", 9, "2026-11-24 18:00"),  # the closing hour still counts
        ("2026-11-24 06:00", 4, "2026-11-24 13:00"),  # before it opens
        ("2026-11-24 23:00", 4, "2026-11-25 13:00"),  # at night
        ("2026-11-24 16:00", 4, "2026-11-25 11:00"),  # over a night
        ("2026-11-20 16:00", 4, "2026-11-23 11:00"),  # over a weekend
        ("2026-11-21 12:00", 4, "2026-11-23 13:00"),  # on a Saturday
        ("2026-04-30 12:00", 8, "2026-05-04 12:00"),  # the eve of May Day closes at 17:00
        ("2026-05-08 12:00", 24, "2026-05-14 10:00"),  # 9 May is a Saturday: 11 May is off
        ("2026-12-30 16:00", 4, "2027-01-11 11:00"),  # 31 December is off by transfer
        ("2024-04-26 16:00", 4, "2024-04-27 11:00"),  # a Saturday that is worked for 29 April
        ("2027-02-19 17:00", 10, "2027-02-24 10:00"),  # a worked and shortened Saturday, then three days off
    ],
)
def test_working_hours_pass_while_the_agency_works(came: str, hours: int, due: str):
    assert after_hours(local(came), hours, MOSCOW, NINE_TO_SIX) == local(due)


@given(
    came=st.datetimes(datetime(2025, 4, 20), datetime(2027, 3, 1)).map(lambda at: at.replace(second=0, microsecond=0)),
    hours=st.integers(1, 30),
    working=st.sampled_from([NINE_TO_SIX, SHORT_WEEK]),
)
def test_between_coming_and_due_exactly_so_many_hours_were_worked(came: datetime, hours: int, working: WorkingTime):
    due = after_hours(came.replace(tzinfo=MOSCOW), hours, MOSCOW, working).astimezone(MOSCOW).replace(tzinfo=None)
    days = calendar_frame(came.date(), due.date())
    worked = 0
    for day, kind in zip(days["date"], days["kind"], strict=True):
        closes = datetime.combine(day.date(), working.closes) - timedelta(hours=kind == "short")
        begins, ends = max(came, datetime.combine(day.date(), working.opens)), min(due, closes)
        if kind in ("working", "short") and ends > begins:
            worked += (ends - begins) // timedelta(minutes=1)
    assert worked == 60 * hours


@pytest.mark.parametrize(
    ("came", "days", "due"),
    [
        ("2026-11-24 23:59", 1, "2026-11-25 23:59:59"),  # the day it came does not count
        ("2026-11-20 00:00", 1, "2026-11-23 23:59:59"),
        ("2026-04-24 12:00", 10, "2026-05-12 23:59:59"),  # over both May holidays
        ("2026-12-23 12:00", 10, "2027-01-15 23:59:59"),  # over New Year
        ("2024-04-26 12:00", 1, "2024-04-27 23:59:59"),  # a Saturday that is worked
    ],
)
def test_working_days_begin_on_the_day_after(came: str, days: int, due: str):
    assert after_working_days(local(came), days, MOSCOW) == local(due)


@pytest.mark.parametrize(
    ("came", "moved", "due"),
    [
        ("2026-10-26 12:00", "before", "2026-11-25 23:59:59"),
        ("2026-10-15 12:00", "before", "2026-11-13 23:59:59"),  # 14 November is a Saturday
        ("2026-10-15 12:00", "after", "2026-11-16 23:59:59"),
        ("2026-10-15 12:00", "stays", "2026-11-14 23:59:59"),
        ("2026-04-01 12:00", "before", "2026-04-30 23:59:59"),  # 1 May
        ("2026-04-01 12:00", "after", "2026-05-04 23:59:59"),
        ("2026-12-05 12:00", "before", "2026-12-30 23:59:59"),  # 4 January
        ("2026-12-05 12:00", "after", "2027-01-11 23:59:59"),
        ("2027-12-20 12:00", "before", "2028-01-19 23:59:59"),  # of 2028 no decree is known yet
        ("2027-12-04 12:00", "before", "2027-12-30 23:59:59"),  # 3 January of 2028, before it the decreed 31 December
    ],
)
def test_calendar_days_end_on_a_working_day(came: str, moved: str, due: str):
    assert after_calendar_days(local(came), 30, MOSCOW, moved) == local(due)


def test_days_are_those_of_the_region():
    came = datetime(2026, 11, 10, 13, tzinfo=UTC)  # 01:00 of 11 November on Kamchatka
    assert after_working_days(came, 1, MOSCOW) == local("2026-11-11 23:59:59")
    assert after_working_days(came, 1, KAMCHATKA) == local("2026-11-12 23:59:59", KAMCHATKA)
    assert after_hours(came, 1, KAMCHATKA, NINE_TO_SIX) == local("2026-11-11 10:00", KAMCHATKA)
