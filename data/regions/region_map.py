"""The map of a region: the outlines of its municipalities, drawn flat.

In: `municipalities.geojson` (RFC 7946, WGS 84) beside `region.yaml`, where a region supplies one. Out: a `RegionMap`,
whose outlines are paths as SVG writes them. Plain paths, and neither tiles nor a library of maps: a region's dozens of
outlines need no more, and each is a link like any other. A degree of longitude is as long as at the region's middle.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import ceil, cos, radians
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from data.catalogue.checks import load_catalogue
from data.config import describe
from data.errors import ConfigError, LabelError
from data.regions.region import Region

FILE = "municipalities.geojson"
WIDTH = 1000
MOST_BYTES = 4_000_000
"""A region's outlines to some hundred metres are a tenth of that; a file to the metre would slow the page down."""
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Position = tuple[Longitude, Latitude] | tuple[Longitude, Latitude, float]
Ring = Annotated[list[Position], Field(min_length=4)]
PolygonRings = Annotated[list[Ring], Field(min_length=1)]
Point = tuple[float, float]


class _Polygon(BaseModel):
    type: Literal["Polygon"]
    coordinates: PolygonRings


class _MultiPolygon(BaseModel):
    type: Literal["MultiPolygon"]
    coordinates: Annotated[list[PolygonRings], Field(min_length=1)]


class _Properties(BaseModel):
    name: str


class _Feature(BaseModel):
    type: Literal["Feature"]
    properties: _Properties
    geometry: Annotated[_Polygon | _MultiPolygon, Field(discriminator="type")]

    @property
    def polygons(self) -> list[list[list[Any]]]:
        """Of each polygon its rings, the outer one first."""
        if isinstance(self.geometry, _Polygon):
            return [self.geometry.coordinates]
        return self.geometry.coordinates


class _Collection(BaseModel):
    type: Literal["FeatureCollection"]
    features: Annotated[list[_Feature], Field(min_length=1)]


@dataclass(frozen=True)
class Outline:
    """One municipality: its outline as a path of SVG, and where its name stands."""

    municipality: str
    path: str
    x: float
    y: float


@dataclass(frozen=True)
class RegionMap:
    """Outlines within `width` × `height`, in alphabetical order; none where the region supplies none."""

    width: int
    height: int
    outlines: tuple[Outline, ...]


@lru_cache(maxsize=128)
def load_map(region: Region) -> RegionMap:
    """The map of a region.

    Raises:
        ConfigError: the file is no GeoJSON of polygons, or names a municipality twice or one that is not in the
            catalogue.
    """
    path = region.folder / FILE
    if not path.is_file():
        return RegionMap(WIDTH, WIDTH, ())
    if path.stat().st_size > MOST_BYTES:
        raise ConfigError(f"{path}: is larger than {MOST_BYTES // 10**6} MB: simplify the outlines")
    try:
        collection = _Collection.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ConfigError(f"{path}: {describe(error, _Collection)}") from None
    return _drawn(dict(sorted(_by_name(path, region, collection).items())))


def _by_name(path: Path, region: Region, collection: _Collection) -> dict[str, _Feature]:
    """Each feature by its municipality's name in the catalogue.

    Raises:
        ConfigError: a name is not in the catalogue, or there twice.
    """
    catalogue = None if region.catalogue is None else load_catalogue(region.catalogue)
    names = {} if catalogue is None else {each.id: each.name for each in catalogue.municipalities}
    by_name: dict[str, _Feature] = {}
    for place, feature in enumerate(collection.features):
        name = feature.properties.name
        if catalogue is not None:
            try:
                name = names[catalogue.municipality_id(name)]
            except LabelError as error:
                raise ConfigError(f"{path}: features.{place}.properties.name: {error}") from None
        if name in by_name:
            raise ConfigError(f"{path}: features.{place}.properties.name: {name!r} is there already; join its polygons")
        by_name[name] = feature
    return by_name


def _drawn(features: dict[str, _Feature]) -> RegionMap:
    """All outlines on one sheet, north above."""
    points = [p for each in features.values() for rings in each.polygons for ring in rings for p in ring]
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    narrowed = cos(radians((south + north) / 2))
    scale = WIDTH / max((east - west) * narrowed, 1e-9)

    def flat(position: Any) -> Point:
        return (position[0] - west) * narrowed * scale, (north - position[1]) * scale

    outlines = []
    for name, feature in features.items():
        polygons = [[[flat(p) for p in ring] for ring in rings] for rings in feature.polygons]
        path = "".join(_path(ring) for rings in polygons for ring in rings)
        _, x, y = max(_centre(rings[0]) for rings in polygons)
        outlines.append(Outline(name, path, round(x, 1), round(y, 1)))
    return RegionMap(WIDTH, max(ceil((north - south) * scale), 1), tuple(outlines))


def _path(ring: list[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring[:-1]) + "Z"


def _centre(ring: list[Point]) -> tuple[float, float, float]:
    """The area that a ring encloses, and the middle of it (the shoelace formula)."""
    pairs = list(pairwise(ring))
    crosses = [x * v - u * y for (x, y), (u, v) in pairs]
    area = sum(crosses) / 2
    if abs(area) < 1e-9:
        return 0.0, *ring[0]
    x = sum((a[0] + b[0]) * cross for (a, b), cross in zip(pairs, crosses, strict=True)) / (6 * area)
    y = sum((a[1] + b[1]) * cross for (a, b), cross in zip(pairs, crosses, strict=True)) / (6 * area)
    return abs(area), x, y
