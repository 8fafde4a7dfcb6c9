"""Analytics have threads of their own: however busy these are, a complaint is routed."""

import asyncio
import os
import sys
from pathlib import Path
from threading import Event, current_thread, get_native_id

import httpx
import pytest

from serving.analytics.threads import NICENESS, AnalyticsThreads
from serving.regions.champions import Champions
from tests.serving.inprocess import client_of, make_runtime

COMPLAINT = {"items": [{"text": "Третью неделю не вывозят мусор у дома"}]}
ANALYTICS = [("GET", "/v1/surges"), ("GET", "/v1/heatmap"), ("GET", "/v1/emerging"), ("POST", "/v1/forecast")]


def test_a_complaint_is_routed_while_every_thread_of_analytics_is_busy(champions: Champions, tmp_path: Path) -> None:
    runtime = make_runtime(champions, tmp_path)
    release = Event()

    async def ask() -> tuple[httpx.Response, int, list[httpx.Response]]:
        async with client_of(runtime) as client:
            busy = [runtime.analytics.run(release.wait) for _ in range(runtime.config.analytics_threads)]
            waiting = [
                asyncio.create_task(client.request(method, path, json={} if method == "POST" else None))
                for method, path in ANALYTICS
                for _ in range(runtime.config.threads + 1)
            ]
            try:
                answered, _ = await asyncio.wait(waiting, timeout=2)  # all that need no thread of analytics
                routed = await asyncio.wait_for(client.post("/v1/classify", json=COMPLAINT), 20)
            finally:
                release.set()
            await asyncio.gather(*busy)
            return routed, len(answered), await asyncio.gather(*waiting)

    routed, answered, later = asyncio.run(ask())
    assert (routed.status_code, answered) == (200, 0)
    assert {answer.status_code for answer in later} == {200}


def test_surges_are_answered_while_new_topics_are_searched(champions: Champions, tmp_path: Path) -> None:
    runtime = make_runtime(champions, tmp_path)
    release = Event()

    async def ask() -> tuple[int, bool]:
        async with client_of(runtime) as client:
            searches = [
                asyncio.create_task(runtime.searches.result(n, release.wait))  # type: ignore[arg-type]
                for n in range(9)
            ]
            try:
                answer = await asyncio.wait_for(client.get("/v1/surges"), 20)
                searching = not any(search.done() for search in searches)
            finally:
                release.set()
                for search in searches:
                    search.cancel()
            return answer.status_code, searching

    assert asyncio.run(ask()) == (200, True)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a niceness belongs to a process")
def test_the_threads_give_way_to_others() -> None:
    async def look() -> tuple[str, int]:
        threads = AnalyticsThreads(1)
        try:
            return await threads.run(lambda: (current_thread().name, os.getpriority(os.PRIO_PROCESS, get_native_id())))
        finally:
            threads.close()

    before = os.getpriority(os.PRIO_PROCESS, get_native_id())
    name, niceness = asyncio.run(look())
    assert name.startswith("analytics")
    assert niceness == max(before, NICENESS)
    assert os.getpriority(os.PRIO_PROCESS, get_native_id()) == before
