"""`Surge`: what an alert says."""

from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True)
class Surge:
    """One event.

    Attributes:
        kind: `observed`: it has begun; `expected`: the forecast says that it will.
        municipality: a place, or all of the region.
        sector: a sector, or all of them.
        start: its first day.
        end: its last day so far; of an expected surge, the seventh of the coming days.
        noticed: the day on which the evidence was enough; None for an expected surge.
        closed: the day on which it was found to be over; None while it goes on or is still to come.
        expected: what is usual for these days: the forecast made without having seen them (observed), or
            seven days at the mean of the last four weeks (expected).
        count: the observed total, or the forecast one.
        level: expected surges: the weekly total whose passing is forecast; None for observed ones.
        probability: that this is a surge: 1 − the chance of so high a total in usual times (observed), or
            that the total passes the level (expected).
        places: of an event of the region, the municipalities that surge, the largest excess first.
        sectors: of an event over all sectors, the sectors that surge, likewise.
        reasons: in Russian: calendar, trend, neighbours, bulk entry.
    """

    kind: Literal["observed", "expected"]
    municipality: str
    sector: str
    start: date
    end: date
    noticed: date | None
    closed: date | None
    expected: float
    count: float
    level: float | None
    probability: float
    places: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def excess(self) -> float:
        """Complaints beyond the usual."""
        return self.count - self.expected

    @property
    def ratio(self) -> float:
        """How many times the usual."""
        return self.count / max(self.expected, 0.1)

    @property
    def state(self) -> Literal["open", "closed", "expected"]:
        """Whether it goes on, is over, or is still to come."""
        if self.kind == "expected":
            return "expected"
        return "open" if self.closed is None else "closed"
