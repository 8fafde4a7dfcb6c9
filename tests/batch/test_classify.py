"""Classifying a file: every row once and in order, whenever the run is killed, in memory that stays."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batch import classify
from batch.classify import ClassifyRun, rejects_path
from batch.journal import Journal
from data.complaints.sources import load_source
from data.errors import ColumnsError, FileError, InputError
from data.settings import CHECKOUT
from models.classifier.classifier import Classifier
from models.encoder.onnx_runtime import Encoders
from tests.serving.bundles import write_classifier

SOURCE = load_source("generic", CHECKOUT / "configs" / "sources").without_labels()
TEXTS = ["не вывозят мусор", "яма на дороге", "нет горячей воды", "автобус не приходит", "спасибо за сквер"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny classifier bundle."""
    return write_classifier(tmp_path_factory.mktemp("classifier") / "bundle")


@pytest.fixture(scope="module")
def classifier(bundle: Path) -> Classifier:
    """That bundle, loaded."""
    return Classifier.load(bundle)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(classify, "CHUNK", 8)


def write_export(path: Path, rows: int, bad: tuple[int, ...] = ()) -> Path:
    """`rows` complaints with the ids 0, 1, …; those in `bad` have no text."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "created_at"])
        for n in range(rows):
            writer.writerow([n, "" if n in bad else f"{TEXTS[n % 5]} {n}", "2026-01-05"])
    return path


def ids(path: Path) -> list[int]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [int(row["id"]) for row in csv.DictReader(file)]


def run(classifier: Classifier, export: Path, out: Path, version: str = "1") -> ClassifyRun:
    return ClassifyRun(classifier, version, export, SOURCE, None, out)


class KilledError(Exception):
    """Stands for a kill, after so many calls of the progress."""


def kill_after(rows: int):
    def progress(done: int) -> None:
        if done >= rows:
            raise KilledError

    return progress


def test_rows_come_out_once_and_in_order_and_bad_ones_go_to_their_file(classifier: Classifier, tmp_path: Path):
    out = tmp_path / "out" / "decisions.csv"
    done = run(classifier, write_export(tmp_path / "e.csv", 30, bad=(3, 29)), out).finish(lambda _: None)
    assert ids(out) == [n for n in range(30) if n not in (3, 29)]
    assert (done.read, done.rows, done.rejected) == (30, 28, 2)
    with rejects_path(out).open(encoding="utf-8-sig", newline="") as file:
        assert [row["line"] for row in csv.DictReader(file)] == ["5", "31"]
    assert sorted(path.name for path in out.parent.iterdir()) == ["decisions.csv", "decisions.rejects.csv"]


def test_decisions_are_those_of_the_classifier(classifier: Classifier, tmp_path: Path):
    out = tmp_path / "decisions.csv"
    run(classifier, write_export(tmp_path / "e.csv", 20), out).finish(lambda _: None)
    expected = classifier.classify([f"{TEXTS[n % 5]} {n}" for n in range(20)])
    with out.open(encoding="utf-8-sig", newline="") as file:
        for row, item in zip(csv.DictReader(file), expected, strict=True):
            assert (row["decision"], row["topic"], row["agency"]) == (
                item.decision,
                item.topic.label,
                item.agency.label,
            )
            assert float(row["agency_confidence"]) == pytest.approx(item.agency.confidence, abs=1e-4)


@pytest.mark.parametrize("after", [1, 9, 24, 40, 43])
def test_a_run_that_ends_early_goes_on_behind_its_last_whole_chunk(classifier: Classifier, tmp_path: Path, after: int):
    export, out, whole = write_export(tmp_path / "e.csv", 43, bad=(2, 20)), tmp_path / "out.csv", tmp_path / "whole.csv"
    run(classifier, export, whole).finish(lambda _: None)
    with pytest.raises(KilledError):
        run(classifier, export, out).finish(kill_after(after))
    assert not out.exists()
    with out.with_name("out.csv.partial").open("a", encoding="utf-8") as file:
        file.write("half a li")  # what a kill in the middle of a chunk leaves
    again = run(classifier, export, out)
    assert again.done.read >= after
    again.finish(lambda _: None)
    assert out.read_bytes() == whole.read_bytes()
    assert rejects_path(out).read_bytes() == rejects_path(whole).read_bytes()


@pytest.mark.parametrize("change", ["file", "version", "partial"])
def test_another_file_or_model_begins_anew(classifier: Classifier, tmp_path: Path, change: str):
    export, out = write_export(tmp_path / "e.csv", 43), tmp_path / "out.csv"
    with pytest.raises(KilledError):
        run(classifier, export, out).finish(kill_after(20))
    if change == "file":
        write_export(export, 50)
    elif change == "partial":
        out.with_name("out.csv.partial").write_text("lost")
    again = run(classifier, export, out, version="2" if change == "version" else "1")
    assert again.done.read == 0
    again.finish(lambda _: None)
    assert ids(out) == list(range(50 if change == "file" else 43))


def test_a_file_without_a_good_row_is_refused_and_leaves_only_the_rejects(classifier: Classifier, tmp_path: Path):
    export, out = write_export(tmp_path / "e.csv", 3, bad=(0, 1, 2)), tmp_path / "out.csv"
    with pytest.raises(InputError, match="none of 3 rows can be used; line 2: the text is empty"):
        run(classifier, export, out).finish(lambda _: None)
    assert not out.exists()
    assert rejects_path(out).exists()


@pytest.mark.parametrize("content", [None, "", "number,description\n1,яма\n"])
def test_an_unusable_file_leaves_nothing_behind(classifier: Classifier, tmp_path: Path, content: str | None):
    export, out = tmp_path / "e.csv", tmp_path / "out" / "out.csv"
    if content is not None:
        export.write_text(content, encoding="utf-8")
    with pytest.raises((FileError, ColumnsError)):
        run(classifier, export, out).finish(lambda _: None)
    assert not out.parent.exists()


KILLED = """
import sys, time
from pathlib import Path
from models.classifier.classifier import Classifier
from models.encoder.onnx_runtime import Encoders
from tests.batch.test_classify import run
from batch import classify
classify.CHUNK = 8
job = run(Classifier.load(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))
job.finish(lambda rows: (print(rows, flush=True), time.sleep(0.02)))
"""


def test_a_killed_process_loses_and_repeats_nothing(bundle: Path, classifier: Classifier, tmp_path: Path):
    export, out = write_export(tmp_path / "e.csv", 400, bad=(100, 399)), tmp_path / "out.csv"
    command = [sys.executable, "-c", KILLED, str(bundle), str(export), str(out)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 80:
            os.kill(process.pid, signal.SIGKILL)
            break
    process.wait()
    time.sleep(0.05)
    assert not out.exists()
    again = run(classifier, export, out)
    assert again.done.read >= 72
    assert again.finish(lambda _: None).rejected == 2
    assert ids(out) == [n for n in range(400) if n not in (100, 399)]


def test_a_journal_that_is_no_journal_is_as_good_as_none(tmp_path: Path):
    path = tmp_path / "out.csv"
    for content in ("", "{", "[]", '{"key": "k", "sizes": [3], "state": {}}'):
        path.with_name("out.csv.journal").write_text(content)
        assert Journal([path], "k").state == {}


def test_memory_does_not_grow_with_the_rows(classifier: Classifier, tmp_path: Path):
    import tracemalloc

    run(classifier, write_export(tmp_path / "first.csv", 200), tmp_path / "first.out.csv").finish(lambda _: None)
    peaks = []
    for rows in (1000, 4000):  # several chunks both, for the next one is read ahead
        export = write_export(tmp_path / f"{rows}.csv", rows)
        tracemalloc.start()
        small = Classifier(classifier.bundle, Encoders(cached=16))
        run(small, export, tmp_path / "out.csv").finish(lambda _: None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
