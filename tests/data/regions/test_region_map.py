"""The map of a region: outlines drawn flat, and a file that is wrong refused in one sentence."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from data.errors import ConfigError
from data.regions.region import Region, load_region
from data.regions.region_map import FILE, WIDTH, load_map

SQUARE = [[40.0, 60.0], [41.0, 60.0], [41.0, 61.0], [40.0, 61.0], [40.0, 60.0]]
NEXT = [[x + 1, y] for x, y in SQUARE]
HOLE = [[40.4, 60.4], [40.4, 60.6], [40.6, 60.6], [40.6, 60.4], [40.4, 60.4]]


def feature(name: Any, *polygons: Any, kind: str = "Polygon") -> dict[str, Any]:
    coordinates = polygons[0] if kind == "Polygon" else list(polygons)
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": {"name": name}, "geometry": geometry}


def region_with(folder: Path, content: Any, catalogue: Path | None = None) -> Region:
    """A region whose folder holds this file."""
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / FILE).write_text(text, encoding="utf-8")
    return Region("r", "Область", "UTC", catalogue, "generic", (), folder=folder)


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def test_outlines_lie_beside_each_other_north_above(tmp_path: Path) -> None:
    drawn = load_map(region_with(tmp_path, collection(feature("Б", [NEXT]), feature("А", [SQUARE, HOLE]))))
    assert [each.municipality for each in drawn.outlines] == ["А", "Б"]
    first, second = drawn.outlines
    assert drawn.width == WIDTH
    assert drawn.height == pytest.approx(WIDTH * 1 / (2 * 0.4924), rel=0.001), "cos 60.5° narrows a degree of longitude"
    assert first.path.startswith("M0.0 1015.4L500.0 1015.4L500.0 0.0L0.0 0.0ZM")
    assert first.path.count("Z") == 2, "the hole is a ring of its own"
    assert (first.x, first.y) == pytest.approx((250, drawn.height / 2), abs=1)
    assert (second.x, second.y) == pytest.approx((750, drawn.height / 2), abs=1)


def test_the_name_of_several_parts_stands_in_the_largest(tmp_path: Path) -> None:
    drawn = load_map(region_with(tmp_path, collection(feature("А", [HOLE], [NEXT], kind="MultiPolygon"))))
    (outline,) = drawn.outlines
    right = max(float(x) for x in re.findall(r"[ML]([\d.]+) ", outline.path))
    assert outline.x > right / 2
    assert outline.path.count("Z") == 2


def test_the_sample_regions_map_shows_each_of_its_municipalities() -> None:
    region = load_region("verkhnerechye")
    assert {each.municipality for each in load_map(region).outlines} == set(region.inhabitants)


def test_a_region_without_a_file_has_no_outlines(tmp_path: Path) -> None:
    assert load_map(Region("r", "Область", "UTC", None, "generic", (), folder=tmp_path)).outlines == ()


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("{", ["JSON"]),
        ("", ["JSON"]),
        ({"type": "Feature"}, ["type", "FeatureCollection"]),
        (collection(), ["features", "at least 1"]),
        (collection({"type": "Feature", "properties": {}, "geometry": None}), ["features.0.properties.name"]),
        (collection(feature(7, [SQUARE])), ["features.0.properties.name", "string"]),
        (collection(feature("А", [SQUARE], kind="Point")), ["features.0.geometry", "'Polygon', 'MultiPolygon'"]),
        (collection(feature("А", [SQUARE[:3]])), ["features.0.geometry", "at least 4"]),
        (collection(feature("А", [[[4000000.0, 60.0], *SQUARE]])), ["features.0.geometry", "180"]),
        (collection(feature("А", [SQUARE]), feature("А", [NEXT])), ["features.1.properties.name", "there already"]),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(tmp_path: Path, content: Any, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_map(region_with(tmp_path, content))
    for part in [FILE, *parts]:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_municipality_is_one_of_the_catalogue_however_it_is_written(tmp_path: Path) -> None:
    catalogue = load_region("verkhnerechye").catalogue
    drawn = load_map(region_with(tmp_path, collection(feature("г. верхнереченск", [SQUARE])), catalogue))
    assert [each.municipality for each in drawn.outlines] == ["Верхнереченск"]
    with pytest.raises(ConfigError, match=r"features\.0\.properties\.name: municipality 'Атлантида' is not in"):
        (tmp_path / "other").mkdir()
        load_map(region_with(tmp_path / "other", collection(feature("Атлантида", [SQUARE])), catalogue))


def test_a_file_that_would_slow_the_page_down_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="larger than 4 MB: simplify the outlines"):
        load_map(region_with(tmp_path, " " * 4_000_001))
