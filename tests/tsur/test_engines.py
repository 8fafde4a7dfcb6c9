"""`--engine ray` as users run it: without a network, to the bytes of `--engine local`; what is told where it cannot."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data.errors import ConfigError, InputError
from data.settings import CHECKOUT
from tests.batch.test_classify import write_export
from tests.conftest import tsur
from tests.serving.bundles import CLASSIFIER, register, write_classifier
from tsur.classifying import outputs
from tsur.engines import executor_of


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a champion."""
    made = tmp_path_factory.mktemp("home")
    (made / "mlflow" / "artifacts").mkdir(parents=True)
    register(made, CLASSIFIER, write_classifier(tmp_path_factory.mktemp("classifier") / "bundle"))
    return made


def has_namespaces() -> bool:
    """Whether this user may make a network namespace and raise its loopback."""
    if not shutil.which("unshare") or not shutil.which("ip"):
        return False
    command = ["unshare", "-n", "ip", "link", "set", "lo", "up"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_ray_without_a_network_gives_the_bytes_of_the_local_engine(home: Path, tmp_path: Path):
    pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
    if not has_namespaces():
        pytest.skip("no network namespace can be made here")
    files = [
        str(write_export(tmp_path / f"{name}.csv", rows, bad=(1,))) for name, rows in (("north", 40), ("south", 9))
    ]
    tsur(home, "classify", *files, "--out", str(tmp_path / "here"))
    command = [sys.executable, "-m", "tsur", "classify", *files, "--out", str(tmp_path / "there"), "--engine", "ray"]
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command],
        cwd=CHECKOUT,
        env={**os.environ, "TSUR_HOME": str(home), "HOME": str(tmp_path / "nobody")},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = sorted(path.name for path in (tmp_path / "here").iterdir())
    assert written == ["north.csv", "north.rejects.csv", "south.csv", "south.rejects.csv"]
    for name in written:
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    assert not (tmp_path / "nobody" / ".ray").exists(), "its token is written nowhere"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--address", "127.0.0.1:1"], "--address 127.0.0.1:1 names a cluster: say --engine ray too"),
        (["--engine", "ray", "--address", "127.0.0.1:1"], "no Ray cluster answers at 127.0.0.1:1"),
    ],
)
def test_what_is_wrong_with_the_engine_is_one_sentence(home: Path, tmp_path: Path, options: list[str], message: str):
    done = tsur(home, "classify", str(write_export(tmp_path / "e.csv", 3)), *options, check=False)
    assert done.returncode == 2
    assert message in done.stderr


def test_series_have_the_same_options():
    with executor_of("local", None, block=50) as executor:
        assert executor is None
    with pytest.raises(ConfigError, match="say --engine ray too"), executor_of("local", "127.0.0.1:1", block=50):
        pass


def test_several_files_that_cannot_all_be_used_are_told_and_the_good_ones_are_there(home: Path, tmp_path: Path):
    good, bad = write_export(tmp_path / "good.csv", 5), tmp_path / "bad.csv"
    bad.write_text("number,description\n1,яма\n", encoding="utf-8")
    done = tsur(home, "classify", str(bad), str(good), "--out", str(tmp_path / "out"), check=False)
    assert done.returncode == 2
    assert "1 of 2 files could not be classified whole" in done.stderr
    with (tmp_path / "out" / "good.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file, delimiter=";"))) == 5


@pytest.mark.parametrize(
    ("files", "out", "message"),
    [
        (["a/e.csv", "b/e.csv"], "out", "2 files are called 'e'"),
        (["a/e.csv"], "a/e.csv", "the decisions would overwrite a/e.csv"),
        (["a/e.csv", "a/f.csv"], "a", "the decisions would overwrite a/e.csv"),
    ],
)
def test_decisions_never_overwrite_one_another_or_an_export(files: list[str], out: str, message: str):
    with pytest.raises(InputError, match=message):
        outputs(files, out)


@pytest.mark.parametrize(
    ("files", "out", "there"),
    [
        (["a/e.csv", "f.xlsx"], None, ["decisions/e.csv", "decisions/f.csv"]),
        (["s3://in/e.csv", "f.xlsx"], "s3://out/2026/", ["s3://out/2026/e.csv", "s3://out/2026/f.csv"]),
        (["s3://in/e.csv"], "s3://out/", ["s3://out/e.csv"]),
        (["s3://in/e.csv"], None, ["decisions.csv"]),
    ],
)
def test_decisions_lie_where_they_were_asked_for(files: list[str], out: str | None, there: list[str]):
    assert outputs(files, out) == there


def test_files_of_a_bucket_give_what_files_of_this_machine_give(home: Path, tmp_path: Path):
    (tmp_path / "bucket").mkdir()
    write_export(tmp_path / "bucket" / "north.csv", 12, bad=(1,))
    bucket = f"file://{tmp_path}/bucket"
    tsur(home, "classify", str(tmp_path / "bucket" / "north.csv"), "--out", str(tmp_path / "here.csv"))
    done = tsur(home, "classify", f"{bucket}/north.csv", "--out", f"{bucket}/out/")
    assert f"1 rows set aside → {bucket}/out/north.rejects.csv" in done.stdout
    assert (tmp_path / "bucket" / "out" / "north.csv").read_bytes() == (tmp_path / "here.csv").read_bytes()
    assert [path for path in (home / "classify").rglob("*") if path.is_file()] == [], "no copy stays"


def test_a_disk_that_is_full_is_one_sentence(home: Path, tmp_path: Path):
    full = tmp_path / "full"
    full.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(full)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        export = write_export(tmp_path / "e.csv", 900)
        done = tsur(home, "classify", str(export), "--out", str(full / "out.csv"), check=False)
    finally:
        subprocess.run(["umount", str(full)], check=True)
    assert done.returncode == 2
    assert "No space left on device; finished chunks stay" in done.stderr
