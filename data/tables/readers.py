"""Readers: rows of a CSV, XLSX, JSON or JSONL file, one at a time, with their line numbers.

In: a path, and what its caller expects of the table. Out: `(line, row)` pairs. A row that is broken by itself
is yielded as a `BadRow` and the rest goes on; a file that is unusable as a whole raises `FileError`. CSV, XLSX
and JSONL are streamed. What a file really is its bytes say, not its name.
"""

import csv
import zipfile
import zlib
from pathlib import Path
from typing import IO

from data.errors import FileError
from data.tables.csv_reader import csv_rows
from data.tables.encoding import BLOCK, GZIP, text_encoding
from data.tables.json_reader import json_rows, jsonl_rows
from data.tables.kinds import kind_of
from data.tables.rows import Expected, Rows, Tell, tell_nobody
from data.tables.xlsx_reader import xlsx_rows

TEXT_READERS = {"csv": csv_rows, "json": json_rows, "jsonl": jsonl_rows}
ANYTHING = Expected()


def read_rows(path: Path, expected: Expected = ANYTHING, tell: Tell = tell_nobody) -> Rows:
    """Stream the rows of a file; `tell` hears what was not read.

    Raises:
        FileError: absent, empty, of unknown format or encoding, broken as a whole, or no header.
    """
    try:
        kind = kind_of(path)
        if kind == "xlsx":
            rows = xlsx_rows(path, expected, tell)
        else:
            rows = TEXT_READERS[kind](path, text_encoding(path, expected.encoding), expected, tell)
        first = next(rows, None)
        if first is None:
            raise FileError(f"{path}: there are no rows in the file")
        yield first
        yield from rows
    except csv.Error as error:
        raise FileError(f"{path}: not readable as CSV: {error}") from None
    except (EOFError, zlib.error):
        raise FileError(f"{path}: cannot be unpacked: the file is cut short or broken") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from None


def estimated_rows(path: Path) -> int | None:
    """About how many rows the file has without the header: its lines, or a workbook's rows; None for other JSON."""
    with path.open("rb") as file:
        start = file.read(4)
        if start[:2] == b"PK":
            return _workbook_rows(path)
        if start[:2] == GZIP or path.suffix.lower() in (".json", ".xlsx", ".xlsm"):
            return None
        lines = start.count(b"\n") + sum(block.count(b"\n") for block in iter(lambda: file.read(BLOCK), b""))
    return max(lines - (path.suffix.lower() not in (".jsonl", ".ndjson")), 1)


def _workbook_rows(path: Path) -> int | None:
    """Rows of all sheets, without a header for each; counted in their XML, a block at a time."""
    rows = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.startswith("xl/worksheets/sheet"):
                    with archive.open(name) as sheet:
                        rows += max(_count(sheet, b"<row ") - 1, 0)
    except (zipfile.BadZipFile, zlib.error, OSError):
        return None
    return max(rows, 1)


def _count(file: IO[bytes], word: bytes) -> int:
    """How often a word occurs, those that lie across two blocks too."""
    count, rest = 0, b""
    for block in iter(lambda: file.read(BLOCK), b""):
        count += (rest + block).count(word)
        rest = (rest + block)[1 - len(word) :]
    return count
