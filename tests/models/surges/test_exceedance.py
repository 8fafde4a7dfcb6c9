"""The probability that a week passes its level: learned from what is known before it, and silent without skill."""

import numpy as np
import pandas as pd
import pytest

from models.forecasting.config import SurgeConfig
from models.forecasting.series import NAMES
from models.surges.exceedance import (
    WEEK,
    ComingWeeks,
    coming_weeks,
    learned_exceedance,
    past_levels,
    probabilities,
    worth_telling,
)
from models.surges.past import LearnedSurges, Past

CONFIG = SurgeConfig()


def counts_of(runs: bool, days: int = 730, series: int = 12) -> pd.DataFrame:
    """Poisson counts of 6 a day; with `runs`, months of twice as many come in runs of five weeks."""
    rng = np.random.default_rng(0)
    rate = np.full((days, series), 6.0)
    if runs:
        for column in range(series):
            for start in rng.integers(0, days, days // 150):
                rate[start : start + 35, column] = 12.0
    columns = pd.MultiIndex.from_tuples([("город", str(number)) for number in range(series)], names=NAMES)
    index = pd.date_range("2024-01-01", periods=days, freq="D", name="date")
    return pd.DataFrame(rng.poisson(rate).astype(np.float64), index, columns)


def weeks(level: float, outlook: float, last: float, four: float, highest: float) -> ComingWeeks:
    return ComingWeeks(*(np.array([value]) for value in (level, outlook, last, four, highest)))


@pytest.fixture(scope="module")
def in_runs() -> Past:
    return Past.of(counts_of(runs=True), "none", CONFIG.window_days)


def test_where_high_weeks_come_in_runs_a_high_week_makes_the_next_probable(in_runs: Past):
    learned = in_runs.exceedance(CONFIG)
    assert learned is not None
    assert learned.has_skill
    usual = probabilities(learned, weeks(70, 42, 42, 42, 60))[0]
    high = probabilities(learned, weeks(70, 75, 80, 60, 100))[0]
    assert usual < 0.1 < 0.3 < high < 1


def test_where_nothing_announces_them_there_is_no_skill_worth_a_warning():
    learned = Past.of(counts_of(runs=False), "none", CONFIG.window_days).exceedance(CONFIG)
    assert learned is not None
    assert learned.skill is not None
    assert learned.skill < 0.02


def test_probabilities_are_as_high_as_weeks_pass_their_level(in_runs: Past):
    learned = in_runs.exceedance(CONFIG)
    assert learned is not None
    counts = in_runs.counts.iloc[:, : in_runs.base]
    levels, totals = past_levels(counts, CONFIG), counts.rolling(WEEK).sum().shift(1 - WEEK)
    said = probabilities(learned, coming_weeks(counts, in_runs.outlook, levels))
    known = np.isfinite(said) & np.isfinite(totals.to_numpy().ravel())
    passed = (totals.to_numpy() > np.floor(levels.to_numpy())).ravel()[known]
    assert said[known].mean() == pytest.approx(passed.mean(), rel=0.15)
    assert passed[said[known] >= 0.3].mean() > 3 * passed.mean()


def test_no_day_of_the_week_itself_is_looked_at():
    counts = counts_of(runs=True)
    cut = len(counts) - 3 * WEEK
    whole, short = (Past.of(frame, "none", CONFIG.window_days) for frame in (counts, counts.iloc[:cut]))
    levels = past_levels(counts, CONFIG)
    np.testing.assert_array_equal(levels.iloc[:cut], past_levels(counts.iloc[:cut], CONFIG))
    assert whole.exceedance(CONFIG) != short.exceedance(CONFIG)
    changed = counts.copy()
    changed.iloc[cut:] = 500.0
    before, after = (coming_weeks(frame, whole.outlook, levels).features() for frame in (counts, changed))
    day = np.repeat(np.arange(len(counts)), counts.shape[1])
    np.testing.assert_array_equal(before[day <= cut], after[day <= cut])


def test_too_short_a_past_teaches_nothing():
    counts = counts_of(runs=True, days=60)
    past = Past.of(counts, "none", CONFIG.window_days)
    assert learned_exceedance(counts, past.outlook, CONFIG) is None


def test_training_states_what_it_learned_and_keeps_what_is_stated(in_runs: Past):
    counts = in_runs.counts.iloc[:, : in_runs.base]
    learned = LearnedSurges.of(CONFIG, counts, "none").config
    assert learned.exceedance == in_runs.exceedance(CONFIG)
    stated = CONFIG.model_copy(update={"exceedance": learned.exceedance})
    assert LearnedSurges.of(stated, counts.iloc[:200], "none").config.exceedance == learned.exceedance


def test_a_level_that_is_small_or_hardly_above_the_usual_is_not_worth_telling():
    level, usual = np.array([3.9, 4.0, 117.0, 140.0]), np.array([1.0, 1.0, 100.0, 100.0])
    assert worth_telling(level, usual, SurgeConfig(min_count=5, min_ratio=1.3)).tolist() == [False, True, False, True]
