"""Import: a source system's export becomes checked, cleaned and masked complaints.

In: a file, its source map and (if there is one) the region's catalogue. Out: `Imported`: the
good rows as a `COMPLAINTS` frame and the bad ones with line and reason. A bad row never stops
the others. Nothing leaves here unmasked: labels and places that no catalogue knows are masked as
the text is, an id that holds a phone gives way to a hash, and of a rejected row only mapped
columns are kept, masked.
"""

import difflib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import get_args

import pandas as pd
from pydantic import ValidationError

from data.catalogue.model import Catalogue
from data.complaints.cleaning import clean_text, folded
from data.complaints.masking import mask, mask_numbers, masked
from data.complaints.schema import COLUMNS, LABELS, MAX_CHARACTERS, Complaint, SourceName, check_complaints
from data.complaints.sources import SourceMap
from data.errors import ColumnsError, FileError, InputError
from data.tables.readers import BadRow, Row, read_rows

Progress = Callable[[int], None]
"""Told after each row how many rows have been read so far."""
MAX_ID = 200


_masked = lru_cache(maxsize=4096)(masked)
"""For labels, which are few and come again on every row."""


@dataclass(frozen=True)
class Imported:
    """What an import gave: `complaints` (schema COMPLAINTS), `rejects` (`line, reason, row`)."""

    complaints: pd.DataFrame
    rejects: pd.DataFrame

    @property
    def rows(self) -> int:
        """Rows of the file, good and bad."""
        return len(self.complaints) + len(self.rejects)


@dataclass(frozen=True)
class Reject:
    """A row that was set aside: its line, why, and its mapped columns as JSON, masked."""

    line: int
    reason: str
    row: str


class _RejectedError(Exception):
    """One row is set aside; the message is the reason."""


class _Names:
    """Names of one kind; case, ё and spaces do not matter, and an unknown one gets close matches.

    A name that was masked when the catalogue was drafted is found too.
    """

    def __init__(self, kind: str, names: Iterable[str], where: str = "") -> None:
        self.kind, self.where = kind, where
        self.known = {folded(name): name for name in names}

    def match(self, given: str | None) -> str | None:
        """The name in its own spelling; None stays None.

        Raises:
            _RejectedError: there is no such name.
        """
        if given is None:
            return None
        known = self.known.get(folded(given)) or self.known.get(folded(_masked(given)))
        if known is not None:
            return known
        close = difflib.get_close_matches(folded(given), self.known, n=3, cutoff=0.4)
        hint = f"; close to {', '.join(repr(self.known[name]) for name in close)}" if close else ""
        raise _RejectedError(f"{self.kind} {_masked(given)[:120]!r} is not known{self.where}{hint}")


