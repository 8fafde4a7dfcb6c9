"""Exports as clerks send them: each odd file is read right, or refused with what is wrong."""

import json
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from data.complaints.importing import Imported, import_complaints
from data.complaints.sources import load_source
from data.errors import ColumnsError, FileError
from data.settings import CHECKOUT
from data.tables.cells import plain

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


@pytest.mark.parametrize(
    "content",
    [
        "Номер|Дата|Текст\n1|01.11.2026|Яма\n",
        "Номер\tДата\tТекст\n1\t01.11.2026\tЯма\n",
        "\ufeffНомер;Дата;Текст\r\n1;01.11.2026;Яма\r\n",
        "Номер;Дата;Текст\r1;01.11.2026;Яма\r",
        "Номер;Дата;Адрес (район, улица, дом, квартира);Текст\n1;01.11.2026;Заречный, Лесная, 4, 12;Яма\n",
        "Номер,Дата,Адрес (район, улица),Текст\n1,01.11.2026,Лесная,Яма\n",
        "Отчёт;;\nПериод:;01.11.2026 - 30.11.2026;\n;;\nНомер;Дата;Текст\n1;01.11.2026;Яма\n",
        "Отчёт об обращениях\nСформирован 01.12.2026\n\nНомер;Дата;Текст\n1;01.11.2026;Яма\n",
        "Обращение;;;Место;\nНомер;Дата;Текст;Район;Адрес\n1;01.11.2026;Яма;Заречный;Лесная\n",
        "Номер;Дата;Текст;Место;\n;;;Улица;Дом\n1;01.11.2026;Яма;Лесная;4\n",
        "Номер;Дата;Текст\n1;2;3\nЧисло;Дата;Текст\nОбязательное поле;Обязательное поле;Заполняется по усмотрению\n"
        "1;01.11.2026;Яма\n",
        'Номер;"Дата\nобращения";"Текст"\n1;01.11.2026;Яма\n',
        "Номер ;\u00a0Дата*;ТЕКСТ  обращения:\n1;01.11.2026;Яма\n",
        "Дата;Дата;Номер;Текст\n01.11.2026;02.11.2026;1;Яма\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "cp1251"])
def test_the_header_is_found_wherever_it_stands(tmp_path: Path, content: str, encoding: str):
    content = content if encoding == "utf-8" else content.removeprefix("\ufeff")
    result = of_text(tmp_path, content, "a.txt", encoding)
    assert (result.complaints["id"].tolist(), texts(result), days(result)) == (["1"], ["Яма"], ["01.11.2026 00:00"])
    assert result.rejects.empty


def test_what_stands_above_the_header_is_told(tmp_path: Path):
    result = of_text(tmp_path, "Отчёт;;\nНомер;Дата;Текст\n1;01.11.2026;Яма\n")
    assert result.notes == ["the column names are on line 2; what is above was not read as rows"]


@pytest.mark.parametrize(
    "content",
    [
        "1;01.11.2026;Не горит фонарь. Синицына Ольга Павловна, тел 8 900 000-12-34\n2;02.11.2026;Яма\n",
        "Не горит фонарь. Синицына Ольга Павловна;Заречный\nЯма;Заречный\n",
        "1;01.11.2026;Сообщение;Заречный\n2;02.11.2026;Жалоба;Заречный\n",
        "ivan@example.org;Яма\nolga@example.org;Снег\n",
    ],
)
def test_a_file_without_a_header_is_told_so_and_never_repeated(tmp_path: Path, content: str):
    with pytest.raises(ColumnsError, match="the first row looks like data and not like column names") as caught:
        of_text(tmp_path, content)
    said = f"{caught.value.message} {caught.value.details}"
    assert not any(part in said for part in ("Синицына", "900", "Заречный", "ivan"))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['1;01.11.2026;"Чистый двор не убирает', "2;02.11.2026;Фонарь", '3;03.11.2026;"Ромашка" закрыта'],
         ['"Чистый двор не убирает', "Фонарь", '"Ромашка" закрыта']),
        (['1;01.11.2026;"Двор', '2;02.11.2026;"Фонарь"', "3;03.11.2026;Яма"], ['"Двор', "Фонарь", "Яма"]),
        (['1;01.11.2026;"Первая строка', "вторая", 'третья"', "2;02.11.2026;Яма"],
         ["Первая строка вторая третья", "Яма"]),
        (['1;01.11.2026;"Пишу; и пишу', 'снова; и снова"', "2;02.11.2026;Яма"],
         ["Пишу; и пишу снова; и снова", "Яма"]),
        (['1;01.11.2026;"ООО "Двор" не убирает"', '2;02.11.2026;"ООО ""Двор"""'],
         ['ООО "Двор" не убирает', 'ООО "Двор"']),
        (['1;01.11.2026;"ООО "Двор"; снег"', "2;02.11.2026;Яма"], ['ООО "Двор"; снег', "Яма"]),
        (['1;01.11.2026;"ООО \\"Двор\\"; снег"'], ['ООО "Двор"; снег']),
        (['1;01.11.2026; "снег; лёд"'], ["снег; лёд"]),
        (['1;01.11.2026;Двор "Ромашка" не убран"', '2;02.11.2026;5" труба течёт'],
         ['Двор "Ромашка" не убран"', '5" труба течёт']),
    ],
)  # fmt: skip
def test_quotes_are_read_as_they_were_meant(tmp_path: Path, lines: list[str], expected: list[str]):
    result = of_text(tmp_path, "Номер;Дата;Текст\n" + "\n".join(lines) + "\n")
    assert texts(result) == expected
    assert result.rejects.empty


