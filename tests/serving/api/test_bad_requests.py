"""Bad input over HTTP: every row a real request, its status and its code, always in the one shape."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.serving.conftest import SMALL_BODY, Server

OK_TEXT = "Не вывозят мусор"
CLASSIFY, FEEDBACK, FORECAST = "/v1/classify", "/v1/feedback", "/v1/forecast"
SURGES, HEATMAP = "/v1/surges", "/v1/heatmap"


def one(**item: Any) -> dict[str, Any]:
    return {"items": [{"text": OK_TEXT} | item]}


def assert_error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json().get("error", {}).get("code")) == (status, code), answer.text
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "details"}
    assert isinstance(error["message"], str)
    assert len(error["message"]) > 5
    assert all(set(detail) == {"where", "problem"} for detail in error["details"])
    assert answer.headers["x-request-id"]
    return error


BAD_BODIES: list[tuple[str, str, Any, int, str, str]] = [
    # what, where, body, status, code, part of the message
    ("no items", CLASSIFY, {"items": []}, 422, "bad_request", "items"),
    ("no field items", CLASSIFY, {}, 422, "bad_request", "items"),
    ("a list", CLASSIFY, [1], 422, "bad_request", "body"),
    ("257 items", CLASSIFY, {"items": [{"text": "да"}] * 257}, 422, "bad_request", "items"),
    ("empty text", CLASSIFY, one(text=""), 422, "bad_request", "items.0.text"),
    ("blank text", CLASSIFY, one(text=" \n\u200b"), 422, "bad_request", "items.0.text"),
    ("an item is a word", CLASSIFY, {"items": ["мусор"]}, 422, "bad_request", "items.0"),
    ("tags only", CLASSIFY, one(text="<p><br></p>"), 422, "bad_request", "items.0.text"),
    ("20,001 characters", CLASSIFY, one(text="а" * 20_001), 422, "bad_request", "items.0.text"),
    ("text is a number", CLASSIFY, one(text=5), 422, "bad_request", "items.0.text"),
    ("text is null", CLASSIFY, one(text=None), 422, "bad_request", "items.0.text"),
    ("unknown field", CLASSIFY, one(phone="1"), 422, "bad_request", "items.0.phone"),
    ("unknown source", CLASSIFY, one(source="fax"), 422, "bad_request", "items.0.source"),
    ("id is a phone", CLASSIFY, one(id="+7 900 123-45-67"), 422, "bad_request", "items.0.id"),
    ("blank id", CLASSIFY, one(id=" "), 422, "bad_request", "items.0.id"),
    ("id with a line break", CLASSIFY, one(id="a\nb"), 422, "bad_request", "items.0.id"),
    ("id too long", CLASSIFY, one(id="x" * 201), 422, "bad_request", "items.0.id"),
    ("no date", CLASSIFY, one(created_at="вчера"), 422, "bad_request", "items.0.created_at"),
    ("the year 1", CLASSIFY, one(created_at="0001-01-01T00:00:00+14:00"), 422, "bad_request", "created_at"),
    ("the year 9999", CLASSIFY, one(created_at="9999-12-31T23:59:59-12:00"), 422, "bad_request", "created_at"),
    ("the future", CLASSIFY, one(created_at="2999-01-01T00:00:00Z"), 422, "bad_request", "created_at"),
    ("a number in quotes as the date", CLASSIFY, one(created_at="0"), 422, "bad_request", "created_at"),
    ("a huge timestamp", CLASSIFY, one(created_at=10**30), 422, "bad_request", "created_at"),
    ("9 explained", CLASSIFY, {"items": [{"text": "да"}] * 9, "explain": True}, 422, "bad_request", "at most 8"),
    ("explain is a word", CLASSIFY, one() | {"explain": "почему"}, 422, "bad_request", "explain"),
    ("explain is 0", CLASSIFY, one() | {"explain": 0}, 422, "bad_request", "explain"),
    ("unknown complaint", FEEDBACK, {"items": [{"id": "никто", "sector": "ЖКХ"}]}, 404, "unknown_complaint", "никто"),
    ("topic without sector", FEEDBACK, {"items": [{"id": "1", "topic": "Х"}]}, 422, "bad_request", "sector"),
    ("no label", FEEDBACK, {"items": [{"id": "1"}]}, 422, "bad_request", "at least one"),
    ("horizon 0", FORECAST, {"horizon": 0}, 422, "bad_horizon", "horizon 0"),
    ("horizon -1", FORECAST, {"horizon": -1}, 422, "bad_horizon", "horizon -1"),
    ("horizon 10,000", FORECAST, {"horizon": 10_000}, 422, "bad_horizon", "10000"),
    ("horizon 10^30", FORECAST, {"horizon": 10**30}, 422, "bad_horizon", "horizon"),
    ("horizon in quotes", FORECAST, {"horizon": "7"}, 422, "bad_request", "horizon"),
    ("horizon is true", FORECAST, {"horizon": True}, 422, "bad_request", "horizon"),
    ("level in quotes", FORECAST, {"levels": ["0.8"]}, 422, "bad_request", "levels.0"),
    ("horizon 1.5", FORECAST, {"horizon": 1.5}, 422, "bad_request", "horizon"),
    ("unknown place", FORECAST, {"municipality": "Атлантида"}, 404, "unknown_series", "Каменный Брод"),
    ("unknown sector", FORECAST, {"sector": "Магия"}, 404, "unknown_series", "Дороги"),
    ("start in the past", FORECAST, {"start": "2020-01-01"}, 422, "bad_horizon", "2026-11-16"),
    ("start too late", FORECAST, {"start": "2030-01-01"}, 409, "forecast_stale", "2027-01-14"),
    ("start in 9999", FORECAST, {"start": "9999-12-31"}, 409, "forecast_stale", "9999"),
    ("level 1", FORECAST, {"levels": [1.0]}, 422, "bad_request", "levels.0"),
    ("no levels", FORECAST, {"levels": []}, 422, "bad_request", "levels"),
]


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "part"),
    [row[1:] for row in BAD_BODIES],
    ids=[f"{row[1]}: {row[0]}" for row in BAD_BODIES],
)
def test_a_bad_body(api: httpx.Client, path: str, body: Any, status: int, code: str, part: str) -> None:
    error = assert_error(api.post(path, json=body), status, code)
    assert part in error["message"]


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        (SURGES, "kind=imagined", 422, "bad_request"),
        (SURGES, "min_probability=2", 422, "bad_request"),
        (SURGES, "min_probability=nan", 422, "bad_request"),
        (SURGES, "municipality=Атлантида", 404, "unknown_series"),
        (SURGES, "sector=Магия", 404, "unknown_series"),
        (SURGES, "as_of=2000-01-01", 422, "bad_request"),
        (SURGES, "as_of=2999-01-01", 422, "bad_request"),
        (SURGES, "format=xml", 422, "bad_request"),
        (HEATMAP, "days=0", 422, "bad_request"),
        (HEATMAP, "days=1000", 422, "bad_request"),
    ],
)
def test_a_bad_query(api: httpx.Client, path: str, query: str, status: int, code: str) -> None:
    assert_error(api.get(f"{path}?{query}"), status, code)


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("raw", "headers", "status", "code"),
    [
        (b"{", JSON, 400, "bad_json"),
        (b"{'items': []}", JSON, 400, "bad_json"),
        ('{"items": [{"text": "мусор"}]}'.encode("cp1251"), JSON, 400, "bad_json"),
        (b"\xff\xfe\x00", JSON, 400, "bad_json"),
        (b"[" * 30_000, JSON, 400, "bad_json"),
        (b'{"items": ' + b"9" * 6000 + b"}", JSON, 400, "bad_json"),
        (b'{"items": [{"text": "\\ud800"}]}', JSON, 422, "bad_request"),
        (b"", JSON, 422, "bad_request"),
        (b"text=1", {"Content-Type": "application/x-www-form-urlencoded"}, 422, "bad_request"),
        (b'{"items": [{"text": "a"}]}', {"Content-Type": "text/plain"}, 422, "bad_request"),
        (b'{"items": [{"text": "a"}]}', {"Content-Type": "application/vnd.bentoml+pickle"}, 422, "bad_request"),
    ],
)
def test_a_body_that_is_no_json_object(
    api: httpx.Client, raw: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    assert_error(api.post(CLASSIFY, content=raw, headers=headers), status, code)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("POST", "/v1/nothing", 404, "not_found"),
        ("GET", "/v2/classify", 404, "not_found"),
        ("GET", "/docs/assets/../../../etc/passwd", 404, "not_found"),
        ("GET", "/docs/assets/none.js", 404, "not_found"),
        ("GET", CLASSIFY, 405, "method_not_allowed"),
        ("DELETE", CLASSIFY, 405, "method_not_allowed"),
        ("POST", SURGES, 405, "method_not_allowed"),
        ("POST", "/livez", 405, "method_not_allowed"),
    ],
)
def test_a_wrong_address_or_method(api: httpx.Client, method: str, path: str, status: int, code: str) -> None:
    assert_error(api.request(method, path), status, code)


def chunks() -> Iterator[bytes]:
    yield b'{"items": [{"text": "'
    for _ in range(2 * SMALL_BODY // 1000):
        yield b"a" * 1000


def test_a_body_over_the_limit_is_refused_by_its_length(api: httpx.Client) -> None:
    body = json.dumps(one(text="a" * SMALL_BODY)).encode()
    assert_error(api.post(CLASSIFY, content=body, headers=JSON), 413, "body_too_large")


def test_a_chunked_body_over_the_limit_is_refused_while_it_is_read(api: httpx.Client) -> None:
    assert_error(api.post(CLASSIFY, content=chunks(), headers=JSON), 413, "body_too_large")


def test_a_length_that_lies_does_not_get_around_the_limit(server: Server) -> None:
    head = f"POST {CLASSIFY} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head.encode() + b"999999999999\r\n\r\n{")
        assert b" 413 " in connection.recv(4096).split(b"\r\n")[0]


def test_problems_are_named_without_the_values_that_were_sent(api: httpx.Client) -> None:
    secret = "Иванов Иван Иванович 8 900 123-45-67"
    answer = api.post(CLASSIFY, json={"items": [{"text": OK_TEXT, "source": secret, "created_at": secret}]})
    error = assert_error(answer, 422, "bad_request")
    assert {detail["where"] for detail in error["details"]} == {"items.0.source", "items.0.created_at"}
    assert "Иванов" not in answer.text
    assert "123-45" not in answer.text


def test_every_bad_item_is_named_at_once(api: httpx.Client) -> None:
    items = [{"text": " "}, {"text": OK_TEXT, "source": "fax"}, {"text": "<br>"}]
    error = assert_error(api.post(CLASSIFY, json={"items": items}), 422, "bad_request")
    assert [detail["where"] for detail in error["details"]] == ["items.0.text", "items.1.source", "items.2.text"]


def test_allowed_methods_are_named(api: httpx.Client) -> None:
    assert api.get(CLASSIFY).headers["allow"] == "POST"
