"""Readers: rows of a CSV, XLSX, JSON or JSONL file, one at a time, with their line numbers.

In: a path. Out: `(line, row)` pairs; a row maps column names to text, a `datetime` (XLSX only) or
None for an empty cell. A row that is broken by itself is yielded as a `BadRow` and the rest goes
on; a file that is unusable as a whole raises `FileError`. CSV, XLSX and JSONL are streamed.
"""

import codecs
import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from itertools import zip_longest
from pathlib import Path
from typing import Any

from data.errors import FileError

Row = dict[str, Any]
Rows = Iterator[tuple[int, Row]]


class BadRow(Row):
    """A row that could not be read; it holds its `raw` text, and `reason` says why."""

    def __init__(self, reason: str, raw: str) -> None:
        super().__init__(raw=raw)
        self.reason = reason


def read_rows(path: Path, encoding: str | None = None) -> Rows:
    """Stream the rows of a file; `encoding` overrides the detection of UTF-8 or cp1251.

    Raises:
        FileError: absent, empty, of unknown format or encoding, broken as a whole, or no header.
    """
    readers: dict[str, Callable[[Path, str], Rows]] = {
        ".csv": _csv_rows,
        ".tsv": _csv_rows,
        ".txt": _csv_rows,
        ".json": _json_rows,
        ".jsonl": _jsonl_rows,
        ".ndjson": _jsonl_rows,
    }
    kind = path.suffix.lower()
    if kind != ".xlsx" and kind not in readers:
        hint = "; save it as .xlsx" if kind in (".xls", ".ods") else ""
        raise FileError(f"{path}: unknown format {kind!r}; known are {', '.join([*readers, '.xlsx'])}{hint}")
    if encoding is not None and not _is_codec(encoding):
        raise FileError(f"{path}: there is no encoding {encoding!r}; use utf-8 or cp1251")
    try:
        if not path.is_file():
            raise FileError(f"{path}: no such file")
        if path.stat().st_size == 0:
            raise FileError(f"{path}: the file is empty")
        rows = _xlsx_rows(path) if kind == ".xlsx" else readers[kind](path, encoding or detect_encoding(path))
        first = next(rows, None)
        if first is None:
            raise FileError(f"{path}: there are no rows in the file")
        yield first
        yield from rows
    except UnicodeError as error:
        raise FileError(f"{path}: cannot be read as {encoding}: {error}") from None
    except csv.Error as error:
        raise FileError(f"{path}: not readable as CSV: {error}") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from None


def estimated_rows(path: Path) -> int | None:
    """About how many rows the file has: its lines without the header; None where lines say nothing of rows."""
    if path.suffix.lower() in (".json", ".xlsx"):
        return None
    with path.open("rb") as file:
        lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    return max(lines - (path.suffix.lower() not in (".jsonl", ".ndjson")), 1)


