"""The service answers: every endpoint over HTTP, as a client sees it."""

import io
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from itertools import pairwise

import httpx
import pandas as pd
import pytest

from data.regulations.deadlines import CATALOGUE_BASIS
from data.store.store import Store
from tests.serving.bundles import LAST_DAY, SENTENCES, SURGE_PLACE, SURGE_SECTOR
from tests.serving.conftest import Server

SOURCES = ("pos", "hotline", "other")
TEXT = "Третью неделю не вывозят мусор у дома"


@pytest.fixture()
def stored(server: Server) -> Iterator[Store]:
    """The store of the service."""
    store = Store(f"sqlite:///{server.home}/store.db", "verkhnerechye")
    yield store
    store.close()


def classify(api: httpx.Client, *items: dict[str, object]) -> dict:
    answer = api.post("/v1/classify", json={"items": list(items)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_complaint_gets_a_decision_with_labels_deadline_and_model_version(api: httpx.Client) -> None:
    created = "2026-11-10T12:00:00+03:00"
    answer = classify(api, {"id": "a-1", "text": TEXT, "municipality": "верхнереченск", "created_at": created})
    assert answer["model"] == {"name": "verkhnerechye.complaint-classifier", "version": "1"}
    (result,) = answer["results"]
    assert result["id"] == "a-1"
    assert result["decision"] == "route"
    assert set(result["alternatives"]) == {"sector", "topic", "agency"}
    assert all(len(top) == 3 for top in result["alternatives"].values())
    waited = datetime.fromisoformat(result["due_at"]) - datetime.fromisoformat(created)
    assert waited.total_seconds() / 3600 == result["deadline_hours"]
    assert result["due_basis"] == CATALOGUE_BASIS, "sooner than 59-ФЗ"
    (stored,) = api.get("/v1/complaints", params={"limit": 1}).json()["complaints"]
    assert (stored["id"], stored["due_at"]) == ("a-1", result["due_at"])


def test_a_message_in_a_social_network_is_due_by_the_regions_regulation_and_has_an_interim_answer(
    api: httpx.Client,
) -> None:
    friday = "2026-11-20T16:00:00+03:00"
    (result,) = classify(api, {"source": "incident", "text": TEXT, "created_at": friday})["results"]
    assert datetime.fromisoformat(result["interim_due_at"]) == datetime.fromisoformat("2026-11-23T11:00:00+03:00")
    assert "социальных сетях" in result["due_basis"]


def test_personal_data_changes_no_decision_for_the_masked_text_is_what_is_classified(api: httpx.Client) -> None:
    texts = [
        "Кузнецова Мария Петровна, тел. 8 (900) 765-43-21: <b>не вывозят</b> мусор",
        "Иванова Анна Сергеевна, тел. +7 912 345-67-89: не вывозят мусор",
        "[ИМЯ], тел. [ТЕЛЕФОН]: не вывозят мусор",
    ]
    first, *others = classify(
        api, *({"id": "same", "source": s, "text": t} for s, t in zip(SOURCES, texts, strict=True))
    )["results"]
    assert [{**other, "due_at": None} for other in others] == [{**first, "due_at": None}] * 2


def test_one_problem_is_one_proposal_that_spans_the_text_and_says_what_the_whole_does(api: httpx.Client) -> None:
    (result,) = classify(api, {"text": f"  {TEXT}  ", "municipality": SURGE_PLACE})["results"]
    assert result["text"] == TEXT
    assert result["explanation"] is None
    (proposal,) = result["proposals"]
    assert (proposal["start"], proposal["end"]) == (0, len(TEXT))
    assert {name: proposal[name] for name in ("sector", "topic", "agency", "deadline_hours")} == {
        name: result[name] for name in ("sector", "topic", "agency", "deadline_hours")
    }


def test_proposals_follow_each_other_in_the_masked_text_and_several_are_an_operators(
    api: httpx.Client,
) -> None:
    call = "Кузнецова Мария Петровна, тел. 8 (900) 765-43-21."
    texts = [f"{call} {first}. Также {second}." for first in SENTENCES for second in SENTENCES]
    results = classify(api, *({"text": text} for text in texts))["results"]
    for result in results:
        spans = [(proposal["start"], proposal["end"]) for proposal in result["proposals"]]
        assert (spans[0][0], spans[-1][1]) == (0, len(result["text"]))
        assert all(left[1] <= right[0] for left, right in pairwise(spans))
        assert ("several_problems" in result["reasons"]) is (len(spans) > 1)
        assert result["decision"] == ("review" if result["reasons"] else "route")
        assert "Кузнецова" not in result["text"]


def test_on_request_the_words_that_carried_each_decision(api: httpx.Client) -> None:
    items = [{"text": TEXT}, {"text": "[ИМЯ]"}]
    answer = api.post("/v1/classify", json={"items": items, "explain": True}).json()
    told, nothing = answer["results"]
    assert [word["word"] for word in told["explanation"]][:2] == ["Третью", "неделю"]
    for word in told["explanation"]:
        assert word["word"] == told["text"][word["start"] : word["end"]]
        assert isinstance(word["weight"], float)
    assert nothing["explanation"] == []


def test_items_keep_their_order_and_get_an_id_when_they_have_none(api: httpx.Client) -> None:
    results = classify(api, {"text": TEXT}, {"id": "second", "text": TEXT}, {"text": TEXT})["results"]
    assert results[1]["id"] == "second"
    assert len({result["id"] for result in results}) == 3


@pytest.mark.parametrize(
    ("bad", "named", "code", "where"),
    [
        ({"id": "b", "text": " "}, "b", "bad_request", "items.1.text"),
        ({"id": "b", "text": "<p>&nbsp;</p>"}, "b", "bad_request", "items.1.text"),
        ({"id": "b", "text": "а" * 20_001}, "b", "bad_request", "items.1.text"),
        ({"id": "b", "text": TEXT, "created_at": "вчера"}, "b", "bad_request", "items.1.created_at"),
        ({"id": "b", "text": TEXT, "phone": "1"}, "b", "bad_request", "items.1.phone"),
        ({"id": "+7 900 123-45-67", "text": TEXT}, None, "bad_request", "items.1.id"),
        ({"id": "Иванов Иван Иванович", "text": 5}, None, "bad_request", "items.1.text"),
        ({"id": "per-item-a", "text": TEXT}, "per-item-a", "bad_request", "items.1.id"),
        ({"id": 12345, "text": TEXT}, None, "bad_request", "items.1.id"),
        ("мусор", None, "bad_request", "items.1"),
        (None, None, "bad_request", "items.1"),
    ],
)
def test_a_wrong_item_is_answered_as_such_beside_the_good_ones(
    api: httpx.Client, stored: Store, bad: object, named: str | None, code: str, where: str
) -> None:
    items = [{"id": "per-item-a", "text": TEXT}, bad, {"id": "per-item-c", "text": TEXT, "municipality": "Атлантида"}]
    answer = api.post("/v1/classify", json={"items": items})
    assert answer.status_code == 200
    first, refused, last = answer.json()["results"]
    assert [result["id"] for result in (first, last)] == ["per-item-a", "per-item-c"]
    assert set(refused) == {"index", "id", "error"}
    assert (refused["index"], refused["id"], refused["error"]["code"]) == (1, named, code)
    assert [detail["where"] for detail in refused["error"]["details"]] == [where]
    assert "Иванов" not in answer.text
    assert [note["code"] for note in last["notes"]] == ["unknown_municipality"]
    assert "Атлантида" not in answer.text
    every = stored.complaints.of_days("verkhnerechye", date(2000, 1, 1), date(2100, 1, 1), "1", 10_000)
    assert {"per-item-a", "per-item-c"} <= set(every["id"])
    assert "b" not in set(every["id"])


def test_256_items_are_answered(api: httpx.Client) -> None:
    assert len(classify(api, *({"text": f"{TEXT} {n}"} for n in range(256)))["results"]) == 256


def test_a_text_without_cyrillic_goes_to_review_with_that_reason_in_russian(api: httpx.Client) -> None:
    (result,) = classify(api, {"text": "the bin is full"})["results"]
    assert result["decision"] == "review"
    assert "no_cyrillic" in result["reasons"]
    assert any("русской буквы" in sentence for sentence in result["reasons_ru"])


def test_a_long_text_is_cut_and_says_so(api: httpx.Client) -> None:
    (result,) = classify(api, {"text": "мусор " * 3000})["results"]
    assert result["truncated"]


def test_feedback_is_stored_for_a_known_complaint(api: httpx.Client, stored: Store) -> None:
    (decided,) = classify(api, {"id": "f-1", "source": "pos", "text": TEXT})["results"]
    agency = "Министерство здравоохранения Верхнереченской области"
    labels = {"sector": "Дороги", "topic": "Ямы на дороге", "agency": agency}
    item = {"id": "f-1", "source": "pos", "operator": "operator-7"} | labels
    answer = api.post("/v1/feedback", json={"items": [item]})
    assert (answer.status_code, answer.json()["stored"]) == (200, 1)
    (found,) = stored.corrections.since("verkhnerechye", datetime(2026, 1, 1, tzinfo=UTC))
    assert (found.complaint_id, found.text, found.model_version, found.operator) == ("f-1", TEXT, "1", "operator-7")
    assert asdict(found.corrected) == labels
    assert asdict(found.decided) == {head: decided[head]["label"] for head in labels}


@pytest.mark.parametrize(
    ("moment", "day"),
    [("2026-11-10T20:59:00Z", "2026-11-10"), ("2026-11-10T21:00:00Z", "2026-11-11")],
)
def test_a_day_ends_at_the_regions_midnight(api: httpx.Client, stored: Store, moment: str, day: str) -> None:
    classify(api, {"id": moment, "source": "hotline", "text": TEXT, "created_at": moment})
    local = date.fromisoformat(day)
    assert moment in stored.complaints.of_days("verkhnerechye", local, local, "1", 1000)["id"].tolist()


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ({}, ("весь регион", "все отрасли")),
        ({"municipality": SURGE_PLACE}, (SURGE_PLACE, "все отрасли")),
        ({"municipality": "verkhnerechensk", "sector": SURGE_SECTOR}, (SURGE_PLACE, SURGE_SECTOR)),
    ],
)
def test_a_forecast_has_means_quantiles_method_and_history(
    api: httpx.Client, series: dict[str, str], expected: tuple[str, str]
) -> None:
    answer = api.post("/v1/forecast", json={**series, "horizon": 7, "levels": [0.8]}).json()
    assert (answer["municipality"], answer["sector"]) == expected
    assert [day["date"] for day in answer["days"]] == [f"2026-11-{day}" for day in range(16, 23)]
    for day in answer["days"]:
        assert set(day["quantiles"]) == {"q10", "q50", "q90"}
        assert 0 <= day["quantiles"]["q10"] <= day["mean"] <= day["quantiles"]["q90"]
    assert answer["history"][-1]["date"] == LAST_DAY
    assert answer["method"] in ("seasonal_naive", "weekday_mean", "bottom_up")


