"""CSV that TSUR writes: for a Russian Excel, which opens it by double click.

In: a frame, or rows. Out: UTF-8 with a byte order mark, `;` between the cells, and a decimal comma where
`TSUR_CSV_DECIMAL=comma` says so, for programs read these files too. A cell of text that Excel would run as a formula
(`=` `+` `-` `@`) gets an apostrophe before it; numbers stay numbers. Programs take JSON, or the plain style, which is
RFC 4180.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data.atomic import atomic_file
from data.settings import settings

BOM = "\ufeff"
_UNSEEN = r"[\s\0\u200b-\u200f\u202a-\u202e\u2060\ufeff]*"
_FORMULA = re.compile(rf"{_UNSEEN}[=+\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b]|[\t\r\n]")
"""Signs of any width, behind what a spreadsheet may leave out."""
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:E[+-]?\d+)?%?", re.IGNORECASE)


@dataclass(frozen=True)
class CsvStyle:
    """What a reader of CSV expects."""

    delimiter: str = ";"
    decimal: str = "."
    bom: bool = True


PLAIN = CsvStyle(delimiter=",", bom=False)
"""RFC 4180, for programs."""


def excel_style() -> CsvStyle:
    """How Excel opens a file without being asked, with the decimal sign of the settings."""
    return CsvStyle(decimal="," if settings().csv_decimal == "comma" else ".")


def defused(cell: object) -> object:
    """The cell so that no spreadsheet runs it: text that begins like a formula behind an apostrophe."""
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def csv_header(columns: Sequence[str], style: CsvStyle | None = None) -> str:
    """What stands before the first row: the mark and the names; for Excel, unless told otherwise."""
    style = excel_style() if style is None else style
    return (BOM if style.bom else "") + csv_lines([columns], style)


def csv_lines(rows: Iterable[Sequence[object]], style: CsvStyle | None = None) -> str:
    """Rows as CSV; for Excel, unless told otherwise."""
    style = excel_style() if style is None else style
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=style.delimiter).writerows([_cell(cell, style) for cell in row] for row in rows)
    return text.getvalue()


def csv_text(frame: pd.DataFrame, style: CsvStyle | None = None, index: bool = False) -> str:
    """A frame as CSV; `index` writes its index as the first columns."""
    if index:
        frame = frame.reset_index()
    frame = frame.astype(object).where(frame.notna(), None)
    return csv_header([str(name) for name in frame.columns], style) + csv_lines(frame.itertuples(index=False), style)


def write_csv(frame: pd.DataFrame, path: Path, index: bool = False) -> None:
    """Write a frame for Excel; the folder is made."""
    with atomic_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        file.write(csv_text(frame, index=index))


def _cell(cell: object, style: CsvStyle) -> object:
    if isinstance(cell, pd.Timestamp):
        return cell.strftime("%Y-%m-%d") if cell == cell.normalize() and cell.tzinfo is None else cell.isoformat(" ")
    if isinstance(cell, float):
        return f"{float(cell)!r}".replace(".", style.decimal)
    return defused(cell)
