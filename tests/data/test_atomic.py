"""Files and folders that are there whole or not at all."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from data.atomic import atomic_file, atomic_folder
from data.settings import CHECKOUT

KILLED = """
import os, signal, sys
from pathlib import Path
from data.atomic import atomic_file, atomic_folder
kind, path = sys.argv[1], Path(sys.argv[2])
if kind == "file":
    with atomic_file(path) as partial:
        partial.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
else:
    with atomic_folder(path) as partial:
        (partial / "inner").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
"""


def write(kind: str, path: Path, content: str) -> None:
    if kind == "file":
        with atomic_file(path) as partial:
            partial.write_text(content)
    else:
        with atomic_folder(path) as partial:
            (partial / "inner").write_text(content)


def content(kind: str, path: Path) -> str:
    return (path if kind == "file" else path / "inner").read_text()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_write_makes_the_folder_and_replaces_what_was_there(kind: str, tmp_path: Path):
    path = tmp_path / "deep" / "thing"
    for text in ("first", "second"):
        write(kind, path, text)
        assert content(kind, path) == text
        assert [each.name for each in path.parent.iterdir()] == ["thing"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_failed_write_leaves_what_was_there(kind: str, tmp_path: Path):
    path = tmp_path / "thing"
    write(kind, path, "before")
    manager = atomic_file(path) if kind == "file" else atomic_folder(path)
    with pytest.raises(RuntimeError), manager as partial:
        (partial if kind == "file" else partial / "inner").write_text("half")
        raise RuntimeError
    assert content(kind, path) == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["thing"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_process_left_is_never_under_the_name_and_goes_with_the_next_write(kind: str, tmp_path: Path):
    path = tmp_path / "thing"
    killed = subprocess.run([sys.executable, "-c", KILLED, kind, str(path)], cwd=CHECKOUT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not path.exists()
    assert len(list(tmp_path.iterdir())) == 1
    write(kind, path, "whole")
    assert content(kind, path) == "whole"
    assert [each.name for each in tmp_path.iterdir()] == ["thing"]


def test_two_processes_that_write_the_same_do_not_write_into_each_other(tmp_path: Path):
    path = tmp_path / "thing"
    with atomic_file(path) as partial:
        partial.write_text("mine")
        other = "from pathlib import Path; from data.atomic import atomic_file\n"
        other += f"with atomic_file(Path({str(path)!r})) as partial: partial.write_text('theirs')"
        subprocess.run([sys.executable, "-c", other], cwd=CHECKOUT, check=True, env=os.environ)
        assert path.read_text() == "theirs"
    assert path.read_text() == "mine"


def test_what_need_not_outlast_a_power_cut_is_whole_or_as_it_was_too(tmp_path: Path):
    path = tmp_path / "new" / "piece"
    with atomic_file(path, durable=False) as partial:
        partial.write_text("whole")
    with pytest.raises(OSError, match="full"), atomic_file(path, durable=False) as partial:
        partial.write_text("half")
        raise OSError("the disk is full")
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]
