"""Every error of the tree is answered with a status of its own choice."""

import json

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from data.errors import InputError, TsurError
from serving.http.errors import (
    HTTP_CODES,
    STATUS,
    from_status,
    from_tsur_error,
    from_validation,
    install_error_handlers,
)


def tree(root: type[TsurError]) -> list[type[TsurError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in tree(child))]


def test_every_error_class_has_one_status_and_no_other_is_listed():
    assert set(STATUS) == set(tree(TsurError))
    assert all(400 <= status < 600 for status in STATUS.values())


@pytest.mark.parametrize("kind", tree(TsurError), ids=lambda kind: kind.__name__)
def test_an_error_is_answered_with_its_status_and_code(kind):
    answer = from_tsur_error(kind("so it is", where="here"))
    assert answer.status_code == STATUS[kind]
    expected = {"code": kind.code, "message": "so it is", "details": [{"where": "where", "problem": "here"}]}
    assert json.loads(answer.body)["error"] == expected


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((status, code) for status, (code, _) in HTTP_CODES.items()),
        (418, "bad_request"),
        (500, "internal"),
        (502, "internal"),
    ],
)
def test_a_status_alone_is_answered_in_the_one_shape(status: int, code: str):
    answer = from_status(status, {"Allow": "POST"})
    assert (answer.status_code, answer.headers["allow"], answer.headers["x-error-code"]) == (status, "POST", code)
    assert json.loads(answer.body)["error"]["code"] == code


def test_clients_know_each_status_by_its_code():
    codes = {400: "bad_json", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
    codes |= {413: "body_too_large", 415: "bad_json", 429: "too_many_requests", 503: "not_ready", 504: "timeout"}
    assert {status: code for status, (code, _) in HTTP_CODES.items()} == codes


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/days/many", 422, "bad_request"), ("/days/1", 400, "bad_input"), ("/nights", 404, "not_found")],
)
def test_an_app_answers_every_kind_of_error_in_the_one_shape(path: str, status: int, code: str):
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/days/{days}")
    def _days(days: int) -> None:
        raise InputError(f"{days} is no day")

    answer = TestClient(app).get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("status", "name", "value"),
    [
        (429, "retry-after", "1"),
        (503, "retry-after", "5"),
        (504, "retry-after", None),
        (401, "www-authenticate", "Bearer"),
        (403, "www-authenticate", None),
    ],
)
def test_headers_say_when_to_come_again_and_how_to_be_known(status: int, name: str, value: str | None):
    assert from_status(status).headers.get(name) == value


def wrong(*where: object, kind: str = "value_error", sentence: str = "Value error, it is wrong") -> dict[str, object]:
    return {"type": kind, "loc": where, "msg": sentence, "input": "Иванов"}


@pytest.mark.parametrize(
    ("errors", "status", "message", "places"),
    [
        ([wrong("body", "items", 0, "text")], 422, "items.0.text: it is wrong", ["items.0.text"]),
        ([wrong("query", "days")], 422, "query.days: it is wrong", ["query.days"]),
        ([wrong("query", "days", kind="int_parsing")], 422, "query.days: it is wrong", ["query.days"]),
        ([wrong("body", sentence="too short")], 422, "body: too short", ["body"]),
        ([wrong("body", "a"), wrong("body", "b")], 422, "a: it is wrong", ["a", "b"]),
        (
            [wrong("body", kind="model_attributes_type")],
            422,
            "body: send a JSON object with Content-Type: application/json",
            ["body"],
        ),
        ([wrong("body", "items", 0, kind="model_type")], 422, "items.0: it is wrong", ["items.0"]),
        ([wrong("body", 1, kind="json_invalid")], 400, "the body is not JSON", []),
    ],
)
def test_what_does_not_fit_is_named_by_its_place_without_its_value(
    errors: list[dict[str, object]], status: int, message: str, places: list[str]
):
    answer = from_validation(errors)
    error = json.loads(answer.body)["error"]
    assert (answer.status_code, error["message"]) == (status, message)
    assert [detail["where"] for detail in error["details"]] == places
    assert "Иванов" not in answer.body.decode()
