"""Daily counts: what is a zero, what is a gap, and which files are refused."""

from pathlib import Path

import pandas as pd
import pytest

from data.counts.daily import NO_PLACE, REGION, complete, daily_counts
from data.counts.reading import CountColumns, read_counts
from data.errors import ColumnsError, CountsError, FileError, TsurError


def complaints(*rows: tuple[str, str, str | None, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["created_at", "source", "municipality", "sector"])
    return frame.assign(created_at=pd.to_datetime(frame["created_at"], utc=True))


def series(counts: pd.DataFrame, municipality: str, sector: str) -> dict[str, int]:
    rows = counts[(counts["municipality"] == municipality) & (counts["sector"] == sector)]
    return {f"{day:%m-%d}": int(count) for day, count in zip(rows["date"], rows["count"], strict=True)}


def test_complaints_are_counted_on_their_local_day():
    counts = daily_counts(
        complaints(
            ("2026-03-01T20:59:00Z", "pos", "Алмазовский район", "ЖКХ"),
            ("2026-03-01T21:00:00Z", "pos", "Алмазовский район", "ЖКХ"),
        ),
        "Europe/Moscow",
    )
    assert series(counts, "Алмазовский район", "ЖКХ") == {"03-01": 1, "03-02": 1}


def test_a_complaint_without_a_place_counts_under_no_place_and_one_without_a_sector_does_not_count():
    counts = daily_counts(
        complaints(("2026-03-01T10:00Z", "pos", None, "ЖКХ"), ("2026-03-01T10:00Z", "pos", None, None)), "UTC"
    )
    assert series(counts, NO_PLACE, "ЖКХ") == {"03-01": 1}


def test_a_quiet_day_is_a_zero_while_the_source_lives_and_a_gap_while_it_is_silent():
    counts = daily_counts(
        complaints(
            ("2026-03-01T10:00Z", "pos", "А", "ЖКХ"),
            ("2026-03-03T10:00Z", "pos", "Б", "Дороги"),
            ("2026-03-20T10:00Z", "pos", "А", "ЖКХ"),
        ),
        "UTC",
        alive_days=2,
    )
    assert series(counts, "А", "ЖКХ") == {
        **dict.fromkeys(("03-02", "03-03", "03-04", "03-05", "03-18", "03-19"), 0),
        "03-01": 1,
        "03-20": 1,
    }


def test_one_source_alive_is_enough_for_a_zero():
    rows = [(f"2026-03-{day:02d}T10:00Z", "hotline", "А", "Дороги") for day in range(1, 21)]
    counts = daily_counts(
        complaints(*rows, ("2026-03-01T10:00Z", "pos", "А", "ЖКХ"), ("2026-03-20T10:00Z", "pos", "А", "ЖКХ")), "UTC"
    )
    assert len(series(counts, "А", "ЖКХ")) == 20


def test_no_sector_at_all_is_an_error():
    with pytest.raises(CountsError, match="no complaint has a sector"):
        daily_counts(complaints(("2026-03-01T10:00Z", "pos", None, None)), "UTC")


def write(folder: Path, text: str) -> Path:
    path = folder / "counts.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_with_its_own_column_names_is_read_and_sorted(tmp_path: Path):
    path = write(tmp_path, "day,kind,ward,n\n2026-03-02,Снег,Юг,3\n2026-03-01,Снег,Юг,1\n")
    columns = CountColumns(date="day", sector="kind", count="n", municipality="ward")
    assert series(read_counts(path, columns), "Юг", "Снег") == {"03-01": 1, "03-02": 3}


def test_counts_without_places_are_of_the_whole_region(tmp_path: Path):
    path = write(tmp_path, "date,sector,count\n2026-03-01,Снег,1\n2026-03-02,Снег,2\n")
    assert set(read_counts(path)["municipality"]) == {REGION}


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-03-02", "03-02"),
        ("2026-03-02 23:30", "03-02"),
        ("2026-03-02T11:59:00Z", "03-02"),
        ("2026-03-02T12:00:00.000Z", "03-03"),
        ("2026-03-02T23:30+12:00", "03-02"),
        ("2026-03-02T23:30+0300", "03-03"),
        ("2026-03-02 23:30:00+03", "03-03"),
    ],
)
def test_a_moment_with_an_offset_counts_on_the_day_of_the_region(tmp_path: Path, cell: str, day: str):
    path = write(tmp_path, f"date,sector,count\n2026-03-01T00:30+12:00,Снег,1\n{cell},Снег,2\n")
    assert series(read_counts(path, timezone="Asia/Kamchatka"), REGION, "Снег") == {"03-01": 1, day: 2}


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("", FileError, "empty"),
        ("date,sector,count\n", FileError, "no rows"),
        ("date,sector,count\n2026-03-01,Снег,1\n", CountsError, "only one day"),
        ("date,sector,count\n2026-03-01,Снег,1\n2026-03-01,Снег,2\n", CountsError, "given twice"),
        ("date,sector,count\n2026-03-01,Снег,-1\n2026-03-02,Снег,2\n", CountsError, "'-1'"),
        ("date,sector,count\n2026-03-01,Снег,1.5\n2026-03-02,Снег,2\n", CountsError, "'1.5'"),
        ("date,sector,count\n2026-03-01,Снег,много\n2026-03-02,Снег,2\n", CountsError, "много"),
        ("date,sector,count\nвчера,Снег,1\n2026-03-02,Снег,2\n", CountsError, "'вчера' is not a date"),
        ("date,sector,count\n2026-03-01,,1\n2026-03-02,Снег,2\n", CountsError, "line 2 has no 'sector'"),
        ("date,count\n2026-03-01,1\n", ColumnsError, "'sector'"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str, error: type[TsurError], says: str):
    with pytest.raises(error, match=says):
        read_counts(write(tmp_path, text))


