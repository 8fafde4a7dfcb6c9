"""CSV: rows of delimited text (`,` `;` tab `|`), one at a time, with the line where each starts.

In: a path, its encoding, what is expected. Out: `(line, row)`. The delimiter is the one under which the names
looked for appear. The decision worth knowing: a quote that opens a text and swallows whole rows is no quote
but a sign that somebody typed; a text over several lines is one only if its lines are no rows themselves.
"""

import csv
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from data.errors import FileError
from data.tables.cells import plain
from data.tables.columns import Columns
from data.tables.encoding import TextEncoding, open_text, repaired
from data.tables.header import SEARCHED, Header, find_header, looks_like_data, matched
from data.tables.quotes import alternatives, literal, strict
from data.tables.rows import BadRow, Expected, Row, Rows, Tell

DELIMITERS = ";,\t|"
NO_DELIMITER = "\x1f"
"""Of a file with one column; it stands in no text."""
SAMPLE = 200
"""Lines by which the delimiter is told."""
MOST_JOINED = 20
"""Lines that one record may have where the delimiter is told."""
MOST_LINES = 500
"""Lines that one text may have; no citizen writes more."""
_SEP = re.compile(r"\ufeff?\"?sep=(.)\"?\s*")


@dataclass(frozen=True)
class Record:
    """One row of the file: the line where it starts, its text, its cells; `why` it is bad, if it is."""

    line: int
    raw: str
    cells: list[str]
    why: str | None = None


def csv_rows(path: Path, encoding: TextEncoding, expected: Expected, tell: Tell) -> Rows:
    """The rows below the header.

    Raises:
        FileError: there is no header.
    """
    csv.field_size_limit(100_000_000)  # a long text is refused later, with its line
    with open_text(path, encoding, _newline(path, encoding)) as file:
        lines = _Lines(file)
        delimiter, width = _layout(lines.ahead(SAMPLE), expected)
        if named := _SEP.fullmatch(lines.ahead(1)[0] if lines.ahead(1) else ""):
            delimiter = named[1]
            lines.take()
        records = _records(lines, delimiter, width, encoding)
        first_records = list(islice(records, SEARCHED))
        cells = [[plain(cell) for cell in record.cells] for record in first_records]
        header = find_header(cells, expected)
        if header is None:
            if first_records:
                raise FileError(f"{path}: the first row holds no column names; put a row with names above it")
            return
        names = _rejoined(header, first_records, expected)
        if header.first:
            line = first_records[header.first].line
            tell(f"the column names are on line {line}; what is above was not read as rows")
        if any(map(encoding.is_broken, first_records[header.first].cells)):
            tell("a byte in the column names is no letter: a column whose name it spoils is not read")
        titles = [plain(cell) for cell in first_records[header.first].cells]
        columns = Columns(replace(header, names=names), titles, expected)
        yield from (_row(columns, record) for record in chain(first_records[header.last + 1 :], records))


def _row(columns: Columns, record: Record) -> tuple[int, Row]:
    cells = [plain(cell) for cell in record.cells]
    why = record.why or columns.named_by(cells) or columns.why
    names = columns.names
    if why is None and len(cells) > len(names) and any(cell is not None for cell in cells[len(names) :]):
        why = (
            f"{len(cells)} fields where the header has {len(names)}: a delimiter in a text needs quotes around the text"
        )
    elif why is None and len(cells) == 1 and len(names) > 2:
        why = f"1 field where the header has {len(names)}: perhaps a text goes on that began on the line before"
    if why is not None:
        return record.line, BadRow(why, repaired(record.raw[:500]))
    cells += [None] * (len(names) - len(cells))
    return record.line, Row(zip(names, cells, strict=False))


