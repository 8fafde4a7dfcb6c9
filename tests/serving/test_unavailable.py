"""What a client sees when a part fails: the store cannot be written, or the answer takes too long."""

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from serving import launch as run
from tests.serving.conftest import RegistryHome, Server, start_server, write_configs

TIMEOUT_SECONDS = 3


@pytest.fixture(scope="module")
def hampered(registry: RegistryHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service whose store lies in a file, and which has little patience."""
    folder = tmp_path_factory.mktemp("hampered")
    (folder / "file").write_text("not a folder")
    configs = write_configs(folder / "configs", timeout_seconds=TIMEOUT_SECONDS)
    url = f"sqlite:///{folder}/file/store.db"
    server = start_server(
        registry.home, wait_for="/livez", TSUR_STORE_URL=url, TSUR_CONFIGS=str(configs), TSUR_API_KEYS="first-key"
    )
    with server.client as client:  # its models are loaded; the store stays a reason not to be ready
        while reasons_not_to_be_ready(client) != {"store"}:
            time.sleep(0.1)
    yield server
    run.stop(server.process)


def reasons_not_to_be_ready(client: httpx.Client) -> set[str]:
    """What `/readyz` names."""
    answer = client.get("/readyz")
    assert answer.status_code == 503
    return {detail["where"] for detail in answer.json()["error"]["details"]}


def test_readyz_says_that_the_store_does_not_answer(hampered: Server) -> None:
    with hampered.client as client:
        error = client.get("/readyz").json()["error"]
        metrics = client.get("/metrics").text
    assert error["code"] == "store_unavailable"
    assert [detail["where"] for detail in error["details"]] == ["store"]
    assert re.search(r'tsur_store_up\{.*region="verkhnerechye"\} 0.0', metrics)


def slowly() -> Iterator[bytes]:
    yield b'{"items": ['
    time.sleep(TIMEOUT_SECONDS + 1)
    yield b"]}"


def test_a_decision_that_cannot_be_stored_is_not_given(hampered: Server) -> None:
    with hampered.client as client:
        client.headers["X-API-Key"] = "first-key"
        answer = client.post("/v1/classify", json={"items": [{"text": "Не вывозят мусор"}]})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_unavailable")
        assert answer.headers["retry-after"]
        assert eventually(client, "/v1/forecast", {"horizon": 3}) == 200


def eventually(client: httpx.Client, path: str, body: dict[str, int]) -> int:
    """The status of an answer that is not late: on a busy machine, the first forecast may be."""
    for _ in range(20):
        status = client.post(path, json=body).status_code
        if status != 504:
            return status
    return 504


def test_while_the_store_cannot_say_which_keys_there_are_nobody_is_let_in_without_one(hampered: Server) -> None:
    with hampered.client as client:
        answer = client.post("/v1/forecast", json={"horizon": 3}, headers={"X-API-Key": "another"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_unavailable")


def test_a_request_that_takes_too_long_is_504_and_the_service_goes_on(hampered: Server) -> None:
    with hampered.client as client:
        headers = {"Content-Type": "application/json", "X-API-Key": "first-key"}
        answer = client.post("/v1/classify", content=slowly(), headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timeout")
    with hampered.client as client:
        assert client.get("/livez").status_code == 200
