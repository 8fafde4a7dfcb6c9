"""Erased complaints leave every version for good, and a version knows what it was and what it is."""

from pathlib import Path

import pytest

from data.store.corrections import Labels
from tests.training.retrain.small_region import NOON, SIGNS, YARDS, build, complaint, complaints, correction
from training.retrain.diff import diff_versions
from training.retrain.erasing import erase_complaints
from training.retrain.versions import read_version, version_folders

GONE = [("pos", "secret-1"), ("pos", "secret-2"), ("hotline", "0")]


def two_versions(folder: Path) -> Path:
    """Both hold two complaints that are to go, one of them disputed; returns the folder of the versions."""
    rows = [*complaints(30), complaint(50, id="secret-1"), complaint(51, id="secret-2")]
    words = [
        correction(1, "secret-2", corrected=Labels(*SIGNS, None)),
        correction(2, "secret-2", corrected=Labels(*YARDS, None), operator="operator-2"),
    ]
    build(folder, rows, corrections=words)
    build(folder, [*rows, complaint(70)], corrections=words)
    return folder / "versions"


def said_of(folder: Path, word: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and word in path.read_text(encoding="utf-8")]


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.*")
        if path.is_file()
    }


def test_no_file_of_any_version_says_anything_of_an_erased_complaint(tmp_path):
    folder = two_versions(tmp_path)
    assert said_of(folder, "secret")
    names = [path.name for path in version_folders(folder)]
    assert erase_complaints(folder, GONE, NOON) == dict.fromkeys(names, 2)
    assert not said_of(folder, "secret")
    for path, rows in zip(version_folders(folder), (30, 31), strict=True):
        version = read_version(path)
        assert len(version.rows) == rows
        frozen, now = version.manifest.history
        assert (frozen.rows - now.rows, now.erased, now.at) == (2, 2, NOON)
        assert frozen.fingerprint != now.fingerprint
        assert path.name.endswith(frozen.fingerprint), "a version keeps its name"


def test_erasing_again_changes_nothing(tmp_path):
    folder = two_versions(tmp_path)
    erase_complaints(folder, GONE, NOON)
    before = contents(folder)
    assert erase_complaints(folder, GONE, NOON) == {}
    assert contents(folder) == before


def test_an_erased_complaint_does_not_come_back_with_an_old_file_nor_with_an_old_version(tmp_path):
    folder = two_versions(tmp_path)
    erase_complaints(folder, GONE, NOON)
    again = build(tmp_path, [complaint(50, id="secret-1"), complaint(99)], adding=True)
    assert len(again.version.rows) == 32
    assert not said_of(folder, "secret")
    assert again.checked is not None
    assert again.checked.counts["erased"] == 1
    diff = diff_versions(read_version(version_folders(folder)[0]), again.version)
    assert (diff.left, diff.erased, diff.joined) == (0, 0, 2), "the first version has forgotten them too"


@pytest.mark.parametrize("step", range(1, 9))
def test_an_erasing_that_was_killed_at_any_step_is_ended_by_the_next(tmp_path, monkeypatch, step):
    whole = two_versions(tmp_path / "whole")
    erase_complaints(whole, GONE, NOON)
    folder = two_versions(tmp_path / "killed")
    replace, steps = Path.replace, iter(range(1, 100))

    def killed(self, target):
        if next(steps) == step:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        erase_complaints(folder, GONE, NOON)
    monkeypatch.undo()
    erase_complaints(folder, GONE, NOON)
    for mine, other in zip(version_folders(folder), version_folders(whole), strict=True):
        assert read_version(mine).manifest.history[1] == read_version(other).manifest.history[1]
        assert not said_of(mine, "secret")


def test_a_version_of_which_nothing_is_left_is_one_without_rows(tmp_path):
    version = build(tmp_path, [complaint(1)]).version
    erase_complaints(tmp_path / "versions", [("pos", "1")], NOON)
    assert len(read_version(version.folder).rows) == 0
    assert build(tmp_path, complaints(30, start=5)).version.manifest.number == 2
