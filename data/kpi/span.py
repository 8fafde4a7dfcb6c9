"""A span of local days, and the one before it that its figures are compared with."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from data.errors import RequestError
from data.regions.region import Region
from data.store.tables import naive_utc

DAY = timedelta(days=1)
MOST_DAYS = 366
FIRST_YEAR, LAST_YEAR = 2000, 2100
"""No complaint of a regional centre lies outside."""


@dataclass(frozen=True)
class Span:
    """Local days, the first and the last included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Span":
        """As many days right before."""
        return Span(self.first - self.days * DAY, self.first - DAY)

    def moments(self, region: Region) -> tuple[datetime, datetime]:
        """The moments (UTC, naive) at which it begins and is over."""
        begin, end = (datetime.combine(day, time(), region.zone) for day in (self.first, self.last + DAY))
        return naive_utc(begin), naive_utc(end)

    def check(self) -> None:
        """See that figures can be computed of it.

        Raises:
            RequestError: it ends before it begins, is longer than a year, or of no year of ours.
        """
        days = f"from {self.first} to {self.last}"
        if not 1 <= self.days <= MOST_DAYS:
            raise RequestError(f"{days} are {max(self.days, 0)} days; ask for 1 to {MOST_DAYS}")
        if self.first.year < FIRST_YEAR or self.last.year > LAST_YEAR:
            raise RequestError(f"{days}: ask for days of the years {FIRST_YEAR} to {LAST_YEAR}")


def last_week(today: date) -> Span:
    """The last whole week, Monday to Sunday."""
    monday = today - (today.weekday() + 7) * DAY
    return Span(monday, monday + 6 * DAY)
