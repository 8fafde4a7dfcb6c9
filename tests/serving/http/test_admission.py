"""A full service refuses complaints to classify at once and answers everything else."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from data.errors import BusyError
from serving.http.admission import Admission
from serving.regions.champions import Champions
from tests.serving.inprocess import client_of, make_runtime

TEXT = "Третью неделю не вывозят мусор у дома"
JSON = {"Content-Type": "application/json"}
OTHERS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/v1/feedback", {"items": [{"id": "a-1", "sector": "ЖКХ"}]}),
    ("POST", "/v1/forecast", {"horizon": 3}),
    ("GET", "/v1/surges", None),
    ("GET", "/v1/heatmap", None),
    ("GET", "/v1/emerging", None),
]


def test_places_are_taken_and_given_back() -> None:
    admission = Admission(2)
    admission.enter()
    admission.enter()
    with pytest.raises(BusyError):
        admission.enter()
    admission.leave()
    admission.enter()
    assert admission.taken == 2


def test_while_every_place_is_taken_only_classification_is_refused(champions: Champions, tmp_path: Path) -> None:
    runtime = make_runtime(champions, tmp_path)

    async def ask() -> tuple[httpx.Response, list[httpx.Response], httpx.Response]:
        async with client_of(runtime) as client:
            complaint = {"items": [{"id": "a-1", "text": TEXT}]}
            assert (await client.post("/v1/classify", json=complaint)).status_code == 200
            for _ in range(runtime.config.classified_at_once):
                runtime.admission.enter()
            refused = await client.post("/v1/classify", json=complaint)
            others = [await client.request(method, path, json=body) for method, path, body in OTHERS]
            runtime.admission.leave()
            return refused, others, await client.post("/v1/classify", json=complaint)

    refused, others, after = asyncio.run(ask())
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_requests")
    assert int(refused.headers["retry-after"]) >= 1
    assert {path: answer.status_code for (_, path, _), answer in zip(OTHERS, others, strict=True)} == {
        path: 200 for _, path, _ in OTHERS
    }
    assert after.status_code == 200


def test_a_full_service_refuses_before_it_parses_the_body(champions: Champions, tmp_path: Path) -> None:
    runtime = make_runtime(champions, tmp_path)

    async def ask() -> tuple[httpx.Response, httpx.Response]:
        async with client_of(runtime) as client:
            malformed = await client.post("/v1/classify", content=b"{", headers=JSON)
            for _ in range(runtime.config.classified_at_once):
                runtime.admission.enter()
            return malformed, await client.post("/v1/classify", content=b"{", headers=JSON)

    malformed, refused = asyncio.run(ask())
    assert (malformed.status_code, refused.status_code) == (400, 429)


def test_the_last_place_that_goes_while_the_body_arrives_is_asked_for_once_more(
    champions: Champions, tmp_path: Path
) -> None:
    runtime = make_runtime(champions, tmp_path)

    async def slowly() -> Any:
        yield b'{"items": [{"text": "'
        for _ in range(runtime.config.classified_at_once):
            runtime.admission.enter()
        yield f'{TEXT}"}}]}}'.encode()

    async def ask() -> httpx.Response:
        async with client_of(runtime) as client:
            return await client.post("/v1/classify", content=slowly(), headers=JSON)

    assert asyncio.run(ask()).status_code == 429
