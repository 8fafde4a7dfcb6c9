"""The same request a hundred times at once, to two workers on each database: one row, equal answers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from serving import launch as run
from tests.data.store.rows import rows
from tests.postgresql import PostgreSQL
from tests.serving.conftest import RegistryHome, Server, start_server, write_configs

TIMES, AT_ONCE = 100, 25


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('store')}/store.db"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.schema()


@pytest.fixture(scope="module")
def service(registry: RegistryHome, database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("two-workers")
    configs = write_configs(folder / "configs", workers=2, classified_at_once=16)
    running = start_server(registry.home, TSUR_CONFIGS=str(configs), TSUR_STORE_URL=database)
    yield running
    run.stop(running.process)


def send(service: Server, path: str, body: object, headers: dict[str, str]) -> httpx.Response:
    """Send one request, again where the service is busy, as a routing system does."""
    with service.client as client:
        while True:
            answer = client.post(path, json=body, headers=headers)
            if answer.status_code != 429:
                return answer


def at_once(service: Server, path: str, body: object, headers: dict[str, str] | None = None) -> set[str]:
    """The answers to the same request sent a hundred times."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: send(service, path, body, headers or {}), range(TIMES)))
    assert {answer.status_code for answer in answers} == {200}
    return {answer.text for answer in answers}


def test_a_complaint_with_an_id_is_stored_once_and_answered_alike(service: Server, database: str) -> None:
    items = [{"id": name, "text": "Третью неделю не вывозят мусор на Садовой"} for name in ("i-1", "i-2")]
    (answer,) = at_once(service, "/v1/classify", {"items": items})
    assert '"due_at"' in answer
    assert rows(database, "select id, count(*) from decisions where id like 'i-%' group by id order by id") == [
        ("i-1", 1),
        ("i-2", 1),
    ]


def test_complaints_without_ids_under_one_name_are_stored_once_and_answered_alike(
    service: Server, database: str
) -> None:
    before = rows(database, "select count(*) from decisions")[0][0]
    items = [{"text": "Яма на дороге у школы"}, {"text": " "}, {"text": "Нет отопления в подъезде"}]
    assert len(at_once(service, "/v1/classify", {"items": items}, {"Idempotency-Key": "nightly-1"})) == 1
    assert rows(database, "select count(*) from decisions")[0][0] - before == 2


def test_a_correction_is_stored_once_with_a_name_and_without(service: Server, database: str) -> None:
    send(service, "/v1/classify", {"items": [{"id": "c-1", "text": "Нет отопления"}]}, {})
    for sector, headers in (("ЖКХ", {}), ("Дороги", {"Idempotency-Key": "correction-1"})):
        body = {"items": [{"id": "c-1", "sector": sector, "operator": "7"}]}
        assert at_once(service, "/v1/feedback", body, headers) == {
            '{"stored":1,"results":[{"id":"c-1","source":"other"}]}'
        }
    assert rows(database, "select sector from corrections where complaint_id = 'c-1' order by number") == [
        ("ЖКХ",),
        ("Дороги",),
    ]


def test_a_name_with_another_content_is_refused(service: Server) -> None:
    first, second = ({"items": [{"text": text}]} for text in ("Нет света", "Нет воды"))
    headers = {"Idempotency-Key": "once"}
    assert send(service, "/v1/classify", first, headers).status_code == 200
    answer = send(service, "/v1/classify", second, headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "idempotency_mismatch")
    for name in ("", "x" * 256):
        answer = send(service, "/v1/classify", first, {"Idempotency-Key": name})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_request")