class _Labels:
    """The catalogue's names, ready to be matched."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.places = {
            folded(spelling): place.name
            for place in catalogue.municipalities
            for spelling in (place.id, *place.aliases)
        }
        self.municipalities = _Names("municipality", [place.name for place in catalogue.municipalities])
        self.sectors = _Names("sector", [sector.name for sector in catalogue.sectors])
        self.agencies = _Names("agency", catalogue.agency_names.values())
        every = [topic.name for sector in catalogue.sectors for topic in sector.topics]
        self.topics: dict[str | None, _Names] = {None: _Names("topic", every)}
        for sector in catalogue.sectors:
            own = [topic.name for topic in sector.topics]
            self.topics[sector.name] = _Names("topic", own, f" in sector {sector.name!r}")

    def matched(self, given: dict[str, str | None]) -> dict[str, str | None]:
        """Municipality and labels in the catalogue's spelling.

        Raises:
            _RejectedError: one is unknown, or the topic belongs to another sector.
        """
        sector = self.sectors.match(given["sector"])
        place = given["municipality"]
        if place is not None and self.municipalities.known:
            place = self.places.get(folded(place)) or self.municipalities.match(place)
        elif place is not None:
            place = _masked(place)
        return {
            "municipality": place,
            "sector": sector,
            "topic": self.topics[sector].match(given["topic"]),
            "agency": self.agencies.match(given["agency"]),
        }


class _Importer:
    """The state of one import: what rows are checked against, and the ids seen so far."""

    def __init__(
        self, source: SourceMap, catalogue: Catalogue | None, default_date: datetime | None, unique: bool = True
    ) -> None:
        self.source = source
        self.default_date = None if default_date is None else source.located(default_date)
        self.labels = _Labels(catalogue) if catalogue is not None else None
        self.sources = _Names("source", get_args(SourceName))
        self.find = lru_cache(maxsize=256)(source.find)  # objects of a JSON file differ in their keys
        self.unique = unique
        self.lines: dict[str, int] = {}

    def complaint(self, line: int, row: Row) -> Complaint:
        """The row as a complaint.

        Raises:
            _RejectedError: with the reason.
        """
        if isinstance(row, BadRow):
            raise _RejectedError(row.reason)
        columns = self.find(tuple(row))
        cells = {name: self._cell(row, columns, name) for name in COLUMNS if name != "created_at"}
        text = cells["text"]
        if text is None:
            raise _RejectedError("the text is empty")
        if len(text) > MAX_CHARACTERS:
            raise _RejectedError(f"the text has {len(text)} characters, more than {MAX_CHARACTERS}")
        created_at = self._created_at(row.get(columns.get("created_at", "")))
        source = self.sources.match(cells["source"]) or self.source.name
        cells["source"] = source
        given, cells["id"] = cells["id"], self._identifier(cells["id"], _hash(source, text, created_at))
        cells |= self._labelled(cells)
        complaint = Complaint.model_validate({**cells, "text": masked(text), "created_at": created_at})
        if self.unique:
            self.lines |= {complaint.id: line, given or complaint.id: line}
        return complaint

    def _cell(self, row: Row, columns: dict[str, str], name: str) -> str | None:
        value = row.get(columns.get(name, ""))
        return clean_text(str(self.source.defaults.get(name, "") if value is None else value)) or None

    def _identifier(self, given: str | None, own: str) -> str:
        """The id given, or the row's own hash where there is none or it holds a phone or the like.

        The hash is not one of the id: all phones can be tried against that within a minute.
        """
        if given is not None and len(given) > MAX_ID:
            raise _RejectedError(f"the id has {len(given)} characters, more than {MAX_ID}")
        identifier = own if given is None or mask_numbers(given) != given else given
        for known in (given, identifier):
            if known is not None and known in self.lines:
                raise _RejectedError(f"id {mask(known)!r} was given on line {self.lines[known]} already")
        return identifier

    def _labelled(self, cells: dict[str, str | None]) -> dict[str, str | None]:
        """Municipality and labels: the catalogue's where there is one, else masked."""
        if self.labels is not None:
            return self.labels.matched(cells)
        given = {name: cells[name] for name in ("municipality", *LABELS)}
        return {name: None if value is None else _masked(value) for name, value in given.items()}

    def _created_at(self, value: str | datetime | None) -> datetime:
        if value is None:
            if self.default_date is None:
                raise _RejectedError("there is no date, and no default date was given")
            return self.default_date
        moment = self.source.moment(value)
        if moment is None:
            known = ", ".join([*self.source.date_formats, "ISO 8601"])
            raise _RejectedError(f"the date {mask(str(value))[:40]!r} cannot be read as any of {known}")
        return moment

    def kept(self, row: Row) -> str:
        """The row as JSON for the rejects: mapped columns only, cleaned and masked."""
        names = row if isinstance(row, BadRow) else self.find(tuple(row)).values()
        cells = {name: None if row.get(name) is None else masked(str(row[name])[:MAX_CHARACTERS]) for name in names}
        return json.dumps(cells, ensure_ascii=False)


