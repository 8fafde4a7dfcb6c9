"""Files of metrics get their space while the disk has some."""

import os
from pathlib import Path

import pytest

from serving.http.metrics import hold_space

SIZE = 1 << 20


def test_this_process_files_are_filled_and_keep_what_they_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    own, others = tmp_path / f"counter_{os.getpid()}.db", tmp_path / "counter_1.db"
    for path in (own, others):
        with path.open("wb") as file:
            file.write(b"counted")
            file.truncate(SIZE)
    hold_space()
    assert own.stat().st_blocks * 512 >= SIZE
    assert others.stat().st_blocks * 512 < SIZE
    assert own.read_bytes() == b"counted".ljust(SIZE, b"\0")


def test_without_such_a_folder_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    hold_space()
