"""Workbooks as clerks send them: each odd one is read right, or refused with what is wrong."""

from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from data.errors import FileError
from data.tables.cells import plain
from tests.data.complaints.exports import HEADER, days, imported, of_text, texts, workbook


def test_ooxml_escapes_hide_nothing(tmp_path: Path):
    text = "Код_x005F_4._x000D_\nС уважением,_x000D_\nСиницына Ольга Павловна_x000D_\n_xD83D__xDE00_"
    result = imported(workbook(tmp_path, [HEADER, [1, "01.11.2026", "Заречный_x000D_\n", text]]))
    assert result.complaints["municipality"].tolist() == ["Заречный"]
    assert texts(result) == ["Код_4. С уважением, [ИМЯ] 😀"]
    csv = of_text(tmp_path, f"Номер;Дата;Текст\n1;01.11.2026;{text.splitlines()[2]} просит\n")
    assert texts(csv) == ["[ИМЯ] просит"]


def test_every_sheet_with_the_columns_is_read_and_the_others_are_told(tmp_path: Path):
    path = workbook(
        tmp_path,
        [HEADER, [1, "01.09.2026", "Посад", "Яма"]],
        [HEADER[::-1], ["Снег", "Посад", "01.10.2026", 2], ["Лёд", "Посад", "никогда", 3]],
        [["Район", "Число"], ["Посад", 5]],
    )
    result = imported(path)
    assert (result.complaints["id"].tolist(), texts(result)) == (["1", "2"], ["Яма", "Снег"])
    assert result.rejects["reason"].iloc[0].startswith("sheet 'Лист 2': the date 'никогда' cannot be read")
    assert result.notes == ["sheet 'Лист 3' was not read: it has no row with the column names"]
    own = "columns: {id: Номер, text: Текст обращения, created_at: Дата}\nsheet: лист 2\n"
    assert texts(imported(path, own_map=own)) == ["Снег"]
    with pytest.raises(FileError, match="no sheet 'Ноябрь'; there are 'Sheet', 'Лист 2', 'Лист 3'"):
        imported(path, own_map=own.replace("лист 2", "Ноябрь"))


def test_a_hidden_sheet_is_not_read_and_that_is_told(tmp_path: Path):
    path = workbook(tmp_path, [HEADER, [1, "01.09.2026", "Посад", "Яма"]], [HEADER, [2, "01.10.2026", "Посад", "Снег"]])
    from openpyxl import load_workbook

    book = load_workbook(path)
    book.worksheets[1].sheet_state = "hidden"
    book.active = 0
    book.save(path)
    result = imported(path)
    assert texts(result) == ["Яма"]
    assert result.notes[0].startswith("sheet 'Лист 2' is hidden and was not read")


def test_a_value_merged_over_rows_belongs_to_each_and_one_over_columns_to_none(tmp_path: Path):
    rows: list[list[Any]] = [
        HEADER,
        [1, "01.11.2026", "Заречный", "Яма"],
        [2, None, None, "Снег"],
        ["Раздел второй", None, None, None],
        [3, "02.11.2026", "Посад", "Лёд"],
    ]
    result = imported(workbook(tmp_path, rows, merged=("B2:B3", "C2:C3", "A4:D4")))
    assert result.complaints["municipality"].tolist() == ["Заречный", "Заречный", "Посад"]
    assert days(result) == ["01.11.2026 00:00", "01.11.2026 00:00", "02.11.2026 00:00"]
    assert result.rejects["line"].tolist() == [4]


def test_a_merged_header_of_two_rows_is_one_header(tmp_path: Path):
    rows: list[list[Any]] = [
        ["Отчёт за ноябрь", None, None, None],
        ["Номер", "Обращение", None, "Район"],
        [None, "Дата", "Текст обращения", None],
        [1, "01.11.2026", "Яма", "Посад"],
    ]
    result = imported(workbook(tmp_path, rows, merged=("A1:D1", "A2:A3", "B2:C2", "D2:D3")))
    row = result.complaints.iloc[0]
    assert (row["id"], row["text"], row["municipality"], len(result.rejects)) == ("1", "Яма", "Посад", 0)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (46327.4375, "01.11.2026 10:30"),
        (46328, "02.11.2026 00:00"),
        (datetime(2026, 11, 1, 10, 15, 30, 500_000), "01.11.2026 10:15"),
        ("1 ноября 2026 г.", "01.11.2026 00:00"),
        (1793517300, "01.11.2026 10:15"),
        (time(10, 15), None),
        (True, None),
    ],
)
def test_dates_of_a_workbook(tmp_path: Path, cell: Any, expected: str | None):
    result = imported(workbook(tmp_path, [HEADER, [1, cell, "Посад", "Яма"], [2, "01.11.2026", "Посад", "Снег"]]))
    assert days(result) == [day for day in (expected, "01.11.2026 00:00") if day]


def test_numbers_of_a_1904_workbook_are_days_from_1904(tmp_path: Path):
    path = workbook(tmp_path, [HEADER, [1, 46327.4375 - 1462, "Посад", "Яма"]])
    from openpyxl import load_workbook

    book = load_workbook(path)
    book.epoch = CALENDAR_MAC_1904
    book.save(path)
    assert days(imported(path)) == ["01.11.2026 10:30"]


def test_a_long_number_that_excel_rounded_is_no_id(tmp_path: Path):
    rows = [HEADER, [2026110100000001, "01.11.2026", "Посад", "Яма"], [plain(2.0261101e15), "01.11.2026", None, "Снег"]]
    result = imported(workbook(tmp_path, rows))
    assert result.complaints["id"].tolist() == ["2026110100000001"]
    assert result.rejects["reason"].iloc[0].startswith("Excel turned the id into a rounded number")


def test_leading_zeros_that_a_format_shows_belong_to_the_id(tmp_path: Path):
    path = workbook(tmp_path, [HEADER, *([n, "01.11.2026", "Посад", "Яма"] for n in (123, 4567, 123456, 7))])
    from openpyxl import load_workbook

    book = load_workbook(path)
    for cell, number_format in zip(["A2", "A3", "A4", "A5"], ["00000", '"П-"00000', "000-000", "General"], strict=True):
        book.worksheets[0][cell].number_format = number_format
    book.save(path)
    assert imported(path).complaints["id"].tolist() == ["00123", "П-04567", "123-456", "7"]


@pytest.mark.parametrize("name", ["a.csv", "a.xls", "a.xlsx"])
def test_a_workbook_is_known_by_its_bytes(tmp_path: Path, name: str):
    workbook(tmp_path, [HEADER, [1, "01.11.2026", "Посад", "Яма"]]).rename(tmp_path / name)
    assert texts(imported(tmp_path / name)) == ["Яма"]


def test_text_under_the_name_of_a_workbook_is_read(tmp_path: Path):
    assert texts(of_text(tmp_path, "Номер\tДата\tТекст\n1\t01.11.2026\tЯма\n", "a.xls", "utf-16")) == ["Яма"]
