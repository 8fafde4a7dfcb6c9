"""`GET /v1/map`: the outlines of the region's municipalities."""

import httpx

from data.regions.region import load_region


def test_each_municipality_of_the_region_has_an_outline_within_the_sheet(api: httpx.Client) -> None:
    answer = api.get("/v1/map").json()
    assert [each["municipality"] for each in answer["outlines"]] == sorted(load_region("verkhnerechye").inhabitants)
    for each in answer["outlines"]:
        assert each["path"].startswith("M")
        assert each["path"].endswith("Z")
        assert 0 < each["x"] < answer["width"]
        assert 0 < each["y"] < answer["height"]
