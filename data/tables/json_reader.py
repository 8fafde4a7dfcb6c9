"""JSON and JSONL: records of an API's answer or a messenger's export, with the line where each starts.

In: a path, its encoding, what is expected. Out: `(line, row)`. Objects inside a record are reached by dotted paths
(`category.name`); an object that has a name stands for it, and a list of text parts, as Telegram writes them,
for the text that a person saw. The list of records may lie anywhere inside objects.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data.errors import FileError
from data.tables.cells import plain
from data.tables.encoding import TextEncoding, open_text, repaired
from data.tables.header import matched
from data.tables.rows import BadRow, Expected, Row, Rows, Tell

NAMES = ("name", "title", "label", "value", "text", "caption", "displayName", "display_name", "fullName", "full_name")
RUSSIAN_NAMES = ("наименование", "название", "имя", "значение", "текст")
"""Keys under which an object holds what a person calls it."""
DEEPEST = 4
"""Objects inside objects, at most, around a list of records and inside a record."""


def json_rows(path: Path, encoding: TextEncoding, expected: Expected, tell: Tell) -> Rows:
    """The records of a JSON document; one that is really JSONL is read as such.

    Raises:
        FileError: not valid, or without a list of records.
    """
    with open_text(path, encoding, "") as file:
        text = file.read()
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and "\n" in text.strip():
            yield from jsonl_rows(path, encoding, expected, tell)
            return
        raise FileError(f"{path}: not valid JSON: {error}") from None
    except RecursionError:
        raise FileError(f"{path}: not valid JSON: nested too deeply") from None
    where = _records_path(content, expected, path)
    if where and expected.records is None:
        tell(f"the records are those of {'.'.join(where)!r}")
    yield from _listed(content, text, where, encoding)


def jsonl_rows(path: Path, encoding: TextEncoding, _: Expected, __: Tell) -> Rows:
    """One record a line; a broken line is a bad row."""
    with open_text(path, encoding, "\n") as file:
        for line, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            try:
                row = _row(json.loads(raw), raw, encoding)
            except json.JSONDecodeError as error:
                row = BadRow(f"not valid JSON: {error.msg} at character {error.colno}", repaired(raw.strip()))
            except RecursionError:
                row = BadRow("not valid JSON: nested too deeply", repaired(raw[:500]))
            yield line, row


def shown_text(value: Any) -> Any:
    """What a person would see of a part of a record: text, or the part itself where there is nothing to see."""
    if isinstance(value, dict):
        return _name_of(value)
    if not isinstance(value, list):
        return plain(value)
    parts = [part if isinstance(part, str) else part.get("text") if isinstance(part, dict) else None for part in value]
    if any(isinstance(part, dict) for part in value) and all(isinstance(part, str) for part in parts):
        return plain("".join(str(part) for part in parts))
    if all(isinstance(part, (str, int, float)) for part in value):
        return plain("\n".join(str(plain(part) or "") for part in value))
    return value


def _name_of(value: dict[str, Any]) -> Any:
    if len(value) == 1 and next(iter(value)).startswith("$"):  # MongoDB: {"$date": …}, {"$oid": …}
        return shown_text(next(iter(value.values())))
    lowered = {str(key).lower(): inner for key, inner in value.items()}
    for key in (*NAMES, *RUSSIAN_NAMES):
        if isinstance(inner := lowered.get(key.lower()), str):
            return plain(inner)
    return value or None


def _row(value: Any, raw: str, encoding: TextEncoding) -> Row:
    if encoding.is_broken(raw):
        return BadRow("a byte is no letter: the text was cut in the middle of one", repaired(raw.strip()[:500]))
    if not isinstance(value, dict):
        return BadRow(f"expected a JSON object, got {type(value).__name__}", raw.strip()[:500])
    return Row(_cells(value, "", DEEPEST))


def _cells(value: dict[str, Any], path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """The record's cells, and those of its objects by dotted paths."""
    for key, inner in value.items():
        name = f"{path}{str(key).strip()}"
        yield name, shown_text(inner)
        if isinstance(inner, dict) and depth:
            yield from _cells(inner, f"{name}.", depth - 1)


def _records_path(content: Any, expected: Expected, path: Path) -> list[str]:
    """Keys that lead to the list of records: those of the map, or of the list that has the most known columns."""
    if expected.records is not None:
        return _stated_path(content, expected.records, path)
    if isinstance(content, list):
        return []
    lists = list(_lists(content, [], DEEPEST)) if isinstance(content, dict) else []
    if not lists:
        raise FileError(f"{path}: expected a JSON array of objects, got {type(content).__name__}")
    scored = [
        (len(matched(expected.columns, dict(_cells(_first(items), "", DEEPEST)))), len(items)) for _, items in lists
    ]
    best = max(range(len(lists)), key=lambda index: scored[index])
    if len(lists) > 1 and not scored[best][0]:
        known = ", ".join(".".join(where) for where, _ in lists[:10])
        raise FileError(f"{path}: several lists of objects; name one in the source's map, as in `records: {known}`")
    return lists[best][0]


def _stated_path(content: Any, records: str, path: Path) -> list[str]:
    where = [part for part in records.split(".") if part and part != "$"]
    inner = content
    for key in where:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if not isinstance(inner, list):
        raise FileError(f"{path}: there is no list at {records!r}, where the source's map says the records are")
    return where


def _lists(value: dict[str, Any], path: list[str], depth: int) -> Iterator[tuple[list[str], list[Any]]]:
    for key, inner in value.items():
        if isinstance(inner, list) and any(isinstance(item, dict) for item in inner):
            yield [*path, key], inner
        elif isinstance(inner, dict) and depth:
            yield from _lists(inner, [*path, key], depth - 1)


def _first(items: list[Any]) -> dict[str, Any]:
    return next(item for item in items if isinstance(item, dict))


_BETWEEN = re.compile(r"[\s,:]*")


def _listed(content: Any, text: str, where: list[str], encoding: TextEncoding) -> Rows:
    """The records of the list at that path, found again in the text for their lines."""
    decoder = json.JSONDecoder()
    position = _start(text, 0, "[" if not where else "{")
    for depth, key in enumerate(where):
        content = content[key]
        position = _value_of(text, position, key, decoder)
        position = _start(text, position, "[" if depth == len(where) - 1 else "{")
    line, counted = 1, 0
    for _ in content:
        start = _BETWEEN.match(text, position).end()  # type: ignore[union-attr]
        value, position = decoder.raw_decode(text, start)
        line, counted = line + text.count("\n", counted, start), start
        yield line, _row(value, text[start:position], encoding)


def _start(text: str, position: int, bracket: str) -> int:
    return text.index(bracket, position) + 1


def _value_of(text: str, position: int, key: str, decoder: json.JSONDecoder) -> int:
    """Where the value of that key begins, in the object whose inside begins at `position`; the last one counts."""
    found = position
    while text[at := _BETWEEN.match(text, position).end()] != "}":  # type: ignore[union-attr]
        name, position = decoder.raw_decode(text, at)
        value_at = _BETWEEN.match(text, position).end()  # type: ignore[union-attr]
        _, position = decoder.raw_decode(text, value_at)
        if name == key:
            found = value_at
    return found
