"""Files and folders that are there whole or not at all, whenever the process or the machine dies.

In: the path that is to be written. Out: a temporary one beside it, for the caller to write; when the block ends,
it is on the disk (fsync) and takes the name. Where the block fails, what was there before stays; what a killed
process left unfinished is removed by the next one that writes the same.
"""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_file(path: Path, durable: bool = True) -> Iterator[Path]:
    """A temporary path to write; then it becomes `path`, whose folder is made.

    Not `durable` is one of thousands that can be computed again: no disk is waited for, so that after a power cut it
    may be broken or gone, and what killed processes left is not looked for.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if durable:
        _remove_left(path)
    partial = _temporary(path)
    try:
        yield partial
        if durable:
            to_disk(partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if durable:
        to_disk(path.parent)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """An empty temporary folder to fill; then it becomes `path`, in place of a folder that was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left(path)
    partial = _temporary(path)
    partial.mkdir()
    try:
        yield partial
        for inner in partial.rglob("*"):
            to_disk(inner)
        shutil.rmtree(path, ignore_errors=True)  # a folder cannot be renamed over one that holds something
        partial.rename(path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    to_disk(path.parent)


def _temporary(path: Path) -> Path:
    """A name of this process's own, so that two that write the same do not write into each other."""
    return path.with_name(f"{_prefix(path)}{os.getpid()}.partial")


def _prefix(path: Path) -> str:
    return f"{path.name}.{socket.gethostname()}-"


def _remove_left(path: Path) -> None:
    """Remove what this process or killed ones left unfinished of a path."""
    prefix = _prefix(path)
    for left in path.parent.iterdir():
        if not (left.name.startswith(prefix) and left.suffix == ".partial"):
            continue
        pid = int(left.name.removeprefix(prefix).removesuffix(".partial"))
        if pid == os.getpid() or not _is_alive(pid):
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def to_disk(path: Path) -> None:
    """What lies there is there after a power cut too."""
    with suppress(PermissionError):  # Windows opens no folders
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
