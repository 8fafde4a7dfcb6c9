"""Task cache: finished pieces of a long computation, so that an interrupted one goes on where it was.

In: a folder, and for each piece the facts that it follows from: JSON, and panels of counts. Out: where the piece
lies: a file (Parquet, JSON) or folder named by the digest of those facts; no pickle. So other data, another config or
version of the code never find it. It is renamed into place when it is whole, and removed when a run that ended did
not use it. For rows that stream through, see `batch/chunks.py`.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from data.atomic import atomic_file

PIECE = re.compile(r"[0-9a-f]{32}\.(\w+|.+\.partial)")
"""What pieces are called, whole or not; nothing else in the folder is removed."""


class TaskCache:
    """A folder of finished pieces; without one nothing is stored, and every path is None.

    Example:
        >>> from tempfile import mkdtemp
        >>> cache = TaskCache(Path(mkdtemp()))
        >>> path = cache.path(["squares", 3], suffix=".json")
        >>> cache.read_json(path) is None
        True
        >>> cache.write_json(path, [1, 4, 9])
        >>> cache.read_json(path)
        [1, 4, 9]
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._used: set[Path] = set()

    def path(self, facts: list[Any], *panels: pd.DataFrame | None, suffix: str = ".parquet") -> Path | None:
        """Where a piece lies that follows from `facts` (JSON) and from panels (days × series)."""
        if self.folder is None:
            return None
        digest = hashlib.sha256(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode())
        for panel in panels:
            if panel is not None and len(panel):
                names = f"{panel.index[0]} {list(panel.columns)}"
                digest.update(names.encode() + panel.to_numpy(dtype="float64").tobytes())
        path = self.folder / f"{digest.hexdigest()[:32]}{suffix}"
        self._used.add(path)
        return path

    def read_frame(self, path: Path | None, columns: list[str]) -> pd.DataFrame | None:
        """A stored frame; None if it is absent, damaged or of other columns."""
        if path is None or not path.is_file():
            return None
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError):
            return None
        return frame if list(frame.columns) == columns else None

    def write_frame(self, path: Path | None, frame: pd.DataFrame) -> None:
        """Store a frame; its index is not."""
        if path is not None:
            with atomic_file(path) as partial:
                frame.to_parquet(partial, index=False)

    def read_json(self, path: Path | None) -> Any:
        """A stored value; None if it is absent or damaged."""
        if path is None or not path.is_file():
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def write_json(self, path: Path | None, value: Any) -> None:
        """Store a value that JSON can hold."""
        if path is not None:
            with atomic_file(path) as partial:
                partial.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")

    def remove_unused(self) -> None:
        """Remove the pieces whose paths nobody asked for, so that the folder does not grow for ever."""
        if self.folder is None or not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            if PIECE.fullmatch(path.name) and path not in self._used:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


class Job:
    """One piece of work: what it is called, where it is stored, and the call that computes it."""

    def __init__(self, key: Any, path: Path | None, call: Callable[..., pd.DataFrame], *arguments: Any) -> None:
        self.key, self.path, self.call, self.arguments = key, path, call, arguments


def finished(
    jobs: list[Job], cache: TaskCache, columns: list[str], processes: int
) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Key and piece of every job as they come: first those that are stored, then those computed in parallel."""
    from joblib import Parallel, delayed

    waiting = []
    for job in jobs:
        piece = cache.read_frame(job.path, columns)
        if piece is None:
            waiting.append(job)
        else:
            yield job.key, piece
    work = Parallel(n_jobs=processes if len(waiting) > 1 else 1, return_as="generator_unordered")
    for at, piece in work(delayed(_numbered)(at, job.call, job.arguments) for at, job in enumerate(waiting)):
        cache.write_frame(waiting[at].path, piece)
        yield waiting[at].key, piece


def _numbered(at: int, call: Callable[..., pd.DataFrame], arguments: tuple[Any, ...]) -> tuple[int, pd.DataFrame]:
    return at, call(*arguments)
