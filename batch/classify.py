"""`tsur classify`: exports in, a CSV of decisions of each out, in memory that does not grow with the files.

Chunk by chunk (`batch/classify_chunk.py`), by whatever engine: this process (`classify_here`) or the workers of a
cluster (`batch/ray_executor.py`). Finished chunks are written by this process alone, beside the output in `OUT.chunks`
(`batch/chunks.py`), so a cluster needs no common disk: a run that was killed goes on with those that are missing, by
the same engine or another, and when none is, they are joined into the output. A chunk that fails is set aside, and the
others go on. Rows are as `tsur import` takes them, but an id given twice is classified twice: to know all ids takes
memory.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import count, islice
from pathlib import Path
from typing import Any

from batch.chunks import Chunks, Part
from batch.classify_chunk import COLUMNS, REJECT_COLUMNS, Classified, Outcome, RawChunk
from batch.executor import Failure
from data.atomic import atomic_file
from data.complaints.importing import Reject, none_is_good, open_export
from data.complaints.sources import SourceMap
from data.errors import PartsFailedError, TsurError
from data.tables.csv_writer import csv_header, csv_lines, excel_style

ROWS_PER_CHUNK = 5000
"""Rows that go to the disk together: full batches of like length, some ten seconds of a core's work, and little to
do again when a worker dies."""
CHUNK_FORMAT = 5
"""Raise it with every change after which the same rows and model give another chunk."""
FAILED_COLUMNS = ("chunk", "first_row", "last_row", "reason")

Progress = Callable[[int], None]
Engine = Callable[[Iterator[RawChunk]], Iterator[tuple[RawChunk, Outcome]]]
"""Classifies chunks, and gives each with its outcome, in whatever order they end."""


def rejects_path(out: Path) -> Path:
    """Where the rows go that were set aside."""
    return out.with_suffix(".rejects.csv")


def failed_path(out: Path) -> Path:
    """Where the chunks are named that were set aside."""
    return out.with_suffix(".failed.csv")


def chunks_folder(out: Path) -> Path:
    """Where finished chunks lie until they are joined."""
    return out.with_name(f"{out.name}.chunks")


class ClassifyRun:
    """One export on its way through a classifier.

    Args:
        version: of the classifier; another one's chunks are not used.
        path: the export.
        source: its columns.
        date: of rows that have none.
        out: the CSV of decisions.

    Attributes:
        done: what the finished chunks hold, of an earlier run of the same job too.
        changed: by what an unfinished run that lies there was another job, as keys of the manifest.
        notes: what of the file was not read as rows, a sentence each.
        unknown_places: municipalities that the catalogue does not know, and in how many rows of this run.
        error: why the file could not be classified.
    """

    def __init__(self, version: str, path: Path, source: SourceMap, date: datetime | None, out: Path) -> None:
        self.path, self.out = path, out
        self._source, self._date, self._style = source, date, excel_style()
        self._chunks = Chunks(chunks_folder(out), _manifest(version, path, source, date))
        self._finished = self._chunks.finished()
        summaries = (Classified(**self._chunks.summary(number)) for number in self._finished)
        self.done = sum(summaries, Classified())
        self.changed = self._chunks.changed
        self.notes: list[str] = []
        self.unknown_places: Counter[str] = Counter()
        self.error: TsurError | None = None
        self._first_reject: Reject | None = None
        self._failed: dict[int, str] = {}

    def finish(self, engine: Engine, progress: Progress, joining: Progress = lambda rows: None) -> Classified:
        """As `complete`; then the chunks are removed. Raises as `complete` and `check` do."""
        done = self.complete(engine, progress, joining)
        self.remove_chunks()
        self.check()
        return done

    def complete(self, engine: Engine, progress: Progress, joining: Progress = lambda rows: None) -> Classified:
        """Classify what is missing and write the output; `progress` and `joining` get rows so far.

        The chunks stay: whoever dies behind this finds all of them finished.

        Raises:
            FileError, ColumnsError: the file is unusable as a whole.
            PartsFailedError: some chunks could not be classified; the output is of the others.
        """
        complete([self], engine, progress, joining)
        if self.error is not None:
            raise self.error
        return self.done

    def check(self) -> None:
        """Whether there was anything to decide.

        Raises:
            InputError: not one row was good.
        """
        if not self.done.rows:
            raise none_is_good(self.path, self._first_reject, self.done.rejected)

    def remove_chunks(self) -> None:
        """Nothing is to be gone on with."""
        self._chunks.remove()

    def missing(self, file: int) -> Iterator[RawChunk]:
        """The chunks that are not finished, of the file with that number.

        Raises:
            FileError, ColumnsError: the file is unusable as a whole.
        """
        first = next(number for number in count() if number not in self._finished)
        export = open_export(self.path, self._source, self._date, self.notes.append)
        rows = islice(export.rows, first * ROWS_PER_CHUNK, None)
        for number in count(first):
            chunk = list(islice(rows, ROWS_PER_CHUNK))
            if not chunk:
                return
            if number not in self._finished:
                yield RawChunk(file, number, chunk, self._source, self._date, export.month_first, self._style)

    def take(self, number: int, outcome: Outcome) -> None:
        """Write a finished chunk, or set aside one that failed.

        Raises:
            TsurError, OSError: it failed for a reason that is not in its rows.
        """
        if isinstance(outcome, Failure):
            if isinstance(outcome.error, (TsurError, OSError)):
                raise outcome.error
            self._failed[number] = outcome.reason
            return
        self._first_reject = self._first_reject or outcome.first_reject
        self.unknown_places += outcome.unknown_places
        self._chunks.write(number, asdict(outcome.done), outcome.texts)
        self._finished.add(number)
        self.done += outcome.done

    def join(self, progress: Progress) -> None:
        """Write the output of the finished chunks, and name those that failed."""
        parts = {}
        if self.done.rows:
            parts["decisions"] = Part(self.out, csv_header(COLUMNS, self._style))
        if self.done.rejected:
            parts["rejects"] = Part(rejects_path(self.out), csv_header(REJECT_COLUMNS, self._style))
        self._chunks.join(parts, lambda chunks: progress(min(chunks * ROWS_PER_CHUNK, self.done.read)))
        failed_path(self.out).unlink(missing_ok=True)
        if self._failed:
            self.error = self._set_aside()

    def _set_aside(self) -> PartsFailedError:
        rows = [
            (number, number * ROWS_PER_CHUNK + 1, (number + 1) * ROWS_PER_CHUNK, reason)
            for number, reason in sorted(self._failed.items())
        ]
        with atomic_file(failed_path(self.out)) as partial, partial.open("w", encoding="utf-8", newline="") as file:
            file.write(csv_header(FAILED_COLUMNS, self._style) + csv_lines(rows, self._style))
        first = rows[0]
        return PartsFailedError(
            f"{self.path}: {len(rows)} of {len(rows) + len(self._finished)} chunks failed and were set aside → "
            f"{failed_path(self.out)}; rows {first[1]} to {first[2]}: {first[3]}; the output is of the others, and the "
            "same command tries these again"
        )


def complete(
    runs: Sequence[ClassifyRun], engine: Engine, progress: Progress, joining: Progress = lambda rows: None
) -> None:
    """Classify what is missing of several exports, one behind the other, and write their outputs.

    `progress` and `joining` get rows so far, of all of them. A file that cannot be used gets its `error`, and the
    others go on. Raises what has nothing to do with a file's rows, as `ClassifyRun.take` does.
    """
    for chunk, outcome in engine(_missing(runs)):
        runs[chunk.file].take(chunk.number, outcome)
        progress(sum(run.done.read for run in runs))
    for run in runs:
        if run.error is None:
            run.join(joining)


def _missing(runs: Sequence[ClassifyRun]) -> Iterator[RawChunk]:
    for file, run in enumerate(runs):
        try:
            yield from run.missing(file)
        except TsurError as error:
            run.error = error


def _manifest(version: str, path: Path, source: SourceMap, date: datetime | None) -> dict[str, Any]:
    """The same rows, read the same way by the same model, cut and written the same way."""
    return {
        "format": CHUNK_FORMAT,
        "model_version": version,
        "input": _fingerprint(path) if path.is_file() else None,
        "source": source.model_dump(mode="json"),
        "date": date and date.isoformat(),
        "rows_per_chunk": ROWS_PER_CHUNK,
        "decimal": excel_style().decimal,
    }


def _fingerprint(path: Path) -> dict[str, Any]:
    """Of the content: a copy of the file on another machine is the same input."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}
