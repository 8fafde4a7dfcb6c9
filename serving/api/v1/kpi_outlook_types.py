"""The answer of `GET /v1/kpi/outlook`: surges and what became of them, and the forecast of a week by sector."""

from datetime import date

from pydantic import Field

from models.surges.types import State
from serving.api.v1.shared_types import Wire


class WeekSurgeOut(Wire):
    """An observed surge of which some days lie in the span."""

    municipality: str = Field(description="A place, or all of the region")
    sector: str
    start: date
    end: date = Field(description="Its last day so far")
    count: int = Field(description="Complaints on these days")
    expected: float = Field(description="What is usual for them")
    state: State = Field(description="As it stands now; as in `/v1/surges`")
    became: str = Field(description="What became of it, in Russian", examples=["закончился 18 ноября"])
    note: str | None = Field(description="What somebody wrote about it last, masked; null: nobody did")


class SectorForecastOut(Wire):
    """The total of a sector over the coming week."""

    sector: str
    mean: float
    low: int = Field(description="The interval of `level`")
    high: int


class OutlookAnswer(Wire):
    """Surges of a span of local days, and what is forecast for the seven days after it."""

    start: date
    end: date
    surges: list[WeekSurgeOut] = Field(description="The most important first")
    surges_missing: str | None = Field(description="Why none or not all are known, in Russian; null: all are")
    coming_start: date = Field(description="The day after the span")
    coming_end: date
    level: float = Field(description="Of the intervals", examples=[0.8])
    forecast: list[SectorForecastOut] = Field(description="The largest first")
    forecast_missing: str | None = Field(description="Why there is no forecast, in Russian; null: there is one")
