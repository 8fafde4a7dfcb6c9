"""CSV that is written: what Excel needs, and nothing that it would run."""

from pathlib import Path

import pandas as pd
import pytest

from data.settings import settings
from data.tables.csv_writer import PLAIN, csv_text, defused, write_csv
from data.tables.readers import read_rows

FRAME = pd.DataFrame({"id": ["=1+1", "-2"], "доля": [0.5, 12.25], "день": pd.to_datetime(["2026-11-01", None])})


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd|' /C calc'!A0", "-1+2", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "\u200b=1", "\0=1", "﹦1"]
)
def test_a_formula_is_defused(cell: str):
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-2", "+5", "-0,5", "-1.5E+3", "Яма", "5-7", "", -5, -0.5, None])
def test_numbers_and_words_stay(cell: object):
    assert defused(cell) == cell


def test_excel_opens_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_csv(FRAME, tmp_path / "a.csv")
    expected = "\ufeffid;доля;день\r\n'=1+1;0.5;2026-11-01\r\n-2;12.25;\r\n"
    assert (tmp_path / "a.csv").read_bytes().decode() == expected
    monkeypatch.setattr(settings(), "csv_decimal", "comma")
    assert csv_text(FRAME) == expected.replace("0.5", "0,5").replace("12.25", "12,25")


def test_programs_get_plain_csv_without_formulas():
    assert csv_text(FRAME, PLAIN).startswith("id,доля,день\r\n'=1+1,0.5,")


def test_what_is_written_is_read_back(tmp_path: Path):
    write_csv(FRAME, tmp_path / "a.csv")
    assert [row["id"] for _, row in read_rows(tmp_path / "a.csv")] == ["=1+1", "-2"]