def test_one_broken_byte_spoils_its_own_row(tmp_path: Path):
    rows = [f"{n};01.11.2026;Не горит фонарь {n}\n".encode() for n in range(1, 61)]
    rows[29] = "30;01.11.2026;Не горит фонар".encode()[:-1] + b"\n"
    (tmp_path / "a.csv").write_bytes("Номер;Дата;Текст\n".encode() + b"".join(rows))
    result = imported(tmp_path / "a.csv")
    assert len(result.complaints) == 59
    assert result.rejects["line"].tolist() == [31]
    assert result.rejects["reason"].iloc[0].startswith("a byte is no letter in utf-8")


@pytest.mark.parametrize(
    "error", ["#Н/Д", "#ЗНАЧ!", "#ССЫЛКА!", "#ИМЯ?", "#ДЕЛ/0!", "#ЧИСЛО!", "#ПУСТО!", "#N/A", "#REF!"]
)
def test_an_excel_error_is_an_empty_cell(tmp_path: Path, error: str):
    result = of_text(tmp_path, f"{';'.join(HEADER)}\n1;01.11.2026;{error};Яма\n2;01.11.2026;Посад;{error}\n")
    assert result.complaints["municipality"].tolist() == [None]
    assert result.rejects["reason"].tolist() == ["the text is empty"]


def test_a_row_of_totals_and_a_repeated_header_are_no_complaints(tmp_path: Path):
    result = of_text(
        tmp_path, f"{';'.join(HEADER)}\n1;01.11.2026;Посад;Яма\n{';'.join(HEADER)}\nИтого: 1;;;\n;;;Всего: 1\n"
    )
    assert texts(result) == ["Яма"]
    assert result.rejects["reason"].tolist() == [
        "the row repeats the column names",
        "this is a row of totals and no complaint",
        "this is a row of totals and no complaint",
    ]


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


def of_json(folder: Path, content: Any, own_map: str = "") -> Imported:
    path = folder / "a.json"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return imported(path, own_map=own_map)


