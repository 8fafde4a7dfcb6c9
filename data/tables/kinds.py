"""Kinds of files: what a table really is, whatever its name says.

In: a path. Out: `csv`, `xlsx`, `json` or `jsonl`, by the first bytes; the name only decides between those that
begin alike. Old Excel workbooks, web pages and other files that only bear a table's name are refused with what to do.
"""

import re
import zipfile
from pathlib import Path
from typing import Literal

from data.errors import FileError
from data.tables.encoding import open_bytes

Kind = Literal["csv", "xlsx", "json", "jsonl"]
NAMES: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
_OTHER_NAMES = (".xls", ".ods")
"""Names under which systems write CSV or XLSX too."""
_AS_XLSX = "open it in Excel or LibreOffice and save it as .xlsx"
_REFUSED = [
    (re.compile(rb"\xd0\xcf\x11\xe0"), f"an old Excel workbook (.xls), or one with a password: {_AS_XLSX}"),
    (re.compile(rb"\s*<(?:!doctype html|html|head|body|table|meta|style|div)", re.I), f"a web page (HTML): {_AS_XLSX}"),
    (re.compile(rb"\s*<\?xml|\s*<Workbook"), f"XML and not a table: {_AS_XLSX}"),
    (re.compile(rb"%PDF"), "a PDF: ask the source for XLSX or CSV"),
    (re.compile(rb"\{\\rtf"), f"a text document (RTF): {_AS_XLSX}"),
    (re.compile(rb"Rar!|7z\xbc\xaf"), "an archive: unpack it first"),
]


def kind_of(path: Path) -> Kind:
    """What the file is.

    Raises:
        FileError: absent, empty, of unknown name, or really something else than a table.
    """
    name = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    suffix = name.suffix.lower()
    if suffix not in NAMES and suffix not in _OTHER_NAMES:
        raise FileError(f"{path}: unknown format {suffix!r}; known are {', '.join(NAMES)}")
    if not path.is_file():
        raise FileError(f"{path}: no such file")
    with open_bytes(path) as file:
        head = file.read(512)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"):
        raise FileError(f"{path}: the file is empty")
    for start, what in _REFUSED:
        if start.match(head.removeprefix(b"\xef\xbb\xbf")):
            raise FileError(f"{path}: this is {what}")
    if head.startswith(b"PK"):
        return _zipped(path)
    if suffix in (".xlsx", ".xlsm", *_OTHER_NAMES):
        return _text_named_otherwise(path, head)
    if suffix == ".txt" and re.match(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*"', head):
        return "json"
    return NAMES[suffix]


def _zipped(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        raise FileError(f"{path}: not a readable XLSX workbook: it is cut short or broken; export it again") from None
    if any(name.startswith("xl/") for name in inside):
        if "xl/workbook.bin" in inside:
            raise FileError(f"{path}: this is a binary Excel workbook (.xlsb): {_AS_XLSX}")
        return "xlsx"
    if "content.xml" in inside:
        raise FileError(f"{path}: this is a LibreOffice document: {_AS_XLSX}")
    raise FileError(f"{path}: this is a ZIP archive: unpack it first")


def _text_named_otherwise(path: Path, head: bytes) -> Kind:
    """Systems write CSV under the name .xls; only text passes."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or not re.search(rb"[\0-\x08\x0e-\x1f]", head):
        return "csv"
    raise FileError(f"{path}: not a readable XLSX workbook; export it again, or save it as .xlsx")
