"""Personal data goes in and does not come out: not into any log, not into the store, not into errors."""

import logging

import httpx
import pytest

from serving.http.logs import PersonalDataFilter, where_it_failed, without_personal_data
from tests.serving.conftest import Server

PHONE = "8 (900) 765-43-21"
NAME = "Кузнецова Мария Петровна"
TEXT = f"Меня зовут {NAME}, звоните {PHONE}, не вывозят мусор у дома 12"
TRACES = ("Кузнецов", "765-43", "7654321", "Петровна")

REQUESTS = [
    ("valid", "/v1/classify", {"items": [{"id": "p-1", "text": TEXT}]}),
    ("blank beside it", "/v1/classify", {"items": [{"text": TEXT}, {"text": " "}]}),
    ("wrong type", "/v1/classify", {"items": [{"text": [TEXT]}]}),
    ("unknown field", "/v1/classify", {"items": [{"text": "а", TEXT: TEXT}]}),
    ("bad date", "/v1/classify", {"items": [{"text": TEXT, "created_at": TEXT}]}),
    ("bad source", "/v1/classify", {"items": [{"text": TEXT, "source": TEXT}]}),
    ("unknown place", "/v1/classify", {"items": [{"text": TEXT, "municipality": TEXT}]}),
    ("not an object", "/v1/classify", TEXT),
    ("feedback", "/v1/feedback", {"items": [{"id": "p-1", "sector": TEXT}]}),
    ("feedback operator", "/v1/feedback", {"items": [{"id": "p-1", "sector": "ЖКХ", "operator": NAME}]}),
    ("forecast", "/v1/forecast", {"municipality": TEXT, "horizon": TEXT}),
    ("forecast place", "/v1/forecast", {"municipality": TEXT}),
    ("wrong address", f"/v1/{TEXT}", {}),
]


def test_nothing_personal_reaches_the_logs_or_the_store(api: httpx.Client, server: Server) -> None:
    for what, path, body in REQUESTS:
        assert api.post(path, json=body).status_code < 500, what
    api.post("/v1/classify", content=f'{{"items": [{{"text": "{TEXT}"'.encode())
    api.get("/v1/surges", params={"municipality": TEXT, "kind": TEXT})
    stored = b"".join(path.read_bytes() for path in server.home.glob("store.db*"))
    assert "не вывозят мусор".encode() in stored
    assert "[ТЕЛЕФОН]".encode() in stored
    assert "[ИМЯ]".encode() in stored
    output = server.output
    assert '"path": "/v1/classify"' in output
    assert '"region": "verkhnerechye"' in output
    for trace in TRACES:
        assert trace.encode() not in stored, trace
        assert trace not in output, trace
        assert ascii(trace).strip("'") not in output, trace


@pytest.mark.parametrize(
    ("line", "kept", "lost"),
    [
        ("1 validation error\n text [type=x, input_value='Иванов', input_type=str]", "input_type=str", "Иванов"),
        ("input_value={'text': 'Иванов, input'}", "[CUT]", "Иванов"),
        ("calls to 8 900 765-43-21 failed", "[ТЕЛЕФОН]", "765"),
        ("GET /v1/classify 200", "GET /v1/classify 200", "[ТЕЛЕФОН]"),
    ],
)
def test_the_log_filter_cuts_rejected_input_and_masks_numbers(line: str, kept: str, lost: str) -> None:
    cleaned = without_personal_data(line)
    assert kept in cleaned
    assert lost not in cleaned


def test_a_logged_exception_keeps_its_frames_and_loses_its_message() -> None:
    def insert() -> None:
        raise ValueError(f"cannot insert {NAME}")

    try:
        insert()
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed %s", ("here",), (ValueError, error, None))
        assert "in insert" in where_it_failed(error)
    PersonalDataFilter().filter(record)
    text = logging.Formatter().format(record)
    assert "failed here" in text
    assert "builtins.ValueError" in text
    assert "Кузнецова" not in text