def import_complaints(
    path: Path,
    source: SourceMap,
    catalogue: Catalogue | None = None,
    default_date: datetime | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Read, clean, mask and check every row of an export.

    Labels and municipalities are checked where a catalogue is given, and take its spelling; else
    they are masked. Rows without a date get `default_date` (as the source would write it), if there is one.

    Raises:
        FileError: the file is unusable as a whole.
        ColumnsError: it has no column for the text, or for the date when no default is given.
        InputError: not one row is good; gives the first reason.
    """
    good: list[Complaint] = []
    bad: list[Reject] = []
    for count, row in enumerate(stream_complaints(path, source, catalogue, default_date), start=1):
        if isinstance(row, Reject):
            bad.append(row)
        else:
            good.append(row)
        if progress is not None:
            progress(count)
    if not good:
        raise InputError(f"{path}: none of {len(bad)} rows can be used; line {bad[0].line}: {bad[0].reason}")
    return Imported(_frame(good), pd.DataFrame([asdict(row) for row in bad], columns=["line", "reason", "row"]))


def stream_complaints(
    path: Path,
    source: SourceMap,
    catalogue: Catalogue | None = None,
    default_date: datetime | None = None,
    skipped: int = 0,
    unique: bool = True,
) -> Iterator[Complaint | Reject]:
    """The rows of an export one at a time, as `import_complaints` reads them, behind the first `skipped`.

    With `unique`, an id given twice is a bad row, and all ids are kept in memory; else memory stays as it is.
    Raises FileError and ColumnsError as `import_complaints` does.
    """
    rows = read_rows(path, source.encoding)
    first = list(islice(rows, 100))
    _check_columns(path, source, first, default_date)
    importer = _Importer(source, catalogue, default_date, unique)
    for line, row in islice(chain(first, rows), skipped, None):
        try:
            yield importer.complaint(line, row)
        except _RejectedError as reason:
            yield Reject(line, str(reason), importer.kept(row))


def write_complaints(frame: pd.DataFrame, path: Path) -> None:
    """Write complaints as JSONL: UTF-8, ISO dates, one object a line; the folder is made.

    Raises:
        InputError: the frame is not one of complaints.
    """
    frame = check_complaints(frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for record in frame.to_dict("records"):
            record["created_at"] = record["created_at"].isoformat()
            cells = {name: None if pd.isna(record.get(name)) else record[name] for name in COLUMNS}
            file.write(json.dumps(cells, ensure_ascii=False) + "\n")
    partial.replace(path)


def read_complaints(path: Path) -> pd.DataFrame:
    """Read complaints that `write_complaints` wrote (or a program did: every line is checked).

    Raises:
        FileError: absent, empty, or not UTF-8 JSONL.
        InputError: a line is not a complaint, or repeats an id; gives its number.
    """
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        raise FileError(f"{path}: not JSONL; `tsur import` makes it from an export")
    complaints: list[Complaint] = []
    seen: dict[str, int] = {}
    for line, row in read_rows(path, "utf-8-sig"):
        if isinstance(row, BadRow):
            raise InputError(f"{path}: line {line}: {row.reason}")
        try:
            complaint = Complaint.model_validate(row)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "complaint"
            raise InputError(f"{path}: line {line}: {where}: {first['msg']}") from None
        if complaint.id in seen:
            raise InputError(f"{path}: line {line}: id {complaint.id!r} is on line {seen[complaint.id]} too")
        seen[complaint.id] = line
        complaints.append(complaint)
    return _frame(complaints)


def write_rejects(rejects: pd.DataFrame, path: Path) -> None:
    """Write the rows set aside as CSV (`line, reason, row`) that Excel opens as UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rejects.to_csv(path, index=False, encoding="utf-8-sig")


def _frame(complaints: list[Complaint]) -> pd.DataFrame:
    frame = pd.DataFrame([complaint.model_dump() for complaint in complaints], columns=COLUMNS)
    frame = frame.assign(created_at=pd.to_datetime(frame["created_at"], utc=True).astype("datetime64[ns, UTC]"))
    optional = ["municipality", *LABELS]
    frame[optional] = frame[optional].astype(object).where(frame[optional].notna(), None)
    return check_complaints(frame)


def _check_columns(path: Path, source: SourceMap, rows: list[tuple[int, Row]], default_date: datetime | None) -> None:
    header = list(dict.fromkeys(name for _, row in rows if not isinstance(row, BadRow) for name in row))
    columns = source.find(header)
    needed = ["text"] if default_date is not None else ["text", "created_at"]
    missing = [name for name in needed if name not in columns]
    if not missing or not header:
        return
    looked_for = "; ".join(
        f"{name} (as {' / '.join(source.columns.get(name, [])) or 'nothing: it is not mapped'})" for name in missing
    )
    hint = "; a file without dates needs a default date" if "created_at" in missing else ""
    raise ColumnsError(
        f"{path}: no column for {looked_for}; the file has {', '.join(header)}; the map is {source.origin}{hint}",
        missing=missing,
        columns=header,
        map=source.origin,
    )


def _hash(source: str, text: str, created_at: datetime) -> str:
    """A stable id for a row that has none."""
    content = "\n".join((source, text, created_at.astimezone(UTC).date().isoformat()))
    return hashlib.sha256(content.encode()).hexdigest()[:16]
