"""The doctor: a sound installation has nothing, and each thing that is wrong is told with what to do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from data.store.jobs import NewJob
from data.store.store import Store
from tests.conftest import tsur
from tests.data.store.rows import REGION
from tests.serving.bundles import CLASSIFIER, register
from tests.serving.regions.test_champions import write_damaged
from tsur import doctor
from tsur.doctor import Finding, examine


def bad() -> list[Finding]:
    return [finding for finding in examine() if finding.level == "bad"]


def test_a_sound_installation_has_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "TOO_LITTLE", 1)
    assert bad() == []


def make_wrong_jobs(home: Path) -> None:
    store = Store(f"sqlite:///{home}/store.db", REGION)
    store.jobs.add(NewJob("a", REGION, "k", "n.csv", "upload.csv", 1, "generic", None))
    engine = create_engine(f"sqlite:///{home}/store.db")
    with engine.begin() as connection:
        connection.execute(text("update jobs set created_at = '2026-01-01 00:00:00'"))


def make_wrong_clock(home: Path) -> None:
    engine = create_engine(f"sqlite:///{home}/store.db")
    with engine.begin() as connection:
        later = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%d %H:%M:%S.%f")
        connection.execute(text("update decisions set received_at = :later"), {"later": later})


def make_wrong_champion(home: Path) -> None:
    register(home, CLASSIFIER, write_damaged(home / "damaged" / "bundle"))


@pytest.mark.parametrize(
    ("make_wrong", "told", "to_do"),
    [
        (make_wrong_jobs, "nobody works on them", "tsur worker"),
        (make_wrong_clock, "the newest decision is of", "set it"),
        (make_wrong_champion, "decides otherwise here", "promote an earlier version"),
        (lambda home: (home / "store.db").chmod(0o604), "open to every user", "chmod o-rwx"),
        (lambda home: (home / "store.db").write_bytes(b"x" * 8192), "the store cannot be read", "mend"),
        (lambda home: (home / "mlflow" / "mlflow.db").unlink(), "there is no registry", "train a model"),
    ],
    ids=["jobs", "clock", "champion", "permissions", "store", "registry"],
)
def test_what_is_wrong_is_told_with_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch, make_wrong: Callable[[Path], object], told: str, to_do: str
) -> None:
    monkeypatch.setattr(doctor, "TOO_LITTLE", 1)
    make_wrong(home)
    matching = [finding for finding in bad() if told in finding.what]
    assert matching, bad()
    assert to_do in matching[0].do


def test_a_full_disk_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "TOO_LITTLE", 1 << 60)
    assert any("GiB free" in finding.what for finding in bad())


def test_the_command_ends_with_1_where_something_is_wrong(home: Path) -> None:
    (home / "mlflow" / "mlflow.db").unlink()
    done = tsur(home, "doctor", check=False)
    assert done.returncode == 1
    assert "there is no registry" in done.stdout
    assert not (home / "mlflow" / "mlflow.db").exists()
