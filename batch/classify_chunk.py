"""One chunk of an export: rows as they stand there in, lines of CSV out; the same bytes wherever it is made.

In: a `RawChunk`, and a classifier or where its bundle lies. Out: a `ChunkResult`. The decision worth knowing: what a
chunk gives follows from its rows and the bundle alone. Int8 scales what a batch holds by its largest value, so a text's
vector depends a little on its neighbours: each chunk is read with an empty cache, and products are summed by one
thread, whatever was read before and however many cores there are.
"""

import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

from batch.executor import Failure, attempted
from data.catalogue.model import Catalogue
from data.catalogue.places import PlaceNote
from data.complaints.checking import RowChecker
from data.complaints.importing import Reject, checked_rows, unknown_places
from data.complaints.schema import Complaint, UnplacedComplaint
from data.complaints.sources import SourceMap
from data.errors import BundleError
from data.tables.csv_writer import CsvStyle, csv_lines
from data.tables.rows import Row
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from models.classifier.routing import Classification
from models.encoder.onnx_runtime import Encoders

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

Rows = list[Complaint | Reject]


@dataclass(frozen=True)
class RawChunk:
    """Rows that lie together in a file, unmasked: for the memory of a worker, and no disk.

    Attributes:
        file: which of the files of a run.
        number: of the chunk in its file.
        rows: with their lines.
        source: the file's columns.
        date: of rows that have none.
        month_first: its dates with slashes are American.
        style: of the CSV that is written.
    """

    file: int
    number: int
    rows: list[tuple[int, Row]]
    source: SourceMap
    date: datetime | None
    month_first: bool
    style: CsvStyle


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


@dataclass(frozen=True)
class ChunkResult:
    """What a chunk gave.

    Attributes:
        done: its figures.
        texts: the lines of decisions and of rejects.
        unknown_places: municipalities that the catalogue does not know, and in how many rows.
        first_reject: where a row was set aside.
    """

    done: Classified
    texts: dict[str, str]
    unknown_places: Counter[str] = field(default_factory=Counter)
    first_reject: Reject | None = None


Outcome = ChunkResult | Failure


@dataclass(frozen=True)
class ClassifyChunk:
    """Classify a chunk wherever the bundle lies: each process loads it once, to read with one thread.

    Args:
        bundle: its folder, on every machine that works.
        encoders: the folder of encoders, likewise.
    """

    bundle: Path
    encoders: Path

    def __call__(self, chunk: RawChunk) -> ChunkResult:
        """The chunk's decisions.

        Raises:
            BundleError: there is no bundle here, or it is broken.
        """
        classifier = _loaded(self.bundle, self.encoders)
        return _classified(chunk, check_chunk(chunk, classifier.catalogue), classifier)


@lru_cache(maxsize=1)
def _loaded(bundle: Path, encoders: Path) -> Classifier:
    if not bundle.is_dir():
        raise BundleError(
            f"{socket.gethostname()}: there is no bundle at {bundle}: share the home (TSUR_HOME) with that machine, or "
            "copy it to the same place"
        )
    return Classifier.load(bundle, Encoders(threads=1, folder=encoders))


def classify_here(classifier: Classifier, chunks: Iterator[RawChunk]) -> Iterator[tuple[RawChunk, Outcome]]:
    """Classify chunks in this process: the next one is cleaned and masked in a thread while the network reads one."""
    check = partial(check_chunk, catalogue=classifier.catalogue)
    for chunk, rows in _ahead((chunk, attempted(check, chunk)) for chunk in chunks):
        if isinstance(rows, Failure):
            yield chunk, rows
        else:
            yield chunk, attempted(partial(_classified, rows=rows, classifier=classifier), chunk)


def _ahead(pairs: Iterator[tuple[RawChunk, Rows | Failure]]) -> Iterator[tuple[RawChunk, Rows | Failure]]:
    """The pairs, the next one made in a thread while one is worked on."""
    with ThreadPoolExecutor(1, thread_name_prefix="reading") as reader:
        coming = reader.submit(next, pairs, None)
        while (pair := coming.result()) is not None:
            coming = reader.submit(next, pairs, None)
            yield pair


def check_chunk(chunk: RawChunk, catalogue: Catalogue) -> Rows:
    """The chunk's rows cleaned, masked and checked; a place is looked up where the catalogue names any."""
    places = catalogue if catalogue.municipalities else None
    checker = RowChecker(chunk.source, places, chunk.date, unique=False, month_first=chunk.month_first)
    return list(checked_rows(chunk.rows, checker))


def _classified(chunk: RawChunk, rows: Rows, classifier: Classifier) -> ChunkResult:
    from threadpoolctl import threadpool_limits

    complaints = [row for row in rows if isinstance(row, Complaint)]
    rejects = [row for row in rows if isinstance(row, Reject)]
    places = classifier.catalogue.municipality_ids([complaint.municipality for complaint in complaints])
    classifier.encoders.cache.forget()
    with threadpool_limits(1, user_api="blas"):
        decisions = classifier.classify([complaint.text for complaint in complaints], places)
    placeless = not classifier.catalogue.municipalities
    lines = [
        [complaint.id, complaint.municipality or "", *_cells(decision), "" if placeless else _place_note(complaint)]
        for complaint, decision in zip(complaints, decisions, strict=True)
    ]
    unknown = unknown_places(complaints)
    done = Classified(
        read=len(rows),
        rows=len(complaints),
        routed=sum(decision.decision == "route" for decision in decisions),
        rejected=len(rejects),
        unplaced=unknown.total(),
    )
    texts = {
        "decisions": csv_lines(lines, chunk.style),
        "rejects": csv_lines([[row.line, row.reason, row.row] for row in rejects], chunk.style),
    }
    return ChunkResult(done, texts, unknown, next(iter(rejects), None))


def _place_note(complaint: Complaint) -> PlaceNote | Literal[""]:
    if isinstance(complaint, UnplacedComplaint):
        return "unknown_municipality"
    return "no_municipality" if complaint.municipality is None else ""


def _cells(item: Classification) -> list[object]:
    proposals = [getattr(item, head) for head in HEADS]
    labels = [cell for proposal in proposals for cell in (proposal.label, round(proposal.confidence, 4))]
    deadline = "" if item.deadline_hours is None else item.deadline_hours
    return [item.decision, " ".join(item.reasons), *labels, deadline, int(item.topic_sure), int(item.truncated)]
