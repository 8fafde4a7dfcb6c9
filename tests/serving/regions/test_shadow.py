"""The challenger in the shadow: what was answered it decides too; nobody is told, and nobody waits for it."""

import shutil
from pathlib import Path

import pytest

from data.store.shadows import Agreement
from data.store.store import Store
from serving import launch as run
from serving.regions.champions import Champions
from serving.regions.shadow import Answered, Shadow
from tests.data.store.rows import decision, rows
from tests.serving.bundles import CLASSIFIER, REGION, registry_in, write_classifier
from tests.serving.conftest import RegistryHome, start_server, write_configs
from tests.serving.regions.test_champions import eventually
from training.tracker import Tracker

ITEMS = [{"id": str(n), "text": f"Не вывозят мусор у дома {n}"} for n in range(20)]


@pytest.fixture()
def challenged(registry: RegistryHome, tmp_path: Path) -> Path:
    """A home with the same champions and a challenger that decides by other weights."""
    (tmp_path / "mlflow" / "artifacts").mkdir(parents=True)
    shutil.copy(registry.home / "mlflow" / "mlflow.db", tmp_path / "mlflow" / "mlflow.db")
    own = registry_in(tmp_path)
    bundle = write_classifier(tmp_path / "challenger" / "bundle", seed=7)
    with Tracker(own.uri, tmp_path / "mlflow" / "artifacts").run("shadow", "test", {}) as tracked:
        own.challenge(CLASSIFIER, own.register(CLASSIFIER, bundle, tracked.id, {}))
    return tmp_path


def test_a_challenger_decides_what_was_answered_and_is_never_answered(challenged: Path) -> None:
    version = registry_in(challenged).champion(CLASSIFIER, "challenger")
    champion = registry_in(challenged).champion(CLASSIFIER)
    configs = write_configs(challenged / "configs", refresh_seconds=0.5)
    server = start_server(challenged, TSUR_CONFIGS=str(configs))
    try:
        with server.client as client:

            def challenger() -> dict[str, int] | None:
                shown = {each["name"]: each for each in client.get("/v1/models").json()["models"]}
                found: dict[str, int] | None = shown[CLASSIFIER]["challenger"]
                return found

            assert eventually(lambda: challenger() is not None)
            answer = client.post("/v1/classify", json={"items": ITEMS}).json()
            assert answer["model"]["version"] == str(champion)
            assert eventually(lambda: (challenger() or {}).get("judged") == len(ITEMS))
            shown = challenger()
            assert shown is not None
            assert shown["version"] == str(version)
            assert 0 <= shown["same_topic"] < len(ITEMS)
            assert shown["dropped"] == 0
            registry_in(challenged).models.set_alias(CLASSIFIER, "challenger", None)
            assert eventually(lambda: challenger() is None)
    finally:
        run.stop(server.process)
    stored = rows(f"sqlite:///{challenged}/store.db", "select distinct model_version from shadow_decisions")
    assert stored == [(str(version),)]
    assert rows(f"sqlite:///{challenged}/store.db", "select distinct model_version from decisions") == [
        (str(champion),)
    ]


def test_what_finds_no_place_is_dropped_and_counted(challenged: Path) -> None:
    champions = Champions(registry_in(challenged), REGION)
    store = Store(f"sqlite:///{challenged}/store.db", REGION)
    shadow = Shadow(champions, store.shadows, REGION, waiting=3)
    shadow.offer([Answered(1, "нет воды", None)])  # no challenger yet
    assert shadow.dropped == 0
    champions.refresh()
    numbers = store.decisions.save([decision(id=str(n)) for n in range(5)])
    shadow.offer([Answered(number, "нет воды", None) for number in numbers])
    assert shadow.dropped == 2
    store.erasures.erase(REGION, "0", None, "test")
    assert shadow.once() == 3
    challenger = champions.challenger
    assert challenger is not None
    assert store.shadows.agreement(REGION, challenger.version).judged == 2
    shadow.offer([Answered(numbers[4], "нет воды", None)])
    shadow.forget()
    assert shadow.once() == 0


def test_agreement_counts_equal_labels(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.db", REGION)
    assert store.shadows.agreement(REGION, "9") == Agreement(0, 0, 0, 0, 0)
