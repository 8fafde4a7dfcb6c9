"""The answer of `GET /v1/map`."""

from pydantic import Field

from serving.api.v1.shared_types import Wire


class OutlineOut(Wire):
    """One municipality on the map."""

    municipality: str
    path: str = Field(description="Its outline, as the attribute `d` of SVG's path")
    x: float = Field(description="Where its name stands")
    y: float


class MapAnswer(Wire):
    """The region's municipalities, drawn flat; no outlines where the region supplies none."""

    width: int
    height: int
    outlines: list[OutlineOut]
