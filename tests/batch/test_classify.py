"""Classifying a file: every row once and in order, whenever the run is killed, in memory that stays."""

import csv
import gc
import random
import signal
import subprocess
import sys
import time
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from batch import classify, classify_chunk
from batch.chunks import MANIFEST
from batch.classify import ClassifyRun, chunks_folder, complete, failed_path, rejects_path
from batch.classify_chunk import Classified, classify_here
from data.complaints.importing import checked_rows
from data.complaints.sources import load_source
from data.errors import ColumnsError, FileError, InputError, PartsFailedError
from data.settings import CHECKOUT
from models.classifier.classifier import Classifier
from models.encoder.onnx_runtime import Encoders
from tests.serving.bundles import write_classifier

SOURCE = load_source("generic", CHECKOUT / "configs" / "sources", timezone="Europe/Moscow").without_labels()
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
    monkeypatch.setattr(classify, "ROWS_PER_CHUNK", 8)


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
        return [int(row["id"]) for row in csv.DictReader(file, delimiter=";")]


class HereRun(ClassifyRun):
    """A run in this process."""

    def __init__(self, classifier: Classifier, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.engine = partial(classify_here, classifier)

    def finish_here(self, *progress: Any) -> Classified:
        return self.finish(self.engine, *progress)


def run(classifier: Classifier, export: Path, out: Path, version: str = "1") -> HereRun:
    return HereRun(classifier, version, export, SOURCE, None, out)


class KilledError(Exception):
    """Stands for a kill, after so many calls of the progress."""


def kill_after(rows: int):
    def progress(done: int) -> None:
        if done >= rows:
            raise KilledError

    return progress


def test_rows_come_out_once_and_in_order_and_bad_ones_go_to_their_file(classifier: Classifier, tmp_path: Path):
    out = tmp_path / "out" / "decisions.csv"
    done = run(classifier, write_export(tmp_path / "e.csv", 30, bad=(3, 29)), out).finish_here(lambda _: None)
    assert ids(out) == [n for n in range(30) if n not in (3, 29)]
    assert (done.read, done.rows, done.rejected) == (30, 28, 2)
    with rejects_path(out).open(encoding="utf-8-sig", newline="") as file:
        assert [row["line"] for row in csv.DictReader(file, delimiter=";")] == ["5", "31"]
    assert sorted(path.name for path in out.parent.iterdir()) == ["decisions.csv", "decisions.rejects.csv"]


def test_decisions_are_those_of_the_classifier(classifier: Classifier, tmp_path: Path):
    out = tmp_path / "decisions.csv"
    run(classifier, write_export(tmp_path / "e.csv", 20), out).finish_here(lambda _: None)
    expected = classifier.classify([f"{TEXTS[n % 5]} {n}" for n in range(20)])
    with out.open(encoding="utf-8-sig", newline="") as file:
        for row, item in zip(csv.DictReader(file, delimiter=";"), expected, strict=True):
            assert (row["decision"], row["topic"], row["agency"]) == (
                item.decision,
                item.topic.label,
                item.agency.label,
            )
            assert float(row["agency_confidence"]) == pytest.approx(item.agency.confidence, abs=1e-4)


def test_a_row_without_a_known_place_is_decided_and_says_so(classifier: Classifier, tmp_path: Path):
    export, out = tmp_path / "e.csv", tmp_path / "decisions.csv"
    places = ["Верхнереченск", "Атлантида", "", "г. Верхнереченск", "Атлантида"]
    rows = [f"{n},Не вывозят мусор {n},2026-01-05,{place}\n" for n, place in enumerate(places)]
    export.write_text("id,text,created_at,municipality\n" + "".join(rows), encoding="utf-8")
    work = run(classifier, export, out)
    done = work.finish_here(lambda _: None)
    assert (done.rows, done.rejected, done.unplaced, work.unknown_places) == (5, 0, 2, {"Атлантида": 2})
    with out.open(encoding="utf-8-sig", newline="") as file:
        cells = [(row["municipality"], row["notes"]) for row in csv.DictReader(file, delimiter=";")]
    assert cells == [
        ("Верхнереченск", ""),
        ("", "unknown_municipality"),
        ("", "no_municipality"),
        ("Верхнереченск", ""),
        ("", "unknown_municipality"),
    ]


@pytest.mark.parametrize("after", [1, 9, 24, 40, 43])
def test_a_run_that_ends_early_goes_on_behind_its_last_whole_chunk(classifier: Classifier, tmp_path: Path, after: int):
    export, out, whole = write_export(tmp_path / "e.csv", 43, bad=(2, 20)), tmp_path / "out.csv", tmp_path / "whole.csv"
    run(classifier, export, whole).finish_here(lambda _: None)
    with pytest.raises(KilledError):
        run(classifier, export, out).finish_here(kill_after(after))
    assert not out.exists()
    (chunks_folder(out) / f"{99:08}.jsonl.host-1.partial").write_text("half a li")  # what a kill leaves
    again = run(classifier, export, out)
    assert again.done.read >= after
    again.finish_here(lambda _: None)
    assert out.read_bytes() == whole.read_bytes()
    assert rejects_path(out).read_bytes() == rejects_path(whole).read_bytes()
    assert not chunks_folder(out).exists()


def test_chunks_that_others_finished_are_taken_in_whatever_order_they_came(classifier: Classifier, tmp_path: Path):
    export, out, whole = write_export(tmp_path / "e.csv", 43, bad=(2, 20)), tmp_path / "out.csv", tmp_path / "whole.csv"
    run(classifier, export, whole).finish_here(lambda _: None)
    with pytest.raises(KilledError):
        run(classifier, export, out).finish_here(kill_after(43))
    for number in (1, 4):
        (chunks_folder(out) / f"{number:08}.jsonl").unlink()
    again = run(classifier, export, out)
    assert again.done.read == 43 - 16
    classified: list[int] = []
    again.finish_here(classified.append)
    assert classified == [43 - 8, 43], "only those that were missing"
    assert out.read_bytes() == whole.read_bytes()
    assert rejects_path(out).read_bytes() == rejects_path(whole).read_bytes()


def test_a_copy_of_the_export_goes_on_where_the_other_was(classifier: Classifier, tmp_path: Path):
    export, out = write_export(tmp_path / "e.csv", 43), tmp_path / "out.csv"
    with pytest.raises(KilledError):
        run(classifier, export, out).finish_here(kill_after(20))
    (tmp_path / "elsewhere").mkdir()
    assert run(classifier, export.rename(tmp_path / "elsewhere" / "e.csv"), out).done.read == 24


@pytest.mark.parametrize(
    ("change", "changed"),
    [("file", ["input"]), ("version", ["model_version"]), ("chunk size", ["rows_per_chunk"]), ("manifest", [])],
)
def test_another_file_model_or_size_of_chunks_begins_anew_and_says_why(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, changed: list[str]
):
    export, out = write_export(tmp_path / "e.csv", 43), tmp_path / "out.csv"
    with pytest.raises(KilledError):
        run(classifier, export, out).finish_here(kill_after(20))
    if change == "file":
        write_export(export, 50)
    elif change == "chunk size":
        monkeypatch.setattr(classify, "ROWS_PER_CHUNK", 5)
    elif change == "manifest":
        (chunks_folder(out) / MANIFEST).write_text("{")
    again = run(classifier, export, out, version="2" if change == "version" else "1")
    assert (again.done.read, again.changed) == (0, changed)
    again.finish_here(lambda _: None)
    assert not chunks_folder(out).exists()
    assert ids(out) == list(range(50 if change == "file" else 43))


def test_a_chunk_that_always_fails_is_set_aside_with_its_reason_and_the_rest_finishes(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    export, out, whole = write_export(tmp_path / "e.csv", 43), tmp_path / "out.csv", tmp_path / "whole.csv"
    run(classifier, export, whole).finish_here(lambda _: None)

    def breaking(rows: Any, checker: Any) -> Any:
        if any(line == 18 for line, _ in rows):
            raise ValueError("яма на дороге")
        return checked_rows(rows, checker)

    with monkeypatch.context() as patch:
        patch.setattr(classify_chunk, "checked_rows", breaking)
        with pytest.raises(
            PartsFailedError, match=r"1 of 6 chunks failed .* rows 17 to 24: ValueError at test_classify"
        ) as told:
            run(classifier, export, out).finish_here(lambda _: None)
    assert "яма" not in told.value.message + failed_path(out).read_text(encoding="utf-8")
    assert ids(out) == [n for n in range(43) if not 16 <= n < 24]
    again: list[int] = []
    run(classifier, export, out).finish_here(again.append)
    assert again == [43], "only the one that failed"
    assert out.read_bytes() == whole.read_bytes()
    assert not failed_path(out).exists()


def test_a_file_that_cannot_be_used_does_not_stop_the_others(classifier: Classifier, tmp_path: Path):
    good, bad = write_export(tmp_path / "good.csv", 20), tmp_path / "bad.csv"
    bad.write_text("number,description\n1,яма\n", encoding="utf-8")
    runs = [ClassifyRun("1", path, SOURCE, None, tmp_path / "out" / path.name) for path in (bad, good)]
    complete(runs, partial(classify_here, classifier), lambda _: None)
    assert isinstance(runs[0].error, ColumnsError)
    assert runs[1].error is None
    assert ids(runs[1].out) == list(range(20))


def test_what_a_chunk_gives_does_not_depend_on_what_was_read_before(classifier: Classifier, tmp_path: Path):
    texts = [("яма", "2026-01-05"), ("не вывозят мусор третью неделю у дома", "2026-01-05")] * 4
    export, out, whole = tmp_path / "e.csv", tmp_path / "out.csv", tmp_path / "whole.csv"
    with export.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("id", "text", "created_at"), *((n, *texts[n % 8]) for n in range(16))])
    run(classifier, export, whole).finish_here(lambda _: None)
    fresh = Classifier(classifier.bundle, Encoders(threads=1))
    with pytest.raises(KilledError):
        run(classifier, export, out).finish_here(kill_after(8))
    run(fresh, export, out).finish_here(lambda _: None)
    assert out.read_bytes() == whole.read_bytes()
    assert fresh.encoders.cache.hits == 6, "within its chunk alone"