def test_a_rich_text_is_what_a_person_saw(tmp_path: Path):
    parts = ["Соседи, ", {"type": "bold", "text": "яма"}, " на Лесной, ", {"type": "mention", "text": "@dvor_lesnaya"}]
    content = {"name": "Чат", "messages": [{"id": 1, "date": "2026-11-01T10:15:00", "text": parts}]}
    result = of_json(tmp_path, content)
    assert texts(result) == ["Соседи, яма на Лесной, [АККАУНТ]"]
    assert result.notes == ["the records are those of 'messages'"]


def test_objects_inside_a_record_are_named_or_reached_by_their_path(tmp_path: Path):
    record = {"id": 1, "created": 1793517300, "text": "Яма", "category": {"id": 3, "name": "Дороги"}}
    record |= {"place": {"code": "01", "area": {"title": "Заречный"}}}
    assert of_json(tmp_path, [record]).complaints["sector"].tolist() == ["Дороги"]
    own = "columns: {id: id, text: text, created_at: created, sector: category.id, municipality: place.area.title}\n"
    content = {"response": {"count": 1, "items": [record], "profiles": [{"id": 7}]}}
    row = of_json(tmp_path, content, own + "records: response.items\n").complaints.iloc[0]
    assert (row["sector"], row["municipality"]) == ("3", "Заречный")
    assert of_json(tmp_path, content).complaints["id"].tolist() == ["1"]
    with pytest.raises(FileError, match=r"no list at 'result\.items'"):
        of_json(tmp_path, content, own + "records: result.items\n")


RECORD = {"id": 1, "date": "2026-11-01", "text": "Яма"}


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"chats": {"list": [{"name": "Двор", "messages": [RECORD]}, {"messages": [{**RECORD, "id": 2}]}]}},
         "chats.list.messages"),
        ([{"type": "header"}, {"type": "table", "name": "t", "data": [RECORD, {**RECORD, "id": 2}]}], "data"),
        ({"pages": [{"items": [RECORD]}, {"items": []}, {"items": [{**RECORD, "id": 2}]}]}, "pages.items"),
    ],
)  # fmt: skip
def test_records_are_found_in_lists_of_lists(tmp_path: Path, content: Any, path: str):
    result = of_json(tmp_path, content)
    assert (result.complaints["id"].tolist(), result.notes) == (["1", "2"], [f"the records are those of {path!r}"])
    own = f"columns: {{id: id, text: text, created_at: date}}\nrecords: {path}\n"
    assert len(of_json(tmp_path, content, own).complaints) == 2


def test_lists_with_one_object_and_empty_objects_are_cells(tmp_path: Path):
    record = RECORD | {"category": [{"id": 3, "name": "Дороги"}], "city": {"name": None}, "topic": []}
    row = of_json(tmp_path, [record]).complaints.iloc[0]
    assert (row["sector"], row["municipality"], row["topic"]) == ("Дороги", None, None)
    own = "columns: {id: id, text: text, created_at: date, sector: category.0.id}\n"
    assert of_json(tmp_path, [record], own).complaints["sector"].tolist() == ["3"]


def test_lines_cut_out_of_an_array_are_read(tmp_path: Path):
    line = json.dumps(RECORD, ensure_ascii=False)
    result = of_text(tmp_path, f"\ufeff[\n{line},\n{line.replace('1,', '2,', 1)}\n]\n", "a.jsonl")
    assert (result.complaints["id"].tolist(), len(result.rejects)) == (["1", "2"], 0)


def test_leading_zeros_that_a_format_shows_belong_to_the_id(tmp_path: Path):
    path = workbook(tmp_path, [HEADER, *([n, "01.11.2026", "Посад", "Яма"] for n in (123, 4567, 123456, 7))])
    from openpyxl import load_workbook

    book = load_workbook(path)
    for cell, number_format in zip(["A2", "A3", "A4", "A5"], ["00000", '"П-"00000', "000-000", "General"], strict=True):
        book.worksheets[0][cell].number_format = number_format
    book.save(path)
    assert imported(path).complaints["id"].tolist() == ["00123", "П-04567", "123-456", "7"]


