"""Readers: the same rows from every format, right line numbers, and clear refusals."""

from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from data.errors import FileError
from data.tables.readers import estimated_rows, read_rows
from data.tables.rows import BadRow, Expected

PLAIN = "id;Текст\n1;Нет воды\n2;Яма на дороге, глубокая\n"
ROWS = [(2, {"id": "1", "Текст": "Нет воды"}), (3, {"id": "2", "Текст": "Яма на дороге, глубокая"})]


def write(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def workbook(folder: Path, *rows: list[object]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / "book.xlsx")
    return folder / "book.xlsx"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_encoding_is_detected(tmp_path: Path, encoding: str, newline: str):
    path = write(tmp_path, "a.csv", PLAIN.replace("\n", newline), encoding)
    assert list(read_rows(path)) == ROWS


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (PLAIN.replace(";", "\t"), "tabs"),
        ('id,Текст\n1,Нет воды\n2,"Яма на дороге, глубокая"\n', "commas, quoted"),
        ('"id";"Текст"\n1;Нет воды\n2;"Яма на дороге, глубокая"\n', "quoted header"),
        (' id ;Текст;\n1;"Нет воды ";\n2;Яма на дороге, глубокая;\n', "spaces and a trailing delimiter"),
    ],
    ids=lambda value: value if len(value) < 40 else "",
)
def test_csv_delimiter_is_found(tmp_path: Path, content: str, why: str):
    rows = [
        (line, {"id": row["id"], "Текст": row["Текст"]}) for line, row in read_rows(write(tmp_path, "a.csv", content))
    ]
    assert rows == ROWS, why


def test_excel_sep_line_is_obeyed(tmp_path: Path):
    rows = list(read_rows(write(tmp_path, "a.csv", "sep=;\n" + PLAIN)))
    assert rows == [(line + 1, row) for line, row in ROWS]


def test_csv_line_is_where_the_row_starts(tmp_path: Path):
    content = 'id;Текст\n\n1;"Первая\nвторая\n\nтретья"\n2;Яма\n'
    assert [(line, row["Текст"]) for line, row in read_rows(write(tmp_path, "a.csv", content))] == [
        (3, "Первая\nвторая\n\nтретья"),
        (7, "Яма"),
    ]


def test_csv_bad_rows_do_not_stop_the_good_ones(tmp_path: Path):
    content = 'id;Текст\n1;Нет;воды\n2;Яма\n3;"Не закрыто\n4;Не потеряно\n'
    rows = list(read_rows(write(tmp_path, "a.csv", content)))
    assert [(line, row["Текст"]) for line, row in rows[1:]] == [(3, "Яма"), (4, '"Не закрыто'), (5, "Не потеряно")]
    assert isinstance(rows[0][1], BadRow)
    assert rows[0][1].reason.startswith("3 fields where the header has 2")


def test_xlsx_cells_become_text_dates_and_nothing(tmp_path: Path):
    when = datetime(2025, 11, 3, 8, 14)
    path = workbook(tmp_path, ["id", "Дата", "Текст", "Пусто"], [12.0, when, " Яма ", "#N/A"], [], [7, "03.11", 1.5])
    assert list(read_rows(path)) == [
        (2, {"id": "12", "Дата": when, "Текст": "Яма", "Пусто": None}),
        (4, {"id": "7", "Дата": "03.11", "Текст": "1.5", "Пусто": None}),
    ]


def test_xlsx_title_above_the_header_is_skipped(tmp_path: Path):
    path = workbook(tmp_path, ["Выгрузка за ноябрь"], [], ["id", "Текст"], [1, "Яма"])
    assert list(read_rows(path)) == [(4, {"id": "1", "Текст": "Яма"})]


def test_xlsx_formula_gives_its_stored_value_or_nothing(tmp_path: Path):
    path = workbook(tmp_path, ["id", "Текст", "Всего"], [1, "Яма", "=1+1"])  # never calculated
    assert list(read_rows(path)) == [(2, {"id": "1", "Текст": "Яма", "Всего": None})]


def test_json_array_keeps_line_numbers_and_sets_aside_what_is_no_object(tmp_path: Path):
    content = '[\n {"id": 1, "Текст": "Нет\\nводы"},\n 5,\n\n {"id": "2", "Текст": null, "теги": ["а"]}]'
    rows = list(read_rows(write(tmp_path, "a.json", content)))
    assert rows[0] == (2, {"id": "1", "Текст": "Нет\nводы"})
    assert isinstance(rows[1][1], BadRow)
    assert rows[2] == (5, {"id": "2", "Текст": None, "теги": "а"})


