"""Import: a source system's export becomes checked, cleaned and masked complaints.

In: a file, its source map and (if there is one) the region's catalogue. Out: `Imported`: the good rows as a
`COMPLAINTS` frame, the bad ones with line and reason, and what of the file was not read. A bad row never stops the
others.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

import pandas as pd

from data.catalogue.model import Catalogue
from data.complaints.checking import RowChecker
from data.complaints.files import complaints_frame
from data.complaints.matching import RejectedError
from data.complaints.quoting import quoted, what_there_is
from data.complaints.schema import Complaint, UnplacedComplaint
from data.complaints.sources import SourceMap
from data.errors import ColumnsError, InputError
from data.tables.dates import months_come_first
from data.tables.readers import read_rows
from data.tables.rows import BadRow, Row, Tell, tell_nobody

Progress = Callable[[int], None]
"""Told after each row how many rows have been read so far."""
LOOKED_AT = 100
"""Rows by which the columns and the order of day and month are told."""


@dataclass(frozen=True)
class Imported:
    """What an import gave.

    Attributes:
        complaints: the good rows (schema COMPLAINTS).
        rejects: the bad ones, `line, reason, row`.
        notes: what of the file was not read as rows, a sentence each.
        unknown_places: municipalities that the catalogue does not know, masked, and in how many of the good rows;
            these have none.
    """

    complaints: pd.DataFrame
    rejects: pd.DataFrame
    notes: list[str] = field(default_factory=list)
    unknown_places: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """Rows of the file, good and bad."""
        return len(self.complaints) + len(self.rejects)

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why rows were set aside and how often, what one row alone says left out; the commonest first."""
        general = (
            re.sub(r"'[^']*'", "'…'", re.sub(r"\bline \d+", "line …", reason)) for reason in self.rejects["reason"]
        )
        return Counter(general).most_common()


@dataclass(frozen=True)
class Reject:
    """A row that was set aside: its line, why, its mapped columns as JSON, masked, and what the reason is about."""

    line: int
    reason: str
    row: str
    kind: str = "row"


def import_complaints(
    path: Path,
    source: SourceMap,
    catalogue: Catalogue | None = None,
    default_date: datetime | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Read, clean, mask and check every row of an export.

    Labels and municipalities take the spelling of the catalogue where one is given; else they are masked. A row
    with an unknown label is a bad one; one with an unknown municipality is kept without it. Rows without a date
    get `default_date` (as the source would write it), if there is one.

    Raises:
        FileError: the file is unusable as a whole.
        ColumnsError: it has no column for the text, or for the date when no default is given.
        InputError: not one row is good; gives the first reason.
    """
    good: list[Complaint] = []
    bad: list[Reject] = []
    notes: list[str] = []
    rows = stream_complaints(path, source, catalogue, default_date, tell=notes.append)
    for count, row in enumerate(rows, start=1):
        if isinstance(row, Reject):
            bad.append(row)
        else:
            good.append(row)
        if progress is not None:
            progress(count)
    if not good:
        raise none_is_good(path, bad[0], len(bad))
    rejects = [(row.line, row.reason, row.row) for row in bad]
    return Imported(
        complaints_frame(good), pd.DataFrame(rejects, columns=["line", "reason", "row"]), notes, unknown_places(good)
    )


def unknown_places(complaints: Iterable[Complaint]) -> Counter[str]:
    """Places of these that the catalogue does not know, and of how many complaints."""
    return Counter(each.unknown_place for each in complaints if isinstance(each, UnplacedComplaint))


def none_is_good(path: Path, first: Reject | None, count: int) -> InputError:
    """The error of a file without one good row, with the option that may mend it."""
    if first is None:
        return InputError(f"{path}: none of {count} rows can be used; the rejects say why")
    hint = ""
    if first.kind == "label":
        hint = "; --catalogue names another catalogue, --no-catalogue takes labels and places as they come"
    return InputError(f"{path}: none of {count} rows can be used; line {first.line}: {first.reason}{hint}")


def stream_complaints(
    path: Path,
    source: SourceMap,
    catalogue: Catalogue | None = None,
    default_date: datetime | None = None,
    skipped: int = 0,
    unique: bool = True,
    tell: Tell = tell_nobody,
) -> Iterator[Complaint | Reject]:
    """The rows of an export one at a time, as `import_complaints` reads them, behind the first `skipped`.

    With `unique`, an id given twice is a bad row, and all ids are kept in memory; else memory stays as it is.
    `tell` hears what was not read. Raises FileError and ColumnsError as `import_complaints` does.
    """
    export = open_export(path, source, default_date, tell)
    checker = RowChecker(source, catalogue, default_date, unique, export.month_first)
    return checked_rows(islice(export.rows, skipped, None), checker)


@dataclass(frozen=True)
class Export:
    """The rows of a file as they stand there, and whether its dates with slashes are American."""

    rows: Iterator[tuple[int, Row]]
    month_first: bool


def open_export(
    path: Path, source: SourceMap, default_date: datetime | None = None, tell: Tell = tell_nobody
) -> Export:
    """Begin to read an export, whose columns have to be there; `tell` hears what was not read.

    Raises:
        FileError, ColumnsError: as `import_complaints` does.
    """
    rows = read_rows(path, source.expected(dated=default_date is None), tell)
    first = list(islice(rows, LOOKED_AT))
    _check_columns(path, source, first, default_date)
    dates = (row.get(source.find(row).get("created_at", "")) for _, row in first)
    return Export(chain(first, rows), months_come_first(dates))


def checked_rows(rows: Iterable[tuple[int, Row]], checker: RowChecker) -> Iterator[Complaint | Reject]:
    """Rows with their lines as complaints, cleaned and masked, or set aside with the reason."""
    for line, row in rows:
        try:
            yield checker.complaint(line, row)
        except RejectedError as error:
            where = f"sheet {quoted(row.sheet)}: " if row.sheet else ""
            yield Reject(line, f"{where}{error}", checker.kept(row), error.kind)


def _check_columns(path: Path, source: SourceMap, rows: list[tuple[int, Row]], default_date: datetime | None) -> None:
    """Are there columns for the text and the date?

    Raises:
        ColumnsError: there are not; the first row that looks like data is named as the reason and not repeated.
    """
    header = list(dict.fromkeys(name for _, row in rows if not isinstance(row, BadRow) for name in row))
    columns = source.find(header)
    needed = ["text"] if default_date is not None else ["text", "created_at"]
    missing = [name for name in needed if name not in columns]
    if not missing or not header:
        return
    looked_for = "; ".join(
        f"{name} (as {' / '.join(source.columns.get(name, [])) or 'nothing: it is not mapped'})" for name in missing
    )
    there, shown = what_there_is(header, len(columns))
    hint = "; a file without dates needs --date" if "created_at" in missing else ""
    raise ColumnsError(
        f"{path}: no column for {looked_for}; {there}; the map is {source.origin}{hint}",
        missing=missing,
        columns=shown,
        map=source.origin,
    )
