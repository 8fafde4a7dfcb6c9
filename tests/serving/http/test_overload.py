"""More requests than can be answered: the excess is refused at once, what is accepted is stored."""

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from serving import launch as run
from tests.serving.conftest import RegistryHome, Server, start_server, write_configs

JSON = {"Content-Type": "application/json"}
LONG = "не вывозят мусор у дома третью неделю, контейнеры переполнены. " * 60


@pytest.fixture(scope="module")
def narrow(registry: RegistryHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service that classifies one request at a time."""
    folder = tmp_path_factory.mktemp("narrow")
    configs = write_configs(folder / "configs", classified_at_once=1)
    server = start_server(registry.home, TSUR_CONFIGS=str(configs), TSUR_STORE_URL=f"sqlite:///{folder}/store.db")
    server.home = folder
    yield server
    run.stop(server.process)


def test_the_excess_is_refused_with_retry_after_and_what_is_accepted_is_stored(narrow: Server):
    def send(number: int) -> httpx.Response:
        items = [{"id": f"{number}-{n}", "text": f"{LONG} {number} {n}"} for n in range(16)]
        with narrow.client as client:
            return client.post("/v1/classify", json={"items": items})

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(send, range(36)))
    statuses = {answer.status_code for answer in answers}
    assert statuses == {200, 429}
    for answer in answers:
        if answer.status_code == 429:
            assert answer.json()["error"]["code"] == "too_many_requests"
            assert int(answer.headers["retry-after"]) >= 1
    accepted = {result["id"] for answer in answers if answer.status_code == 200 for result in answer.json()["results"]}
    with sqlite3.connect(narrow.home / "store.db") as store:
        assert {row[0] for row in store.execute("select id from decisions")} == accepted


def test_a_request_that_is_refused_or_malformed_takes_no_place(narrow: Server):
    with narrow.client as client:
        for _ in range(3):
            assert client.post("/v1/classify", json={"items": []}).status_code == 422
            assert client.post("/v1/classify", content=b"{", headers=JSON).status_code == 400
        assert client.post("/v1/classify", json={"items": [{"text": "нет воды"}]}).status_code == 200


def test_the_cache_shows_in_the_metrics(narrow: Server):
    with narrow.client as client:
        for _ in range(2):
            client.post("/v1/classify", json={"items": [{"text": "яма на дороге"}]})
        metrics = client.get("/metrics").text
    hits = re.findall(r'tsur_text_cache\{outcome="hit".*?\} ([\d.]+)', metrics)
    assert float(hits[0]) >= 1
