"""The registry: registering is not promoting, promotions are kept, reading creates nothing, addresses stay apart."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from data.errors import BundleError, NoChampionError, StoreError
from data.store.store import Store
from registry.client import Registry
from registry.connection import connected
from registry.names import classifier_name, forecaster_name, region_of
from registry.taking_over import ORIGIN, take_over
from training.tracker import Tracker

NAME = forecaster_name("kursk")


@pytest.fixture()
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/store.db", "kursk")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without anything in it: making one takes MLflow seconds."""
    folder = tmp_path_factory.mktemp("empty")
    connected(f"sqlite:///{folder}/mlflow.db").search_experiments()
    return folder / "mlflow.db"


@pytest.fixture()
def registry(tmp_path: Path, store: Store, empty: Path) -> Registry:
    (tmp_path / "mlflow").mkdir()
    shutil.copy(empty, tmp_path / "mlflow" / "mlflow.db")
    return registry_in(tmp_path, store)


def registry_in(home: Path, store: Store) -> Registry:
    return Registry(f"sqlite:///{home}/mlflow/mlflow.db", home, store.promotions)


def bundle(folder: Path, content: str) -> Path:
    """The smallest folder that goes by the name of a bundle."""
    made = folder / content / "bundle"
    made.mkdir(parents=True, exist_ok=True)
    (made / "content.txt").write_text(content)
    return made


def register(registry: Registry, home: Path, content: str, name: str = NAME) -> int:
    tracker = Tracker(registry.uri, home / "mlflow" / "artifacts")
    with tracker.run(name, "train", {"epochs": 0}) as run:
        run.log_dict({"texts": [content]}, "splits.json")
        return registry.register(name, bundle(home, content), run.id, {"data_fingerprint": content})


def read(folder: Path) -> str:
    return (folder / "content.txt").read_text()


def test_names_belong_to_regions() -> None:
    assert (classifier_name("kursk"), NAME) == ("kursk.complaint-classifier", "kursk.complaint-forecaster")
    assert (region_of(NAME), region_of("complaint-encoder")) == ("kursk", "")


def test_registering_is_not_promoting(registry: Registry, store: Store, tmp_path: Path) -> None:
    version = register(registry, tmp_path, "first")
    with pytest.raises(NoChampionError, match=r"tsur train forecaster --region kursk"):
        registry.champion(NAME)
    assert store.promotions.of("kursk", NAME) == []
    assert read(registry.bundle(NAME, version)) == "first"
    registry.promote(NAME, version, {}, "test")
    register(registry, tmp_path, "second")
    assert registry.champion_bundle(NAME) == (registry.bundle(NAME, version), version)


def test_promotions_are_kept_with_what_speaks_for_them(registry: Registry, store: Store, tmp_path: Path) -> None:
    first, second = register(registry, tmp_path, "first"), register(registry, tmp_path, "second")
    made = [
        registry.promote(NAME, first, {"accuracy": 0.5}, "operator-7"),
        registry.promote(NAME, second, {"accuracy": 0.75}, "tsur train classifier"),
        registry.promote(NAME, first, {"reason": "the second misreads roads"}, "operator-7"),
    ]
    assert registry.champion(NAME) == first
    assert store.promotions.of("kursk", NAME) == made
    assert [(p.version, p.previous_version, p.promoted_by) for p in made] == [
        (first, None, "operator-7"),
        (second, first, "tsur train classifier"),
        (first, second, "operator-7"),
    ]


def test_a_promotion_that_cannot_be_kept_is_none(registry: Registry, store: Store, tmp_path: Path) -> None:
    first, second = register(registry, tmp_path, "first"), register(registry, tmp_path, "second")
    (tmp_path / "file").write_text("no folder")
    broken = registry_in(tmp_path, Store(f"sqlite:///{tmp_path}/file/store.db", "kursk"))
    with pytest.raises(StoreError):
        broken.promote(NAME, first, {}, "test")
    with pytest.raises(NoChampionError):
        registry.champion(NAME)
    registry.promote(NAME, first, {}, "test")
    with pytest.raises(StoreError):
        broken.promote(NAME, second, {}, "test")
    assert registry.champion(NAME) == first


