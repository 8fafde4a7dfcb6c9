"""Checking: one row of an export as a complaint, cleaned, masked and in the catalogue's spelling.

In: a row, its line, its source's map and (if there is one) the region's catalogue. Out: a `Complaint`, or a
`RejectedError` with the reason. A row whose place is not known goes on without it, as an `UnplacedComplaint`. Nothing
leaves here unmasked: labels and places that no catalogue knows are masked as the text is, and of a rejected row only
mapped columns are kept, masked. Ids stay: see `identifiers`.
"""

import hashlib
import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, get_args

from data.catalogue.model import Catalogue
from data.complaints.cleaning import clean_text
from data.complaints.identifiers import why_refused
from data.complaints.masking import masked
from data.complaints.matching import CatalogueLabels, Names, RejectedError, masked_label
from data.complaints.quoting import quoted
from data.complaints.schema import COLUMNS, LABELS, MAX_CHARACTERS, Complaint, SourceName, UnplacedComplaint
from data.complaints.sources import SourceMap
from data.tables.cells import is_total
from data.tables.rows import BadRow, Row


class RowChecker:
    """What the rows of one file are checked against, and the ids seen so far.

    Args:
        source: the map of the file's columns.
        catalogue: checks labels and places; None: they are masked.
        default_date: of rows that have none, as the source would write it.
        unique: an id given twice is a bad row, and all ids are kept in memory.
        month_first: dates with slashes are American.
    """

    def __init__(
        self,
        source: SourceMap,
        catalogue: Catalogue | None,
        default_date: datetime | None,
        unique: bool = True,
        month_first: bool = False,
    ) -> None:
        self.source, self.month_first = source, month_first
        self.default_date = None if default_date is None else source.located(default_date)
        self.labels = CatalogueLabels(catalogue) if catalogue is not None else None
        self.sources = Names("source", get_args(SourceName))
        self.find = lru_cache(maxsize=256)(source.find)  # objects of a JSON file differ in their keys
        self.unique = unique
        self.lines: dict[str, str] = {}

    def complaint(self, line: int, row: Row) -> Complaint:
        """The row as a complaint.

        Raises:
            RejectedError: with the reason.
        """
        if isinstance(row, BadRow):
            raise RejectedError(row.reason)
        columns = self.find(tuple(row))
        cells = {name: self._cell(row, columns, name) for name in COLUMNS if name != "created_at"}
        date = row.get(columns.get("created_at", ""))
        for cell in (cells["id"], date, cells["municipality"]):
            if is_total(cell):
                raise RejectedError("this is a row of totals and no complaint")
        text = cells["text"]
        if is_total(text) and cells["id"] is None and date is None:
            raise RejectedError("this is a row of totals and no complaint")
        if text is None:
            raise RejectedError("the text is empty")
        if len(text) > MAX_CHARACTERS:
            raise RejectedError(f"the text has {len(text)} characters, more than {MAX_CHARACTERS}")
        created_at = self._created_at(date)
        source = self.sources.match(cells["source"]) or self.source.name
        cells["source"] = source
        cells["id"] = self._identifier(cells["id"], row_hash(source, text, created_at))
        place = cells["municipality"]
        fields: dict[str, Any] = cells | self._labelled(cells) | {"text": masked(text), "created_at": created_at}
        if place is not None and fields["municipality"] is None:
            complaint: Complaint = UnplacedComplaint.model_validate(fields | {"unknown_place": masked_label(place)})
        else:
            complaint = Complaint.model_validate(fields)
        if self.unique:
            self.lines[complaint.id] = f"line {line}" + (f" of sheet {quoted(row.sheet)}" if row.sheet else "")
        return complaint

    def _cell(self, row: Row, columns: dict[str, str], name: str) -> str | None:
        value = row.get(columns.get(name, ""))
        if isinstance(value, (dict, list)):
            inside = "a list" if isinstance(value, list) else "an object"
            column = quoted(columns[name])
            raise RejectedError(
                f"{column} holds {inside} and no text: name a part of it in the source's map, as in a.b or a.0.b"
            )
        return clean_text(str(self.source.defaults.get(name, "") if value is None else value)) or None

    def _identifier(self, given: str | None, own: str) -> str:
        """The id given, or the row's own hash where there is none."""
        if given is None:
            if own in self.lines:
                raise RejectedError(f"the same text on the same day, without an id too, is on {self.lines[own]}", "id")
            return own
        if (why := why_refused(given)) is not None:
            raise RejectedError(why, "id")
        if given in self.lines:
            raise RejectedError(f"id '{given}' was given on {self.lines[given]} already", "id")
        return given

    def _labelled(self, cells: dict[str, str | None]) -> dict[str, str | None]:
        """Municipality and labels: the catalogue's where there is one, else masked."""
        if self.labels is not None:
            return self.labels.matched(cells) | {"municipality": self.labels.municipality(cells["municipality"])}
        given = {name: cells[name] for name in ("municipality", *LABELS)}
        return {name: None if value is None else masked_label(value) for name, value in given.items()}

    def _created_at(self, value: Any) -> datetime:
        if value is None:
            if self.default_date is None:
                raise RejectedError("there is no date; --date gives one to the rows without", "date")
            return self.default_date
        moment = self.source.moment(value, self.month_first)
        if moment is None:
            known = ", ".join([*self.source.date_formats, "ISO 8601"])
            raise RejectedError(
                f"the date {quoted(value, 40)} cannot be read as any of {known}, nor as another common form", "date"
            )
        return moment

    def kept(self, row: Row) -> str:
        """The row as JSON for the rejects: mapped columns only, cleaned and masked; an id that is one stays."""
        columns = {} if isinstance(row, BadRow) else self.find(tuple(row))
        cells: dict[str, str | None] = {}
        for name in row if isinstance(row, BadRow) else columns.values():
            text = None if row.get(name) is None else clean_text(str(row[name])[:MAX_CHARACTERS])
            is_id = text is not None and name == columns.get("id") and why_refused(text) is None
            cells[masked_label(name)] = text if text is None or is_id else masked(text)
        return json.dumps(cells, ensure_ascii=False)


def row_hash(source: str, text: str, created_at: datetime) -> str:
    """A stable id for a row that has none."""
    content = "\n".join((source, text, created_at.astimezone(UTC).date().isoformat()))
    return hashlib.sha256(content.encode()).hexdigest()[:16]
