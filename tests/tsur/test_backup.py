"""Backup and restore: what was decided before is decided after, in another home too; a broken copy is refused."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from data.errors import ConfigError, FileError
from data.store.copying import copy_store, restore_store
from data.store.store import Store
from models.classifier.classifier import Classifier
from models.encoder.onnx_runtime import Encoders
from tests.conftest import tsur
from tests.data.store.rows import REGION, decision, rows
from tests.serving.bundles import CLASSIFIER, registry_in
from tests.serving.workers import TEXTS
from tsur.backup import MANIFEST, back_up, restore


def decisions(home: Path) -> list[tuple[str, float]]:
    registry = registry_in(home)
    folder, _ = registry.champion_bundle(CLASSIFIER)
    decided = Classifier.load(folder, Encoders(folder=registry.encoders)).classify(TEXTS)
    return [(each.topic.label, each.agency.confidence) for each in decided]


def test_what_is_restored_elsewhere_decides_and_holds_the_same(
    home: Path, tmp_path: Path, at_home: Callable[[Path], None]
) -> None:
    before, copy = decisions(home), tmp_path / "copy"
    back_up(copy, with_registry=True)
    assert copy.stat().st_mode & 0o777 == 0o700
    Store(f"sqlite:///{home}/store.db", REGION).decisions.save([decision(id="later")])
    other = tmp_path / "other"
    at_home(other)
    restore(copy)
    shutil.rmtree(home)
    assert decisions(other) == before
    assert rows(f"sqlite:///{other}/store.db", "select id from decisions") == [("1",)]
    assert rows(f"sqlite:///{other}/store.db", "select version from promotions") == [(1,)]


def test_a_copy_that_is_not_what_was_backed_up_is_refused_before_anything_is_changed(
    home: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    back_up(copy, with_registry=True)
    with pytest.raises(FileError, match="is there already"):
        back_up(copy, with_registry=True)
    with (copy / "store.db").open("ab") as file:
        file.write(b"x")
    before = (home / "store.db").read_bytes()
    with pytest.raises(FileError, match=r"store\.db is missing or is not what was backed up"):
        restore(copy)
    assert (home / "store.db").read_bytes() == before
    with pytest.raises(FileError, match="is no backup"):
        restore(tmp_path)


def test_a_registry_that_is_a_server_is_told(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from data.settings import settings

    monkeypatch.setenv("TSUR_TRACKING_URI", "http://mlflow:5000")
    settings.cache_clear()
    with pytest.raises(ConfigError, match="is a server"):
        back_up(tmp_path / "copy", with_registry=True)
    assert not (tmp_path / "copy").exists()
    assert json.loads(json.dumps(back_up(tmp_path / "copy", with_registry=False)))["artifacts"] is None


def test_both_databases_are_copied_and_put_back(url: str, tmp_path: Path) -> None:
    store = Store(url, REGION)
    if url.startswith("postgresql") and shutil.which("pg_dump") is None:
        pytest.skip("PostgreSQL's client programs are not installed")
    store.decisions.save([decision()])
    copy_store(url, tmp_path)
    store.decisions.save([decision(id="later")])
    store.close()
    restore_store(url, tmp_path)
    assert rows(url, "select id from decisions") == [("1",)]
    with pytest.raises(FileError, match="of another kind"):
        restore_store(url, tmp_path / MANIFEST)


def test_what_was_erased_since_the_backup_is_erased_in_what_is_restored(home: Path, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{home}/store.db", REGION)
    store.decisions.save([decision(id="erased"), decision(id="stays")])
    back_up(tmp_path / "copy", with_registry=False)
    store.erasures.erase(REGION, "erased", None, "tsur erase")
    store.close()
    assert restore(tmp_path / "copy")["erased_again"] == 1
    assert ("erased",) not in rows(f"sqlite:///{home}/store.db", "select id from decisions")
    assert ("stays",) in rows(f"sqlite:///{home}/store.db", "select id from decisions")
    (home / "store.db").write_bytes(b"what a broken disk has left")
    for side in ("-wal", "-shm"):
        (home / f"store.db{side}").unlink(missing_ok=True)
    assert restore(tmp_path / "copy")["erased_again"] is None


def test_the_commands_tell_what_they_did(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert str(copy) in tsur(home, "backup", str(copy)).stdout
    assert "restored" in tsur(home, "restore", str(copy), "--yes").stdout
    refused = tsur(home, "restore", str(tmp_path / "nothing"), "--yes", check=False)
    assert (refused.returncode, "is no backup" in refused.stderr) == (2, True)
    assert os.listdir(home)  # noqa: PTH208