def test_a_version_that_does_not_exist_cannot_be_promoted(registry: Registry, tmp_path: Path) -> None:
    register(registry, tmp_path, "first")
    with pytest.raises(BundleError, match=r"no version 9 of kursk\.complaint-forecaster"):
        registry.promote(NAME, 9, {}, "test")


def test_a_challenger_serves_nobody(registry: Registry, tmp_path: Path) -> None:
    first, second = register(registry, tmp_path, "first"), register(registry, tmp_path, "second")
    registry.promote(NAME, first, {}, "test")
    registry.challenge(NAME, second)
    assert (registry.champion(NAME), registry.champion(NAME, "challenger")) == (first, second)


def test_reading_creates_nothing(store: Store, tmp_path: Path) -> None:
    registry = registry_in(tmp_path, store)
    with pytest.raises(NoChampionError):
        registry.champion(NAME)
    with pytest.raises(BundleError):
        registry.bundle(NAME, 1)
    assert registry.models.versions(NAME) == []
    assert list(tmp_path.iterdir()) == []
    register(registry, tmp_path, "first")
    before = [each.name for each in connected(registry.uri).search_experiments()]
    with pytest.raises(NoChampionError):
        registry.champion(classifier_name("tula"))
    assert [each.name for each in connected(registry.uri).search_experiments()] == before


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """MLflow's process-wide addresses point to a database that is not there."""
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    path = tmp_path / "elsewhere.db"
    mlflow.set_tracking_uri(f"sqlite:///{path}")
    mlflow.set_registry_uri(f"sqlite:///{path}")
    yield path
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


def test_two_registries_side_by_side_and_no_process_wide_address(
    tmp_path: Path, store: Store, empty: Path, elsewhere: Path
) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        (folder / "mlflow").mkdir(parents=True)
        shutil.copy(empty, folder / "mlflow" / "mlflow.db")
    registries = [registry_in(folder, store) for folder in folders]
    versions = [register(each, folder, folder.name) for each, folder in zip(registries, folders, strict=True)]
    assert versions == [1, 1]
    assert [read(each.bundle(NAME, 1)) for each in registries] == ["one", "other"]
    splits = [json.loads(each.run_artifact(NAME, 1, "splits.json")) for each in registries]
    assert splits == [{"texts": ["one"]}, {"texts": ["other"]}]
    assert not elsewhere.exists()


def test_a_downloaded_bundle_is_a_copy(registry: Registry, tmp_path: Path) -> None:
    version = register(registry, tmp_path, "first")
    copy = registry.download(NAME, version, tmp_path / "copy")
    assert (tmp_path / "copy") in copy.parents
    assert read(copy) == "first"


def test_old_names_are_taken_over_on_the_same_artifacts_with_their_aliases(
    registry: Registry, store: Store, tmp_path: Path
) -> None:
    old = "complaint-forecaster"
    for content in ("first", "second", "third"):
        register(registry, tmp_path, content, old)
    client = connected(registry.uri)
    client.set_registered_model_alias(old, "champion", "2")
    client.set_registered_model_alias(old, "challenger", "3")
    client.delete_model_version(old, "1")
    taken = take_over(registry, "kursk")
    assert [(t.old, t.old_version, t.name, t.version) for t in taken] == [(old, 2, NAME, 1), (old, 3, NAME, 2)]
    assert (registry.champion(NAME), registry.champion(NAME, "challenger")) == (1, 2)
    assert read(registry.bundle(NAME, 1)) == "second"
    assert registry.bundle(NAME, 1) == registry.bundle(old, 2), "no artifact is copied"
    assert json.loads(registry.run_artifact(NAME, 1, "splits.json")) == {"texts": ["second"]}
    (promotion,) = store.promotions.of("kursk", NAME)
    assert (promotion.version, promotion.evidence) == (1, {ORIGIN: f"{old}/2"})
    assert take_over(registry, "kursk") == [], "once is enough"


def test_a_champion_of_the_regions_own_is_not_replaced_by_an_old_one(registry: Registry, tmp_path: Path) -> None:
    own = register(registry, tmp_path, "own")
    registry.promote(NAME, own, {}, "test")
    register(registry, tmp_path, "old", "complaint-forecaster")
    connected(registry.uri).set_registered_model_alias("complaint-forecaster", "champion", "1")
    assert len(take_over(registry, "kursk")) == 1
    assert registry.champion(NAME) == own
