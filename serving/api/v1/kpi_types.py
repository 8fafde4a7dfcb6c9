"""The answer of `GET /v1/kpi`: figures with what they were counted of, intervals and changes."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from data.kpi.definitions import Unit
from serving.api.v1.shared_types import Wire


class FigureOut(Wire):
    """One number beside that of the span before."""

    value: float | None = Field(description="null: too few to say (`n` below `least`)", examples=[0.82])
    low: float | None = Field(description="Its 95 % interval; null where it has none", examples=[0.79])
    high: float | None = Field(examples=[0.85])
    n: int = Field(description="What it was counted of", examples=[640])
    previous: float | None = Field(description="Of the span before; null: too few to say")
    previous_n: int
    change: float | None = Field(description="Of a count relative, else the difference")
    change_low: float | None
    change_high: float | None


class DefinitionOut(Wire):
    """What a KPI is, for people."""

    id: str = Field(examples=["deadlines_met"])
    title_ru: str
    unit: Unit
    formula_ru: str
    better: Literal["more", "less"] | None


class DayOut(Wire):
    """Complaints received on one local day."""

    date: date
    count: int


class GroupOut(Wire):
    """One agency, municipality, sector or source."""

    name: str
    figures: dict[str, FigureOut]


class KpiAnswer(Wire):
    """KPIs of a span of local days."""

    start: date
    end: date
    before_start: date = Field(description="The span before, as long")
    before_end: date
    as_of: datetime = Field(description="What is due later is not due yet")
    least: int = Field(description="Shares and quantiles of fewer are null", examples=[20])
    definitions: list[DefinitionOut]
    figures: dict[str, FigureOut]
    daily: list[DayOut] = Field(description="Each day of the span before and of this one")
    by: str | None
    groups: list[GroupOut] = Field(description="Those with most complaints first; never ordered by a rate")
