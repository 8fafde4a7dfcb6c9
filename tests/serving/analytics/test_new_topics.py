"""Searches for new topics: one at a time, shared by all who wait, remembered, with a bounded share of the encoder."""

import asyncio
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import StoreError
from models.topics.emerging import Emerging
from serving.analytics.new_topics import READ_TOGETHER, SearchMemory, SearchResult, search
from serving.config import EmergingDefaults
from serving.regions.champions import Champion, Champions
from tests.serving.inprocess import client_of, make_runtime

TODAY = date(2026, 11, 25)


def a_result() -> SearchResult:
    emerging = Emerging(TODAY, TODAY, recent=0, past=0, doubtful=0, enough_past=False, topics=[])
    return SearchResult(emerging, pd.DataFrame(columns=["source", "id"]), unread=0, searched_at=time.monotonic())


def counting(calls: list[int], error: Exception | None = None) -> Callable[[], SearchResult]:
    """A search that takes a moment and counts itself."""

    def run() -> SearchResult:
        calls.append(1)
        time.sleep(0.05)
        if error is not None:
            raise error
        return a_result()

    return run


def ask(memory: SearchMemory, key: object, run: Callable[[], SearchResult], times: int = 1) -> list[object]:
    async def together() -> list[object]:
        asked = [memory.result(key, run) for _ in range(times)]
        return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(together())


@pytest.mark.parametrize(("minutes", "searches"), [(10, 1), (0, 2)])
def test_nine_that_ask_together_share_one_search_which_is_remembered_for_a_while(minutes: float, searches: int) -> None:
    memory, calls = SearchMemory(minutes), []
    results = ask(memory, "today", counting(calls), times=9)
    assert len({id(result) for result in results}) == 1
    assert len(calls) == 1
    ask(memory, "today", counting(calls))
    assert len(calls) == searches
    ask(memory, "tomorrow", counting(calls))
    assert len(calls) == searches + 1


def test_a_search_that_fails_fails_for_all_who_wait_and_is_not_remembered() -> None:
    memory, calls = SearchMemory(10), []
    results = ask(memory, "today", counting(calls, StoreError("gone")), times=3)
    assert [type(result) for result in results] == [StoreError] * 3
    assert isinstance(ask(memory, "today", counting(calls))[0], SearchResult)
    assert len(calls) == 2


def test_one_who_gives_up_does_not_end_the_search_of_the_others() -> None:
    memory, calls = SearchMemory(10), []

    async def give_up() -> SearchResult:
        first, second = (asyncio.create_task(memory.result("today", counting(calls))) for _ in range(2))
        await asyncio.sleep(0.01)
        first.cancel()
        return await second

    assert isinstance(asyncio.run(give_up()), SearchResult)
    assert len(calls) == 1


def test_stored_texts_are_given_to_the_encoder_a_few_at_once(
    champions: Champions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = make_runtime(champions, tmp_path)
    items = [{"id": str(n), "text": f"Не вывозят мусор у дома {n}", "created_at": "2026-11-20"} for n in range(30)]

    async def fill() -> None:
        async with client_of(runtime) as client:
            assert (await client.post("/v1/classify", json={"items": items})).status_code == 200

    asyncio.run(fill())
    model, sizes = champions.classifier.model, []
    features = model.features

    def spied(texts: list[str], places: list[str | None]) -> np.ndarray:
        sizes.append(len(texts))
        return features(texts, places)

    monkeypatch.setattr(model, "features", spied)
    newer = Champion(champions.classifier.name, "newer", model)
    result = search(runtime.store, runtime.region.id, newer, TODAY, EmergingDefaults())
    assert (result.emerging.recent, result.unread) == (30, 0)
    assert max(sizes) <= READ_TOGETHER
    assert sum(sizes) == 30
