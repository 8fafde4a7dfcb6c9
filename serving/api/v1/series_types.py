"""The answer of `GET /v1/series`: one series as people look at it."""

from datetime import date
from typing import Literal

from pydantic import Field

from serving.api.v1.shared_types import ModelVersion, Wire
from serving.api.v1.surges_types import SurgeOut


class SeriesDay(Wire):
    """One day."""

    date: date
    count: int | None = Field(description="Null where the source was silent, and of days to come")
    expected: float | None = Field(description="Forecast without having seen the day; null where there is none")
    quantiles: dict[str, int] = Field(description="Of the same forecast", examples=[{"q10": 21, "q50": 30, "q90": 41}])
    kind: Literal["working", "short", "weekend", "holiday"] | None = Field(description="Of the production calendar")
    name: str = Field(description="Of a holiday, in Russian; empty where it has none")


class FitOut(Wire):
    """What came on the past days that have an expectation, beside what had been said of them."""

    days: int
    came: float
    said: float
    error: float | None = Field(description="Σ|came − said| by Σcame; null where nothing came")
    level: float = Field(description="Of the central interval", examples=[0.8])
    inside: float = Field(description="Share of the days inside it", examples=[0.79])


class PlaceSectors(Wire):
    """The sectors of a municipality, or of the region."""

    municipality: str
    sectors: list[str]


class SeriesAnswer(Wire):
    """One series: its past, its future, its surges."""

    model: ModelVersion
    municipality: str
    sector: str
    method: str = Field(description="The forecaster that won this series' backtest", examples=["prophet"])
    origin: date = Field(description="The last day that the forecaster has seen")
    last: date = Field(description="The last day with counts")
    stale: bool = Field(
        description="The forecasts do not reach today: the forecaster has to be trained on newer counts"
    )
    days: list[SeriesDay]
    surges: list[SurgeOut] = Field(description="Of this series, closed ones too, and of sums that it is part of")
    fit: FitOut | None
    words: list[str] = Field(description="What the series is made of, in Russian")
    known: list[PlaceSectors] = Field(description="What may be asked for; the first is the region")
