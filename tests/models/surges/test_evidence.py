"""Baseline, evidence and thresholds: what is usual, what speaks for a surge, and how often that is wrong."""

import numpy as np
import pandas as pd
import pytest

from data.counts.daily import REGION
from models.forecasting.config import SurgeConfig
from models.forecasting.series import ALL_SECTORS, NAMES, SeriesKey
from models.surges.baseline import rolling_baseline
from models.surges.bulk_entry import bulk_entry
from models.surges.common_factor import common_factor
from models.surges.evidence import surge_evidence
from models.surges.past import Past
from models.surges.thresholds import (
    MONTH,
    Thresholds,
    count_alarms,
    surge_thresholds,
    threshold_for,
)

WEEK = np.array([1.3, 1.2, 1.1, 1.1, 1.0, 0.7, 0.6])


def panel_of(values: np.ndarray, start: str = "2024-01-01") -> pd.DataFrame:
    days = pd.date_range(start, periods=len(values), freq="D", name="date")
    keys = [(f"П{n // 5}", f"С{n % 5}") for n in range(values.shape[1])]
    return pd.DataFrame(
        values.astype(float), index=days, columns=pd.MultiIndex.from_tuples(keys, names=NAMES)
    ).sort_index(axis=1)


def noise(days: int, means: np.ndarray, dispersion: float, seed: int = 0, year: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    season = 1 + year * np.sin(2 * np.pi * np.arange(days) / 365.25)
    mean = means[None, :] * (WEEK[np.arange(days) % 7] * season)[:, None]
    size = 1 / max(dispersion, 1e-6)
    return panel_of(rng.negative_binomial(size, size / (size + mean)))


def evidence_of(counts: pd.DataFrame, calendar: str = "none"):
    return surge_evidence(counts, rolling_baseline(counts, calendar), 7)


def learned_thresholds(counts: pd.DataFrame, config: SurgeConfig) -> Thresholds:
    return Past.of(counts, "none", config.window_days).thresholds(config)


def alarm_rate(score: np.ndarray, threshold: float) -> float:
    """Alarms per series and month."""
    return count_alarms(score, threshold).sum() / (score.size / MONTH)


MEANS = np.tile([1.0, 3.0, 10.0, 30.0, 100.0], 8)


@pytest.mark.parametrize(
    ("dispersion", "year"),
    [(0.0, 0.0), (0.05, 0.0), (0.05, 0.3), (0.2, 0.0)],
    ids=["poisson", "over-dispersed", "seasonal", "very over-dispersed"],
)
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_counts_without_surges_give_no_more_alarms_than_allowed(dispersion: float, year: float, rate: float):
    counts = noise(800, MEANS, dispersion, seed=5, year=year)
    thresholds = learned_thresholds(counts.iloc[:400], SurgeConfig(false_alarms_per_month=rate))
    score = evidence_of(counts).score(thresholds.day_weight)[400:]
    months = score.size / MONTH  # as many were learned from
    assert alarm_rate(score, thresholds.alarm) <= rate + 2 * np.sqrt(2 * rate / months)  # what chance may add


def test_constant_counts_give_no_alarm_at_all():
    counts = panel_of(np.full((400, 5), 12.0))
    assert evidence_of(counts).score(1.0).max() == 0


@pytest.mark.parametrize("dispersion", [0.0, 0.05])
def test_twice_the_usual_for_five_days_is_found_within_two_days_at_the_headlines_rate(dispersion: float):
    counts = noise(500, np.full(60, 12.0), dispersion, seed=7)
    thresholds = surge_thresholds(SurgeConfig(false_alarms_per_month=0.5))
    rng = np.random.default_rng(8)
    usual = 12.0 * WEEK[np.arange(450, 455) % 7]
    counts.iloc[450:455] += rng.poisson(usual[:, None], (5, 60))
    found = []
    for column in range(0, 60, 5):  # one at a time: sixty at once would be a common factor
        alone = noise(500, np.full(60, 12.0), dispersion, seed=7)
        alone.iloc[450:455, column] = counts.iloc[450:455, column]
        score = evidence_of(alone).score(thresholds.day_weight)[450:453, column]
        found.append(bool((score >= thresholds.alarm).any()))
    assert np.mean(found) >= 0.85


def test_the_baseline_knows_weekdays_and_follows_a_shift_of_the_level():
    counts = noise(300, np.full(10, 40.0), 0.02, seed=1)
    counts.iloc[200:] *= 2
    base = rolling_baseline(counts)
    weeks = base.means.iloc[140:196].mean(axis=1).to_numpy().reshape(-1, 7).mean(axis=0)
    np.testing.assert_allclose(weeks / weeks.mean(), WEEK / WEEK.mean(), atol=0.1)
    assert base.means.iloc[290:].mean().mean() == pytest.approx(80, rel=0.15)


def test_a_surge_does_not_become_its_own_baseline():
    counts = noise(300, np.full(10, 20.0), 0.02, seed=2)
    before = rolling_baseline(counts).means.iloc[255:262].mean().mean()
    counts.iloc[250:255] *= 5
    after = rolling_baseline(counts).means.iloc[255:262].mean().mean()
    assert after < 1.35 * before


def test_the_last_two_days_have_not_moved_the_level_yet():
    counts = noise(200, np.full(5, 20.0), 0.02, seed=2)
    higher = counts.copy()
    higher.iloc[150] += 12
    ratio = (rolling_baseline(higher).means / rolling_baseline(counts).means).mean(axis=1)
    assert ratio.iloc[150] == 1
    np.testing.assert_allclose(ratio.iloc[151:153], 1, atol=0.01)  # the weekdays' shares move a little
    assert (ratio.iloc[153:156] > 1.03).all()


def test_a_backlog_of_thousands_moves_the_baseline_no_more_than_a_bad_day():
    counts = noise(200, np.full(5, 20.0), 0.02, seed=2)
    bad, backlog = counts.copy(), counts.copy()
    bad.iloc[150] = 60
    backlog.iloc[150] = 5000
    of_bad, of_backlog = rolling_baseline(bad), rolling_baseline(backlog)
    for one, other in ((of_bad.means, of_backlog.means), (of_bad.daily, of_backlog.daily)):
        np.testing.assert_allclose(one.iloc[151:], other.iloc[151:])
    assert of_backlog.weekly.iloc[151:].max(axis=None) < 0.1


def test_what_comes_every_year_at_the_same_time_is_expected_from_the_second_year_on():
    counts = noise(1000, np.full(10, 20.0), 0.02, seed=3)
    for year in range(3):
        counts.iloc[200 + 364 * year : 230 + 364 * year] *= 2
    means = rolling_baseline(counts).means.mean(axis=1).to_numpy()

    def rise(first_day: int) -> float:
        """The first three days, before the level can follow, against the same weekdays three weeks earlier."""
        return float(means[first_day : first_day + 3].mean() / means[first_day - 21 : first_day - 18].mean())

    assert rise(200 + 364) > 1.07 * rise(200)


def test_every_day_is_judged_by_earlier_days_only():
    counts = noise(200, np.full(5, 8.0), 0.05, seed=3)
    whole, cut = rolling_baseline(counts), rolling_baseline(counts.iloc[:150])
    np.testing.assert_array_equal(whole.means.iloc[:150].to_numpy(), cut.means.to_numpy())
    changed = counts.copy()
    changed.iloc[149] = 500
    np.testing.assert_array_equal(rolling_baseline(changed).means.iloc[:150].to_numpy(), cut.means.to_numpy())


def test_gaps_are_no_zeros_and_short_histories_are_not_judged():
    counts = noise(200, np.full(5, 20.0), 0.02, seed=4)
    counts.iloc[100:130] = np.nan
    means = rolling_baseline(counts).means
    assert means.iloc[:14].isna().all(axis=None)
    assert means.iloc[14:].notna().all(axis=None)
    assert means.iloc[131:138].mean().mean() == pytest.approx(20, rel=0.15)
    evidence = evidence_of(counts)
    assert evidence.score(1.0)[110:130].max() <= evidence.score(1.0)[95:100].max() + 1e-9
    assert evidence_of(counts.iloc[:10]).score(1.0).max() == 0


def test_the_rush_after_long_holidays_is_expected_once_it_has_been_seen():
    days = pd.date_range("2021-01-01", "2024-01-20", freq="D")
    weekday = WEEK[np.asarray(days.weekday)]
    mean = np.outer(weekday, np.full(10, 20.0))
    for year in (2021, 2022, 2023, 2024):
        mean[(days >= f"{year}-01-01") & (days <= f"{year}-01-08")] = 6.0
        mean[(days >= f"{year}-01-09") & (days <= f"{year}-01-10")] *= 1.8
    counts = panel_of(np.random.default_rng(1).poisson(mean), "2021-01-01")
    first = counts.index.get_loc(pd.Timestamp("2024-01-09"))
    knows, blind = rolling_baseline(counts, "russia").means, rolling_baseline(counts).means
    assert knows.iloc[first].mean() > 1.1 * blind.iloc[first].mean()
    inside = slice("2024-01-02", "2024-01-06")
    assert knows.loc[inside].mean().mean() < 0.8 * blind.loc[inside].mean().mean()


def test_the_common_factor_is_of_the_other_sectors_and_one_for_sums_over_all():
    keys = [SeriesKey("А", "ЖКХ"), SeriesKey("А", "Дороги"), SeriesKey("А", "Связь"), SeriesKey("А", ALL_SECTORS)]
    means = np.full((1, 4), 50.0)
    counts = np.array([[50.0, 75.0, 75.0, 200.0]])
    factor = common_factor(counts, means, np.full((1, 4), 0.2), keys)[0]
    assert factor[0] > 1.25 > factor[1] > 1
    assert factor[3] == 1


def test_one_sectors_surge_does_not_excuse_the_others():
    keys = [SeriesKey("А", sector) for sector in ("ЖКХ", "Дороги", "Связь", "Экология")]
    counts = np.array([[50.0, 50.0, 50.0, 5000.0]])
    factor = common_factor(counts, np.full((1, 4), 50.0), np.full((1, 4), 0.2), keys)[0]
    assert factor[0] < 1.3
    assert factor[3] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("rows", "bulk"),
    [
        ([[4, 4], [60, 50], [4, 4]], [[0, 0], [1, 1], [0, 0]]),  # two sectors at once
        ([[4, 4], [60, 4], [4, 4]], [[0, 0], [0, 0], [0, 0]]),  # one alone may be real
        ([[4, 4], [400, 4], [4, 4]], [[0, 0], [1, 0], [0, 0]]),  # so many are typed in
        ([[4, 4], [60, 50], [60, 50], [60, 50], [60, 50]], [[0, 0], [1, 1], [1, 1], [1, 1], [0, 0]]),  # it lasts
        ([[4, 4], [14, 13], [60, 50], [70, 60]], [[0, 0], [0, 0], [0, 0], [0, 0]]),  # it rose before
    ],
)
def test_what_is_bulk_entry(rows: list[list[float]], bulk: list[list[int]]):
    keys = [SeriesKey(REGION, "ЖКХ"), SeriesKey(REGION, "Дороги")]
    found = bulk_entry(np.array(rows, dtype=float), np.full((len(rows), 2), 4.0), keys)
    np.testing.assert_array_equal(found, np.array(bulk, dtype=bool))


