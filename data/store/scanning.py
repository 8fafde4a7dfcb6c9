"""Looking for what should not be there: personal data that is not masked, and complaints that were erased.

In: the store, files, and ids that must be nowhere. Out: findings, each with its place and the kinds of what was found,
never with the data itself. What counts as personal data is what masking (`data/complaints/masking.py`) would mask.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import JSON, MetaData, String, func, select

from data.complaints.masking import mask, mask_numbers
from data.complaints.masks import MASKS
from data.store.session import Database

NAMES_OF_STAFF = {
    ("keys", "name"),
    ("audit", "key_name"),
    ("surge_notes", "author"),
    ("topic_verdicts", "author"),
    ("management_decisions", "author"),
    ("management_decisions", "responsible"),
}
"""Columns that name who holds a key, or who answers for a management decision: meant to."""
TEXT_FILES = {".log", ".txt", ".json", ".jsonl", ".csv", ".yaml", ".yml", ".html", ".md", ".out"}
LONGEST_LINE = 20_000
"""Characters. Longer lines are a model's tables, not what people wrote: they are looked through for numbers only."""
HEXADECIMAL = re.compile(r"\b[0-9a-f]{32,64}\b|\b(?=[0-9]*[a-f])[0-9a-f]{16}\b|(?<=\"text_key\": \")[0-9a-f]{16}")
"""Digests, whole or cut to sixteen digits, and ids that the service made: eleven digits in a row are no phone there.
Sixteen without a letter may be a card's, but for those of a text's key in a dataset's row list."""
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Finding:
    """Something that should not be there.

    Attributes:
        where: table, column and row, or file and line.
        what: the kinds, as masks say them, or `erased id`.
    """

    where: str
    what: tuple[str, ...]


class Scanner:
    """Looks into the store and into files.

    Args:
        ids: complaints that must be nowhere, whatever region they were of.
    """

    def __init__(self, ids: Sequence[str] = ()) -> None:
        self._ids = [re.compile(rf"(?<![\w-]){re.escape(each)}(?![\w-])") for each in ids]
        self._bytes = [each.encode() for each in ids]
        self.looked_at = 0

    def store(self, database: Database) -> Iterator[Finding]:
        """What is in the store's texts.

        Raises:
            StoreError: the database cannot be read.
        """
        with database.reading() as connection:
            metadata = MetaData()
            metadata.reflect(connection)
            for table in metadata.sorted_tables:
                columns = [column for column in table.columns if isinstance(column.type, String | JSON)]
                if not columns:
                    continue
                rows = connection.execution_options(yield_per=1000).execute(
                    select(*columns, func.row_number().over().label("row"))
                )
                for row in rows:
                    for column, value in zip(columns, row, strict=False):
                        staff = (table.name, column.name) in NAMES_OF_STAFF
                        yield from self._text(f"{table.name}.{column.name}, row {row.row}", str(value or ""), staff)

    def files(self, paths: Sequence[Path]) -> Iterator[Finding]:
        """What is in files and in all files of folders; of those that hold no text, ids only."""
        for path in paths:
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file() and not file.is_symlink():
                    yield from self._lines(file) if file.suffix in TEXT_FILES else self._raw(file)

    def _lines(self, file: Path) -> Iterator[Finding]:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                yield from self._text(f"{file}:{number}", line, staff=False)

    def _raw(self, file: Path) -> Iterator[Finding]:
        if not self._bytes:
            return
        kept = max(map(len, self._bytes))
        with file.open("rb") as content:
            end = b""
            while chunk := content.read(CHUNK_BYTES):
                self.looked_at += len(chunk)
                if any(each in end + chunk for each in self._bytes):
                    yield Finding(str(file), ("erased id",))
                    return
                end = chunk[-kept:]

    def _text(self, where: str, text: str, staff: bool) -> Iterator[Finding]:
        self.looked_at += len(text)
        what = [] if staff else unmasked(text)
        if any(each.search(text) for each in self._ids):
            what.append("erased id")
        if what:
            yield Finding(where, tuple(what))


def unmasked(text: str) -> list[str]:
    """The kinds of personal data in a text that is said to be masked."""
    text = HEXADECIMAL.sub("", text)
    again = mask_numbers(text) if len(text) > LONGEST_LINE else mask(text)
    if again == text:
        return []
    before, after = (Counter({kind: each.count(kind) for kind in MASKS}) for each in (text, again))
    return sorted(after - before) or ["personal data"]
