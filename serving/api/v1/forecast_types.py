"""Messages of `POST /v1/forecast`: a series in, its coming days out."""

from datetime import date
from typing import Annotated

from pydantic import Field

from serving.api.v1.shared_types import IsoDate, JsonNumber, ModelVersion, Name, Wire


class ForecastRequest(Wire):
    """Which series, which days; null means the sum over all municipalities or sectors."""

    municipality: Name | None = Field(default=None, examples=["Верхнереченск"])
    sector: Name | None = Field(default=None, examples=["ЖКХ"])
    horizon: Annotated[int, JsonNumber] = Field(
        default=14, description="Days", examples=[14], json_schema_extra={"minimum": 1, "maximum": 366}
    )
    start: Annotated[date, IsoDate] | None = Field(
        default=None, description="First day; default: the day after the history ends"
    )
    levels: list[Annotated[float, Field(strict=True, gt=0, lt=1)]] | None = Field(
        default=None,
        min_length=1,
        max_length=9,
        description="Central intervals: 0.8 gives the quantiles q10 and q90; default: the forecaster's",
        examples=[[0.5, 0.8]],
    )


class ForecastDay(Wire):
    """One day of a forecast."""

    date: date
    mean: float
    quantiles: dict[str, int] = Field(examples=[{"q10": 21, "q25": 25, "q75": 36, "q90": 41}])


class HistoryDay(Wire):
    """One day of the past; null where the source was silent."""

    date: date
    count: int | None


class ForecastAnswer(Wire):
    """A forecast beside the end of its series' history."""

    model: ModelVersion
    municipality: str
    sector: str
    method: str = Field(description="The forecaster that won this series' backtest", examples=["prophet"])
    days: list[ForecastDay]
    history: list[HistoryDay]
