"""What a complaint and a row of daily counts must be, and how a wrong one is refused."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from data.complaints.schema import COLUMNS, MAX_CHARACTERS, MAX_COUNT, Complaint, check_complaints, check_counts
from data.errors import CountsError, InputError

MOMENT = "2026-03-01T12:00:00+03:00"


def counts(**columns: list[Any]) -> pd.DataFrame:
    """Two good rows, with some columns changed."""
    good: dict[str, list[Any]] = {
        "date": ["2026-03-02", "2026-03-01"],
        "municipality": ["Алмазовский район"] * 2,
        "sector": ["ЖКХ"] * 2,
        "count": [3, 0],
    }
    return pd.DataFrame(good | columns)


def complaints(**columns: list[Any]) -> pd.DataFrame:
    """Two good rows, with some columns changed."""
    good: dict[str, list[Any]] = {name: [None, None] for name in COLUMNS}
    good |= {"id": ["1", "2"], "text": ["яма", "нет воды"], "source": ["pos", "other"]}
    good |= {"created_at": list(pd.to_datetime([MOMENT, MOMENT], utc=True))}
    return pd.DataFrame(good | columns)


def test_counts_are_sorted_by_series_and_day_and_typed():
    checked = check_counts(counts())
    assert checked["count"].tolist() == [0, 3]
    assert [str(kind) for kind in checked.dtypes] == ["datetime64[ns]", "object", "object", "int64"]


@pytest.mark.parametrize("given", [["3", "0"], [3.0, 0.0], [np.int8(3), np.int8(0)]], ids=["text", "float", "int8"])
def test_whole_counts_are_taken_however_they_are_written(given: list[Any]):
    assert check_counts(counts(count=given))["count"].tolist() == [0, 3]


def test_hours_are_dropped_and_other_columns_too():
    checked = check_counts(counts(date=["2026-03-02 15:00", "2026-03-01 00:01"], weather=["снег", "дождь"]))
    assert checked["date"].tolist() == [pd.Timestamp("2026-03-01"), pd.Timestamp("2026-03-02")]
    assert list(checked) == ["date", "municipality", "sector", "count"]


def test_a_day_with_a_zone_stays_that_day():
    moscow = pd.to_datetime(["2026-03-02", "2026-03-01"]).tz_localize("Europe/Moscow")
    pd.testing.assert_frame_equal(check_counts(counts(date=list(moscow))), check_counts(counts()))


def test_a_given_frame_is_not_changed():
    frame = counts(count=["3", "0"])
    check_counts(frame)
    pd.testing.assert_frame_equal(frame, counts(count=["3", "0"]))


def test_no_counts_are_counts_too():
    assert len(check_counts(counts().iloc[:0])) == 0


@pytest.mark.parametrize(
    ("frame", "parts"),
    [
        (counts(count=[-1, 0]), ["-1", "2026-03-02", "Алмазовский район", "ЖКХ", "whole number"]),
        (counts(count=[1, 0.5]), ["0.5", "2026-03-01", "whole number"]),
        (counts(count=[1, None]), ["nan", "2026-03-01", "whole number"]),
        (counts(count=[1, "много"]), ["много", "2026-03-01", "whole number"]),
        (counts(count=[1, float("inf")]), ["inf", "2026-03-01", "whole number"]),
        (counts(count=[1, MAX_COUNT + 1]), [str(MAX_COUNT + 1), "10,000,000"]),
        (counts(count=[1, 1e30]), ["1e+30", "2026-03-01"]),
        (counts(date=["2026-03-01"] * 2), ["2026-03-01", "Алмазовский район", "ЖКХ", "twice"]),
        (counts(date=["2026-03-01 10:00", "2026-03-01 11:00"]), ["2026-03-01", "twice"]),
        (counts(date=["2026-03-01", "вчера"]), ["date cannot be read", "вчера"]),
        (counts(date=["2026-03-01", "2026-02-30"]), ["date cannot be read", "2026-02-30"]),
        (counts(date=["2026-03-01", None]), ["'date'", "empty"]),
        (counts(municipality=["Алмазовский район", None]), ["'municipality'", "empty"]),
        (counts(sector=[None, "ЖКХ"]), ["'sector'", "empty"]),
        (counts(municipality=[1, 2]), ["daily counts", "municipality"]),
        (counts().drop(columns="sector"), ["'sector' is missing", "municipality"]),
        (counts().rename(columns={"count": "Количество"}), ["'count' is missing", "Количество"]),
    ],
    ids=[
        "negative", "fractional", "empty", "text", "infinite", "too many", "astronomical",
        "twice", "twice on a day", "no date", "no such day", "no day",
        "no place", "no sector", "place is a number", "no column", "column of another name",
    ],
)  # fmt: skip
def test_bad_counts_are_refused_with_the_row_or_column(frame: pd.DataFrame, parts: list[str]):
    with pytest.raises(CountsError) as caught:
        check_counts(frame)
    for part in parts:
        assert part in str(caught.value)
    assert caught.value.code == "bad_counts"


def test_complaints_come_out_as_they_went_in_with_utc_times():
    checked = check_complaints(complaints(sector=["ЖКХ", None]))
    assert list(checked) == COLUMNS
    assert str(checked["created_at"].dtype) == "datetime64[ns, UTC]"
    assert checked["created_at"][0] == pd.Timestamp("2026-03-01T09:00Z")


def test_complaints_may_lack_label_columns():
    assert len(check_complaints(complaints().drop(columns=["sector", "topic", "agency", "municipality"]))) == 2


@pytest.mark.parametrize(
    ("frame", "part"),
    [
        (complaints(id=["1", "1"], source=["pos", "pos"]), "an id is given twice in one source"),
        (complaints(text=["яма", None]), "text"),
        (complaints(created_at=[None, None]), "created_at"),
        (complaints(created_at=["вчера", "сегодня"]), "created_at"),
        (complaints().drop(columns="text"), "text"),
        (complaints().assign(mood="злой"), "mood"),
    ],
    ids=["two of one id in a source", "no text", "no time", "no time in it", "no column", "a column too many"],
)
def test_bad_complaints_are_refused_with_the_column(frame: pd.DataFrame, part: str):
    with pytest.raises(InputError, match=rf"^complaints: .*{part}"):
        check_complaints(frame)


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        (MOMENT, datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01T12:00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
    ],
    ids=["Moscow", "naive is UTC", "UTC"],
)
def test_a_complaint_keeps_its_time_in_utc(given: str, utc: datetime):
    assert Complaint(id="1", text="яма", created_at=given).created_at == utc  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"text": "  \n "},
        {"text": "я" * (MAX_CHARACTERS + 1)},
        {"source": "fax"},
        {"created_at": "вчера"},
        {"mood": "злой"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_wrong_complaint_is_refused(wrong: dict[str, str]):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Complaint.model_validate({"id": "1", "text": "яма", "created_at": MOMENT} | wrong)


def test_spaces_around_a_complaint_go():
    assert Complaint.model_validate({"id": " 1 ", "text": " яма\n", "created_at": MOMENT}).text == "яма"


def test_two_sources_may_use_one_id():
    assert len(check_complaints(complaints(id=["1", "1"], source=["pos", "hotline"]))) == 2
