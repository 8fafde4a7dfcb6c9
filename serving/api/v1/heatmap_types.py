"""The answer of `GET /v1/heatmap`: one cell a municipality × sector."""

from datetime import date

from pydantic import Field

from models.surges.types import State
from serving.api.v1.shared_types import ModelVersion, Wire


class HeatCell(Wire):
    """One municipality × sector: what was observed beside what was expected."""

    municipality: str
    sector: str
    observed: int | None = Field(description="Null where the source was silent")
    expected: float
    ratio: float | None = Field(description="Observed by expected; null where nothing was expected")
    z: float | None = Field(description="Standard deviations above the expectation")
    surge: date | None = Field(default=None, description="Since when a surge goes on there; null without one")
    surge_state: State | None = Field(
        default=None, description="`pending` (a single day so far), `open` or `recovering`; null without a surge"
    )


class HeatmapAnswer(Wire):
    """The heat map of the region's problems."""

    model: ModelVersion
    start: date
    end: date
    cells: list[HeatCell]
