"""Exports as clerks send them: each odd file is read right, or refused with what is wrong."""

from datetime import datetime
from pathlib import Path

import pytest

from data.errors import ColumnsError
from tests.data.complaints.exports import HEADER, days, imported, of_text, texts, workbook


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
