"""Real workers for the tests: `tsur worker` in a process of its own, at the home of a service."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from data.settings import CHECKOUT

TEXTS = ["Не вывозят мусор", "Яма на дороге", "Нет горячей воды", "Автобус не приходит", "Спасибо за сквер"]
PATIENCE = 600
"""Seconds until what is waited for must have come; nothing is said of how fast it has to be."""


def start_worker(home: Path, **environment: str) -> "subprocess.Popen[bytes]":
    """Start `tsur worker`, its output going to a file of the home."""
    settings = {
        "TSUR_HOME": str(home),
        "TSUR_TRACKING_URI": f"sqlite:///{home}/mlflow/mlflow.db",
        "TSUR_STORE_URL": f"sqlite:///{home}/store.db",
        "PYTHONPATH": str(CHECKOUT),
    }
    with (home / "worker.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "tsur", "worker"],
            env={**os.environ, **settings, **environment},
            cwd=CHECKOUT,
            stdout=output,
            stderr=output,
        )


def stop_worker(worker: "subprocess.Popen[bytes]") -> int:
    """End a worker as a service manager does; its exit status."""
    worker.terminate()
    try:
        return worker.wait(timeout=30)
    except subprocess.TimeoutExpired:
        worker.kill()
        return worker.wait()


def export(rows: int, bad: tuple[int, ...] = ()) -> bytes:
    """`rows` complaints as CSV with the ids 0, 1, …; those in `bad` have no text."""
    lines = [f"{n},{'' if n in bad else f'{TEXTS[n % 5]} {n}'},2026-01-05" for n in range(rows)]
    return "\n".join(["id,text,created_at", *lines, ""]).encode()


def send(client: httpx.Client, content: bytes, name: str = "export.csv", **query: str) -> dict[str, Any]:
    """Send a file; the job."""
    answer = client.post("/v1/jobs", params={"name": name, **query}, content=content)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def ended(client: httpx.Client, id: str) -> dict[str, Any]:
    """A job once it has ended."""
    job: dict[str, Any] = {}

    def has_ended() -> bool:
        job.update(client.get(f"/v1/jobs/{id}").json())
        return job["finished_at"] is not None

    wait_for(has_ended)
    return job
