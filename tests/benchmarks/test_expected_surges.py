"""The benchmark of expected surges judges weeks by what was known before them, and its figures tell good from bad."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.expected_surges.figures import figures_of, warnings_of
from benchmarks.expected_surges.weeks import OF_CITY, Counts, judged_weeks
from models.forecasting.series import NAMES

FIRST, LAST = "2025-10-06", "2025-12-28"
SET = Counts("none.csv", OF_CITY, FIRST, LAST)


def panel_of(series: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    days = pd.date_range("2024-01-01", LAST, freq="D", name="date")
    rate = np.full((len(days), series), 8.0)
    for column in range(series):
        for start in rng.integers(0, len(days), 8):
            rate[start : start + 28, column] = 16.0
    columns = pd.MultiIndex.from_tuples([("город", str(n)) for n in range(series)], names=NAMES)
    return pd.DataFrame(rng.poisson(rate).astype(np.float64), days, columns)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return judged_weeks(panel_of(), SET)


def test_every_week_is_judged_once_by_what_was_known_before_it(rows: pd.DataFrame):
    assert len(rows) == 12 * 6
    assert not rows.duplicated(["series", "start"]).any()
    later = panel_of()
    later.loc["2025-12-22":] = 300.0  # the last week; what is said of it, and of all before, stays
    again = judged_weeks(later, SET)
    said = ["tsur", "raw", "base", "season", "outlook", "level"]
    pd.testing.assert_frame_equal(again[said], rows[said])
    assert again.loc[again["start"] == "2025-12-22", "passed"].all()


def test_days_are_those_until_the_level_was_passed(rows: pd.DataFrame):
    assert ((rows["days"] <= 7) == rows["passed"]).all()


def test_what_knows_the_truth_has_all_skill_and_what_says_the_opposite_none():
    passed = np.arange(200) % 10 == 0
    start = pd.Timestamp("2026-01-05") + pd.to_timedelta(7 * (np.arange(200) // 10), unit="D")
    frame = pd.DataFrame({"passed": passed, "start": start, "base": 0.1, "told": True, "days": 3.0})
    frame["right"], frame["wrong"], frame["tsur"] = (
        np.where(passed, 0.9, 0.1),
        np.where(passed, 0.0, 0.5),
        frame["base"],
    )
    figures = figures_of(frame, ["right", "wrong", "base"])
    assert figures["right"]["roc_auc"] == 1
    assert figures["right"]["skill"] > 0.8 > 0 > figures["wrong"]["skill"]
    assert figures["base"]["skill"] == 0
    assert figures["base"]["reliability_error"] == pytest.approx(0, abs=1e-9)
    assert figures["wrong"]["reliability_error"] > 0.3
    low, high = figures["right"]["skill_interval"]
    assert low <= figures["right"]["skill"] <= high
    warned = warnings_of(frame.assign(tsur=frame["right"]), 0.5)
    assert (warned["warned"], warned["came_true"], warned["found"], warned["median_days_ahead"]) == (20, 1.0, 1.0, 3.0)
