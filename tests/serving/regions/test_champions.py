"""The champions: loaded from the registry, replaced when the alias moves, never by a broken one."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from data.errors import BundleError, NoChampionError, NotReadyError, TsurError
from data.store.store import Store
from models.classifier.classifier import Classifier
from models.classifier.smoke import SMOKE, smoke_of
from registry.client import Registry
from serving import launch as run
from serving.regions.champions import Champions
from tests.serving.bundles import CLASSIFIER, FORECASTER, REGION, registry_in, write_classifier
from tests.serving.conftest import RegistryHome, start_server, write_configs

TEXT = {"items": [{"text": "Не вывозят мусор"}]}


def eventually(check: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_before_the_first_look_the_service_is_not_ready(registry: RegistryHome) -> None:
    champions = Champions(registry.opened, REGION)
    with pytest.raises(NotReadyError):
        champions.check_ready()


def test_no_registry_means_no_champion_and_names_the_command(tmp_path: Path) -> None:
    champions = Champions(registry_in(tmp_path), REGION)
    champions.refresh()
    with pytest.raises(NoChampionError, match="tsur train classifier"):
        _ = champions.classifier
    with pytest.raises(NoChampionError, match="tsur train forecaster"):
        _ = champions.forecaster
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_registry_is_logged_not_raised(tmp_path: Path) -> None:
    champions = Champions(Registry("sqlite:////dev/null", tmp_path, Store("sqlite://", REGION).promotions), REGION)
    champions.refresh()
    with pytest.raises(TsurError):
        champions.check_ready()


def test_a_moved_alias_is_followed_and_a_broken_bundle_is_not(
    registry: RegistryHome, classifier_bundle: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / "mlflow" / "artifacts").mkdir(parents=True)
    shutil.copy(registry.home / "mlflow" / "mlflow.db", home / "mlflow" / "mlflow.db")
    own = RegistryHome(home, classifier_bundle.parent)
    configs = write_configs(home / "configs", refresh_seconds=0.5)
    server = start_server(home, TSUR_CONFIGS=str(configs))
    try:
        with server.client as client:

            def version() -> str:
                return str(client.post("/v1/classify", json=TEXT).json()["model"]["version"])

            before = version()
            careful = write_classifier(tmp_path / "careful" / "bundle", threshold=1.01)
            moved = own.register(CLASSIFIER, careful)
            assert moved != before
            assert eventually(lambda: version() == moved)
            assert client.post("/v1/classify", json=TEXT).json()["results"][0]["decision"] == "review"

            broken = write_classifier(tmp_path / "broken" / "bundle")
            (broken / "labels.json").write_text("{}")
            refused = own.register(CLASSIFIER, broken)
            assert eventually(lambda: f"version {refused} cannot be served" in server.output)
            assert version() == moved
            ready = client.get("/readyz")
            assert ready.status_code == 200
            assert [each["version"] for each in ready.json()["refused"]] == [refused]
            shown = {model["name"]: model for model in client.get("/v1/models").json()["models"]}[CLASSIFIER]
            assert (shown["serving"]["version"], shown["refused"]["version"]) == (moved, refused)
            assert "labels.json" in shown["refused"]["reason"]
            assert shown["serving"]["promoted_at"] < shown["serving"]["loaded_at"]

            damaged = write_damaged(tmp_path / "damaged" / "bundle")
            again = own.register(CLASSIFIER, damaged)
            assert eventually(lambda: f"version {again} cannot be served" in server.output)
            assert "decides otherwise here" in client.get("/readyz").json()["refused"][0]["reason"]
            assert version() == moved
            own.opened.promote(CLASSIFIER, int(moved), {}, "test")
            assert eventually(lambda: client.get("/readyz").json()["refused"] == [])
            assert f'version="{moved}"}} 1.0' in client.get("/metrics").text
    finally:
        run.stop(server.process)


def write_damaged(folder: Path) -> Path:
    """A bundle that can be read, and whose weights are not those with which its smoke texts were decided."""
    made = Classifier.load(write_classifier(folder.with_name("made"), seed=1))
    write_classifier(folder, seed=0)
    smoke = smoke_of(made, ["не вывозят мусор", "яма на дороге", "нет воды", "автобус не приходит"])
    (folder / SMOKE).write_text(smoke.model_dump_json(), encoding="utf-8")
    return folder


def test_a_broken_first_bundle_leaves_no_champion(
    registry: RegistryHome, classifier_bundle: Path, tmp_path: Path
) -> None:
    shutil.copy(registry.home / "mlflow" / "mlflow.db", tmp_path / "mlflow.db")
    own = RegistryHome(tmp_path, classifier_bundle.parent)
    (tmp_path / "mlflow" / "artifacts").mkdir(parents=True)
    shutil.move(tmp_path / "mlflow.db", tmp_path / "mlflow" / "mlflow.db")
    empty = tmp_path / "empty" / "bundle"
    empty.mkdir(parents=True)
    (empty / "config.yaml").write_text("format: 99\n")
    own.register(FORECASTER, empty)
    champions = Champions(own.opened, REGION)
    champions.refresh()
    assert champions.classifier.version
    with pytest.raises(BundleError):
        champions.check_ready()


@pytest.mark.parametrize(
    ("has", "answers", "refuses", "trained_by"),
    [
        ("classifier", ("/v1/classify", TEXT), ("/v1/forecast", {}), "tsur train forecaster"),
        ("forecaster", ("/v1/forecast", {}), ("/v1/classify", TEXT), "tsur train classifier"),
    ],
)
def test_a_region_is_ready_for_the_model_that_it_has(
    has: str,
    answers: tuple[str, object],
    refuses: tuple[str, object],
    trained_by: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    (tmp_path / "mlflow" / "artifacts").mkdir(parents=True)
    name = {"classifier": CLASSIFIER, "forecaster": FORECASTER}[has]
    version = RegistryHome(tmp_path, tmp_path).register(name, request.getfixturevalue(f"{has}_bundle"))
    server = start_server(tmp_path)
    try:
        with server.client as client:
            ready = client.get("/readyz").json()
            assert ready["region"] == "verkhnerechye"
            assert ready["serving"] == [{"name": name, "version": version}]
            assert [trained_by in sentence for sentence in ready["missing"]] == [True]
            assert client.post(answers[0], json=answers[1]).status_code == 200
            refused = client.post(refuses[0], json=refuses[1])
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "no_champion")
            assert trained_by in refused.json()["error"]["message"]
    finally:
        run.stop(server.process)


def test_without_champions_the_service_lives_but_is_not_ready(tmp_path: Path) -> None:
    server = start_server(tmp_path, wait_for="/livez")
    try:
        with server.client as client:

            def code(answer: httpx.Response) -> str:
                assert answer.status_code == 503
                return str(answer.json()["error"]["code"])

            assert eventually(lambda: code(client.get("/readyz")) == "no_champion")
            assert code(client.post("/v1/classify", json=TEXT)) == "no_champion"
            assert code(client.post("/v1/forecast", json={})) == "no_champion"
            assert "tsur train" in client.get("/v1/surges").json()["error"]["message"]
            assert client.get("/livez").status_code == 200
    finally:
        assert run.stop(server.process) is not None