@pytest.mark.parametrize(
    ("method", "path", "columns"),
    [
        ("POST", "/v1/forecast", {"date", "mean", "q10", "q90"}),
        ("GET", "/v1/surges", {"kind", "municipality", "sector", "since", "probability", "reasons"}),
        ("GET", "/v1/heatmap", {"municipality", "sector", "observed", "expected", "ratio", "z", "surge"}),
    ],
)
@pytest.mark.parametrize("how", [{"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
def test_tables_come_as_csv_on_request(api: httpx.Client, method: str, path: str, columns: set[str], how: dict) -> None:
    body = {"json": {"horizon": 3, "levels": [0.8]}} if method == "POST" else {}
    answer = api.request(method, path, **body, **how)
    assert answer.headers["content-type"].startswith("text/csv")
    frame = pd.read_csv(io.BytesIO(answer.content))
    assert columns <= set(frame.columns)
    assert len(frame) > 0


def test_the_surge_in_the_history_is_found(api: httpx.Client) -> None:
    answer = api.get("/v1/surges", params={"kind": "observed", "as_of": LAST_DAY}).json()
    found = {(surge["municipality"], surge["sector"]): surge for surge in answer["surges"]}
    surge = found[(SURGE_PLACE, SURGE_SECTOR)]
    assert surge["probability"] > 0.99
    assert surge["ratio"] > 2
    assert surge["since"] <= "2026-11-12"
    assert ("Каменный Брод", "Дороги") not in found


def test_a_surge_is_one_event_with_its_days_and_size_and_closed_ones_are_told_on_request(api: httpx.Client) -> None:
    surges = api.get("/v1/surges", params={"as_of": LAST_DAY}).json()["surges"]
    assert all(surge["closed"] is None for surge in surges)
    surge = next(surge for surge in surges if surge["sector"] == SURGE_SECTOR)
    assert (surge["state"], surge["since"], surge["end"]) == ("open", surge["start"], LAST_DAY)
    assert surge["start"] <= surge["noticed"] <= LAST_DAY
    assert surge["excess"] == pytest.approx(surge["observed"] - surge["expected"], abs=0.02)
    every = api.get("/v1/surges", params={"as_of": LAST_DAY, "closed": True}).json()["surges"]
    assert len(every) >= len(surges)
    assert {"open", "closed", "expected"} >= {surge["state"] for surge in every}


def test_surges_are_filtered_by_place_and_probability(api: httpx.Client) -> None:
    elsewhere = {"municipality": "Каменный Брод", "as_of": LAST_DAY}
    assert api.get("/v1/surges", params=elsewhere).json()["surges"] == []
    sure = api.get("/v1/surges", params={"min_probability": 1, "kind": "expected"}).json()
    assert all(surge["probability"] == 1 for surge in sure["surges"])


def test_the_heat_map_is_hottest_where_the_surge_is(api: httpx.Client) -> None:
    answer = api.get("/v1/heatmap", params={"as_of": LAST_DAY}).json()
    assert (answer["start"], answer["end"]) == ("2026-11-09", LAST_DAY)
    assert len(answer["cells"]) == 4
    hottest, *others = answer["cells"]
    assert (hottest["municipality"], hottest["sector"]) == (SURGE_PLACE, SURGE_SECTOR)
    assert hottest["ratio"] > 2
    assert hottest["surge"] <= "2026-11-12"
    assert all(cell["surge"] is None for cell in others)
    assert hottest["z"] > max(cell["z"] for cell in others)


def test_health_readiness_and_metrics_answer(api: httpx.Client) -> None:
    assert api.get("/livez").status_code == 200
    assert api.get("/readyz").status_code == 200
    classify(api, {"text": TEXT})
    api.get("/nowhere")
    metrics = api.get("/metrics").text
    for line in (
        'tsur_decisions_total{decision="route",region="verkhnerechye",sector="',
        'tsur_errors_total{code="not_found",region="verkhnerechye"}',
        'tsur_champion{name="verkhnerechye.complaint-classifier",region="verkhnerechye",version="1"} 1.0',
        'tsur_request_seconds_bucket{le="0.005",path="/v1/classify",region="verkhnerechye"}',
    ):
        assert line in metrics


@pytest.mark.parametrize("path", ["/v1/heatmap", "/v1/nothing", "/docs", "/openapi.json", "/livez", "/nowhere"])
def test_a_browser_may_do_nothing_with_an_answer_that_it_need_not(api: httpx.Client, path: str) -> None:
    headers = api.get(path).headers
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert ("script-src" in headers["content-security-policy"]) is (path == "/docs")
    assert (headers.get("cache-control") == "no-store") is path.startswith("/v1")


def test_every_answer_has_a_request_id_that_the_log_has_too(api: httpx.Client, server: Server) -> None:
    request_id = api.get("/v1/heatmap").headers["x-request-id"]
    deadline = time.monotonic() + 5  # the line is written after the answer
    while request_id not in server.output and time.monotonic() < deadline:
        time.sleep(0.05)
    assert request_id in server.output