class _Lines:
    """Numbered lines without their ends, with a look ahead."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._next, self._coming = file, 1, deque[str]()

    def ahead(self, count: int) -> list[str]:
        """The next lines, which stay."""
        while len(self._coming) < count and (line := self._file.readline()):
            self._coming.append(line.rstrip("\r\n"))
        return list(islice(self._coming, count))

    def take(self) -> tuple[int, str] | None:
        """The next line and its number; None at the end."""
        if self._coming:
            line = self._coming.popleft()
        elif not (line := self._file.readline()):
            return None
        self._next += 1
        return self._next - 1, line.rstrip("\r\n")


def _newline(path: Path, encoding: TextEncoding) -> str:
    """What ends a line; a lone carriage return inside a text does not, unless the file knows no other end."""
    with open_text(path, encoding, "") as file:
        return "\n" if "\n" in file.read(1 << 16) else "\r"


def _layout(lines: list[str], expected: Expected) -> tuple[str, int]:
    """The delimiter, and the number of fields that most lines have."""

    def fitness(delimiter: str) -> tuple[int, float, int]:
        rows = [literal(text.lstrip("\ufeff"), delimiter) for text in _by_quotes(lines) if text.strip()]
        matches = [len(matched(expected.columns, filter(None, row))) for row in rows[:SEARCHED]]
        most = max(matches, default=0)
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths or (most and len(rows[matches.index(most)]) == 1):  # the header itself is one name
            return most, 0.0, 1
        width, often = widths.most_common(1)[0]
        return most, often / len(rows), width

    best = max(DELIMITERS, key=fitness)
    width = fitness(best)[2]
    return (best if width > 1 else NO_DELIMITER), width


def _by_quotes(lines: list[str]) -> Iterator[str]:
    """The lines, those between the two quotes of a name or a text as one; a quote without its pair joins nothing."""
    start = 0
    while start < len(lines):
        end, quotes = start, lines[start].count('"')
        while quotes % 2 and end + 1 < min(len(lines), start + MOST_JOINED):
            end += 1
            quotes += lines[end].count('"')
        end = start if quotes % 2 else end
        yield "\n".join(lines[start : end + 1])
        start = end + 1


def _records(lines: _Lines, delimiter: str, width: int, encoding: TextEncoding) -> Iterator[Record]:
    """The records that are not blank."""
    while (taken := lines.take()) is not None:
        number, raw = taken
        if not raw.strip(f"{delimiter} \t\ufeff\xa0"):
            continue
        cells, why = strict(raw, delimiter), None
        if cells is None:
            cells, swallowed = _quoted(raw, lines, delimiter, width)
            if swallowed:
                raw = "\n".join([raw, *swallowed])
        if len(cells) > width and '"' in raw:  # also where a space parts the delimiter from the quote
            cells = alternatives(raw.replace(f'{delimiter} "', f'{delimiter}"'), delimiter, width) or cells
        if encoding.is_broken(raw):
            why = f"a byte is no letter in {encoding.codec.removesuffix('-sig')}: the text was cut in the middle of one"
        yield Record(number, raw, cells, why)


def _quoted(raw: str, lines: _Lines, delimiter: str, width: int) -> tuple[list[str], list[str]]:
    """Cells of a record with quotes out of the ordinary, and the lines behind its first that belong to it."""
    alone = alternatives(raw, delimiter, width) or literal(raw, delimiter)
    text = raw
    odd = raw.count('"') % 2
    coming = lines.ahead(MOST_LINES)
    for count, line in enumerate(coming, start=1):
        text = f"{text}\n{line}"
        odd = (odd + line.count('"')) % 2
        if '"' not in line:
            continue
        cells = None if odd else strict(text, delimiter)
        if cells is None or len(cells) != width:
            cells = alternatives(text, delimiter, width) if width > 1 else None
        if cells is None:
            continue
        if len(alone) == width and _are_rows(alone, coming[:count], delimiter):
            break
        for _ in range(count):
            lines.take()
        return cells, coming[:count]
    return alone, []


def _are_rows(first: list[str], lines: list[str], delimiter: str) -> bool:
    """Are the lines rows of their own, with numbers and dates where the first has them?"""
    typed = [column for column, cell in enumerate(first) if cell and looks_like_data(cell) and len(cell) < 40]
    rows = [literal(line, delimiter) for line in lines]
    like = [
        row
        for row in rows
        if len(row) == len(first) > 1 and all(not row[column] or looks_like_data(row[column]) for column in typed)
    ]
    return len(like) == len(rows) or (bool(typed) and 2 * len(like) >= len(rows))


def _rejoined(header: Header, first_records: list[Record], expected: Expected) -> list[str]:
    """The names, joined again where a name holds the delimiter inside brackets and the rows have fewer fields."""
    widths = Counter(len(record.cells) for record in first_records[header.last + 1 :])
    width = widths.most_common(1)[0][0] if widths else len(header.names)
    if len(header.names) <= width:
        return header.names
    names: list[str] = []
    for name in header.names:
        if names and names[-1].count("(") > names[-1].count(")"):
            names[-1] = f"{names[-1]}, {name}"
        else:
            names.append(name)
    fits = len(names) == width and len(matched(expected.columns, names)) >= len(header.fields)
    return names if fits else header.names
