"""Working time: when so many working hours, working days or calendar days are over.

In: a moment, a term and a region's zone. Out: a moment in UTC. Days are the region's. A term of days begins on the day
after the complaint came (article 191 of the Civil Code) and ends with its last day; a term of working hours runs while
the agency works, one hour less on the eve of a holiday (article 95 of the Labour Code).

For years whose transfers of days off are not decreed yet (`data/production_calendar.py`), weekends and the holidays
of article 112 are off: a due time moves by a day or two when the decree is added.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import field_validator, model_validator

from data.config import Config
from data.production_calendar import FIRST_YEAR, HOLIDAYS, LAST_YEAR, DayKind, day_kind

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LAST_SECOND = time(23, 59, 59)
Moved = Literal["before", "after", "stays"]


class WorkingTime(Config):
    """When an agency works on a working day; `closes` is an hour earlier on the eve of a holiday."""

    opens: time = time(9)
    closes: time = time(18)

    @field_validator("opens", "closes", mode="before")
    @classmethod
    def in_quotes(cls, value: object) -> object:
        """YAML reads 18:00 without quotes as the number 1080."""
        if isinstance(value, int):
            raise ValueError('write the time in quotes, as in "18:00"')
        return value

    @model_validator(mode="after")
    def opens_before_it_closes(self) -> "WorkingTime":
        """More than an hour is worked, so that something is left of a shortened day."""
        if datetime.combine(date.min, self.closes) - datetime.combine(date.min, self.opens) <= HOUR:
            raise ValueError(f"closes {self.closes:%H:%M} must be more than an hour after opens {self.opens:%H:%M}")
        return self

    def bounds(self, day: date) -> tuple[datetime, datetime] | None:
        """When it opens and closes on this day, without a zone; None: it does not work."""
        kind = kind_of(day)
        if kind in ("weekend", "holiday"):
            return None
        closes = datetime.combine(day, self.closes)
        return datetime.combine(day, self.opens), closes - HOUR if kind == "short" else closes


def after_hours(moment: datetime, hours: int, zone: ZoneInfo, working: WorkingTime) -> datetime:
    """When so many working hours have passed since `moment`."""
    local, left = _local(moment, zone), hours * HOUR
    day = local.date()
    while True:
        bounds = working.bounds(day)
        if bounds is not None:
            begins = max(local, bounds[0])
            if begins + left <= bounds[1]:
                return _utc(begins + left, zone)
            left -= max(bounds[1] - begins, timedelta(0))
        day += DAY


def after_working_days(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The end of the last of so many working days, which begin on the day after `moment`."""
    day, left = _local(moment, zone).date(), days
    while left:
        day += DAY
        left -= is_worked(day)
    return _utc(datetime.combine(day, LAST_SECOND), zone)


def after_calendar_days(moment: datetime, days: int, zone: ZoneInfo, moved: Moved) -> datetime:
    """The end of the last of so many days; from a day off it is moved to the working day before or after, or stays."""
    day = _local(moment, zone).date() + days * DAY
    while moved != "stays" and not is_worked(day):
        day += -DAY if moved == "before" else DAY
    return _utc(datetime.combine(day, LAST_SECOND), zone)


def is_worked(day: date) -> bool:
    """Whether it is a working day, a shortened one too."""
    return kind_of(day) in ("working", "short")


@lru_cache(maxsize=4096)
def kind_of(day: date) -> DayKind:
    """The kind of a day, also of years that the production calendar does not hold."""
    if FIRST_YEAR <= day.year <= LAST_YEAR:
        return day_kind(day)
    if (day.month, day.day) in HOLIDAYS:
        return "holiday"
    return "weekend" if day.weekday() >= 5 else "working"


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _utc(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)