def test_alarms_less_than_a_week_apart_are_one_and_count_anew_every_four_weeks():
    score = np.zeros((100, 3))
    score[[10, 12, 18, 40], 0] = 1
    score[20:60, 1] = 1
    assert count_alarms(score, 1.0).tolist() == [2, 2, 0]


def test_the_threshold_for_a_rate_is_the_lowest_that_keeps_it():
    score = np.random.default_rng(0).exponential(size=(2000, 20))
    threshold = threshold_for(score, 0.3)
    assert alarm_rate(score, threshold) <= 0.3
    assert alarm_rate(score, 0.9 * threshold) > 0.3


def test_a_stricter_rate_needs_more_evidence():
    """The figures are golden ones: those of the seeded simulation on which the published rates rest."""
    strict, lax = (surge_thresholds(SurgeConfig(false_alarms_per_month=rate)) for rate in (0.05, 1.0))
    assert (strict.alarm, lax.alarm) == pytest.approx((10.93, 2.28), abs=0.02)
    assert strict.day_weight == lax.day_weight == pytest.approx(1.241, abs=0.002)


@pytest.mark.parametrize("stated", [{"threshold": 3.0}, {"day_weight": 0.5}], ids=str)
def test_what_the_config_states_alone_is_kept_and_the_other_is_simulated(stated: dict[str, float]):
    config, simulated = SurgeConfig(**stated), surge_thresholds(SurgeConfig())
    thresholds = surge_thresholds(config)
    assert thresholds.alarm == stated.get("threshold", simulated.alarm)
    assert thresholds.day_weight == stated.get("day_weight", simulated.day_weight)


def test_a_wild_past_raises_the_threshold_or_trusts_single_days_less_and_what_is_stated_is_kept():
    calm = noise(400, np.full(20, 10.0), 0.05, seed=6)
    wild, jumpy = calm.copy(), calm.copy()
    rng = np.random.default_rng(9)
    for column in range(20):
        for start in rng.integers(70, 390, 12):
            wild.iloc[start : start + 3, column] *= 4
            jumpy.iloc[start, column] *= 4
    config = SurgeConfig()
    of_calm, of_wild = learned_thresholds(calm, config), learned_thresholds(wild, config)
    assert of_wild.alarm > of_calm.alarm
    assert learned_thresholds(jumpy, config).day_weight < of_calm.day_weight
    stated = learned_thresholds(wild, SurgeConfig(threshold=3.0, day_weight=0.5))
    assert (stated.alarm, stated.day_weight) == (3.0, 0.5)
    assert learned_thresholds(wild.iloc[:60], config) == surge_thresholds(config)