def test_a_missing_column_is_refused_with_the_options_that_name_columns(tmp_path: Path):
    says = r"the file has day, kind, count.*--date-column, --sector-column, --count-column.*--municipality-column"
    with pytest.raises(ColumnsError, match=says):
        read_counts(write(tmp_path, "day,kind,count\n2026-03-01,Снег,1\n"))


def test_an_absent_file_is_refused(tmp_path: Path):
    with pytest.raises(FileError, match="no such file"):
        read_counts(tmp_path / "counts.csv")


def test_parquet_is_read_like_csv(tmp_path: Path):
    path = tmp_path / "counts.parquet"
    days = pd.to_datetime(["2026-03-01", "2026-03-02"])
    pd.DataFrame({"date": days, "sector": "Снег", "count": [1, 2]}).to_parquet(path)
    assert series(read_counts(path), REGION, "Снег") == {"03-01": 1, "03-02": 2}


def frame(*rows: tuple[str, str, int]) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=["date", "sector", "count"])
    return made.assign(municipality="А", date=pd.to_datetime("2026-" + made["date"]))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # no zeros in the file: quiet days are filled while any sector of the place is alive
        (
            [("03-01", "Снег", 1), ("03-02", "Шум", 2), ("03-04", "Снег", 1)],
            {"03-01": 1, "03-02": 0, "03-03": 0, "03-04": 1},
        ),
        # the file writes its zeros: a day without any row is a gap
        (
            [("03-01", "Снег", 1), ("03-02", "Шум", 0), ("03-04", "Снег", 1)],
            {"03-01": 1, "03-02": 0, "03-04": 1},
        ),
    ],
)
def test_missing_days_are_completed(rows: list[tuple[str, str, int]], expected: dict[str, int]):
    once = complete(frame(*rows))
    assert series(once, "А", "Снег") == expected
    pd.testing.assert_frame_equal(complete(once), once)
