"""What is learnt from, and which kinds of series there are: late and bulk entry, regressors, kinds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import ColumnsError, CountsError, RegressorsError, TsurError
from models.forecasting.config import ForecasterConfig
from models.forecasting.count_cleaning import completed, completeness_curve, without_bulk_entry
from models.forecasting.regressors import check_covers, of_place, read_regressors
from models.forecasting.series import SeriesKey
from models.forecasting.series_kinds import kind_of, pooled_upward

CONFIG = ForecasterConfig()
NAMES = ["municipality", "sector"]


def panel(values: dict[tuple[str, str], list[float]], start: str = "2026-01-05") -> pd.DataFrame:
    days = max(map(len, values.values()))
    index = pd.date_range(start, periods=days, freq="D", name="date")
    padded = {key: [np.nan] * (days - len(row)) + list(row) for key, row in values.items()}
    frame = pd.DataFrame(padded, index=index)
    frame.columns = pd.MultiIndex.from_tuples(list(values), names=NAMES)
    return frame


def test_a_backlog_entered_in_one_day_is_cut_and_a_usual_peak_is_not():
    counts = np.random.default_rng(0).poisson(10, 120).astype(float)
    counts[60], counts[80] = 400.0, 20.0
    clean = without_bulk_entry(panel({("А", "ЖКХ"): list(counts)}), CONFIG).iloc[:, 0]
    assert clean.iloc[60] < 60
    assert clean.iloc[80] == 20
    kept = np.delete(np.arange(120), 60)
    np.testing.assert_array_equal(clean.to_numpy()[kept], counts[kept])


def test_a_surge_of_a_week_is_no_bulk_entry():
    counts = np.random.default_rng(0).poisson(10, 120).astype(float)
    counts[60:67] *= 3
    clean = without_bulk_entry(panel({("А", "ЖКХ"): list(counts)}), CONFIG).iloc[:, 0]
    np.testing.assert_array_equal(clean, counts)


def test_late_days_are_completed_and_those_hardly_known_are_left_out():
    made = completed(panel({("А", "ЖКХ"): [10.0, 10.0, 8.0, 1.0]}), [0.1, 0.8]).iloc[:, 0]
    np.testing.assert_allclose(made, [10, 10, 10, np.nan])


def test_the_completeness_curve_is_that_of_the_delays():
    rng = np.random.default_rng(0)
    created = pd.Series(pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 200, 20_000), unit="D"))
    delay = rng.choice([0, 1, 2, 5], size=20_000, p=[0.5, 0.3, 0.15, 0.05])
    entered = created + pd.to_timedelta(delay, unit="D")
    known = entered <= pd.Timestamp("2026-07-19")  # what has not come yet is not in the file
    curve = completeness_curve(created[known].reset_index(drop=True), entered[known].reset_index(drop=True), 14)
    np.testing.assert_allclose(curve, [0.5, 0.8, 0.95, 0.95, 0.95], atol=0.02)
    assert curve == sorted(curve)


def test_entry_before_creation_is_refused_with_its_row():
    days = pd.Series(pd.to_datetime(["2026-01-02", "2026-01-03"]))
    with pytest.raises(CountsError, match=r"row 3 .*2026-01-01"):
        completeness_curve(days, pd.Series(pd.to_datetime(["2026-01-02", "2026-01-01"])), 7)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([5.0] * 400, "full"),
        ([0.0, 0.0, 0.0, 1.0] * 100, "sparse"),
        ([5.0] * 60, "short"),
        ([5.0] * 20, "new"),
        ([5.0] * 200 + [0.0] * 190, "dead"),
        ([5.0] * 200 + [np.nan] * 190, "full"),
    ],
)
def test_what_kind_a_series_is(values: list[float], kind: str):
    history = pd.Series(values, index=pd.date_range("2024-01-01", periods=len(values), freq="D"))
    assert kind_of(history, CONFIG) == kind


def test_a_new_series_leans_on_its_sector_and_its_own_days_count_more_and_more():
    week = [14.0, 12, 10, 10, 10, 4, 3]
    others = {("Б", "ЖКХ"): week * 20, ("В", "ЖКХ"): week * 20, ("Б", "Дороги"): [50.0] * 140}
    level = {}
    for own in (1, 7, 28):
        made = pooled_upward(SeriesKey("А", "ЖКХ"), panel({("А", "ЖКХ"): [30.0] * own, **others}), 7)
        level[own] = made.mean()
        assert made.argmax() == 0
    assert 9 < level[1] < level[7] < level[28] < 30


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_regressors_are_read_by_day_or_by_place(tmp_path: Path):
    by_day = read_regressors(write(tmp_path / "a.csv", "date,heat\n2026-01-02,1\n2026-01-01,0.5\n"))
    assert by_day["heat"].tolist() == [0.5, 1.0]
    by_place = read_regressors(write(tmp_path / "b.csv", "date,municipality,heat\n2026-01-01,А,1\n2026-01-01,Б,2\n"))
    place = of_place(by_place, "Б")
    assert place is not None
    assert place["heat"].tolist() == [2.0]


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("when,heat\n2026-01-01,1\n", ColumnsError, "expected date"),
        ("date\n2026-01-01\n", ColumnsError, "expected date"),
        ("date,heat\nsoon,1\n", RegressorsError, "'soon' is not a date"),
        ("date,heat\n2026-01-01,warm\n", RegressorsError, "'heat' on 2026-01-01 is 'warm', not a number"),
        ("date,heat\n2026-01-01,\n", RegressorsError, "not a number"),
        ("date,heat\n2026-01-01,1\n2026-01-01,2\n", RegressorsError, "2026-01-01 is given twice"),
        ("date,municipality,heat\n2026-01-01,А,1\n2026-01-01,А,2\n", RegressorsError, "in А is given twice"),
    ],
)
def test_bad_regressors_are_refused(tmp_path: Path, text: str, error: type[TsurError], says: str):
    with pytest.raises(error, match=says):
        read_regressors(write(tmp_path / "bad.csv", text))


def test_regressors_have_to_cover_history_and_horizon():
    counts = panel({("А", "ЖКХ"): [1.0] * 10})
    heat = pd.DataFrame({"heat": 1.0}, index=pd.date_range("2026-01-05", periods=20, freq="D"))
    assert len(check_covers(heat, counts, 10)) == 20
    with pytest.raises(RegressorsError, match=r"2026-01-25 is missing.*2026-01-05 to 2026-01-26 \(2 days"):
        check_covers(heat, counts, 12)
    by_place = pd.concat({"Б": heat}, axis=1)
    with pytest.raises(RegressorsError, match="municipality 'А'"):
        check_covers(by_place, counts, 5)
