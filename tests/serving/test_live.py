"""The streams of what changes: one look for all who watch, an end when the worker ends."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from data.errors import StoreError
from serving import launch, live
from serving.live import Counts, Live
from tests.serving.conftest import RegistryHome, Server, start_server

UVICORN_WAITS = 5
"""Seconds; a connection that is idle for longer is closed, unless the service asks for more."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY_SECONDS", 0.05)


async def next_of(stream: AsyncIterator[str]) -> dict[str, int]:
    event = await asyncio.wait_for(anext(stream), 10)
    assert event.startswith("data: ")
    assert event.endswith("\n\n")
    told: dict[str, int] = json.loads(event.removeprefix("data: "))
    return told


def test_who_watches_is_told_at_the_beginning_and_when_something_has_changed() -> None:
    counts = [1, 1, 1, 2]

    async def watch() -> list[dict[str, int]]:
        stream = Live(lambda region: {"decisions": counts.pop(0) if len(counts) > 1 else 2}).stream("here")
        return [await next_of(stream), await next_of(stream)]

    assert asyncio.run(watch()) == [{"decisions": 1}, {"decisions": 2}]


def test_all_who_watch_a_region_share_one_look() -> None:
    looks: list[str] = []

    def look(region: str) -> Counts:
        looks.append(region)
        return {"decisions": 1}

    async def watch() -> None:
        streams = Live(look)
        await asyncio.gather(*(next_of(streams.stream(region)) for region in ["here"] * 20 + ["there"]))

    asyncio.run(watch())
    assert sorted(set(looks)) == ["here", "there"]
    assert len(looks) < 10


def test_a_store_that_does_not_answer_breaks_no_stream() -> None:
    answers: list[Counts | None] = [{"decisions": 1}, None, None, {"decisions": 2}]

    def look(region: str) -> Counts:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            raise StoreError("the store cannot be read")
        return answer

    async def watch() -> list[dict[str, int]]:
        stream = Live(look).stream("here")
        return [await next_of(stream), await next_of(stream)]

    assert asyncio.run(watch()) == [{"decisions": 1}, {"decisions": 2}]


def test_the_end_of_the_worker_ends_every_stream() -> None:
    async def watch() -> list[str]:
        streams = Live(lambda region: {"decisions": 1})
        stream = streams.stream("here")
        first = await anext(stream)
        streams.end()
        return [first, *[event async for event in stream]]

    assert len(asyncio.run(watch())) == 1


def test_a_service_with_open_streams_stops_at_once(registry: RegistryHome, tmp_path: Path) -> None:
    server: Server = start_server(registry.home, TSUR_STORE_URL=f"sqlite:///{tmp_path}/store.db")
    with server.client as client, client.stream("GET", "/v1/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "decisions" in next(answer.iter_lines())
        assert launch.stop(server.process) != -signal.SIGKILL, "it waited for the stream and had to be killed"


def test_a_connection_that_idled_longer_than_a_server_by_itself_waits_still_answers(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.port)
    with closing(connection):
        connection.request("GET", "/livez")
        connection.getresponse().read()
        kept = connection.sock
        time.sleep(UVICORN_WAITS + 1)
        connection.request("GET", "/livez")
        assert connection.getresponse().status == 200
        assert connection.sock is kept, "it was closed while nobody asked, and opened anew"
