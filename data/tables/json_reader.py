"""JSON and JSONL: records of an API's answer or a messenger's export, with the line where each starts.

In: a path, its encoding, what is expected. Out: `(line, row)`. Objects inside a record are reached by dotted paths
(`category.name`); an object that has a name stands for it, and a list of text parts, as Telegram writes them,
for the text that a person saw. The records may lie in a list anywhere inside, or in several of one path
(`chats.list.messages`).
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
MOST_SCORED = 100
"""Records of one path by which it is told whether it is the path of the complaints."""


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
    yield from _listed(text, where, encoding)


def jsonl_rows(path: Path, encoding: TextEncoding, _: Expected, __: Tell) -> Rows:
    """One record a line; a broken line is a bad row."""
    with open_text(path, encoding, "\n") as file:
        for line, raw in enumerate(file, start=1):
            record = raw.strip().removesuffix(",")  # lines of an array that somebody cut out
            if record in ("", "[", "]"):
                continue
            try:
                row = _row(json.loads(record), raw, encoding)
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
    value = [part for part in value if part is not None]
    if len(value) == 1 and isinstance(value[0], dict):
        return _name_of(value[0])
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
    return value if any(inner not in (None, "", [], {}) for inner in value.values()) else None


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
        elif isinstance(inner, list) and inner and isinstance(inner[0], dict) and depth:
            yield from _cells(inner[0], f"{name}.0.", depth - 1)


def _records_path(content: Any, expected: Expected, path: Path) -> list[str]:
    """Keys that lead to the records, through lists too: those of the map, or of the lists with most known columns."""
    if expected.records is not None:
        where = [part for part in expected.records.split(".") if part and part != "$"]
        if not any(keys == where for keys, _ in _lists(content, [], len(where), empty=True)):
            raise FileError(
                f"{path}: there is no list at {expected.records!r}, where the source's map says the records are"
            )
        return where
    best: dict[tuple[str, ...], tuple[int, int]] = {}
    for keys, items in _lists(content, [], DEEPEST):
        columns, count = best.get(tuple(keys), (0, 0))
        if count < MOST_SCORED:
            columns = max(columns, len(matched(expected.columns, dict(_cells(_first(items), "", DEEPEST)))))
        best[tuple(keys)] = columns, count + len(items)
    if isinstance(content, list) and not max(best.values(), default=(0, 0))[0]:
        return []
    if not best:
        raise FileError(f"{path}: expected a JSON array of objects, got {type(content).__name__}")
    chosen = max(best, key=lambda keys: best[keys])
    if len(best) > 1 and not best[chosen][0]:
        lists = ", ".join(".".join(keys) for keys in list(best)[:10])
        raise FileError(f"{path}: several lists of objects; name one in the source's map, as in `records: {lists}`")
    return list(chosen)


def _lists(value: Any, path: list[str], depth: int, empty: bool = False) -> Iterator[tuple[list[str], list[Any]]]:
    """Lists of objects, each with the keys that lead to it; those inside the objects of a list too."""
    if isinstance(value, list):
        if empty or any(isinstance(item, dict) for item in value):
            yield path, value
        for item in value:
            if isinstance(item, dict):
                yield from _lists_inside(item, path, depth, empty)
    elif isinstance(value, dict):
        yield from _lists_inside(value, path, depth, empty)


def _lists_inside(
    value: dict[str, Any], path: list[str], depth: int, empty: bool
) -> Iterator[tuple[list[str], list[Any]]]:
    for key, inner in value.items():
        if isinstance(inner, (dict, list)) and depth:
            yield from _lists(inner, [*path, key], depth - 1, empty)


def _first(items: list[Any]) -> dict[str, Any]:
    return next(item for item in items if isinstance(item, dict))


_BETWEEN = re.compile(r"[\s,:]*")


def _listed(text: str, where: list[str], encoding: TextEncoding) -> Rows:
    """The records of the lists at that path, found again in the text for their lines."""
    line, counted = 1, 0
    for start, stop, value in _places(text, _skipped(text, 0), where, json.JSONDecoder()):
        line, counted = line + text.count("\n", counted, start), start
        yield line, _row(value, text[start:stop], encoding)


def _places(text: str, position: int, where: list[str], decoder: json.JSONDecoder) -> Iterator[tuple[int, int, Any]]:
    """Start, end and value of each record under the value at `position`."""
    if text[position] == "{" and where:
        inside = _value_of(text, position + 1, where[0], decoder)
        if inside is not None:
            yield from _places(text, inside, where[1:], decoder)
    elif text[position] == "[":
        position = _skipped(text, position + 1)
        while text[position] != "]":
            value, stop = decoder.raw_decode(text, position)
            if where:
                yield from _places(text, position, where, decoder)
            else:
                yield position, stop, value
            position = _skipped(text, stop)


def _skipped(text: str, position: int) -> int:
    return _BETWEEN.match(text, position).end()  # type: ignore[union-attr]


def _value_of(text: str, position: int, key: str, decoder: json.JSONDecoder) -> int | None:
    """Where the value of that key begins, in the object whose inside begins at `position`; the last one counts."""
    place = None
    while text[name_at := _skipped(text, position)] != "}":
        name, position = decoder.raw_decode(text, name_at)
        value_at = _skipped(text, position)
        _, position = decoder.raw_decode(text, value_at)
        if name == key:
            place = value_at
    return place