def test_jsonl_broken_line_is_a_bad_row(tmp_path: Path):
    content = '{"id": 1, "Текст": "Яма"}\n{"id": 2, "Те\n\n[1]\n{"id": 4, "Текст": "Снег"}\n'
    rows = list(read_rows(write(tmp_path, "a.jsonl", content, "cp1251")))
    assert [(line, isinstance(row, BadRow)) for line, row in rows] == [
        (1, False),
        (2, True),
        (4, True),
        (5, False),
    ]


def test_same_column_twice_keeps_both(tmp_path: Path):
    assert next(read_rows(write(tmp_path, "a.csv", "Тема,Тема,\nа,б,в\n")))[1] == {
        "Тема": "а",
        "Тема (2)": "б",
        "column 3": "в",
    }


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("absent.csv", None, "no such file"),
        ("empty.csv", b"", "the file is empty"),
        ("blank.csv", b"\n\n", "the file is empty"),
        ("marks.csv", b"\xef\xbb\xbf\r\n", "the file is empty"),
        ("header.csv", "id;Текст\n", "there are no rows"),
        ("numbers.csv", "1;2\n3;4\n", "holds no column names"),
        ("old.xls", b"\xd0\xcf\x11\xe0", "an old Excel workbook .* save it as .xlsx"),
        ("locked.xlsx", b"\xd0\xcf\x11\xe0", "or one with a password"),
        ("page.xls", b"<html><table><tr><td>1</td></tr></table></html>", "a web page .HTML."),
        ("page.csv", b"\xef\xbb\xbf<!DOCTYPE html>", "a web page .HTML."),
        ("sheet.xls", b'<?xml version="1.0"?><Workbook/>', "XML and not a table"),
        ("act.csv", b"%PDF-1.7", "a PDF"),
        ("photo.png", b"\x89PNG", "unknown format '.png'; known are .csv"),
        ("koi8.csv", (PLAIN * 5).encode("koi8-r"), "neither UTF-8, UTF-16 nor Windows-1251"),
        ("dos.csv", PLAIN.encode("cp866"), "neither UTF-8, UTF-16 nor Windows-1251"),
        ("noise.csv", bytes(range(1, 256)) * 20, "neither UTF-8, UTF-16 nor Windows-1251"),
        ("broken.xlsx", b"PK\x03\x04 not a zip", "not a readable XLSX workbook"),
        ("broken.json", '[{"id": 1},', "not valid JSON: .*line 1"),
        ("object.json", '{"id": 1}', "expected a JSON array of objects, got dict"),
        ("none.json", "[]", "there are no rows"),
    ],
)
def test_unusable_file_is_refused(tmp_path: Path, name: str, content: str | bytes | None, sentence: str):
    path = tmp_path / name if content is None else write(tmp_path, name, content)
    with pytest.raises(FileError, match=sentence):
        list(read_rows(path))


def test_a_stated_encoding_is_obeyed_or_refused(tmp_path: Path):
    path = write(tmp_path, "a.csv", PLAIN, "koi8-r")
    assert list(read_rows(path, Expected(encoding="koi8-r"))) == ROWS
    with pytest.raises(FileError, match="cannot be read as utf-8"):
        list(read_rows(path, Expected(encoding="utf-8")))
    with pytest.raises(FileError, match="there is no encoding 'utf-88'"):
        list(read_rows(path, Expected(encoding="utf-88")))


def test_rows_are_streamed(tmp_path: Path):
    path = write(tmp_path, "a.jsonl", '{"id": 1}\n' * 50_000)
    rows = read_rows(path)
    assert next(rows) == (1, {"id": "1"})
    rows.close()


@pytest.mark.parametrize(("name", "rows"), [("e.csv", 3), ("e.jsonl", 4), ("e.json", None), ("e.xlsx", None)])
def test_rows_are_estimated_by_lines_where_lines_are_rows(tmp_path, name, rows):
    path = tmp_path / name
    path.write_text("a\nb\nc\nd\n", encoding="utf-8")
    assert estimated_rows(path) == rows
