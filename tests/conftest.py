"""One installation for the whole session: a small real model, trained by the commands users run."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from data.settings import CHECKOUT, Settings, settings
from tests.postgresql import PostgreSQL, running_postgresql


def tsur(home: Path, *arguments: str, check: bool = True, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a `tsur` command in a process of its own with `home` as its state."""
    done = subprocess.run(
        [sys.executable, "-m", "tsur", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "TSUR_HOME": str(home), "HF_HUB_OFFLINE": "1", "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(f"tsur {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the checkout's own state."""
    os.environ["TSUR_HOME"] = str(tmp_path_factory.mktemp("own-home"))
    settings.cache_clear()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real complaints and counts; tests that need it are skipped without it."""
    folder = Settings().real_data
    if folder is None or not folder.is_dir():
        pytest.skip("TSUR_REAL_DATA names no folder: real complaints and counts are not part of the repository")
    return folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server for the session; tests that need it are skipped where none is installed."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new/store.db"
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    made = server.schema()
    yield made
    server.drop(made)


@pytest.fixture(scope="session")
def small_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged encoder cut to its two lowest layers: real weights, a sixth of the work."""
    from models.encoder.packaged import packaged_file, read_container, write_encoder

    folder = tmp_path_factory.mktemp("encoders") / "two-layers"
    write_encoder(replace(read_container(packaged_file()), layers=2), folder)
    return folder


@pytest.fixture(scope="session")
def small_counts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six series of the simulated region: two municipalities, three sectors."""
    from tsur.samples import sample_counts

    counts = sample_counts()
    places = counts.groupby("municipality")["count"].sum().nlargest(2).index
    kept = counts[counts["municipality"].isin(places) & counts["sector"].isin(["ЖКХ", "Дороги", "Здравоохранение"])]
    path = tmp_path_factory.mktemp("counts") / "counts.csv"
    kept.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, small_encoder: Path, small_counts: Path) -> Path:
    """A home with both champions: a small real classifier of four fifths of the sample, forecasts of six series."""
    home = tmp_path_factory.mktemp("home")
    small = ["encoder=" + str(small_encoder), "max_tokens=48", "holdout=0.2"]
    overrides = [part for item in small for part in ("--set", item)]
    classifier = tsur(home, "train", "classifier", *overrides)
    columns = ["--sector", "sector", "--municipality", "municipality", "--set", "windows=2"]
    forecaster = tsur(home, "train", "forecaster", str(small_counts), *columns)
    (home / "classifier.out").write_text(classifier.stdout, encoding="utf-8")
    (home / "forecaster.out").write_text(forecaster.stdout, encoding="utf-8")
    return home


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> "Callable[[Path], None]":
    """Point this process's settings at a home for one test."""

    def point(home: Path) -> None:
        monkeypatch.setenv("TSUR_HOME", str(home))
        settings.cache_clear()

    yield point  # type: ignore[misc]
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(scope="session")
def sample() -> pd.DataFrame:
    """The bundled complaints, imported."""
    from tsur.samples import sample_complaints

    return sample_complaints()
