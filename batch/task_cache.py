"""Task cache: finished pieces of a long computation, so that an interrupted one goes on where it was.

In: a folder, and for each piece the facts that it follows from: JSON, and panels of counts. Out: where the piece
lies: a Parquet file or a folder named by the digest of those facts; no pickle. So other data, another config or
version of the code never find it. It is renamed into place when it is whole, and removed when a run that ended did
not use it. For rows that stream through, see `batch/chunks.py`.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pandas as pd

from batch.executor import Executor
from data.atomic import atomic_file

PIECE = re.compile(r"[0-9a-f]{32}\.(\w+|.+\.partial)")
"""What pieces are called, whole or not; nothing else in the folder is removed."""


class TaskCache:
    """A folder of finished pieces; without one nothing is stored, and every path is None.

    Example:
        >>> from tempfile import mkdtemp
        >>> cache = TaskCache(Path(mkdtemp()))
        >>> path = cache.path(["squares", 3])
        >>> cache.read_frame(path, ["square"]) is None
        True
        >>> cache.write_frame(path, pd.DataFrame({"square": [1, 4, 9]}))
        >>> cache.read_frame(path, ["square"])["square"].tolist()
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
            with atomic_file(path, durable=False) as partial:
                frame.to_parquet(partial, index=False)

    def remove_unused(self) -> None:
        """Remove the pieces whose paths nobody asked for, so that the folder does not grow for ever."""
        if self.folder is None or not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            if PIECE.fullmatch(path.name) and path not in self._used:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


class CachedJob(Protocol):
    """A job that knows where its piece is stored."""

    @property
    def path(self) -> Path | None:
        """As `TaskCache.path` gave it."""


Job = TypeVar("Job", bound=CachedJob)


def map_cached(
    function: Callable[[Job], pd.DataFrame],
    jobs: Sequence[Job],
    executor: Executor,
    cache: TaskCache,
    columns: list[str],
) -> Iterator[tuple[Job, pd.DataFrame]]:
    """Each job with its piece as they come: first those that are stored, then those that the executor computes."""
    missing = []
    for job in jobs:
        piece = cache.read_frame(job.path, columns)
        if piece is None:
            missing.append(job)
        else:
            yield job, piece
    for job, piece in executor.map(function, missing):
        cache.write_frame(job.path, piece)
        yield job, piece
