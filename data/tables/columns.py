"""Columns: the names under which the cells of a row are read, which a second table below the first gives anew.

In: the header, then each row. Out: whether the row is one of names and no data. Where a table has other columns than
those that are needed, its rows are none of ours, and `why` says so.
"""

from collections.abc import Sequence
from typing import Any

from data.tables.header import Header, column_names, looks_like_data, matched
from data.tables.rows import Expected


class Columns:
    """The names in force, the header's cells as they stand, and why rows under them are not read, if they are not."""

    def __init__(self, header: Header, titles: Sequence[Any], expected: Expected) -> None:
        self.names, self.fields, self.titles = header.names, header.fields, list(titles)
        self.why: str | None = None
        self._expected = expected
        self._accepted = {name.lower() for names in expected.columns.values() for name in names}

    def named_by(self, cells: Sequence[Any]) -> str | None:
        """Why the row is no data, if it names the columns: again, or those of another table."""
        if list(cells) == self.titles:
            return "the row repeats the column names"
        known = sum(isinstance(cell, str) and cell.lower() in self._accepted for cell in cells)
        if known < 2 or any(map(looks_like_data, cells)):
            return None
        names = column_names(cells)
        fields = matched(self._expected.columns, names)
        if len(fields) < 2:
            return None
        self.names, self.fields, self.titles = names, fields, list(cells)
        missing = [field for field in self._expected.needed if field not in fields]
        self.why = f"the row is of another table, which has no column for {missing[0]}" if missing else None
        return "the row names the columns of another table"
