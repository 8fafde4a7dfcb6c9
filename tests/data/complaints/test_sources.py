"""Source maps: unknown and bad ones are refused; their times are the source's, their days the region's."""

from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from data.complaints.importing import import_complaints
from data.complaints.sources import load_source
from data.errors import ConfigError
from data.settings import CHECKOUT

SOURCES = CHECKOUT / "configs" / "sources"


def test_unknown_source_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="'insident' is not known: known are dobrodel, generic, hotline"):
        load_source("insident", SOURCES, timezone="Europe/Moscow")


@pytest.mark.parametrize(
    ("yaml", "sentence"),
    [
        ("name: pos\ntitle: x\ncolumns: {txt: a}", "'txt' is not a complaint's field: known are id, text"),
        ("name: pos\ntitle: x\ncolumns: {id: a}", "no column is named for the field 'text'"),
        ("name: pos\ntitle: x\ncolumns: {text: a}\ntimezone: Mars", "no such time zone"),
        ("name: pos\ntitle: x\ncolumns: {text: a}\ncolour: red", "unknown key 'colour'"),
        ("- pos", "expected a mapping of keys, got list"),
    ],
)
def test_bad_map_is_refused(tmp_path: Path, yaml: str, sentence: str):
    (tmp_path / "own.yaml").write_text(yaml, encoding="utf-8")
    with pytest.raises(ConfigError, match=sentence):
        load_source(tmp_path / "own.yaml", SOURCES, timezone="Europe/Moscow")


@pytest.mark.parametrize(
    ("written", "timezone", "region", "moment"),
    [
        ("01.11.2026 23:30", None, "Asia/Kamchatka", "2026-11-01T11:30"),
        ("01.11.2026 23:30", "Europe/Moscow", "Asia/Kamchatka", "2026-11-01T20:30"),
        ("2026-11-01T23:30+03:00", "Asia/Kamchatka", "Asia/Vladivostok", "2026-11-01T20:30"),
        # a date without a time is a day of the region, whatever zone the source writes its times in
        ("01.11.2026", "Europe/Moscow", "Asia/Vladivostok", "2026-10-31T14:00"),
        ("01.11.2026", "Europe/Moscow", "Europe/Kaliningrad", "2026-10-31T22:00"),
        ("2026-11-01", None, "Europe/Kaliningrad", "2026-10-31T22:00"),
        ("01.11.2026 00:00:00", "Europe/Moscow", "Europe/Kaliningrad", "2026-10-31T22:00"),
        ("01.11.2026 00:30", "Europe/Moscow", "Europe/Kaliningrad", "2026-10-31T21:30"),
    ],
)
def test_times_are_the_sources_and_days_the_regions(
    tmp_path: Path, written: str, timezone: str | None, region: str, moment: str
):
    zone = "" if timezone is None else f"timezone: {timezone}\n"
    formats = 'date_formats: ["%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y"]\n'
    columns = "columns: {text: text, created_at: date}\n"
    (tmp_path / "own.yaml").write_text(f"name: other\ntitle: x\n{columns}{formats}{zone}", encoding="utf-8")
    (tmp_path / "export.csv").write_text(f"text;date\nЯма;{written}\n", encoding="utf-8")
    source = load_source(tmp_path / "own.yaml", timezone=region)
    created_at = import_complaints(tmp_path / "export.csv", source).complaints["created_at"]
    assert created_at.tolist() == [pd.Timestamp(moment, tz="UTC")]


def test_a_default_date_is_a_day_of_the_region(tmp_path: Path):
    (tmp_path / "export.csv").write_text("text\nЯма\n", encoding="utf-8")
    source = load_source("generic", SOURCES, timezone="Asia/Kamchatka")
    frame = import_complaints(tmp_path / "export.csv", source, default_date=datetime(2026, 11, 1)).complaints
    assert frame["created_at"].tolist() == [pd.Timestamp("2026-10-31T12:00", tz="UTC")]
