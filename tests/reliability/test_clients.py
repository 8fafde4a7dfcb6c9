"""Clients that misbehave: slow, gone in the middle of a body, with a file of a gigabyte, two hundred at once."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import httpx
import pytest

from tests.reliability.counting import COUNTS
from tests.reliability.installation import TEXTS, Installation, answer_of
from tests.reliability.load import Load
from tests.serving.bundles import REGION
from tests.serving.workers import wait_for

SLOW = 40
GIGABYTE = 1 << 30
BLOCK = b"".join(f"{n},\xd0\xaf\xd0\xbc\xd0\xb0 {n},2026-01-05\n".encode("latin-1") for n in range(50_000))
"""Rows of a CSV."""
FLAT_MB = 64
"""By so much may memory grow: buffers of the allocator, not of the file."""
CLIENTS = 200
MINUTES = float(os.environ.get("RELIABILITY_MINUTES", "0.5"))
"""How long they ask; `make test-reliability RELIABILITY_MINUTES=10` asks longer."""


def half_a_request(installation: Installation, path: str, chunked: bool) -> socket.socket:
    """A connection on which half a request with a body was sent."""
    connection = socket.create_connection(("127.0.0.1", installation.port), timeout=10)
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 5000"
    begun = '{"items": [{"text": "Не вывоз'.encode()
    part = f"{len(begun):x}\r\n".encode() + begun + b"\r\n" if chunked else begun
    head = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", length]
    head.append(f"Authorization: Bearer {installation.keys[REGION]}")
    connection.sendall("\r\n".join([*head, "", ""]).encode() + part)
    COUNTS.requests += 1
    return connection


def test_slow_clients_and_half_sent_bodies_keep_nobody_waiting_and_leave_nothing(installation: Installation) -> None:
    paths = ("/v1/classify", "/v1/feedback", "/v1/forecast", "/v1/jobs?name=a.csv")
    before = uploads(installation)
    waiting = [half_a_request(installation, paths[n % 4], chunked=n % 8 < 4) for n in range(SLOW)]
    with Load(installation, "slow", clients=2) as load:
        wait_for(lambda: len(load.accepted.complaints) >= 20)
        for connection in waiting:
            connection.close()
    load.check()
    wait_for(lambda: uploads(installation) == before)


def uploads(installation: Installation) -> set[str]:
    """Folders of jobs that no job names."""
    store, folder = installation.store, installation.home / "jobs"
    known = set(store.jobs.ids())
    store.close()
    return {path.name for path in folder.iterdir()} - known if folder.is_dir() else set()


@contextmanager
def memory(installation: Installation) -> Iterator[list[float]]:
    """The memory of the process that answers, in MB, every quarter of a second."""
    process, stop, seen = installation.api_worker, Event(), list[float]()

    def look() -> None:
        while not stop.wait(0.25):
            seen.append(process.memory_info().rss / 1e6)

    thread = Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


@pytest.mark.reliability
def test_a_file_of_a_gigabyte_goes_to_the_disk_and_not_into_memory(installation: Installation) -> None:
    def rows() -> Iterator[bytes]:
        yield b"id,text,created_at\n"
        for _ in range(GIGABYTE // len(BLOCK) + 1):
            yield BLOCK

    assert installation.worker is not None
    installation.worker.kill()  # nobody shall begin with it
    installation.worker.wait()
    with installation.client() as client, memory(installation) as seen:
        time.sleep(1)
        answer = client.post("/v1/jobs?name=large.csv", content=rows(), timeout=300)
        assert answer.status_code == 202, answer.text
        job = answer.json()["id"]
        assert (installation.home / "jobs" / job / "upload.csv").stat().st_size > GIGABYTE
        assert client.post(f"/v1/jobs/{job}/cancel").status_code == 200
    installation.start_worker()
    growth = max(seen) - seen[0]
    COUNTS.notes.append(f"a file of 1 GB: memory of the service grew by {growth:.0f} MB from {seen[0]:.0f} MB")
    assert growth < FLAT_MB


@pytest.mark.reliability
def test_two_hundred_clients_are_answered_in_flat_memory(installation: Installation) -> None:
    with memory(installation) as seen:
        statuses = asyncio.run(ask_on(installation, time.monotonic() + 60 * MINUTES))
    third = len(seen) // 3
    growth = max(seen[-third:]) - max(seen[third : 2 * third])
    count = ", ".join(f"{number:,} × {status}" for status, number in sorted(statuses.items()))
    kind = "SQLite" if installation.postgresql is None else "PostgreSQL"
    COUNTS.notes.append(
        f"{CLIENTS} clients for {MINUTES:g} minutes ({kind}): {count}; memory {seen[-1]:.0f} MB, "
        f"last third above the second by {growth:.0f} MB"
    )
    assert set(statuses) <= {200, 429}
    assert growth < FLAT_MB


async def ask_on(installation: Installation, until: float) -> dict[int, int]:
    """Ask with all clients until then; how often each status came."""
    statuses: dict[int, int] = {}
    headers = {"Authorization": f"Bearer {installation.keys[REGION]}"}
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)

    async def one(client: httpx.AsyncClient, number: int) -> None:
        while time.monotonic() < until:
            text = TEXTS[number % len(TEXTS)]
            answer = await client.post("/v1/classify", json={"items": [{"text": text}]})
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
            COUNTS.requests += 1
            if answer.status_code == 200:
                COUNTS.answers += 1
                if answer_of(answer.json()["results"][0]) != installation.expected[REGION, text]:
                    COUNTS.wrong_answers += 1
                    raise AssertionError(f"{text}: {answer.text}")
            else:
                await asyncio.sleep(0.5)

    base = f"http://127.0.0.1:{installation.port}"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60, limits=limits, trust_env=False) as client:
        await asyncio.gather(*(one(client, number) for number in range(CLIENTS)))
    return statuses
