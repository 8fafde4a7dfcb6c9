"""XLSX: the rows of every sheet that has the header, one at a time, with their numbers in the sheet.

In: a path and what is expected. Out: `(line, row)`; formulas give the values that Excel stored. Hidden sheets and
those without the columns are skipped, which is told. A value merged over rows belongs to each of them; one merged
over columns only in the header, for below it is a heading between the rows.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from data.complaints.quoting import quoted
from data.errors import FileError
from data.tables.cells import plain
from data.tables.columns import Columns
from data.tables.header import SEARCHED, Header, find_header
from data.tables.rows import BadRow, Expected, Row, Rows, Tell

WIDEST = 500
"""Columns that a merged heading fills; some are merged over all 16,384."""
_MERGED = re.compile(rb"mergeCell\s[^>]*?ref=\"([A-Z]+)(\d+):([A-Z]+)(\d+)\"")
_PADDED = re.compile(r'(?=(?:"[^"]*"|\\.|[^"\\])*0(?:"[^"]*"|\\.|[-/ ])*0)(?:"[^"]*"|\\.|[-/ 0])+')
"""A number format of two zeros and more, with signs between them."""
_SERIALS = range(1, 120_000)
"""Excel's days from 1900 to 2228; a larger number in a column of dates is something else."""


@dataclass(frozen=True)
class _Merge:
    """Columns from 0, rows from 1, all inclusive."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass
class _Sheet:
    """A sheet, its first rows, its header if it has one, and the rows still to come."""

    title: str
    epoch: Any
    first_rows: list[tuple[int, list[Any], list[Any]]]
    later_rows: Iterator[tuple[int, list[Any], list[Any]]]
    header: Header | None


def xlsx_rows(path: Path, expected: Expected, tell: Tell) -> Rows:
    """The rows below the header of each sheet that has it.

    Raises:
        FileError: no workbook, no such sheet, or a broken one.
    """
    from openpyxl import load_workbook

    file = path.open("rb")  # under its own name, openpyxl would judge the file by that
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions that hold no cells
            book = load_workbook(file, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever its zip and XML readers do
        file.close()
        raise FileError(f"{path}: not a readable XLSX workbook: {error}") from None
    try:
        sheets = [_opened(book, sheet, expected) for sheet in _wanted(book, expected, path, tell)]
        chosen = _with_header(sheets, expected, tell)
        if not chosen and any(sheet.first_rows for sheet in sheets):
            raise FileError(f"{path}: no sheet holds column names")
        for sheet in chosen:
            if sheet.header is not None and sheet.header.first:
                row = sheet.first_rows[sheet.header.first][0]
                tell(f"the column names are in row {row} of sheet {quoted(sheet.title)}; what is above was not read")
            yield from _rows(sheet, expected, named=len(chosen) > 1)
    except (KeyError, ValueError, SyntaxError, EOFError) as error:
        raise FileError(f"{path}: a sheet is broken: {error}") from None
    finally:
        book.close()
        file.close()


def _wanted(book: Any, expected: Expected, path: Path, tell: Tell) -> list[Any]:
    """The sheet that the map names, or all that can be seen."""
    sheets = [sheet for sheet in book.worksheets if hasattr(sheet, "reset_dimensions")]
    if expected.sheet is not None:
        wanted = " ".join(expected.sheet.casefold().split())
        named = [sheet for sheet in sheets if " ".join(sheet.title.casefold().split()) == wanted]
        if not named:
            titles = ", ".join(quoted(sheet.title) for sheet in sheets)
            raise FileError(f"{path}: there is no sheet {expected.sheet!r}; there are {titles}")
        return named
    visible = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
    for sheet in sheets:
        if sheet.sheet_state != "visible":
            tell(f"sheet {quoted(sheet.title)} is hidden and was not read; `sheet:` in the source's map names one")
    if not visible:
        raise FileError(f"{path}: the workbook has no visible sheet with rows")
    return visible


def _opened(book: Any, sheet: Any, expected: Expected) -> _Sheet:
    sheet.reset_dimensions()  # some systems write a wrong size
    rows = _filled_rows(_values(book, sheet), _merges(book, sheet))
    first_rows = list(islice(rows, SEARCHED))
    header = find_header([across for _, _, across in first_rows], expected)
    return _Sheet(sheet.title, book.epoch, first_rows, rows, header)


def _values(book: Any, sheet: Any) -> Iterator[Sequence[Any]]:
    """The rows' values; a number that its format shows with leading zeros, as of ids, is the text that is seen."""
    if not any(_PADDED.fullmatch(number_format) for number_format in book._number_formats):
        yield from sheet.iter_rows(values_only=True)
        return
    for row in sheet.iter_rows():
        yield [as_shown(cell.value, cell.number_format) if isinstance(cell.value, int) else cell.value for cell in row]


