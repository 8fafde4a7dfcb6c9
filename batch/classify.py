"""`tsur classify`: an export in, a CSV of decisions out, in memory that does not grow with the file.

Chunk by chunk: while the network reads one, the next is read, cleaned and masked in a thread of its own.
A chunk is on the disk before it counts, and a run that was killed goes on behind the last one. Rows are
as `tsur import` takes them, but an id given twice is classified twice: to know all ids takes memory.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from batch.journal import Journal
from data.complaints.importing import Reject, stream_complaints
from data.complaints.schema import Complaint
from data.complaints.sources import SourceMap
from data.errors import InputError
from models.classifier.classifier import Classifier
from models.classifier.decoding import Classification
from models.classifier.labels import HEADS

CHUNK = 2048
"""Rows that go to the disk together: enough for full batches of like length, seconds of work."""
COLUMNS = (
    "id",
    "municipality",
    "decision",
    "reasons",
    *(f"{head}{part}" for head in HEADS for part in ("", "_confidence")),
    "deadline_hours",
    "truncated",
)
REJECT_COLUMNS = ("line", "reason", "row")
BOM = "\ufeff"
"""So that Excel opens the file as UTF-8."""


@dataclass(frozen=True)
class Classified:
    """Rows read from the file; of these good ones, those that need no operator, and those set aside."""

    read: int = 0
    rows: int = 0
    routed: int = 0
    rejected: int = 0


def rejects_path(out: Path) -> Path:
    """Where the rows go that were set aside."""
    return out.with_suffix(".rejects.csv")


class ClassifyRun:
    """One export on its way through a classifier.

    Args:
        classifier: decides.
        version: of the classifier; another one's half-finished output is not continued.
        path: the export.
        source: its columns.
        date: of rows that have none.
        out: the CSV of decisions.

    Attributes:
        done: how far an earlier run of the same job came.
    """

    def __init__(
        self, classifier: Classifier, version: str, path: Path, source: SourceMap, date: datetime | None, out: Path
    ) -> None:
        self._classifier, self._path, self._source, self._date = classifier, path, source, date
        self._journal = Journal([out, rejects_path(out)], _job_key(version, path, source, date))
        self.done = Classified(**self._journal.state)

    def finish(self, progress: Callable[[int], None]) -> Classified:
        """Classify what is left; `progress` gets rows so far.

        Raises:
            FileError, ColumnsError: the file is unusable as a whole.
            InputError: not one row is good.
        """
        catalogue = self._classifier.catalogue
        places = catalogue if catalogue.municipalities else None
        rows = stream_complaints(self._path, self._source, places, self._date, self.done.read, unique=False)
        first: Reject | None = None
        for chunk in _ahead(_chunks(rows)):
            rejects = [row for row in chunk if isinstance(row, Reject)]
            first = first or next(iter(rejects), None)
            self._write([row for row in chunk if isinstance(row, Complaint)], rejects)
            progress(self.done.read)
        self._journal.close([self.done.rows > 0, self.done.rejected > 0])
        if not self.done.rows:
            why = f"; line {first.line}: {first.reason}" if first else ""
            raise InputError(f"{self._path}: none of {self.done.rejected} rows can be used{why}")
        return self.done

    def _write(self, complaints: list[Complaint], rejects: list[Reject]) -> None:
        places = self._classifier.catalogue.municipality_ids([complaint.municipality for complaint in complaints])
        found = self._classifier.classify([complaint.text for complaint in complaints], places)
        lines = [
            [complaint.id, complaint.municipality or "", *_cells(item)]
            for complaint, item in zip(complaints, found, strict=True)
        ]
        was = self.done
        self.done = Classified(
            was.read + len(complaints) + len(rejects),
            was.rows + len(complaints),
            was.routed + sum(item.decision == "route" for item in found),
            was.rejected + len(rejects),
        )
        chunks = [
            _csv(COLUMNS, lines, headed=not was.rows),
            _csv(REJECT_COLUMNS, [[row.line, row.reason, row.row] for row in rejects], headed=not was.rejected),
        ]
        self._journal.write(chunks, asdict(self.done))


def _job_key(version: str, path: Path, source: SourceMap, date: datetime | None) -> str:
    """The same file, as it is now, read the same way by the same model."""
    status = path.stat() if path.is_file() else None
    file = [str(path.resolve()), status and status.st_size, status and status.st_mtime_ns]
    said = json.dumps([version, file, source.model_dump(mode="json"), date and date.isoformat()], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def _chunks(rows: Iterator[Complaint | Reject]) -> Iterator[list[Complaint | Reject]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _ahead(chunks: Iterator[list[Complaint | Reject]]) -> Iterator[list[Complaint | Reject]]:
    """The chunks, the next one read in a thread while one is worked on."""
    with ThreadPoolExecutor(1, thread_name_prefix="reading") as reader:
        coming = reader.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = reader.submit(next, chunks, None)
            yield chunk


def _csv(columns: tuple[str, ...], lines: list[list[object]], headed: bool) -> str:
    """The lines as CSV; the first ones of a file behind their header."""
    if not lines:
        return ""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if headed:
        text.write(BOM)
        writer.writerow(columns)
    writer.writerows(lines)
    return text.getvalue()


def _cells(item: Classification) -> list[object]:
    proposals = [getattr(item, head) for head in HEADS]
    labels = [cell for proposal in proposals for cell in (proposal.label, f"{proposal.confidence:.4f}")]
    deadline = "" if item.deadline_hours is None else item.deadline_hours
    return [item.decision, " ".join(item.reasons), *labels, deadline, int(item.truncated)]
