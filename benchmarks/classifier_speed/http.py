"""The service under load: one complaint at a time, rising rates up to the knee, twice the knee.

In: a bundle and texts. Out: latencies beside those of the engine alone, throughput, and whether each accepted
complaint lies in the store. The service is the real one, in a home of its own, on this machine only.
"""

import json
import os
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.classifier_speed.open_loop import Load, find_knee, offer
from data.errors import TrackingError
from data.regions.region import load_region
from data.store.store import Store
from registry.client import Registry
from registry.names import classifier_name
from training.tracker import Tracker

FIRST_RATE, STEP, MOST_RATES = 4.0, 1.5, 14
SECONDS = 12.0
SINGLES = 100
READY_SECONDS = 120
COOLING_SECONDS = 2.0


def measure_http(bundle: Path, texts: Sequence[str], work: Path) -> dict[str, Any]:
    """Start the service with this bundle, measure it, stop it."""
    work.mkdir(parents=True, exist_ok=True)
    with service(bundle, work) as (url, store, ready):
        single, engine = _alternating(url, bundle, texts[:SINGLES])
        rising: list[Load] = []
        rate = FIRST_RATE
        for number in range(MOST_RATES):
            rising.append(offer(url, texts, rate, SECONDS, seed=number))
            if find_knee(rising) is not rising[-1]:
                break
            rate *= STEP
            time.sleep(COOLING_SECONDS)
        knee_rate = find_knee(rising).rate
        time.sleep(COOLING_SECONDS)
        knee = offer(url, texts, knee_rate, 2 * SECONDS, seed=100)
        time.sleep(COOLING_SECONDS)
        twice = offer(url, texts, 2 * knee_rate, 2 * SECONDS, seed=101)
        with sqlite3.connect(store) as connection:
            stored = {row[0] for row in connection.execute("select id from decisions")}
    loads = [*rising, knee, twice]
    accepted = set().union(*(load.accepted for load in loads))
    failures = sum(sum(load.statuses.values()) - sum(load.statuses[ok] for ok in (200, 429, 503)) for load in loads)
    return {
        "ready_seconds": ready,
        "single_ms": 1000 * single,
        "engine_ms": 1000 * engine,
        "by_engine": single / engine,
        "rising": [_figures(load) for load in rising],
        "knee": _figures(knee),
        "twice": _figures(twice),
        "p99_ratio": twice.quantile(0.99) / knee.quantile(0.99),
        "lost": float(len(accepted - stored)),
        "failures": float(failures + sum(load.without_retry_after for load in loads)),
    }


def _alternating(url: str, bundle: Path, texts: Sequence[str]) -> tuple[float, float]:
    """Median seconds of one complaint over HTTP, and of the same work in this process, in turns.

    The engine's work is what the answer holds: masking, the decision, and the proposals of each problem. The two are
    processes of their own: neither finds the other's words in a cache.
    """
    from http.client import HTTPConnection

    from data.complaints.masking import masked
    from models.classifier.classifier import Classifier
    from models.classifier.segments import classify_with_proposals

    classifier = Classifier.load(bundle)
    remote, local = [], []
    # the leanest client there is: httpx would add half a millisecond of its own
    with closing(HTTPConnection(url.removeprefix("http://"), timeout=60)) as client:
        for number, text in enumerate(texts):
            started = time.perf_counter()
            body = json.dumps({"items": [{"text": text}]}).encode()
            client.request("POST", "/v1/classify", body, {"Content-Type": "application/json"})
            answer = client.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise TrackingError(f"the service answered {answer.status}: {said[:200]!r}")
            json.loads(said)
            remote.append(time.perf_counter() - started)
            started = time.perf_counter()
            ours = masked(text)
            classify_with_proposals(classifier, [ours], [None])
            local.append(time.perf_counter() - started)
            if number == 4:  # the first ones warm both up
                remote.clear()
                local.clear()
    return float(np.median(remote)), float(np.median(local))


@contextmanager
def service(bundle: Path, work: Path) -> Iterator[tuple[str, Path, float]]:
    """A running service with this bundle as champion: its address, its store, seconds until it classified."""
    from serving import launch as run

    home, store = work / "home", work / "store.db"
    for path in work.glob("store.db*"):
        path.unlink()
    port = _free_port()
    here = {
        "TSUR_HOME": str(home),
        "TSUR_TRACKING_URI": _registry(bundle, home),
        "TSUR_STORE_URL": f"sqlite:///{store}",
        "TSUR_API_KEYS": "",
    }
    environment = {**os.environ, **run.environment(port), **here, "BENTOML_HOME": str(home / "bentoml")}
    with (work / "service.log").open("wb") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            run.command("127.0.0.1", port), env=environment, cwd=home, stdout=log, stderr=log, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        while not _classifies(url):
            if time.perf_counter() - started > READY_SECONDS or process.poll() is not None:
                raise TrackingError(f"the service did not become ready; see {work / 'service.log'}")
            time.sleep(0.05)
        yield url, store, time.perf_counter() - started
    finally:
        run.stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _classifies(url: str) -> bool:
    """Whether the service answers a complaint by now."""
    import httpx

    try:
        body = {"items": [{"text": "Нет воды"}]}
        return httpx.post(f"{url}/v1/classify", json=body, timeout=30, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _registry(bundle: Path, home: Path) -> str:
    """A registry with the bundle as champion; the tracking URI."""
    region = load_region().id
    name, uri = classifier_name(region), f"sqlite:///{home}/mlflow/mlflow.db"
    promotions = Store(f"sqlite:///{home}/promotions.db", region).promotions
    registry = Registry(uri, home, promotions)
    with Tracker(uri, home / "mlflow" / "artifacts").run("speed", "speed", {}) as run:
        version = registry.register(name, bundle, run.id, {})
    registry.promote(name, version, {}, "benchmark")
    return uri


def _figures(load: Load) -> dict[str, float]:
    refused = sum(count for status, count in load.statuses.items() if status in (429, 503))
    return {
        "rate": load.rate,
        "sent": float(load.sent),
        "throughput": load.throughput,
        "refused": refused / max(load.sent, 1),
        "p50_ms": 1000 * load.quantile(0.5),
        "p99_ms": 1000 * load.quantile(0.99),
        "left_late_p99_ms": 1000 * float(np.quantile(load.lateness, 0.99)),
    }
