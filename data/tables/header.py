"""Headers: which row of a table holds the names of its columns.

In: the first rows of a CSV file or a sheet, and the names that are looked for. Out: a `Header`, or None.
The header is the row that bears most of the names, for reports have titles above it and templates have
rows of numbers, types and «Обязательное поле» below it; those belong to the header and are no data.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from data.complaints.cleaning import clean_text, folded
from data.tables.cells import column_name
from data.tables.rows import Expected

SEARCHED = 40
"""Rows among which the header is looked for."""
MOST_ROWS = 6
"""Rows that a header may have below its first."""
LONGEST_NAME = 120
"""A longer cell is a text and not a name."""

Cells = Sequence[Any]

_EDGES = " *:.;,\"'«»“”"
_NUMBER = re.compile(r"[+-]?\d[\d \u00a0\u202f]*(?:[.,]\d+)?(?:E\+\d+)?%?")
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}\b.{0,20}")
_PERSONAL = re.compile(r"@|(?:\+7|\b[78])[ (-]*\d{3}[ )-]*\d{3}|\d{7}")
_TYPE = re.compile(
    r"текст|строк(?:а|овый)|число(?:вой)?|(?:целое|дробное)(?: число)?|число и текст|дата|время|дата[ /]+(?:и )?время"
    r"|список|ссылка|(?:значение из )?справочника?|логическ\w+|да/нет"
    r"|text|string|varchar|char|integer|int|number|float|date|datetime|timestamp|boolean|bool|list"
)
_DEMAND = re.compile(
    r"(?:не ?)?обязательн|заполняется|по усмотрению|при наличии|условно|required|optional|mandatory", re.IGNORECASE
)
_TECHNICAL = re.compile(r"[a-z][a-z0-9]*(?:[_.][a-z0-9]+)+", re.IGNORECASE)


@dataclass(frozen=True)
class Header:
    """The names of the columns, and where they stand among the rows looked at.

    Attributes:
        names: one a column: trimmed, unique; a nameless column gets its number.
        fields: expected field → name of its column.
        first: index of the row with the names.
        last: index of the last row that belongs to the header.
    """

    names: list[str]
    fields: dict[str, str]
    first: int
    last: int


def matched(columns: Mapping[str, Sequence[str]], names: Iterable[str]) -> dict[str, str]:
    """Field → the table's column: the first accepted name that the table has, whatever its case, spaces, ё and `*`."""
    by_key: dict[str, str] = {}
    for name in names:
        by_key.setdefault(_key(name), name)
    fields: dict[str, str] = {}
    for field, accepted in columns.items():
        key = next((key for key in map(_key, accepted) if key in by_key), None)
        if key is not None:
            fields[field] = by_key[key]
    return fields


def find_header(rows: Sequence[Cells], expected: Expected) -> Header | None:
    """The header among the first rows of a table, blank ones left out; None where there is no name at all.

    Without a row that has one of the names expected, the header is the first row of several cells.
    """
    best: tuple[tuple[bool, int], int] | None = None
    for index, cells in enumerate(rows[:SEARCHED]):
        fields = matched(expected.columns, filter(None, map(column_name, cells)))
        if not fields or not _may_be_header(rows, index, len(fields)):
            continue
        score = (all(name in fields for name in expected.needed), len(fields))
        if best is None or score > best[0]:
            best = score, index
    if best is not None:
        return _header_at(rows, best[1], expected)
    several = (index for index, cells in enumerate(rows[:SEARCHED]) if _filled(cells) > 1)
    first = next(several, 0)
    if not rows or not any(any(map(str.isalpha, str(cell or ""))) for cell in rows[first]):
        return None
    return _header_at(rows, first, expected)


def column_names(cells: Cells, above: Cells = ()) -> list[str]:
    """Unique names: one given twice takes the name of its group in the row above, or its number."""
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = column_name(cell) or f"column {number}"
        group = column_name(above[number - 1]) if number <= len(above) else ""
        if name in names and group and group != name:
            name = f"{group} / {name}"
        names.append(name if name not in names else f"{name} ({number})")
    return names


