"""Output files that grow by whole chunks, so that a killed run neither loses nor repeats a row.

In: rows of text for several files, chunk by chunk, and what to remember with each chunk. Out: the files
under their own names once all is written. Until then they are `NAME.partial`, and a journal beside the
first one says how long each was after the last whole chunk: what a kill left behind that is cut off.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Journal:
    """Files that are written together.

    Args:
        paths: the files; the journal lies beside the first.
        key: names the job; what another job left is thrown away.

    Attributes:
        state: what was remembered with the last whole chunk; empty at the beginning.
    """

    def __init__(self, paths: list[Path], key: str) -> None:
        self._paths, self._key = paths, key
        self._partial = [path.with_name(f"{path.name}.partial") for path in paths]
        self._journal = paths[0].with_name(f"{paths[0].name}.journal")
        self._sizes, self.state = self._kept()
        self._is_open = False

    def _kept(self) -> tuple[list[int], dict[str, Any]]:
        try:
            kept = json.loads(self._journal.read_text(encoding="utf-8"))
            whole = kept["key"] == self._key and all(
                path.stat().st_size >= size for path, size in zip(self._partial, kept["sizes"], strict=True)
            )
            if whole:
                return kept["sizes"], kept["state"]
        except (OSError, ValueError, KeyError, TypeError):
            pass  # none, or one that no run of this version has written
        return [0] * len(self._partial), {}

    def _open(self) -> None:
        """Make the folder and cut off what lies behind the last whole chunk."""
        self._is_open = True
        self._paths[0].parent.mkdir(parents=True, exist_ok=True)
        for path, size in zip(self._partial, self._sizes, strict=True):
            with path.open("ab") as file:
                file.truncate(size)

    def write(self, chunks: list[str], state: Mapping[str, Any]) -> None:
        """Append a chunk to each file; when this returns, it is on the disk with its state."""
        if not self._is_open:
            self._open()
        for number, (path, chunk) in enumerate(zip(self._partial, chunks, strict=True)):
            if chunk:
                with path.open("ab") as file:
                    file.write(chunk.encode("utf-8"))
                    file.flush()
                    os.fsync(file.fileno())
                    self._sizes[number] = file.tell()
        self.state = dict(state)
        content = {"key": self._key, "sizes": self._sizes, "state": self.state}
        fresh = self._journal.with_name(f"{self._journal.name}.new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._journal)

    def close(self, kept: list[bool]) -> None:
        """Give the files their names, drop those that are not kept, and forget the journal."""
        if not self._is_open:
            self._open()
        for path, partial, keep in reversed(list(zip(self._paths, self._partial, kept, strict=True))):
            if keep:
                partial.replace(path)
            else:
                partial.unlink()
        self._journal.unlink(missing_ok=True)