def _is_codec(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True


def detect_encoding(path: Path) -> str:
    """`utf-8-sig` if the whole file decodes as UTF-8, else `cp1251` if it then reads as Russian.

    Raises:
        FileError: neither.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    head = b""
    try:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                head = head or chunk
                if b"\0" in chunk:
                    break
                decoder.decode(chunk)
            else:
                decoder.decode(b"", final=True)
                return "utf-8-sig"
    except UnicodeDecodeError:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - (1 << 20)))
            if _is_russian(head) and _is_russian(file.read()):
                return "cp1251"
    raise FileError(f"{path}: neither UTF-8 nor Windows-1251 (cp1251) text; save it in one of these")


def _is_russian(content: bytes) -> bool:
    """Does it read as Russian in cp1251? KOI8-R and cp866 give other letters, or other signs."""
    text = content.decode("cp1251", errors="replace")
    foreign = [char for char in text if ord(char) > 127]
    letters = [char.lower() for char in foreign if re.match("[А-Яа-яЁё]", char)]
    if b"\0" in content or len(letters) < 0.8 * len(foreign):
        return False
    return len(letters) < 30 or sum(letter in "оеаинт" for letter in letters) > 0.33 * len(letters)


def _csv_rows(path: Path, encoding: str) -> Rows:
    csv.field_size_limit(100_000_000)  # a long text is refused later, with its line
    with path.open(encoding=encoding, newline="") as file:
        skipped, delimiter = _delimiter(file.readline())
        if not skipped:
            file.seek(0)
        pending: list[str] = []
        records = csv.reader(_kept(file, pending), delimiter=delimiter)
        names: list[str] | None = None
        line = 1 + skipped
        for cells in records:
            raw = "".join(pending)
            pending.clear()
            if any(cell.strip() for cell in cells):
                if names is None:
                    names = _header(cells, path)
                else:
                    yield line, _csv_row(names, cells, raw, delimiter)
            line = records.line_num + 1 + skipped


def _kept(lines: Iterable[str], copy: list[str]) -> Iterator[str]:
    """The lines, each also put into `copy`."""
    for line in lines:
        copy.append(line)
        yield line


def _delimiter(first_line: str) -> tuple[int, str]:
    """Lines to skip (Excel's `sep=;`), and the delimiter that splits the header most."""
    named = re.fullmatch(r"\ufeff?sep=(.)\s*", first_line)
    if named:
        return 1, named[1]
    return 0, max(",;\t", key=lambda sign: len(next(csv.reader([first_line], delimiter=sign), [])))


def _csv_row(names: list[str], cells: list[str], raw: str, delimiter: str) -> Row:
    if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
        return BadRow(f"{len(cells)} fields where the header has {len(names)}", raw)
    if raw.count("\n") > 1 and _is_unclosed(raw, delimiter):
        return BadRow("a quote is opened here and never closed: the rest of the file is lost", raw[:500])
    return _named(names, [_plain(cell) for cell in cells])


def _named(names: list[str], cells: Sequence[Any]) -> Row:
    """Cells by column name; a row shorter than the header ends in empty cells."""
    return dict(zip_longest(names, cells[: len(names)]))


def _is_unclosed(raw: str, delimiter: str) -> bool:
    try:
        list(csv.reader(raw.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "end of data" in str(error)
    return False


def _xlsx_rows(path: Path) -> Rows:
    """Rows of the active sheet; formulas give the values that Excel stored."""
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever its zip and XML readers do
        raise FileError(f"{path}: not a readable XLSX workbook: {error}") from None
    try:
        sheet = book.active
        if sheet is None or not hasattr(sheet, "reset_dimensions"):
            raise FileError(f"{path}: the workbook has no sheet with rows")
        sheet.reset_dimensions()  # some systems write a wrong size
        yield from _sheet_rows(sheet.iter_rows(values_only=True), path)
    except (KeyError, ValueError, SyntaxError) as error:
        raise FileError(f"{path}: the sheet is broken: {error}") from None
    finally:
        book.close()


def _sheet_rows(rows: Iterator[Sequence[Any]], path: Path) -> Rows:
    """The header is the first row with two filled cells; a lone cell above it is a title."""
    names: list[str] | None = None
    titles: list[tuple[int, list[Any]]] = []
    for line, values in enumerate(rows, start=1):
        cells = [_plain(value) for value in values]
        filled = sum(cell is not None for cell in cells)
        if filled == 0:
            continue
        if names is not None:
            yield line, _named(names, cells)
        elif filled == 1:
            titles.append((line, cells))
        else:
            names = _header(cells, path)
    if names is None and titles:
        names = _header(titles[0][1], path)
        yield from ((line, _named(names, cells)) for line, cells in titles[1:])


def _json_rows(path: Path, encoding: str) -> Rows:
    text = path.read_text(encoding=encoding)
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise FileError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(content, list):
        raise FileError(f"{path}: expected a JSON array of objects, got {type(content).__name__}")
    decoder = json.JSONDecoder()
    between = re.compile(r"[\s,]*")
    position, line, counted = text.index("[") + 1, 1, 0
    for _ in content:
        start = between.match(text, position).end()  # type: ignore[union-attr]
        value, position = decoder.raw_decode(text, start)
        line, counted = line + text.count("\n", counted, start), start
        yield line, _json_row(value, text[start:position])


def _jsonl_rows(path: Path, encoding: str) -> Rows:
    with path.open(encoding=encoding) as file:
        for line, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            try:
                row = _json_row(json.loads(raw), raw)
            except json.JSONDecodeError as error:
                row = BadRow(f"not valid JSON: {error.msg} at character {error.colno}", raw.strip())
            except RecursionError:
                row = BadRow("not valid JSON: nested too deeply", raw[:500])
            yield line, row


def _json_row(value: Any, raw: str) -> Row:
    if not isinstance(value, dict):
        return BadRow(f"expected a JSON object, got {type(value).__name__}", raw.strip())
    return {str(name).strip(): _plain(cell) for name, cell in value.items()}


def _header(cells: Sequence[Any], path: Path) -> list[str]:
    """Column names: trimmed, unique; a nameless column gets its number.

    Raises:
        FileError: no cell of the first row looks like a name.
    """
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = " ".join(str(cell or "").replace("\ufeff", "").split()) or f"column {number}"
        names.append(name if name not in names else f"{name} ({number})")
    if not any(any(char.isalpha() for char in str(cell or "")) for cell in cells):
        raise FileError(f"{path}: the first row holds no column names")
    return names


def _plain(value: Any) -> str | datetime | None:
    """A cell as trimmed text, a `datetime`, or None; 12.0 is «12», an Excel error is empty."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value) if value.is_integer() else value
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())
    if value is None or isinstance(value, datetime):
        return value
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list, bool)) else str(value).strip()
    return None if not text or re.fullmatch(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!)", text) else text