def test_a_file_without_a_good_row_is_refused_and_leaves_only_the_rejects(classifier: Classifier, tmp_path: Path):
    export, out = write_export(tmp_path / "e.csv", 3, bad=(0, 1, 2)), tmp_path / "out.csv"
    with pytest.raises(InputError, match="none of 3 rows can be used; line 2: the text is empty"):
        run(classifier, export, out).finish_here(lambda _: None)
    assert not out.exists()
    assert rejects_path(out).exists()


@pytest.mark.parametrize("content", [None, "", "number,description\n1,яма\n"])
def test_an_unusable_file_leaves_nothing_behind(classifier: Classifier, tmp_path: Path, content: str | None):
    export, out = tmp_path / "e.csv", tmp_path / "out" / "out.csv"
    if content is not None:
        export.write_text(content, encoding="utf-8")
    with pytest.raises((FileError, ColumnsError)):
        run(classifier, export, out).finish_here(lambda _: None)
    assert not out.parent.exists()


KILLED = """
import sys
from pathlib import Path
from models.classifier.classifier import Classifier
from tests.batch.test_classify import run
from batch import classify
classify.ROWS_PER_CHUNK = 8
job = run(Classifier.load(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))
job.finish_here(lambda rows: (print(rows, flush=True), sys.stdin.readline()))
"""


