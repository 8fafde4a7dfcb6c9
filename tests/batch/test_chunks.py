"""Chunks: whole or absent, of one job, joined in the order of their numbers."""

from pathlib import Path

import pytest

from batch.chunks import MANIFEST, Chunks, Part

JOB = {"input": "a", "rows_per_chunk": 2}


def test_chunks_written_in_any_order_by_several_engines_are_joined_by_number(tmp_path: Path):
    one, other = Chunks(tmp_path / "c", JOB), Chunks(tmp_path / "c", JOB)
    one.write(2, {"rows": 1}, {"good": "e\n", "bad": ""})
    other = Chunks(tmp_path / "c", JOB)
    other.write(0, {"rows": 2}, {"good": "a\nb\n", "bad": "x\n"})
    one.write(1, {"rows": 2}, {"good": "c\r\nя\n", "bad": ""})
    assert one.finished() == other.finished() == {0, 1, 2}
    assert [other.summary(number) for number in range(3)] == [{"rows": 2}, {"rows": 2}, {"rows": 1}]
    joined: list[int] = []
    parts = {"good": Part(tmp_path / "out" / "good.csv", "head\n"), "bad": Part(tmp_path / "bad.csv", "")}
    other.join(parts, joined.append)
    assert (tmp_path / "out" / "good.csv").read_bytes().decode() == "head\na\nb\nc\r\nя\ne\n"
    assert (tmp_path / "bad.csv").read_text() == "x\n"
    assert joined == [1, 2, 3]


def test_nothing_is_made_before_the_first_chunk(tmp_path: Path):
    assert Chunks(tmp_path / "c", JOB).finished() == set()
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("other", "changed"),
    [
        ({**JOB, "input": "b"}, ["input"]),
        ({**JOB, "rows_per_chunk": 3, "date": None}, ["rows_per_chunk"]),
        ({"input": "a"}, ["rows_per_chunk"]),
    ],
)
def test_chunks_of_another_job_are_not_used_and_go_with_the_first_write(
    tmp_path: Path, other: dict[str, object], changed: list[str]
):
    Chunks(tmp_path, JOB).write(5, {}, {"good": "old\n"})
    chunks = Chunks(tmp_path, other)
    assert (chunks.finished(), chunks.changed) == (set(), changed)
    assert (tmp_path / f"{5:08}.jsonl").exists(), "looking removes nothing"
    chunks.write(0, {}, {"good": "new\n"})
    assert (chunks.finished(), chunks.changed) == ({0}, [])
    assert Chunks(tmp_path, other).finished() == {0}


@pytest.mark.parametrize("manifest", [None, "", "{", "[]", "null"])
def test_chunks_without_a_manifest_are_nobodys(tmp_path: Path, manifest: str | None):
    Chunks(tmp_path, JOB).write(0, {}, {"good": "old\n"})
    (tmp_path / MANIFEST).unlink()
    if manifest is not None:
        (tmp_path / MANIFEST).write_text(manifest)
    chunks = Chunks(tmp_path, JOB)
    assert (chunks.finished(), chunks.changed) == (set(), [])
    chunks.write(1, {}, {"good": ""})
    assert chunks.finished() == {1}


def test_what_a_kill_left_unfinished_is_no_chunk(tmp_path: Path):
    Chunks(tmp_path, JOB).write(0, {}, {"good": "a\n"})
    (tmp_path / f"{1:08}.jsonl.host-1.partial").write_text('{"rows"')
    assert Chunks(tmp_path, JOB).finished() == {0}


def test_a_removed_job_leaves_nothing(tmp_path: Path):
    chunks = Chunks(tmp_path / "c", JOB)
    chunks.write(0, {}, {"good": "a\n"})
    chunks.remove()
    assert not (tmp_path / "c").exists()
    chunks.remove()