def as_shown(value: int, number_format: str) -> Any:
    """123 in the format `00000` is «00123», in `"П-"0000` «П-0123»; in other formats it stays a number."""
    if isinstance(value, bool) or value < 0 or not _PADDED.fullmatch(number_format):
        return value
    pattern = re.sub(r'"([^"]*)"|\\(.)', lambda sign: (sign[1] or sign[2] or "").replace("0", "\0"), number_format)
    digits = list(str(value).rjust(pattern.count("0"), "0"))
    first = len(digits) - pattern.count("0")
    digits = ["".join(digits[: first + 1]), *digits[first + 1 :]]
    return re.sub("0", lambda _: digits.pop(0), pattern).replace("\0", "0")


def _merges(book: Any, sheet: Any) -> list[_Merge]:
    """The merged ranges, which openpyxl's streaming reader leaves out, from the sheet's own XML."""
    from openpyxl.utils import column_index_from_string

    merges: list[_Merge] = []
    with book._archive.open(sheet._worksheet_path) as file:
        rest = b""
        while block := file.read(1 << 20):
            block = rest + block
            end = 0
            for match in _MERGED.finditer(block):
                left, right = (column_index_from_string(match[group].decode()) - 1 for group in (1, 3))
                merges.append(_Merge(left, int(match[2]), right, int(match[4])))
                end = match.end()
            rest = block[max(end, len(block) - 200) :]
    return sorted(merges, key=lambda merge: merge.top)


def _filled_rows(rows: Iterator[Sequence[Any]], merges: list[_Merge]) -> Iterator[tuple[int, list[Any], list[Any]]]:
    """Rows that are not blank: number, cells with what is merged down, and with what is merged across as well."""
    waiting, active = merges[::-1], list[tuple[_Merge, Any]]()
    for number, values in enumerate(rows, start=1):
        while waiting and waiting[-1].top <= number:
            merge = waiting.pop()
            active.append((merge, values[merge.left] if merge.left < len(values) else None))
        active = [(merge, value) for merge, value in active if merge.bottom >= number]
        if all(value is None or value == "" for value in values):
            continue
        down = list(values)
        for merge, value in active:
            _fill(down, merge.left, value)
        across = list(down)
        for merge, value in active:
            for column in range(merge.left, min(merge.right, WIDEST) + 1):
                _fill(across, column, value)
        yield number, [plain_or_number(cell) for cell in down], [plain(cell) for cell in across]


def plain_or_number(cell: Any) -> Any:
    """A cell as text, but a number as itself: in a column of dates it is one."""
    return cell if isinstance(cell, (int, float)) and not isinstance(cell, bool) else plain(cell)


def _fill(cells: list[Any], column: int, value: Any) -> None:
    if value is None:
        return
    cells += [None] * (column + 1 - len(cells))
    if cells[column] is None:
        cells[column] = value


def _with_header(sheets: list[_Sheet], expected: Expected, tell: Tell) -> list[_Sheet]:
    """The sheets with the columns that the best of them has; if none has any, the first with a header."""
    headed = [sheet for sheet in sheets if sheet.header is not None]
    best = max((set(sheet.header.fields) for sheet in headed if sheet.header), key=len, default=set())
    if expected.sheet is not None or not best:
        return headed[:1]
    chosen = []
    for sheet in sheets:
        fields = set(sheet.header.fields) if sheet.header else set()
        if best.intersection(expected.needed) <= fields and 2 * len(fields) >= len(best):
            chosen.append(sheet)
        elif sheet.first_rows:
            tell(f"sheet {quoted(sheet.title)} was not read: it has no row with the column names")
    return chosen


def _rows(sheet: _Sheet, expected: Expected, named: bool) -> Rows:
    header = sheet.header
    if header is None:
        return
    columns = Columns(header, [plain(cell) for cell in sheet.first_rows[header.first][1]], expected)
    for number, cells, _ in chain(sheet.first_rows[header.last + 1 :], sheet.later_rows):
        why = columns.named_by([plain(cell) for cell in cells]) or columns.why
        dates = {columns.fields[name] for name in expected.dates if name in columns.fields}
        texts = [
            plain(_moment(cell, sheet.epoch) if name in dates else cell)
            for name, cell in zip(columns.names, cells, strict=False)
        ]
        texts += [None] * (len(columns.names) - len(texts))
        row = BadRow(why, "") if why is not None else Row(zip(columns.names, texts, strict=True))
        if named:
            row.sheet = sheet.title
        yield number, row


def _moment(cell: Any, epoch: Any) -> Any:
    """A date that was left as Excel's number, by the workbook's own calendar (1900, or 1904 of a Mac)."""
    from openpyxl.utils.datetime import from_excel

    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and int(cell) in _SERIALS:
        return from_excel(cell, epoch)
    return cell
