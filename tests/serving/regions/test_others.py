"""Several regions on one service: each answers its own keys by its own models, opened when asked, dropped when idle."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from data.store.store import Store
from registry.names import classifier_name
from serving import launch as run
from serving.regions.others import OtherRegions
from tests.data.store.rows import rows
from tests.serving.bundles import CLASSIFIER, REGION, register, write_classifier
from tests.serving.conftest import Server, start_server, write_configs
from tests.serving.regions.test_champions import eventually
from tests.tsur.regions import KAMCHATKA, add_region

OTHER = "kamchatka"
ITEM = {"items": [{"id": "1", "text": "Не вывозят мусор"}]}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("regions")
    (made / "mlflow" / "artifacts").mkdir(parents=True)
    register(made, CLASSIFIER, write_classifier(made / "one" / "bundle", seed=1))
    register(made, classifier_name(OTHER), write_classifier(made / "two" / "bundle", seed=2))
    return made


@pytest.fixture(scope="module")
def keys(home: Path) -> dict[str, str]:
    store = Store(f"sqlite:///{home}/store.db", REGION)
    made = {name: store.keys.make(name, "operator", frozenset({name}), None)[1] for name in (REGION, OTHER)}
    made["both"] = store.keys.make("both", "admin", None, None)[1]
    store.close()
    return made


@pytest.fixture(scope="module")
def server(home: Path, keys: dict[str, str]) -> Iterator[Server]:
    configs = write_configs(home / "configs", refresh_seconds=1, region_idle_minutes=0.1)
    add_region(configs, OTHER, KAMCHATKA)
    running = start_server(home, TSUR_CONFIGS=str(configs), TSUR_REGION=REGION)
    yield running
    run.stop(running.process)


def ask(server: Server, key: str, region: str | None = None) -> httpx.Response:
    with server.client as client:
        headers = {"X-API-Key": key} | ({} if region is None else {"X-Region": region})
        return client.post("/v1/classify", json=ITEM, headers=headers)


def test_each_region_answers_with_its_own_model_and_keeps_its_own_rows(server: Server, keys: dict[str, str]) -> None:
    assert ask(server, keys[REGION]).json()["model"]["name"] == CLASSIFIER
    assert eventually(lambda: ask(server, keys[OTHER]).status_code == 200)
    assert ask(server, keys[OTHER]).json()["model"]["name"] == classifier_name(OTHER)
    assert ask(server, keys["both"], OTHER).json()["model"]["name"] == classifier_name(OTHER)
    assert ask(server, keys["both"]).json()["model"]["name"] == CLASSIFIER
    stored = rows(f"sqlite:///{server.home}/store.db", "select distinct region from decisions order by region")
    assert stored == [(OTHER,), (REGION,)]
    for region, key in ((OTHER, keys[REGION]), (REGION, keys[OTHER])):
        refused = ask(server, key, region)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
    unknown = ask(server, keys["both"], "nowhere")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (422, "bad_request")


def test_what_is_idle_is_dropped_and_opened_again(tmp_path: Path) -> None:
    class Opened:
        closed = 0

        def close(self) -> None:
            Opened.closed += 1

    others = OtherRegions(lambda name: Opened(), idle_seconds=1e-9)  # type: ignore[arg-type, return-value]
    first = others.get("a")
    assert others.get("a") is first
    others.drop_idle()
    assert Opened.closed == 1
    assert others.get("a") is not first
    others.close()
    assert Opened.closed == 2
    never = OtherRegions(lambda name: Opened(), idle_seconds=0)  # type: ignore[arg-type, return-value]
    kept = never.get("a")
    never.drop_idle()
    assert never.get("a") is kept
