"""Chunks: rows that stream through a long computation, in numbered files with a manifest.

In: a manifest (JSON) that names the job with all that its results follow from, and for each chunk of input rows a
small summary and the texts made of them. Out: a folder with `manifest.json` and `00000000.jsonl`, `00000001.jsonl`, …,
and at the end the texts joined into files. A chunk is on the disk and takes its name when it is whole
(`data/atomic.py`), so whoever dies, nothing is lost or doubled. Chunk n is of the rows from n × rows per chunk on: any
engine, or several at once, can go on from the folder alone, in whatever order. For all other long work, see
`batch/task_cache.py`.
"""

import json
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.atomic import atomic_file

MANIFEST = "manifest.json"
CHUNK = re.compile(r"(\d{8})\.jsonl")
Summary = dict[str, int]


@dataclass(frozen=True)
class Part:
    """One of the files that chunks are joined into: its path, and what stands before its first row."""

    path: Path
    header: str


class Chunks:
    """The finished chunks of one job.

    Args:
        folder: where they lie; made with the first chunk.
        manifest: names the job; the chunks of another one are not used, and removed with the first write.

    Attributes:
        changed: what was other when the chunks were made that lie here, as keys of the manifest; empty where there
            are none, or they are of this job.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.folder = folder
        self._manifest: dict[str, Any] = json.loads(json.dumps(manifest))
        there = self._read_manifest()
        self._is_ours = there == self._manifest
        keys = {*self._manifest, *there} if there else set()
        self.changed = sorted(key for key in keys if there.get(key) != self._manifest.get(key))

    def _read_manifest(self) -> dict[str, Any]:
        try:
            there = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none, or none of ours
            return {}
        return there if isinstance(there, dict) else {}

    def finished(self) -> set[int]:
        """Numbers of the chunks that are whole, whoever made them."""
        if not self._is_ours:
            return set()
        return {int(name[1]) for path in self.folder.iterdir() if (name := CHUNK.fullmatch(path.name))}

    def write(self, number: int, summary: Summary, texts: Mapping[str, str]) -> None:
        """Store a chunk: figures of it, and a text for each part; when this returns, it is on the disk."""
        if not self._is_ours:
            self._begin()
        with atomic_file(self._path(number)) as partial, partial.open("w", encoding="utf-8") as file:
            for line in (summary, texts):
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def _begin(self) -> None:
        """Throw away what lies there, and put the manifest first: chunks without one are nobody's."""
        self.remove()
        with atomic_file(self.folder / MANIFEST) as partial:
            partial.write_text(json.dumps(self._manifest, ensure_ascii=False, indent=1), encoding="utf-8")
        self._is_ours, self.changed = True, []

    def summary(self, number: int) -> Summary:
        """The figures stored with a chunk."""
        with self._path(number).open(encoding="utf-8") as file:
            summary: Summary = json.loads(file.readline())
        return summary

    def texts(self, number: int) -> dict[str, str]:
        """The texts of a chunk's parts."""
        with self._path(number).open(encoding="utf-8") as file:
            file.readline()
            texts: dict[str, str] = json.loads(file.readline())
        return texts

    def join(self, parts: Mapping[str, Part], progress: Callable[[int], None]) -> None:
        """Write the chunks' texts, in order, into a file for each part, one chunk in memory at a time.

        The files take their names when they are whole, the first of `parts` last. `progress` gets the chunks so far.
        """
        with ExitStack() as files:
            opened = {}
            for name, part in parts.items():
                partial = files.enter_context(atomic_file(part.path))
                opened[name] = files.enter_context(partial.open("w", encoding="utf-8", newline=""))
                opened[name].write(part.header)
            for done, number in enumerate(sorted(self.finished()), start=1):
                texts = self.texts(number)
                for name, file in opened.items():
                    file.write(texts[name])
                progress(done)

    def remove(self) -> None:
        """Remove the folder; the manifest goes first, so that a kill leaves no chunks that seem to be a whole job."""
        (self.folder / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._is_ours = False

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08}.jsonl"
