"""Import of outcomes: one row a complaint, with the times at which things happened to it.

In: a file, its map (`configs/outcomes/NAME.yaml`) and the store. Out: how many events were stored, how many were there
already, and the rows that were set aside, with line and reason. Of re-routings many systems only say how many there
were: those are stored without a time. A date without a time is the end of that day, for the day is what was kept.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
from pydantic import field_validator

from data.complaints.identifiers import why_refused
from data.complaints.matching import RejectedError
from data.complaints.quoting import quoted
from data.complaints.sources import ColumnMap
from data.errors import ColumnsError, InputError, TsurError
from data.store.outcomes import Event, Outcome, Outcomes
from data.tables.dates import written_time
from data.tables.readers import read_rows
from data.tables.rows import BadRow, Expected, Row, Tell, tell_nobody

TIMES: dict[str, Event] = {
    "sent_at": "sent",
    "rerouted_at": "rerouted",
    "answered_at": "answered",
    "closed_at": "closed",
    "reopened_at": "reopened",
}
"""Fields that hold the time of an event."""
MOST_REROUTINGS = 100
"""A higher count is a number from the wrong column."""
TOGETHER = 500
"""Rows that are stored in one transaction."""


class OutcomeMap(ColumnMap):
    """The column map of a table of outcomes; `name` is the source of its complaints."""

    FIELDS = ("id", "first_agency", "agency", "reroutings", *TIMES)
    ROW = "an outcome"

    @field_validator("columns")
    @classmethod
    def says_something(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        """A complaint has to be named, and something has to have happened to it."""
        if not value.get("id"):
            raise ValueError("no column is named for the field 'id'")
        if not any(value.get(field) for field in (*TIMES, "reroutings")):
            raise ValueError(f"no column is named for any of {', '.join((*TIMES, 'reroutings'))}")
        return value

    def expected(self) -> Expected:
        """What a reader has to look for."""
        return Expected(
            columns=self.columns,
            needed=("id",),
            dates=tuple(TIMES),
            encoding=self.encoding,
            sheet=self.sheet,
            records=self.records,
        )

    def moment(self, value: object) -> datetime | None:
        """The UTC time of a cell, a mere date being the end of its day; None if it is no date."""
        written = written_time(value, self.date_formats)
        if written is None or written.tzinfo is not None or written.time() != time():
            return None if written is None else self.located(written).astimezone(UTC)
        end = datetime.combine(written, time(23, 59, 59), ZoneInfo(self.region_timezone))
        return min(end.astimezone(UTC), datetime.now(UTC))


@dataclass(frozen=True)
class ImportedOutcomes:
    """What an import of outcomes gave.

    Attributes:
        rows: read, good and bad.
        stored, repeated: events that are new, and that were there already.
        rejects: rows of which something was set aside, `line, reason, row`; what was good of them is stored.
    """

    rows: int
    stored: int
    repeated: int
    rejects: pd.DataFrame

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why rows were set aside and how often, ids and times left out; the commonest first."""
        general = (re.sub(r"'[^']*'|\d{4}-\d\d-\d\d[ \d:]* UTC", "…", reason) for reason in self.rejects["reason"])
        return Counter(general).most_common()


@dataclass(frozen=True)
class _Read:
    """The events of one row, or why there are none."""

    line: int
    complaint_id: str
    outcomes: list[Outcome]
    reason: str | None = None


