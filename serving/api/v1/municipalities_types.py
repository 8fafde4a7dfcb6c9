"""The answer of `GET /v1/municipalities`: places side by side."""

from datetime import date

from pydantic import Field

from serving.api.v1.shared_types import ModelVersion, Wire


class PlaceCounts(Wire):
    """One municipality, or the region."""

    municipality: str
    observed: int | None = Field(description="Null where the source was silent")
    days: int = Field(description="Days that were observed")
    expected: float | None = Field(description="Of the days that have an expectation; null where none has")
    observed_of_expected: int | None = Field(description="What came on those days")
    inhabitants: int | None = Field(description="Null where the region does not give them")
    per_thousand: float | None = Field(
        description="Complaints per 1,000 inhabitants; null without inhabitants, and below 20 complaints: chance alone"
    )
    low: float | None = Field(description="Of its 95 % interval")
    high: float | None


class MunicipalitiesAnswer(Wire):
    """Places side by side, in alphabetical order."""

    model: ModelVersion
    start: date
    end: date
    sector: str = Field(description="Or all of them")
    sectors: list[str] = Field(description="What may be asked for")
    region: PlaceCounts
    municipalities: list[PlaceCounts]