def looks_like_data(cell: Any) -> bool:
    """A number, a date, a long text, a phone or an e-mail: no name of a column."""
    if cell is None or isinstance(cell, datetime):
        return cell is not None
    text = str(cell).strip()
    return (
        len(text) > LONGEST_NAME
        or _NUMBER.fullmatch(text) is not None
        or _DATE.match(text) is not None
        or _PERSONAL.search(text) is not None
    )


def _key(name: str) -> str:
    return folded(clean_text(name)).strip(_EDGES)


def _filled(cells: Cells) -> int:
    return sum(cell is not None and str(cell).strip() != "" for cell in cells)


def _data_cells(cells: Cells) -> int:
    return sum(map(looks_like_data, cells))


def _may_be_header(rows: Sequence[Cells], index: int, fields: int) -> bool:
    """More names than data in it; with one name only, nothing above that could be a row of data."""
    cells = rows[index]
    if fields <= _data_cells(cells):
        return False
    return fields > 1 or all(_filled(row) < max(_filled(cells), 2) or not _data_cells(row) for row in rows[:index])


def _header_at(rows: Sequence[Cells], first: int, expected: Expected) -> Header:
    """The header whose names stand in that row, with the rows that belong to it."""
    above = rows[first - 1] if first and not _data_cells(rows[first - 1]) else ()
    cells = [cell if column_name(cell) else _at(above, column) for column, cell in enumerate(rows[first])]
    group = above
    expected_names = set(matched(expected.columns, filter(None, map(column_name, cells))).values())
    last = first
    for index in range(first + 1, min(first + 1 + MOST_ROWS, len(rows))):
        row = rows[index]
        if expected_names and _continues(cells, row, expected_names):
            group = cells
            width = max(len(cells), len(row))
            cells = [
                _at(row, column) if column_name(_at(row, column)) else _at(cells, column) for column in range(width)
            ]
        elif not is_template(row):
            break
        last = index
    names = column_names(cells, group)
    return Header(names, matched(expected.columns, names), first, last)


def _at(cells: Cells, column: int) -> Any:
    return cells[column] if column < len(cells) else None


def _continues(cells: Cells, row: Cells, expected_names: set[str]) -> bool:
    """Does the row only name parts of the columns above: «Адрес» – «улица», «дом»?

    Where the header has an expected name, it is empty or the same: there a row of data has something else.
    """
    if not _filled(row) or _data_cells(row):
        return False
    pairs = [(column_name(cell), column_name(_at(row, column))) for column, cell in enumerate(cells)]
    return all(below in ("", name) for name, below in pairs if name in expected_names)


def is_template(cells: Cells) -> bool:
    """A row of 1, 2, 3 …, of types, of «Обязательное поле», or of a system's own names (`reg_number`)."""
    texts = [str(cell).strip() for cell in cells if cell is not None and str(cell).strip()]
    if len(texts) < 2:
        return False
    if _counts_columns(texts):
        return True
    lowered = [" ".join(text.lower().split()) for text in texts]
    if all(_TYPE.fullmatch(text) for text in lowered) or all(_TECHNICAL.fullmatch(text) for text in texts):
        return True
    return sum(_DEMAND.match(text) is not None for text in lowered) >= 0.8 * len(lowered)


def _counts_columns(texts: list[str]) -> bool:
    """«А Б 1 2 3» or 1 2 3, as Russian forms number their columns."""
    numbers = [int(text) for text in texts if re.fullmatch(r"\d{1,3}", text)]
    letters = [text for text in texts if re.fullmatch("[А-ЯA-Z]", text)]
    if len(numbers) + len(letters) < len(texts) or len(numbers) < 2:
        return False
    return numbers == list(range(numbers[0], numbers[0] + len(numbers))) and numbers[0] in (0, 1, len(letters) + 1)
