"""The console's benchmark: its arithmetic, and what it writes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.console.benchmark import CALLS, _p95, _report
from benchmarks.console.full_store import DAYS, _again
from tests.data.store.rows import decision


def test_p95_is_that_of_the_slowest_address_and_the_first_call_does_not_count() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200)

    client = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://here")
    assert _p95(client, ("/a", "/b"), 3) >= 0
    assert asked == ["/a"] * 4 + ["/b"] * 4


def test_repeated_complaints_differ_in_id_and_day_alone() -> None:
    seed, now = decision(), datetime(2026, 11, 29, 12, tzinfo=UTC)
    again = [_again(seed, number, now) for number in range(2 * DAYS)]
    assert len({each.id for each in again}) == 2 * DAYS
    assert len({each.day for each in again}) in (DAYS, DAYS + 1)
    assert {(each.text, each.topic) for each in again} == {(seed.text, seed.topic)}


def test_the_results_hold_every_figure_and_target(tmp_path: Path) -> None:
    p95 = dict.fromkeys(CALLS, 100.0) | {"series": 400.0}
    _report(p95, {"console": 200.0, "empty": 50.0, "heatmap": 90.0}, 100_000, tmp_path / "console.json")
    written = json.loads((tmp_path / "console.json").read_text(encoding="utf-8"))
    met = {target["name"]: target["met"] for target in written["targets"]}
    assert met.pop("p95_ms.series") is False
    assert all(met.values())
    assert {
        "assets_kb",
        "first_paint_ms",
        "heatmap_ms",
        *(f"p95_ms.{page}" for page in CALLS if page != "series"),
    } == set(met)
