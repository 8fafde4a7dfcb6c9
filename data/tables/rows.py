"""What a reader gives, rows with their line numbers, and what its caller knows of the table beforehand.

In: nothing. Out: the types that all readers share. A row maps column names to text, a `datetime` (XLSX)
or None for an empty cell; a part of a JSON record that is no text stays a dict or a list.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class Row(dict[str, Any]):
    """Cells by column name; `sheet` is set where a workbook has several sheets with rows."""

    sheet: str | None = None


class BadRow(Row):
    """A row that could not be read; it holds its `raw` text, and `reason` says why."""

    def __init__(self, reason: str, raw: str) -> None:
        super().__init__(raw=raw)
        self.reason = reason


Rows = Iterator[tuple[int, Row]]
Tell = Callable[[str], None]
"""Told what of a file was not read, in one sentence each."""


def tell_nobody(_: str) -> None:
    """For callers that have nobody to tell."""


@dataclass(frozen=True)
class Expected:
    """What is known of a table before it is read; all of it may be unknown.

    Attributes:
        columns: field → names that its column may have. The header is the row that has most of them.
        needed: fields without which a sheet or a list of records is not the table.
        dates: fields that hold dates; a number there is Excel's count of days.
        encoding: instead of the one detected.
        sheet: the only sheet of a workbook to read; else all that have the columns.
        records: dotted path of the list of records in a JSON document, such as `result.items`.
    """

    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    encoding: str | None = None
    sheet: str | None = None
    records: str | None = None
