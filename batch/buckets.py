"""Files of a bucket, or of another place that has an address: brought here to be read, put there when they are whole.

In: addresses that fsspec knows (`s3://exports/north.csv`, `sftp://host/folder/…`); a package for its protocol has to be
installed (`s3fs`, `gcsfs`, `paramiko`). Out: copies on this machine, and files there. A file there appears whole or not
at all: fsspec commits it when it is written (an upload in parts, or a temporary name). Exports hold personal data, so a
copy is readable by this user alone and is removed when the block ends.
"""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from data.atomic import atomic_file
from data.errors import FileError

BLOCK = 1 << 22
"""Bytes that are copied together."""


def is_address(name: str) -> bool:
    """Whether a file is named by an address, not by a path of this machine."""
    return "://" in name


def local_place(address: str, folder: Path) -> Path:
    """Where the copy of an address lies in `folder`: always the same, so that an unfinished run is found again."""
    key = hashlib.sha256(address.encode()).hexdigest()[:16]
    return folder / key / address.rstrip("/").rpartition("/")[2]


def with_addresses(text: str, addresses: Sequence[str], folder: Path) -> str:
    """A message about copies in `folder`, as one about what has the addresses."""
    for address in filter(is_address, addresses):
        text = text.replace(str(local_place(address, folder).parent), address.rpartition("/")[0])
    return text


@contextmanager
def brought_here(names: Sequence[str], folder: Path) -> Iterator[list[Path]]:
    """The files as paths of this machine; those that have addresses as copies in `folder`, as long as the block runs.

    Raises:
        FileError: there is none at an address, it cannot be read, or no package for its protocol is installed.
    """
    with ExitStack() as copies:
        yield [copies.enter_context(_copy(name, folder)) if is_address(name) else Path(name) for name in names]


@contextmanager
def _copy(address: str, folder: Path) -> Iterator[Path]:
    place = local_place(address, folder)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        system, path = _system(address)
        with _told(address, "read"), atomic_file(place) as partial:
            partial.touch(mode=0o600)
            with system.open(path, "rb") as there, partial.open("wb") as here:
                shutil.copyfileobj(there, here, BLOCK)
        yield place
    finally:
        place.unlink(missing_ok=True)


def put(file: Path, address: str) -> None:
    """Copy a file to an address, where it is whole or absent.

    Raises:
        FileError: it cannot be written there.
    """
    system, path = _system(address)
    with _told(address, "written"):
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        with system.transaction, system.open(path, "wb") as there, file.open("rb") as here:
            shutil.copyfileobj(here, there, BLOCK)


def remove(address: str) -> None:
    """Nothing lies at the address any more.

    Raises:
        FileError: it cannot be removed.
    """
    system, path = _system(address)
    with _told(address, "removed"):
        if system.exists(path):
            system.rm(path)


def _system(address: str) -> tuple[Any, str]:
    """Of an address, the file system (`fsspec.AbstractFileSystem`) and the path in it."""
    from fsspec.core import url_to_fs

    with _told(address, "reached"):
        system, path = url_to_fs(address)
        return system, str(path)


@contextmanager
def _told(address: str, what: str) -> Iterator[None]:
    """Whatever a protocol's package raises becomes a sentence: each has errors of its own."""
    try:
        yield
    except Exception as error:
        missing = "there is no such file" if isinstance(error, FileNotFoundError) else None
        words = missing or getattr(error, "strerror", None) or str(error)
        reason = " ".join(words.split()) or type(error).__name__
        raise FileError(f"{address}: cannot be {what}: {reason[:300]}") from None
