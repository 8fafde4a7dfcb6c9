"""`tsur classify`: an export in, a CSV of decisions out, in memory that does not grow with the file.

Chunk by chunk: while the network reads one, the next is read, cleaned and masked in a thread of its own. Finished
chunks lie beside the output in `OUT.chunks` (`batch/chunks.py`): a run that was killed goes on with those that are
missing, and when none is, they are joined into the output. Rows are as `tsur import` takes them, but an id given
twice is classified twice: to know all ids takes memory.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from itertools import count, islice
from pathlib import Path
from typing import Any, Literal

from batch.chunks import Chunks, Part
from data.catalogue.places import PlaceNote
from data.complaints.importing import Reject, none_is_good, stream_complaints, unknown_places
from data.complaints.schema import Complaint, UnplacedComplaint
from data.complaints.sources import SourceMap
from data.tables.csv_writer import csv_header, csv_lines
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from models.classifier.routing import Classification

ROWS_PER_CHUNK = 2048
"""Rows that go to the disk together: enough for full batches of like length, seconds of work."""
CHUNK_FORMAT = 4
"""Raise it with every change after which the same rows and model give another chunk."""
COLUMNS = (
    "id",
    "municipality",
    "decision",
    "reasons",
    *(f"{head}{part}" for head in HEADS for part in ("", "_confidence")),
    "deadline_hours",
    "topic_sure",
    "truncated",
    "notes",
)
REJECT_COLUMNS = ("line", "reason", "row")

Row = Complaint | Reject
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Classified:
    """Rows read from the file; of these good ones, those that need no operator, and those set aside.

    `unplaced` rows are good ones whose municipality the classifier's catalogue does not know.
    """

    read: int = 0
    rows: int = 0
    routed: int = 0
    rejected: int = 0
    unplaced: int = 0

    def __add__(self, other: "Classified") -> "Classified":
        return Classified(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))


def rejects_path(out: Path) -> Path:
    """Where the rows go that were set aside."""
    return out.with_suffix(".rejects.csv")


def chunks_folder(out: Path) -> Path:
    """Where finished chunks lie until they are joined."""
    return out.with_name(f"{out.name}.chunks")


class ClassifyRun:
    """One export on its way through a classifier.

    Args:
        classifier: decides.
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
    """

    def __init__(
        self, classifier: Classifier, version: str, path: Path, source: SourceMap, date: datetime | None, out: Path
    ) -> None:
        self._classifier, self._path, self._source, self._date, self._out = classifier, path, source, date, out
        self._chunks = Chunks(chunks_folder(out), _manifest(version, path, source, date))
        self._finished = self._chunks.finished()
        summaries = (Classified(**self._chunks.summary(number)) for number in self._finished)
        self.done = sum(summaries, Classified())
        self.changed = self._chunks.changed
        self.notes: list[str] = []
        self.unknown_places: Counter[str] = Counter()
        self._first_reject: Reject | None = None

    def finish(self, progress: Progress, joining: Progress = lambda rows: None) -> Classified:
        """As `complete`; then the chunks are removed.

        Raises:
            FileError, ColumnsError: the file is unusable as a whole.
            InputError: not one row is good.
        """
        done = self.complete(progress, joining)
        self._chunks.remove()
        self.check()
        return done

    def complete(self, progress: Progress, joining: Progress = lambda rows: None) -> Classified:
        """Classify what is missing and write the output; `progress` and `joining` get rows so far.

        The chunks stay: whoever dies behind this finds all of them finished.

        Raises:
            FileError, ColumnsError: the file is unusable as a whole.
        """
        for number, rows in self._missing_chunks():
            rejects = [row for row in rows if isinstance(row, Reject)]
            self._first_reject = self._first_reject or next(iter(rejects), None)
            self._classify(number, [row for row in rows if isinstance(row, Complaint)], rejects)
            progress(self.done.read)
        self._join(joining)
        return self.done

    def check(self) -> None:
        """Whether there was anything to decide.

        Raises:
            InputError: not one row was good.
        """
        if not self.done.rows:
            raise none_is_good(self._path, self._first_reject, self.done.rejected)

    def _missing_chunks(self) -> Iterator[tuple[int, list[Row]]]:
        """Number and rows of each chunk that is not finished."""
        first = next(number for number in count() if number not in self._finished)
        catalogue = self._classifier.catalogue
        places = catalogue if catalogue.municipalities else None
        skipped = first * ROWS_PER_CHUNK
        rows = stream_complaints(self._path, self._source, places, self._date, skipped, False, self.notes.append)
        for number, chunk in enumerate(_read_ahead(_in_chunks(rows)), start=first):
            if number not in self._finished:
                yield number, chunk

    def _classify(self, number: int, complaints: list[Complaint], rejects: list[Reject]) -> None:
        places = self._classifier.catalogue.municipality_ids([complaint.municipality for complaint in complaints])
        decisions = self._classifier.classify([complaint.text for complaint in complaints], places)
        placeless = not self._classifier.catalogue.municipalities
        lines = [
            [complaint.id, complaint.municipality or "", *_cells(decision), "" if placeless else _place_note(complaint)]
            for complaint, decision in zip(complaints, decisions, strict=True)
        ]
        unknown = unknown_places(complaints)
        self.unknown_places += unknown
        summary = Classified(
            read=len(complaints) + len(rejects),
            rows=len(complaints),
            routed=sum(decision.decision == "route" for decision in decisions),
            rejected=len(rejects),
            unplaced=unknown.total(),
        )
        texts = {
            "decisions": csv_lines(lines),
            "rejects": csv_lines([[row.line, row.reason, row.row] for row in rejects]),
        }
        self._chunks.write(number, asdict(summary), texts)
        self._finished.add(number)
        self.done += summary

    def _join(self, progress: Progress) -> None:
        parts = {}
        if self.done.rows:
            parts["decisions"] = Part(self._out, csv_header(COLUMNS))
        if self.done.rejected:
            parts["rejects"] = Part(rejects_path(self._out), csv_header(REJECT_COLUMNS))
        self._chunks.join(parts, lambda chunks: progress(min(chunks * ROWS_PER_CHUNK, self.done.read)))


def _manifest(version: str, path: Path, source: SourceMap, date: datetime | None) -> dict[str, Any]:
    """The same rows, read the same way by the same model, cut the same way."""
    return {
        "format": CHUNK_FORMAT,
        "model_version": version,
        "input": _fingerprint(path) if path.is_file() else None,
        "source": source.model_dump(mode="json"),
        "date": date and date.isoformat(),
        "rows_per_chunk": ROWS_PER_CHUNK,
    }


def _fingerprint(path: Path) -> dict[str, Any]:
    """Of the content: a copy of the file on another machine is the same input."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}


def _in_chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, ROWS_PER_CHUNK)):
        yield chunk


def _read_ahead(chunks: Iterator[list[Row]]) -> Iterator[list[Row]]:
    """The chunks, the next one read in a thread while one is worked on."""
    with ThreadPoolExecutor(1, thread_name_prefix="reading") as reader:
        coming = reader.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = reader.submit(next, chunks, None)
            yield chunk


def _place_note(complaint: Complaint) -> PlaceNote | Literal[""]:
    if isinstance(complaint, UnplacedComplaint):
        return "unknown_municipality"
    return "no_municipality" if complaint.municipality is None else ""


def _cells(item: Classification) -> list[object]:
    proposals = [getattr(item, head) for head in HEADS]
    labels = [cell for proposal in proposals for cell in (proposal.label, round(proposal.confidence, 4))]
    deadline = "" if item.deadline_hours is None else item.deadline_hours
    return [item.decision, " ".join(item.reasons), *labels, deadline, int(item.topic_sure), int(item.truncated)]
