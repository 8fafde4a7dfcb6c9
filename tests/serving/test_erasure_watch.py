"""An erased complaint is gone from the memories of a running worker too."""

import asyncio
from dataclasses import replace
from pathlib import Path

from data.complaints.name_dictionary import people_tagger
from serving.erasure_watch import ErasureWatch, memories_of_texts
from serving.regions.champions import Champions
from tests.serving.bundles import REGION
from tests.serving.inprocess import client_of, make_runtime

TEXT = "Опять Анна Петрова из Четвёртого Дома пишет о мусоре"


def test_texts_are_forgotten_when_a_complaint_was_erased(champions: Champions, tmp_path: Path) -> None:
    runtime = make_runtime(champions, tmp_path)
    cache = champions.classifier.model.encoders.cache
    memories = memories_of_texts(cache, runtime.searches)
    watch = ErasureWatch(runtime.store.erasures, memories)
    watch.check()

    async def fill() -> None:
        async with client_of(replace(runtime)) as client:
            body = {"items": [{"id": "17", "text": TEXT}]}
            assert (await client.post("/v1/classify", json=body)).status_code == 200
            assert (await client.get("/v1/emerging")).status_code == 200

    asyncio.run(fill())
    sentences = people_tagger()._people_in.cache_info
    watch.check()
    assert cache._rows
    assert runtime.searches._results
    assert sentences().currsize
    runtime.store.erasures.erase(REGION, "17", None, "tsur erase")
    watch.check()
    assert not cache._rows
    assert not runtime.searches._results
    assert not sentences().currsize
    runtime.close()
