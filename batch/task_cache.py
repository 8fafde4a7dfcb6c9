"""Kept work: finished pieces of a long computation, so that an interrupted one goes on where it was.

In: a folder, and for each piece what it follows from. Out: Parquet files named by the digest of that. A piece
whose data, config and code are the same is read instead of computed; the others are removed when all is done.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

KEPT = re.compile(r"[0-9a-f]{32}\.(parquet|partial)")
"""What files of kept work are called; no others are removed."""


class Kept:
    """A folder of finished pieces; without one nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.used: set[Path] = set()

    def path(self, facts: list[Any], *data: pd.DataFrame | None) -> Path | None:
        """Where a piece that follows from `facts` (JSON) and `data` (dated panels) is kept."""
        if self.folder is None:
            return None
        digest = hashlib.sha256(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode())
        for frame in data:
            if frame is not None and len(frame):
                named = f"{frame.index[0]} {list(frame.columns)}"
                digest.update(named.encode() + frame.to_numpy(dtype="float64").tobytes())
        path = self.folder / f"{digest.hexdigest()[:32]}.parquet"
        self.used.add(path)
        return path

    def read(self, path: Path | None, columns: list[str]) -> pd.DataFrame | None:
        """A kept piece; None if it is absent, damaged or of other columns."""
        if path is None or not path.is_file():
            return None
        try:
            kept = pd.read_parquet(path)
        except (OSError, ValueError):  # half-written by a machine that went down: computed again
            return None
        return kept if list(kept.columns) == columns else None

    def write(self, path: Path | None, piece: pd.DataFrame) -> None:
        """Keep a piece; a kill leaves either the whole file or none."""
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        piece.to_parquet(partial, index=False)
        partial.replace(path)

    def remove_stale(self) -> None:
        """Remove the pieces that this computation did not use, so that the folder does not grow for ever."""
        if self.folder is None or not self.folder.is_dir():
            return
        for path in self.folder.iterdir():
            if KEPT.fullmatch(path.name) and path not in self.used:
                path.unlink(missing_ok=True)


class Job:
    """One piece of work: what it is called, where it is kept, and the call that computes it."""

    def __init__(self, key: Any, path: Path | None, call: Callable[..., pd.DataFrame], *arguments: Any) -> None:
        self.key, self.path, self.call, self.arguments = key, path, call, arguments


def finished(jobs: list[Job], kept: Kept, columns: list[str], processes: int) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Key and piece of every job as they come: first those that are kept, then those computed in parallel."""
    from joblib import Parallel, delayed

    waiting = []
    for job in jobs:
        piece = kept.read(job.path, columns)
        if piece is None:
            waiting.append(job)
        else:
            yield job.key, piece
    work = Parallel(n_jobs=processes if len(waiting) > 1 else 1, return_as="generator_unordered")
    for at, piece in work(delayed(_numbered)(at, job.call, job.arguments) for at, job in enumerate(waiting)):
        kept.write(waiting[at].path, piece)
        yield waiting[at].key, piece


def _numbered(at: int, call: Callable[..., pd.DataFrame], arguments: tuple[Any, ...]) -> tuple[int, pd.DataFrame]:
    return at, call(*arguments)
