"""The executor of a cluster: every job has its result or its failure, in a real Ray on this machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")

from batch import classify
from batch.classify import ClassifyRun, complete, rejects_path
from batch.classify_chunk import ClassifyChunk, classify_here
from batch.executor import Failure
from batch.ray_cluster import STORE_BYTES, connected
from batch.ray_executor import RayExecutor, SharedFrames, code_version
from data.errors import BundleError, EngineError, InputError
from data.settings import CHECKOUT
from models.classifier.classifier import Classifier
from models.encoder.artifact import ENCODERS
from tests.batch import ray_jobs
from tests.batch.ray_jobs import Cube, Square
from tests.batch.test_classify import SOURCE, write_export
from tests.serving.bundles import write_classifier


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Ray on this machine with two workers, which find the tests' modules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))
        with connected(workers=2):
            yield


@pytest.mark.parametrize("block", [1, 3, 50])
def test_each_job_comes_once_with_its_own_result(block: int):
    jobs = [*(Square(n) for n in range(9)), *(Cube(n) for n in range(9, 12))]
    results = sorted((job.number, square) for job, square in RayExecutor(block).map(ray_jobs.squared, jobs))
    assert results == [(number, number**2) for number in range(12)]


def test_blocks_hold_jobs_of_one_kind_and_leave_no_core_without():
    jobs = [*(Square(n) for n in range(3)), *(Cube(n) for n in range(40))]
    blocks = list(RayExecutor(50)._blocks(jobs))
    assert [len(block) for block in blocks] == [1, 1, 1, *[5] * 8]
    assert [len(block) for block in RayExecutor(50)._blocks([Cube(n) for n in range(900)])] == [50] * 18


def test_a_stream_of_jobs_is_taken_as_workers_become_free():
    taken = []

    def stream() -> Iterator[Square]:
        for number in range(30):
            taken.append(number)
            yield Square(number)

    for ended, _ in enumerate(RayExecutor().attempts(ray_jobs.squared, stream())):
        assert len(taken) <= ended + 1 + 4, "two run, two wait"


def test_a_frame_that_jobs_share_is_sent_once():
    frame = pd.DataFrame({"x": range(200_000)})
    shared = SharedFrames()
    sent = [shared.without(Square(n, frame)) for n in range(3)]
    assert len({ref["frame"] for _, ref in sent}) == 1
    assert [job.frame for job, _ in sent] == [None] * 3
    results = {job.number: total for job, total in RayExecutor(2).map(ray_jobs.sum_of_frame, [Square(1, frame)])}
    assert results == {1: frame["x"].sum() + 1}


def test_a_failure_is_told_beside_the_results_and_never_in_its_own_words():
    outcomes = {
        job.number: each for job, each in RayExecutor().attempts(ray_jobs.failing_at_three, map(Square, range(5)))
    }
    failure = outcomes.pop(3)
    assert outcomes == {0: 0, 1: 1, 2: 2, 4: 4}
    assert isinstance(failure, Failure)
    assert failure.reason.startswith("ValueError at ray_jobs.py:")


def test_an_error_of_ours_reaches_the_caller():
    with pytest.raises(InputError, match="no square of 1"):
        list(RayExecutor().map(ray_jobs.refusing, [Square(1)]))


@pytest.mark.parametrize("block", [1, 10])
def test_a_job_that_kills_its_worker_each_time_is_set_aside_and_the_others_end(
    block: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("batch.ray_executor.RETRIES", 1)
    jobs = [Square(n) for n in range(2, 5)]
    outcomes = {job.number: each for job, each in RayExecutor(block).attempts(ray_jobs.killing_at_three, jobs)}
    failure = outcomes.pop(3)
    assert outcomes == {2: 2, 4: 4}
    assert isinstance(failure, Failure)
    assert "its worker, which died 2 times" in failure.reason


def test_a_disk_that_is_full_on_the_only_machine_is_a_failure(tmp_path: Path):
    ((_, failure),) = RayExecutor().attempts(ray_jobs.on_a_full_disk, [Square(0, note=tmp_path / "note")])
    assert isinstance(failure, Failure)
    assert failure.reason == "OSError: No space left on device"


def test_a_worker_with_another_tsur_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("batch.ray_executor.code_version", lambda: "TSUR 0.0.9 (aaaaaaaaaaaa)")
    with pytest.raises(EngineError, match=r"the worker on .* has TSUR .*0\.0\.9 .*: install the same TSUR on both"):
        list(RayExecutor().map(ray_jobs.squared, [Square(1)]))
    assert code_version().startswith("TSUR ")


def test_it_listens_on_the_loopback_address_alone_and_its_store_is_bounded():
    import psutil
    import ray

    processes = psutil.Process().children(recursive=True)
    listening = {
        socket.laddr.ip
        for process in processes
        if process.status() != psutil.STATUS_ZOMBIE
        for socket in process.net_connections("inet")
        if socket.status == psutil.CONN_LISTEN
    }
    assert listening
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    assert ray.cluster_resources()["object_store_memory"] <= STORE_BYTES == 200_000_000
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


OTHER_RAY = """
import sys, ray
ray.__version__ = "2.9.0"
from batch.ray_cluster import connected
from data.errors import EngineError
try:
    with connected(sys.argv[1]):
        pass
except EngineError as error:
    print(error.message)
"""


def test_a_cluster_of_another_ray_is_refused():
    import ray

    address = ray.get_runtime_context().gcs_address
    done = subprocess.run(
        [sys.executable, "-c", OTHER_RAY, address],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert f"the cluster at {address} runs another Ray or Python than this machine" in done.stdout
    assert "2.60.0" in done.stdout


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classifier(tmp_path_factory.mktemp("classifier") / "bundle")


def runs_of(exports: list[Path], folder: str) -> list[ClassifyRun]:
    return [ClassifyRun("1", export, SOURCE, None, export.parent / folder / export.name) for export in exports]


def test_several_files_are_classified_to_the_bytes_of_the_local_engine(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(classify, "ROWS_PER_CHUNK", 16)
    exports = [write_export(tmp_path / f"{n}.csv", rows, bad=(2, 20)) for n, rows in enumerate((43, 16, 100))]
    here, there = runs_of(exports, "here"), runs_of(exports, "there")
    complete(here, partial(classify_here, Classifier.load(bundle)), lambda rows: None)
    complete(there, partial(RayExecutor().attempts, ClassifyChunk(bundle, bundle.parent / ENCODERS)), lambda rows: None)
    for one, other in zip(here, there, strict=True):
        assert one.done == other.done
        assert one.out.read_bytes() == other.out.read_bytes()
        assert rejects_path(one.out).read_bytes() == rejects_path(other.out).read_bytes()


def test_a_worker_without_the_bundle_says_which_machine_and_what_to_do(tmp_path: Path):
    (run,) = runs_of([write_export(tmp_path / "e.csv", 5)], "out")
    engine = partial(RayExecutor().attempts, ClassifyChunk(tmp_path / "nowhere", tmp_path / ENCODERS))
    with pytest.raises(BundleError, match=r"there is no bundle at .*nowhere: share the home .* or copy it"):
        run.finish(engine, lambda rows: None)
