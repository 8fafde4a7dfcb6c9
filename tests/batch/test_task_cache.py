"""The task cache: a piece is found by what it follows from, and by nothing else."""

from pathlib import Path

import pandas as pd
import pytest

from batch.task_cache import TaskCache

PANEL = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.date_range("2026-01-01", periods=2))
FRAME = pd.DataFrame({"mean": [0.5], "name": ["ЖКХ"]})


def test_a_piece_is_read_by_the_next_run(tmp_path: Path):
    TaskCache(tmp_path).write_frame(TaskCache(tmp_path).path(["fit", 1], PANEL), FRAME)
    cache = TaskCache(tmp_path)
    pd.testing.assert_frame_equal(cache.read_frame(cache.path(["fit", 1], PANEL), ["mean", "name"]), FRAME)


@pytest.mark.parametrize(
    ("facts", "panel"),
    [
        (["fit", 2], PANEL),
        (["fit", 1], PANEL + 1),
        (["fit", 1], PANEL.rename(columns={"a": "b"})),
        (["fit", 1], PANEL.shift(1, freq="D")),
        (["fit", 1], None),
    ],
)
def test_other_facts_or_data_are_another_piece(tmp_path: Path, facts: list[object], panel: pd.DataFrame | None):
    cache = TaskCache(tmp_path)
    cache.write_frame(cache.path(["fit", 1], PANEL), FRAME)
    assert cache.read_frame(cache.path(facts, panel), list(FRAME.columns)) is None


def test_a_damaged_piece_or_one_of_other_columns_is_computed_again(tmp_path: Path):
    cache = TaskCache(tmp_path)
    path = cache.path(["fit"])
    cache.write_frame(path, FRAME)
    assert cache.read_frame(path, ["mean"]) is None
    assert path is not None
    path.write_bytes(path.read_bytes()[:40])
    assert cache.read_frame(path, list(FRAME.columns)) is None


def test_only_pieces_that_the_run_did_not_use_are_removed(tmp_path: Path):
    old, cache = TaskCache(tmp_path), TaskCache(tmp_path)
    old.write_frame(old.path(["old"]), FRAME)
    folder = old.path(["folder"], suffix=".answers")
    assert folder is not None
    folder.mkdir()
    (tmp_path / f"{folder.stem}.json.host-1.partial").write_text("half")
    (tmp_path / "notes.txt").write_text("somebody's")
    used = cache.path(["new"])
    cache.write_frame(used, FRAME)
    cache.remove_unused()
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "notes.txt", *([used] if used else [])])


def test_without_a_folder_nothing_is_stored():
    cache = TaskCache(None)
    path = cache.path(["fit"])
    assert path is None
    cache.write_frame(path, FRAME)
    assert cache.read_frame(path, list(FRAME.columns)) is None
    cache.remove_unused()