def test_a_second_table_below_is_read_by_its_own_names_or_not_at_all(tmp_path: Path):
    rows = [HEADER, [1, "01.11.2026", "Посад", "Яма"], ["Текст", "Дата", "Номер"], ["Снег", "02.11.2026", 2]]
    rows += [["Район", "Дата", "Номер", "Итоги"], ["Посад", "03.11.2026", 3, "нет"]]
    as_text = "\n".join(";".join(map(str, [*row, ""][:4])) for row in rows)
    for result in (imported(workbook(tmp_path, *[rows])), of_text(tmp_path, as_text)):
        assert (result.complaints["id"].tolist(), texts(result)) == (["1", "2"], ["Яма", "Снег"])
        assert result.rejects["reason"].tolist() == [
            "the row names the columns of another table",
            "the row names the columns of another table",
            "the row is of another table, which has no column for text",
        ]


def test_a_file_of_texts_alone_keeps_its_rows_apart(tmp_path: Path):
    (tmp_path / "a.csv").write_text('Текст\n"Двор не убран\nСнег; лёд\n"Яма, тут"\n', encoding="utf-8")
    assert texts(imported(tmp_path / "a.csv", datetime(2026, 11, 1))) == ['"Двор не убран', "Снег; лёд", "Яма, тут"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Номер;Дата;Текст\n1;01.11.2026;Я\0ма\n".encode(), "Яма"),
        ("id;date;text\n1;01.11.2026;Water № 5\n".encode("cp1251"), "Water № 5"),
        ("Номер;Дата;Текст\n1;01.11.2026;Снег\n".encode().decode("cp1251").encode(), "Снег"),
    ],
)
def test_bytes_that_are_nearly_right_are_read(tmp_path: Path, content: bytes, text: str):
    (tmp_path / "a.csv").write_bytes(content)
    assert texts(imported(tmp_path / "a.csv")) == [text]


def test_a_broken_byte_in_the_column_names_is_told(tmp_path: Path):
    rows = "Номер;Дата;Район;Текст\n1;01.11.2026;Посад;Яма\n".encode()
    (tmp_path / "a.csv").write_bytes(rows.replace("Район".encode(), "Райо".encode() + b"\xd0"))
    result = imported(tmp_path / "a.csv")
    assert result.notes == ["a byte in the column names is no letter: a column whose name it spoils is not read"]


def test_an_object_without_a_name_is_no_text(tmp_path: Path):
    record = {"id": 1, "date": "2026-11-01", "text": "Яма"}
    result = of_json(tmp_path, [record, {**record, "id": 2, "city": {"code": 5}}])
    assert result.rejects["reason"].tolist()[0].startswith("'city' holds an object and no text")
    assert pd.isna(result.complaints["municipality"].iloc[0])


def test_json_with_one_record_a_line_is_read_as_such(tmp_path: Path):
    lines = [
        '{"id": 1, "date": "2026-11-01", "text": "Яма"}',
        '{"id": 2, "te',
        '{"date": "2026-11-01", "text": "Снег"}',
    ]
    result = of_text(tmp_path, "\n".join(lines), "a.json")
    assert texts(result) == ["Яма", "Снег"]
    assert result.rejects["line"].tolist() == [2]


@pytest.mark.parametrize("name", ["a.csv", "a.xls", "a.xlsx"])
def test_a_workbook_is_known_by_its_bytes(tmp_path: Path, name: str):
    workbook(tmp_path, [HEADER, [1, "01.11.2026", "Посад", "Яма"]]).rename(tmp_path / name)
    assert texts(imported(tmp_path / name)) == ["Яма"]


def test_text_under_the_name_of_a_workbook_is_read(tmp_path: Path):
    assert texts(of_text(tmp_path, "Номер\tДата\tТекст\n1\t01.11.2026\tЯма\n", "a.xls", "utf-16")) == ["Яма"]
