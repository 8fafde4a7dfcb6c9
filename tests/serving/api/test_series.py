"""`GET /v1/series` and its chart: history, future, surges and words of one series, on a running service."""

import io
import xml.etree.ElementTree as ElementTree

import httpx
import pandas as pd
import pytest

from serving.analytics.series_view import fit_of
from serving.analytics.series_words import series_words
from tests.serving.bundles import CALM_PLACE, LAST_DAY, SURGE_PLACE, SURGE_SECTOR, small_counts

PLACE = {"municipality": SURGE_PLACE, "sector": SURGE_SECTOR}


def test_a_series_is_what_came_what_was_said_and_what_is_said_to_come(api: httpx.Client) -> None:
    answer = api.get("/v1/series", params=PLACE | {"past": 28, "horizon": 10, "level": 0.8}).json()
    counts = small_counts().set_index(["municipality", "sector", "date"])["count"]
    past = [day for day in answer["days"] if day["date"] <= LAST_DAY]
    assert len(past) == 28
    for day in past:
        assert day["count"] == counts[SURGE_PLACE, SURGE_SECTOR, pd.Timestamp(day["date"])]
    forecast = api.post("/v1/forecast", json=PLACE | {"horizon": 10, "levels": [0.8]}).json()["days"]
    ahead = answer["days"][28:]
    assert [day["date"] for day in ahead] == [day["date"] for day in forecast]
    assert all(day["count"] is None for day in ahead)
    assert [day["expected"] for day in ahead] == pytest.approx([day["mean"] for day in forecast], abs=0.01)
    for shown, said in zip(ahead, forecast, strict=True):
        assert said["quantiles"].items() <= shown["quantiles"].items()


def test_its_surges_are_those_of_the_series_and_of_sums_that_it_is_part_of(api: httpx.Client) -> None:
    (surge,) = [each for each in api.get("/v1/series", params=PLACE).json()["surges"] if each["state"] == "open"]
    assert (surge["municipality"], surge["sector"]) == (SURGE_PLACE, SURGE_SECTOR)
    elsewhere = api.get("/v1/series", params=PLACE | {"municipality": CALM_PLACE}).json()["surges"]
    assert [each for each in elsewhere if each["state"] == "open"] == []


@pytest.mark.parametrize("path", ["/v1/series", "/v1/series/chart"])
@pytest.mark.parametrize(("level", "status"), [("1e-9", 422), ("0.999999", 422), ("0.01", 200), ("0.123456", 200)])
def test_an_interval_too_narrow_or_too_wide_to_have_two_ends_is_refused(
    api: httpx.Client, path: str, level: str, status: int
) -> None:
    assert api.get(path, params=PLACE | {"level": level}).status_code == status


def test_without_a_name_it_is_the_region(api: httpx.Client) -> None:
    answer = api.get("/v1/series", params={"past": 7, "horizon": 1}).json()
    assert answer["known"][0]["municipality"] == answer["municipality"] == "весь регион"
    day = answer["days"][6]
    assert day["count"] == small_counts().groupby("date")["count"].sum()[day["date"]]


def test_as_a_table_it_has_a_column_for_each_quantile(api: httpx.Client) -> None:
    answer = api.get("/v1/series", params=PLACE | {"past": 7, "horizon": 3, "format": "csv"})
    table = pd.read_csv(io.StringIO(answer.text))
    assert list(table.columns) == [
        "date",
        "count",
        "expected",
        "kind",
        "name",
        "q2.5",
        "q10",
        "q25",
        "q50",
        "q75",
        "q90",
        "q97.5",
    ]
    assert len(table) == 10


def test_the_fit_counts_the_days_inside_the_interval() -> None:
    frame = pd.DataFrame(
        {"count": [10, 10, 30, None], "expected": [10, 12, 10, 10], "q10": 8, "q50": 10, "q90": 14},
        index=pd.date_range("2026-11-01", periods=4),
    )
    fit = fit_of(frame, 0.8)
    assert fit is not None
    assert (fit.days, fit.came, fit.said, fit.inside) == (3, 50.0, 32.0, pytest.approx(2 / 3))
    assert fit.error == pytest.approx((0 + 2 + 20) / 50)
    assert fit_of(frame.assign(expected=None), 0.8) is None


def test_words_speak_of_level_direction_week_and_future() -> None:
    days = pd.date_range("2026-09-07", periods=70)
    weekly = [20.0 if day.dayofweek == 0 else 10.0 for day in days]
    counts = [2 * each if n >= 28 else each for n, each in enumerate(weekly)]
    frame = pd.DataFrame({"count": counts, "expected": weekly, "kind": "working", "name": ""}, index=days)
    frame.loc[days[56:], "count"] = None
    words = " ".join(series_words(frame))
    assert "22,9 в день" in words
    assert "на 100 % больше среднего предыдущих четырёх недель" in words
    assert "по понедельникам" in words
    assert "на 50 % меньше среднего последних четырёх недель" in words
    assert series_words(frame.iloc[:14]) == ["Наблюдений пока мало: о закономерностях говорить рано."]


def test_the_chart_is_an_svg_without_scripts_styles_and_addresses(api: httpx.Client) -> None:
    answer = api.get("/v1/series/chart", params=PLACE | {"width": 500})
    assert answer.headers["content-type"] == "image/svg+xml"
    picture = ElementTree.fromstring(answer.content)  # our own answer
    assert int(picture.attrib["width"]) == 500
    tags = {each.tag.rpartition("}")[2] for each in picture.iter()}
    assert not tags & {"script", "style", "image", "foreignObject", "a"}
    assert not [each for each in picture.iter() if "style" in each.attrib or "href" in each.attrib]
    assert "var(--series" in answer.text


def test_an_unknown_series_is_told_with_the_known_ones(api: httpx.Client) -> None:
    answer = api.get("/v1/series", params={"municipality": "Нигде"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_series")