def import_outcomes(
    path: Path, mapped: OutcomeMap, region: str, outcomes: Outcomes, tell: Tell = tell_nobody
) -> ImportedOutcomes:
    """Read a file and store its events, some hundred rows at a time; sent again, a file stores nothing twice.

    Raises:
        FileError: the file is unusable as a whole.
        ColumnsError: it has no column for the complaint's id.
        InputError: no event of the file could be stored; gives the first reason.
        StoreError: the store cannot be written; what was stored before stays.
    """
    rows = stored = repeated = 0
    rejects: list[tuple[int, str, str]] = []
    reading = _rows(path, mapped, region, tell)
    while some := list(islice(reading, TOGETHER)):
        rows += len(some)
        events = [(read, outcome) for read in some for outcome in read.outcomes]
        answers = outcomes.save([outcome for _, outcome in events])
        stored += sum(answer is True for answer in answers)
        repeated += sum(answer is False for answer in answers)
        rejects += [(read.line, read.reason, read.complaint_id) for read in some if read.reason]
        rejects += _refused(events, answers)
    if not stored and not repeated:
        reason = f"; line {rejects[0][0]}: {rejects[0][1]}" if rejects else ": nothing has happened to any complaint"
        raise InputError(f"{path}: no outcome of {rows} rows can be stored{reason}")
    return ImportedOutcomes(rows, stored, repeated, pd.DataFrame(rejects, columns=["line", "reason", "row"]))


def _refused(
    events: Iterable[tuple[_Read, Outcome]], answers: Iterable[bool | TsurError]
) -> list[tuple[int, str, str]]:
    """A row once, by the first of its events that does not fit."""
    first: dict[int, tuple[int, str, str]] = {}
    for (read, _), answer in zip(events, answers, strict=True):
        if isinstance(answer, TsurError):
            first.setdefault(read.line, (read.line, answer.message, read.complaint_id))
    return list(first.values())


def _rows(path: Path, mapped: OutcomeMap, region: str, tell: Tell) -> Iterator[_Read]:
    checked = False
    for line, row in read_rows(path, mapped.expected(), tell):
        if isinstance(row, BadRow):
            yield _Read(line, "", [], row.reason)
            continue
        if not checked:
            _check_columns(path, mapped, list(row))
            checked = True
        columns = mapped.find(row)
        try:
            complaint_id = _identifier(row, columns)
            yield _Read(line, complaint_id, list(_events(row, columns, mapped, region, complaint_id)))
        except RejectedError as error:
            yield _Read(line, "", [], str(error))


def _check_columns(path: Path, mapped: OutcomeMap, header: Sequence[str]) -> None:
    columns = mapped.find(header)
    if "id" not in columns or len(columns) < 2:
        missing = "id" if "id" not in columns else "any time"
        raise ColumnsError(
            f"{path}: no column for {missing}; there are {', '.join(header)}; the map is {mapped.origin}",
            missing=[missing],
            columns=list(header),
            map=mapped.origin,
        )


def _identifier(row: Row, columns: dict[str, str]) -> str:
    given = str(row.get(columns.get("id", "")) or "").strip()
    why = "the id is empty" if not given else why_refused(given)
    if why is not None:
        raise RejectedError(why)
    return given


def _events(row: Row, columns: dict[str, str], mapped: OutcomeMap, region: str, complaint_id: str) -> Iterator[Outcome]:
    """What happened to the complaint of a row, in the order in which it can have happened."""
    cells = {field: row.get(column) for field, column in columns.items()}
    agency, first = (str(cells.get(name) or "").strip() or None for name in ("agency", "first_agency"))
    key = (region, mapped.name, complaint_id)
    moments: dict[str, datetime] = {}
    for field in TIMES:
        if cells.get(field) in (None, ""):
            continue
        moment = mapped.moment(cells[field])
        if moment is None:
            raise RejectedError(f"{field} {quoted(cells[field])} is no date")
        moments[field] = moment
    count = 0 if "rerouted_at" in moments else _count(cells.get("reroutings"))
    for nth in range(1, count + 1):
        yield Outcome(*key, "rerouted", None, agency if nth == count else None, nth)
    for field in sorted(moments, key=lambda name: (moments[name], list(TIMES).index(name))):
        yield Outcome(*key, TIMES[field], moments[field], (first or agency) if field == "sent_at" else agency)


def _count(cell: object) -> int:
    text = str(cell if cell is not None else "").strip() or "0"
    number = float(text.replace(",", ".")) if text.replace(",", "").replace(".", "").isdigit() else -1.0
    if number < 0 or number % 1 or number > MOST_REROUTINGS:
        raise RejectedError(f"reroutings {quoted(cell)} is no count from 0 to {MOST_REROUTINGS}")
    return int(number)
