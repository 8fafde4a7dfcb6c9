"""The speed benchmark: loads that are charged from when they were due, rates, memory, arithmetic and targets."""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.classifier_speed import bundles
from benchmarks.classifier_speed.open_loop import Load, find_knee, offer
from benchmarks.classifier_speed.rows import read_timing, summary, write_export
from benchmarks.classifier_speed.rows import run as run_rows
from benchmarks.classifier_speed.tables import MILLION, markdown, targets
from benchmarks.classifier_speed.worker import KINDS, answer
from models.classifier.labels import HEADS
from tests.serving.bundles import write_classifier

SLOW = 0.15


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny classifier bundle."""
    return write_classifier(tmp_path_factory.mktemp("classifier") / "bundle")


@pytest.fixture(scope="module")
def one_at_a_time() -> Iterator[str]:
    """A server that needs `SLOW` seconds a request, one after the other, and refuses where «busy» is in the text."""
    gate = asyncio.Lock()

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            length = 0
            while (line := await reader.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            body = await reader.readexactly(length)
            if b"busy" in body:
                writer.write(b"HTTP/1.1 429 Busy\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}")
            else:
                async with gate:
                    await asyncio.sleep(SLOW)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
        assert head == b""
        writer.close()

    loop = asyncio.new_event_loop()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = loop.run_until_complete(asyncio.start_server(reply, "127.0.0.1", port))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=5)


def test_a_service_that_falls_behind_is_charged_for_all_who_wait(one_at_a_time: str):
    load = offer(one_at_a_time, ["нет воды"], rate=4 / SLOW, seconds=3 * SLOW)
    assert len(load.accepted) == len(load.latencies) == load.sent == 12
    # a closed loop would see SLOW seconds each; here the last one waits for all before it
    assert max(load.latencies) > 6 * SLOW
    assert load.throughput < 1.5 / SLOW


def test_refused_requests_are_counted_apart(one_at_a_time: str):
    load = offer(one_at_a_time, ["busy"], rate=100, seconds=0.2)
    assert load.statuses == Counter({429: 20})
    assert (load.accepted, load.without_retry_after) == (set(), 0)
    assert np.isnan(load.quantile(0.99))


def test_a_service_that_is_not_there_is_a_failure():
    load = offer("http://127.0.0.1:9", ["нет воды"], rate=50, seconds=0.1)
    assert load.statuses == Counter({0: 5})


def load(rate: float, accepted: int, refused: int) -> Load:
    statuses = Counter({200: accepted, 429: refused})
    return Load(rate, 1.0, [0.1] * accepted, statuses, {str(n) for n in range(accepted)})


def test_the_knee_is_the_last_rate_that_was_still_borne():
    rising = [load(10, 10, 0), load(15, 15, 0), load(22, 21, 1), load(33, 25, 8), load(50, 50, 0)]
    assert find_knee(rising).rate == 22
    assert find_knee([load(10, 5, 5), load(15, 15, 0)]).rate == 10


def test_rows_rate_and_memory_are_of_the_whole_run_and_its_tenths():
    steady = [{"rows": n, "seconds": n / 10, "mib": 100.0 + (n <= 10) * n} for n in range(10, 101, 10)]
    assert summary(steady)["last_tenth_by_first"] == pytest.approx(1)
    assert summary(steady)["rows_per_second"] == pytest.approx(10)
    assert summary(steady)["peak_mib"] == 110
    slower = [*steady[:-1], {"rows": 100, "seconds": 11.0, "mib": 130.0}]
    assert summary(slower)["last_tenth_by_first"] == pytest.approx(0.5)
    assert summary(slower)["growth_mib"] == pytest.approx(20)


def test_an_export_repeats_the_share_that_it_is_asked_for(tmp_path: Path):
    import pandas as pd

    texts = ["нет воды", "яма"]
    assert pd.read_csv(write_export(tmp_path / "a.csv", texts, 200, 0.0))["text"].is_unique
    repeated = pd.read_csv(write_export(tmp_path / "b.csv", texts, 1000, 0.5))["text"].isin(texts).mean()
    assert 0.4 < repeated < 0.6


def test_rows_are_measured_as_they_are_classified(bundle: Path, tmp_path: Path):
    export = write_export(tmp_path / "a.csv", ["нет воды"], 30, 0.0)
    run_rows(bundle, export, cached=0)
    points = read_timing(export.with_suffix(".timing.jsonl"))
    assert points[-1]["rows"] == 30
    assert points[-1]["seconds"] > 0
    assert points[-1]["mib"] > 10


@pytest.mark.parametrize("kind", ["fp32", "int8"])
def test_products_are_of_the_shapes_that_the_network_needs(tmp_path: Path, kind: str):
    sizes = bundles.Sizes(hidden=8, inner=32, layers=2)
    folder = bundles.write_products(tmp_path / "products", sizes, kind)
    wall, worked = answer(KINDS["products"](folder), [], {"do": "pass", "batch": 2})
    assert wall > 0
    assert worked > 0
    assert bundles.layer_operations(sizes, 10) == 2 * 10 * (4 * 64 + 2 * 256)
    windows = [[0] * 3, [0] * 5]
    assert bundles.operations(sizes, windows) == 2 * (2 * 768 * 8 + 4 * 8 * (9 + 25))


def test_a_worker_times_texts_together_and_alone(bundle: Path):
    run = KINDS["engine"](bundle)
    assert len(answer(run, ["нет воды", "яма"], {"do": "single"})) == 2
    assert answer(run, [], {"do": "memory"}) > 10
    started = time.perf_counter()
    wall, _ = answer(run, ["нет воды"], {"do": "pass"})
    assert 0 < wall <= time.perf_counter() - started


def figures() -> dict[str, object]:
    of = {"texts_per_core_second": 1.0, "peak_mib": 1.0}
    contenders = {
        "pipeline, batch 1": {"texts_per_second": 8.0, **of},
        "pipeline, batch 8": {"texts_per_second": 10.0, **of},
        "teacher int8": {"texts_per_second": 45.0, "share_of_ceiling": 0.4, **of},
        "student int8": {"texts_per_second": 210.0, "share_of_ceiling": 0.6, **of},
        "ceilings": {"fp32_gops": 1.0},
    }
    rows = {"rows_per_second": 1.0, "last_tenth_by_first": 0.95, "peak_mib": 9.0, "growth_mib": 1.0}
    point = {"rate": 8.0, "throughput": 8.0, "refused": 0.0, "p50_ms": 9.0, "p99_ms": 20.0}
    http = {"rising": [point], "knee": point, "twice": point, "single_ms": 9.0, "engine_ms": 8.0}
    http |= {"by_engine": 1.125, "lost": 0.0, "failures": 0.0, "p99_ratio": 2.0}
    return {
        "texts": {"count": 3, "corpus": "kursk"},
        "student": "distilled",
        "agreement": dict.fromkeys(HEADS, 0.995),
        "contenders": contenders,
        "rows": [{"rows": MILLION, "no text twice": rows}],
        "http": http,
    }


def test_targets_are_the_issues_and_a_stand_in_is_not_the_student():
    found = {goal.name: goal for goal in targets(figures(), is_student=True)}
    assert all(goal.met for goal in found.values())
    assert found["teacher int8 by pipeline's best"].value == pytest.approx(4.5)
    assert found["student int8 by pipeline's best"].value == pytest.approx(21)
    other = {goal.name: goal for goal in targets(figures(), is_student=False)}
    assert other["student int8 by pipeline's best"].value is None
    assert not other["student's share of the ceiling"].met


def test_what_was_not_measured_is_not_met():
    bare = figures() | {"rows": []}
    del bare["http"]
    missed = [goal for goal in targets(bare, is_student=True) if not goal.met]
    assert len(missed) == 6
    assert {goal.value for goal in missed} == {None}


def test_tables_name_every_contender_and_what_stands_in_the_students_place():
    text = markdown(figures())
    for name in ("pipeline, batch 8", "teacher int8", "student int8 (distilled)", "no text twice", "Open loop"):
        assert name in text
