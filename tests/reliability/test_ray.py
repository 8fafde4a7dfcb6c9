"""Machines of a Ray cluster that are killed: every row and every series comes out once, as a run on this machine says.

Two machines are two raylets on this one. The second is killed when 30 % of the rows are there, later the head, which
takes the run with it; then all is started again. The short form has some thousand rows and a few dozen series, the long
one (`make test-reliability-long`) 60,000 rows with random kills, and 5,000 series.
"""

import random
import secrets
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")

from batch import classify
from batch.classify import ClassifyRun, rejects_path
from batch.classify_chunk import classify_here
from data.settings import CHECKOUT
from models.classifier.classifier import Classifier
from models.encoder.artifact import ENCODERS
from tests.batch.test_classify import SOURCE, ids, write_export
from tests.reliability import ray_series
from tests.serving.bundles import write_classifier

Process = subprocess.Popen[str]


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machines of this cluster know one another by."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))


class Machines:
    """The processes of a cluster and its driver; all are killed in the end."""

    def __init__(self) -> None:
        self.processes: list[Process] = []

    def start(self, module: str, *arguments: str) -> Process:
        command = [sys.executable, "-m", f"tests.reliability.{module}", *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.processes.append(subprocess.Popen(command, cwd=CHECKOUT, **pipes))
        return self.processes[-1]

    def cluster(self) -> tuple[Process, Process, str]:
        """A head and a second machine, and the address."""
        head = self.start("ray_machine")
        address = told(head)
        second = self.start("ray_machine", address)
        told(second)
        return head, second, address

    def kill(self, *processes: Process) -> None:
        for process in processes:
            process.kill()
            process.communicate()


@pytest.fixture()
def machines() -> Iterator[Machines]:
    made = Machines()
    yield made
    made.kill(*(process for process in made.processes if process.poll() is None))


def told(process: Process) -> str:
    """The next line of a process."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the process ended with {process.poll()}"
    return line.strip()


def rows_told(driver: Process) -> int:
    """The next number that a driver tells; Ray tells of machines that died in between."""
    while not (line := told(driver)).isdigit():
        pass
    return int(line)


def go_on(driver: Process) -> int:
    """Let a driver take the next chunk; the rows that are there then."""
    assert driver.stdin is not None
    driver.stdin.write("\n")
    driver.stdin.flush()
    return rows_told(driver)


def read_until(driver: Process, rows: int) -> int:
    """Let a driver go on until so many rows are there."""
    read = 0
    while read < rows:
        read = go_on(driver)
    return read


@pytest.fixture()
def export(tmp_path: Path) -> Path:
    """Where an export lies, beside a bundle."""
    write_classifier(tmp_path / "classifier" / "bundle")
    return tmp_path / "export.csv"


def on_this_machine(export: Path, rows_per_chunk: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the local engine writes."""
    monkeypatch.setattr(classify, "ROWS_PER_CHUNK", rows_per_chunk)
    out = export.with_name("local.csv")
    engine = partial(classify_here, Classifier.load(export.parent / "classifier" / "bundle"))
    ClassifyRun("1", export, SOURCE, None, out).finish(engine, lambda rows: None)
    return out


def driver_of(machines: Machines, address: str, export: Path, rows_per_chunk: int) -> tuple[Process, int]:
    """A driver on the cluster, and the rows that it found."""
    folder = export.parent / "classifier"
    paths = [str(folder / "bundle"), str(folder / ENCODERS), str(export), str(export.with_name("ray.csv"))]
    driver = machines.start("ray_driver", address, *paths, str(rows_per_chunk))
    return driver, rows_told(driver)


def check(export: Path, local: Path, rows: int, bad: tuple[int, ...]) -> None:
    """Nothing is lost, doubled or other than the local engine's."""
    out = export.with_name("ray.csv")
    assert ids(out) == [number for number in range(rows) if number not in bad]
    assert out.read_bytes() == local.read_bytes()
    assert rejects_path(out).read_bytes() == rejects_path(local).read_bytes()
    assert not list(export.parent.glob("ray.csv.*"))


def test_a_machine_and_then_the_head_are_killed_and_nothing_is_lost_or_doubled(
    export: Path, machines: Machines, monkeypatch: pytest.MonkeyPatch
):
    rows, bad, per_chunk = 1200, (7, 1100), 50
    write_export(export, rows, bad)
    local = on_this_machine(export, per_chunk, monkeypatch)
    head, second, address = machines.cluster()
    driver, found = driver_of(machines, address, export, per_chunk)
    assert found == 0
    rows_told(driver)
    read_until(driver, int(0.3 * rows))
    machines.kill(second)
    read_until(driver, int(0.6 * rows))
    machines.kill(head, driver)
    assert not export.with_name("ray.csv").exists()
    _, _, address = machines.cluster()
    driver, found = driver_of(machines, address, export, per_chunk)
    assert 0.6 * rows <= found < rows, "what was finished stays"
    rows_told(driver)
    driver.communicate("\n" * rows)
    assert driver.returncode == 0
    check(export, local, rows, bad)


def series_with_a_machine_lost(machines: Machines, out: Path, count: int) -> None:
    """Backtest so many series while one of two machines is lost; the numbers are this machine's."""
    _, second, address = machines.cluster()
    driver = machines.start("ray_series", address, str(count), str(out))
    rows_told(driver)
    read_until(driver, int(0.3 * count))
    machines.kill(second)
    driver.communicate("\n" * count)
    assert driver.returncode == 0
    pd.testing.assert_frame_equal(
        pd.read_parquet(out), ray_series.predictions(count, None, None), check_exact=True, check_dtype=False
    )


@pytest.mark.reliability
def test_series_are_fitted_though_a_machine_is_lost(machines: Machines, tmp_path: Path):
    series_with_a_machine_lost(machines, tmp_path / "predictions.parquet", 100)


@pytest.mark.reliability
def test_five_thousand_series_are_fitted_though_a_machine_is_lost(machines: Machines, tmp_path: Path):
    series_with_a_machine_lost(machines, tmp_path / "predictions.parquet", 5000)


@pytest.mark.reliability
def test_machines_that_are_killed_at_random_lose_and_double_nothing(
    export: Path, machines: Machines, monkeypatch: pytest.MonkeyPatch
):
    rows, bad, per_chunk, rng = 60_000, (7, 59_999), 500, random.Random(0)
    write_export(export, rows, bad)
    local = on_this_machine(export, per_chunk, monkeypatch)
    read = kills = heads = 0
    while read < 0.9 * rows:
        head, second, address = machines.cluster()
        driver, read = driver_of(machines, address, export, per_chunk)
        rows_told(driver)
        for _ in range(3):
            read = read_until(driver, read + rng.randint(1, 8) * per_chunk)
            machines.kill(second)
            second = machines.start("ray_machine", address)
            told(second)
            kills += 1
        machines.kill(head, driver, second)
        heads += 1
    _, _, address = machines.cluster()
    driver, read = driver_of(machines, address, export, per_chunk)
    driver.communicate("\n" * rows)
    print(f"\n{rows} rows, {kills} machines and {heads} heads killed; the last run began at row {read}; nothing lost")
    check(export, local, rows, bad)
