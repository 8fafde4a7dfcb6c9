"""The answer of `GET /v1/surges`: one event each."""

from datetime import date
from typing import Literal

from pydantic import Field

from models.surges.types import State
from serving.api.v1.shared_types import ModelVersion, Wire


class SurgeOut(Wire):
    """One event: counts clearly above what season, weekday and calendar explain, or about to be."""

    kind: Literal["observed", "expected"]
    state: State = Field(
        description="A single day that the next one has to confirm (`pending`), going on (`open`), subsiding "
        "(`recovering`), over (`closed`), or still to come (`expected`)"
    )
    municipality: str = Field(description="A place, or all of the region")
    sector: str
    places: list[str] = Field(description="Of an event of the region: where it surges, the largest excess first")
    sectors: list[str] = Field(description="Of an event over all sectors: which of them surge")
    start: date
    end: date = Field(description="Its last day so far; of an expected surge, the seventh of the coming days")
    since: date | None = Field(description="Since when the counts run above expectation; null for an expected surge")
    noticed: date | None = Field(description="The day on which the evidence was enough")
    closed: date | None = Field(description="The day on which it was found to be over; null while it is not")
    expected: float = Field(description="What is usual for these days")
    observed: int | None
    forecast: float | None
    excess: float = Field(description="Complaints beyond the usual")
    ratio: float = Field(description="How many times the usual")
    level: float | None = Field(description="The total that an expected surge passes")
    probability: float
    confirmed: bool = Field(description="False: a single day, which the next one has not confirmed (yet)")
    new_level: bool = Field(description="It has lasted for weeks, and the counts have stayed where it brought them")
    importance: float = Field(description="The order of the answer: size, breadth and trust together")
    reasons: list[str] = Field(
        description="Why, in Russian: a single day, a new level, calendar, trend, neighbours, bulk entry left out"
    )


class SurgesAnswer(Wire):
    """Surges, one an event, the most important first."""

    model: ModelVersion
    as_of: date = Field(description="The last day counted")
    surges: list[SurgeOut]
