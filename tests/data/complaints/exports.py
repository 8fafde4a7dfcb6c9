"""Odd files for the tests of imports: written, imported, and what came of them."""

from datetime import datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from data.complaints.importing import Imported, import_complaints
from data.complaints.sources import load_source
from data.settings import CHECKOUT

MOSCOW = "Europe/Moscow"
HEADER = ["Номер", "Дата", "Район", "Текст обращения"]


def imported(path: Path, day: datetime | None = None, own_map: str = "") -> Imported:
    source = "generic"
    if own_map:
        source = str(path.with_name("own.yaml"))
        Path(source).write_text(f"name: other\ntitle: x\n{own_map}", encoding="utf-8")
    source_map = load_source(source, CHECKOUT / "configs" / "sources", timezone=MOSCOW)
    return import_complaints(path, source_map, default_date=day)


def of_text(folder: Path, content: str, name: str = "a.csv", encoding: str = "utf-8") -> Imported:
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return imported(path)


def workbook(folder: Path, *sheets: list[list[Any]], merged: tuple[str, ...] = ()) -> Path:
    book = Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet(f"Лист {number + 1}")
        for row in rows:
            sheet.append(row)
    for cells in merged:
        book.worksheets[0].merge_cells(cells)
    book.active = len(sheets) - 1
    book.save(folder / "a.xlsx")
    return folder / "a.xlsx"


def texts(result: Imported) -> list[str]:
    return [str(text) for text in result.complaints["text"]]


def days(result: Imported) -> list[str]:
    return [f"{moment:%d.%m.%Y %H:%M}" for moment in result.complaints["created_at"].dt.tz_convert(MOSCOW)]
