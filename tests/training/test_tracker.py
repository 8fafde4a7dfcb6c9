"""The tracker: what a run is told lies in it, an interrupted one goes on, and no address is process-wide."""

import json
from pathlib import Path

import mlflow
import pytest

from data.errors import ResumeError, TrackingError
from registry.connection import connected
from training.tracker import Tracker


def tracker_in(home: Path) -> Tracker:
    return Tracker(f"sqlite:///{home}/mlflow/mlflow.db", home / "artifacts")


def test_what_a_run_is_told_lies_in_it(tmp_path: Path) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/elsewhere.db")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "table.csv").write_text("a,b")
    with tracker_in(tmp_path).run("kursk.complaint-classifier", "train", {"epochs": 3}) as run:
        assert mlflow.active_run() is None
        run.log_metrics({"loss": 2.0}, step=1)
        run.log_metrics({"loss": 1.0}, step=2)
        run.log_text("словами", "words.txt")
        run.log_dict({"ключ": [1]}, "splits.json")
        run.log_folder(tmp_path / "folder", "report")
    client = connected(f"sqlite:///{tmp_path}/mlflow/mlflow.db")
    found = client.get_run(run.id)
    assert (found.info.status, found.info.run_name, found.data.params) == ("FINISHED", "train", {"epochs": "3"})
    assert "git_commit" in found.data.tags
    assert [(each.step, each.value) for each in client.get_metric_history(run.id, "loss")] == [(1, 2.0), (2, 1.0)]
    folder = tmp_path / "artifacts" / "kursk.complaint-classifier" / run.id / "artifacts"
    assert (folder / "words.txt").read_text(encoding="utf-8") == "словами"
    assert json.loads((folder / "splits.json").read_text(encoding="utf-8")) == {"ключ": [1]}
    assert (folder / "report" / "table.csv").read_text() == "a,b"
    assert not (tmp_path / "elsewhere.db").exists()


def test_an_interrupted_run_goes_on_under_its_own_id(tmp_path: Path) -> None:
    tracker, note = tracker_in(tmp_path), tmp_path / "work" / "run.json"
    with pytest.raises(KeyboardInterrupt), tracker.run("e", "train", {"epochs": 3}, note) as first:
        raise KeyboardInterrupt
    client = connected(f"sqlite:///{tmp_path}/mlflow/mlflow.db")
    assert client.get_run(first.id).info.status == "FAILED"
    with tracker.run("e", "train", {"epochs": 3}, note) as second:
        assert client.get_run(second.id).info.status == "RUNNING"
    assert second.id == first.id
    assert not note.exists()
    with tracker.run("e", "train", {"epochs": 3}, note) as third:
        assert third.id != first.id


def test_a_note_of_a_run_that_is_gone_starts_a_new_one_and_a_damaged_note_says_so(tmp_path: Path) -> None:
    note = tmp_path / "run.json"
    note.write_text(json.dumps({"run_id": "0" * 32}))
    with tracker_in(tmp_path).run("e", "train", {}, note) as run:
        assert run.id != "0" * 32
    note.write_text("{")
    with pytest.raises(ResumeError, match="damaged"), tracker_in(tmp_path).run("e", "train", {}, note):
        pass


def test_an_mlflow_that_does_not_answer_is_named(tmp_path: Path) -> None:
    run = Tracker("http://127.0.0.1:9", tmp_path).run("e", "train", {})
    with pytest.raises(TrackingError, match=r"127\.0\.0\.1:9.*TSUR_TRACKING_URI"), run:
        pass
