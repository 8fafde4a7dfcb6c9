"""`Surge`: what an alert says."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

State = Literal["pending", "open", "recovering", "closed", "expected"]
FULL_STRENGTH = 2.0
"""Evidence of so many times the threshold is as good as certain."""


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
        confirmed: False: it rests on a single day, which the next observed day has not confirmed yet (pending)
            or has not confirmed at all (closed).
        recovering: it goes on, but its last observed days were no surge any more.
        new_level: it has lasted for weeks, and the counts have stayed where it brought them.
        strength: the highest evidence over the threshold; 1 is just enough. 1 for an expected surge.
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
    confirmed: bool = True
    recovering: bool = False
    new_level: bool = False
    strength: float = 1.0
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
    def importance(self) -> float:
        """What to look at first: its size, times its breadth, times how far its evidence can be trusted.

        Size is the root of the excess, so that one series of hundreds does not hide all others; breadth the root of how
        many places and sectors surge; trust grows with the evidence up to `FULL_STRENGTH` times the threshold and is
        halved for a single unconfirmed day. An expected surge is trusted by its probability.
        """
        breadth = max(len(self.places), 1) * max(len(self.sectors), 1)
        if self.kind == "expected":
            trust = self.probability
        else:
            trust = min(self.strength, FULL_STRENGTH) / FULL_STRENGTH * (1.0 if self.confirmed else 0.5)
        return float((max(self.excess, 0.0) * breadth) ** 0.5 * trust)

    @property
    def state(self) -> State:
        """As of an alert in Grafana: a day that waits for the next one; going on; subsiding; over."""
        if self.kind == "expected":
            return "expected"
        if self.closed is not None:
            return "closed"
        if not self.confirmed:
            return "pending"
        return "recovering" if self.recovering else "open"