def kill_at_random(command: list[str], rng: random.Random) -> None:
    """Let a run finish some chunks, each of which waits for a line, and kill it (-9) somewhere in the next ones."""
    process = subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    for _ in range(rng.randint(1, 10)):
        assert process.stdout.readline()
        process.stdin.write("\n")
        process.stdin.flush()
    time.sleep(rng.uniform(0, 0.02))
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def test_processes_killed_at_random_moments_lose_and_repeat_nothing(
    bundle: Path, classifier: Classifier, tmp_path: Path
):
    export, out, whole = write_export(tmp_path / "e.csv", 600, bad=(100, 599)), tmp_path / "o.csv", tmp_path / "w.csv"
    run(classifier, export, whole).finish_here(lambda _: None)
    command = [sys.executable, "-c", KILLED, str(bundle), str(export), str(out)]
    rng, read = random.Random(0), [0]
    for _ in range(4):
        kill_at_random(command, rng)
        assert not out.exists()
        read.append(run(classifier, export, out).done.read)
    assert read == sorted(read), "what was finished stays"
    assert 0 < read[-1] < 600
    assert run(classifier, export, out).finish_here(lambda _: None).rejected == 2
    assert out.read_bytes() == whole.read_bytes()
    assert rejects_path(out).read_bytes() == rejects_path(whole).read_bytes()
    assert sorted(path.name for path in tmp_path.glob("o.*")) == ["o.csv", "o.rejects.csv"]


@pytest.mark.parametrize("joined", [0, 16, 43])
def test_a_kill_while_the_chunks_are_joined_costs_only_the_joining(classifier: Classifier, tmp_path: Path, joined: int):
    export, out = write_export(tmp_path / "e.csv", 43, bad=(2,)), tmp_path / "out.csv"

    def progress(rows: int) -> None:
        if rows >= joined:
            raise KilledError

    with pytest.raises(KilledError):
        run(classifier, export, out).finish_here(lambda _: None, progress)
    assert not out.exists()
    again = run(classifier, export, out)
    assert again.done.read == 43
    classified: list[int] = []
    again.finish_here(classified.append)
    assert classified == []
    assert ids(out) == [n for n in range(43) if n != 2]


def test_memory_does_not_grow_with_the_rows(classifier: Classifier, tmp_path: Path):
    """What is alive while a file is classified, once the bounded caches are full.

    They are full soon: n-grams remember words and pydantic short strings, so texts come again after 80 rows, and
    every id is new but long. Of a row that something holds on to, its id alone is 226 bytes, twice what is allowed.
    """
    export, alive = tmp_path / "e.csv", {}
    with export.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "created_at"])
        for n in range(1600):
            writer.writerow([f"{'номер-' * 12}{n}", f"{TEXTS[n % 5]} {n % 16}", "2026-01-05"])

    def measure(read: int) -> None:
        if read in (600, 1400):  # the file is still open
            gc.collect()
            alive[read] = tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        run(Classifier(classifier.bundle, Encoders(cached=16)), export, tmp_path / "out.csv").finish_here(measure)
    finally:
        tracemalloc.stop()
    assert (alive[1400] - alive[600]) / 800 < 113, "bytes a row"
