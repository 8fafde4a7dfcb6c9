"""Files of counts as offices keep them: read like exports, or refused with their line."""

import gzip
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from data.counts.reading import CountColumns, read_counts, read_days
from data.errors import ColumnsError, CountsError

PLAIN = "date,municipality,sector,count\n2026-06-01,Заречный,ЖКХ,5\n2026-06-02,Заречный,ЖКХ,7\n"
COLUMNS = CountColumns(municipality="municipality")


def counts_of(folder: Path, content: str, encoding: str = "utf-8", name: str = "a.csv") -> dict[str, int]:
    (folder / name).write_bytes(content.encode(encoding))
    return shown(read_counts(folder / name, COLUMNS, "Europe/Moscow"))


def shown(counts: pd.DataFrame) -> dict[str, int]:
    keys = counts["date"].dt.strftime("%d.%m") + " " + counts["municipality"] + " " + counts["sector"]
    return dict(zip(keys, counts["count"].tolist(), strict=True))


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (PLAIN, "utf-8-sig"),
        (PLAIN, "cp1251"),
        (PLAIN, "utf-16"),
        (PLAIN.replace(",", ";"), "cp1251"),
        (PLAIN.replace(",", "\t"), "utf-8"),
        (PLAIN.replace(",", ";").replace(";5\n", ";5,0\n"), "utf-8"),
        (PLAIN.replace(",5\n", ",5.0\n"), "utf-8"),
        (PLAIN.replace("2026-06-01", "01.06.2026"), "utf-8"),
        (PLAIN.replace("2026-06-01", "1 июня 2026 г."), "utf-8"),
        (PLAIN.replace("2026-06-01", "2026-06-01T00:00:00+03:00").replace("-02,", "-02T00:00:00+07:00,"), "utf-8"),
        (PLAIN.replace("2026-06-01", "2026-05-31T21:00:00Z"), "utf-8"),
        ("Дата,Район,Категория,Количество\n" + PLAIN.split("\n", 1)[1], "utf-8"),
        ("Отчёт,,,\n,,,\n" + PLAIN, "utf-8"),
        (PLAIN + "Итого,,,12\n2026-06-01,Всего,ЖКХ,5\n2026-06-01,Заречный,Итого,5\n", "utf-8"),
        (PLAIN.replace("02,Заречный,ЖКХ", "02,ЗАРЕЧНЫЙ\u00a0,жкх "), "utf-8"),
        (PLAIN.replace("02,Заречный,ЖКХ", "02,За\u200bречный,ЖКX"), "utf-8"),  # Latin X
        (PLAIN.replace(",5\n", ",5 шт.\n").replace(",7\n", ",'7\n"), "utf-8"),
        (PLAIN + ",Заречный Итог,,12\nПромежуточный итог,,,12\nИ Т О Г О,,,12\nПодытог,,,12\nСумма,,,12\n", "utf-8"),
        ("№," + PLAIN.replace("\n2", "\n1,2") + "Итого:,,,,12\n", "utf-8"),
    ],
)
def test_counts_are_read_like_exports(tmp_path: Path, content: str, encoding: str):
    assert counts_of(tmp_path, content, encoding) == {"01.06 Заречный ЖКХ": 5, "02.06 Заречный ЖКХ": 7}


def test_american_dates_are_read_as_such(tmp_path: Path):
    content = PLAIN.replace("2026-06-01", "06/03/2026").replace("2026-06-02", "06/25/2026")
    assert counts_of(tmp_path, content) == {"03.06 Заречный ЖКХ": 5, "25.06 Заречный ЖКХ": 7}


@pytest.mark.parametrize("space", [" ", "\u00a0", "\u202f", "'"])
def test_thousands_may_be_set_apart(tmp_path: Path, space: str):
    assert counts_of(tmp_path, PLAIN.replace(",5\n", f",1{space}005\n"))["01.06 Заречный ЖКХ"] == 1005


def test_a_workbook_and_a_gzipped_file_are_read_too(tmp_path: Path):
    book = Workbook()
    book.active.append(["date", "municipality", "sector", "count"])
    book.active.append([datetime(2026, 6, 1), "Заречный", "ЖКХ", 5])
    book.active.append([46175, "Заречный", "ЖКХ", 7])
    book.save(tmp_path / "a.xlsx")
    expected = {"01.06 Заречный ЖКХ": 5, "02.06 Заречный ЖКХ": 7}
    assert shown(read_counts(tmp_path / "a.xlsx", COLUMNS)) == expected
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(PLAIN.encode()))
    assert shown(read_counts(tmp_path / "a.csv.gz", COLUMNS)) == expected


def test_one_place_in_two_spellings_on_one_day_is_added_up_and_told(tmp_path: Path):
    rows = ["2026-06-01,Берёзкино,ЖКХ,5", "2026-06-01,Березкино,ЖКХ,2", "2026-06-02,Берёзкино,ЖКХ,1"]
    (tmp_path / "a.csv").write_text("date,municipality,sector,count\n" + "\n".join(rows), encoding="utf-8")
    told: list[str] = []
    counts = shown(read_counts(tmp_path / "a.csv", COLUMNS, tell=told.append))
    assert counts == {"01.06 Берёзкино ЖКХ": 7, "02.06 Берёзкино ЖКХ": 1}
    assert told == ["1 rows had another spelling of a place or sector on the same day: their counts were added up"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("2026-06-02,Заречный,ЖКХ,9", "02 in Заречный · ЖКХ is given twice, on lines 3 and 4"),
        ('2026-06-03,Заречный,ЖКХ,"1,000"', "line 4: '1,000' is not a whole number"),
        ("2026-06-03,Заречный,ЖКХ,", "line 4: '' is not a whole number"),
        ("вчера,Заречный,ЖКХ,1", "line 4: 'вчера' is not a date"),
        ("2026-06-03,Заречный,ЖКХ,тел 8 900 000-12-34", r"line 4: 'тел \[ТЕЛЕФОН\]' is not a whole number"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(tmp_path: Path, row: str, says: str):
    with pytest.raises(CountsError, match=says):
        counts_of(tmp_path, f"{PLAIN}{row}\n")


def test_counts_of_several_places_are_told_the_option_that_names_them(tmp_path: Path):
    (tmp_path / "a.csv").write_text(PLAIN + "2026-06-01,Посад,ЖКХ,1\n", encoding="utf-8")
    with pytest.raises(CountsError, match=r"given twice, on lines 2 and 4; .* --municipality-column"):
        read_counts(tmp_path / "a.csv")


def test_a_table_without_a_header_is_told_so(tmp_path: Path):
    (tmp_path / "a.csv").write_text("2026-06-01,Заречный,ЖКХ,5\n2026-06-02,Заречный,ЖКХ,7\n", encoding="utf-8")
    with pytest.raises(ColumnsError, match="the first row looks like data"):
        read_counts(tmp_path / "a.csv")


def test_delays_take_any_offsets(tmp_path: Path):
    (tmp_path / "a.csv").write_text("Создано;Внесено\n2026-06-02T10:00+07:00;03.06.2026\n", encoding="utf-8")
    assert read_days(tmp_path / "a.csv", "создано", "Europe/Moscow").tolist() == [pd.Timestamp("2026-06-02")]
    with pytest.raises(ColumnsError, match="'entered_at' is missing; the file has Создано, Внесено"):
        read_days(tmp_path / "a.csv", "entered_at", "Europe/Moscow")
