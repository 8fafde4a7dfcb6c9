"""The scores of evidence and the counting of alarms, each against its definition worked out the long way."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from scipy.stats import nbinom

from models.forecasting.distribution import window_dispersion
from models.forecasting.series import NAMES
from models.surges.baseline import Baseline
from models.surges.evidence import (
    CAP,
    FLOOR,
    SURGE_RATIO,
    Evidence,
    log_likelihood_ratio,
    log_tail,
    scan_statistic,
    surge_evidence,
    trailing_sum,
)
from models.surges.thresholds import MONTH, Thresholds, alarm_rate, count_alarms, surge_thresholds, threshold_for

LONGEST = 4


def with_size(dispersion: float, mean: float) -> tuple[float, float]:
    """The negative binomial's parameters in scipy."""
    return 1 / dispersion, 1 / (1 + dispersion * mean)


@pytest.mark.parametrize(("count", "mean", "dispersion"), [(0, 3, 0.1), (7, 3, 0.1), (40, 12, 0.5), (2, 0.2, 1.5)])
def test_the_ratio_is_that_of_two_negative_binomials(count: float, mean: float, dispersion: float):
    surge, usual = with_size(dispersion, SURGE_RATIO * mean), with_size(dispersion, mean)
    expected = nbinom.logpmf(count, *surge) - nbinom.logpmf(count, *usual)
    made = log_likelihood_ratio(np.array([float(count)]), np.array([float(mean)]), np.array([dispersion]))
    assert made[0] == pytest.approx(expected)


@pytest.mark.parametrize(("count", "mean", "dispersion"), [(7, 3, 0.1), (40, 12, 0.5), (2, 0.2, 1.5), (13, 12.5, 0.02)])
def test_the_tail_is_the_chance_of_so_many_or_more(count: float, mean: float, dispersion: float):
    made = log_tail(np.array([float(count)]), np.array([float(mean)]), np.array([dispersion]))
    assert made[0] == pytest.approx(-np.log10(nbinom.sf(count - 1, *with_size(dispersion, mean))))


def test_a_tail_says_nothing_up_to_the_mean_and_stays_finite_beyond_all_numbers():
    made = log_tail(np.array([3.0, 2.0, 1e6]), np.array([3.0, 3.0, 3.0]), np.full(3, 1e-3))
    assert made[:2].tolist() == [0, 0]
    assert made[2] == pytest.approx(300)


def window(values: np.ndarray, day: int, length: int) -> np.ndarray:
    """The `length` days that end on a day, cut at the first."""
    return values[max(day - length + 1, 0) : day + 1]


def test_a_trailing_sum_is_that_of_the_days_up_to_each():
    values = np.random.default_rng(0).normal(size=(9, 3))
    for length in (1, 2, 4, 9, 12):
        expected = [window(values, day, length).sum(axis=0) for day in range(9)]
        np.testing.assert_allclose(trailing_sum(values, length), expected, atol=1e-12)


@pytest.mark.parametrize(("longest", "lengths"), [(LONGEST, (2, 3, 4)), (2, (2,)), (1, (1,))])
def test_the_scan_is_the_largest_sum_of_two_days_and_more(longest: int, lengths: Sequence[int]):
    ratios = np.random.default_rng(1).normal(size=(12, 5))
    largest = [np.max([window(ratios, day, length).sum(axis=0) for length in lengths], axis=0) for day in range(12)]
    np.testing.assert_allclose(scan_statistic(ratios, longest), np.maximum(largest, 0))


def evidence_of(counts: Sequence[float], mean: float = 10.0, daily: float = 0.1, weekly: float = 0.02) -> Evidence:
    """Of one series, alone in its region, so that nothing is a common factor."""
    days = pd.date_range("2026-01-01", periods=len(counts), freq="D", name="date")
    columns = pd.MultiIndex.from_tuples([("А", "ЖКХ")], names=NAMES)
    panel = pd.DataFrame(np.array(counts, dtype=float)[:, None], days, columns)
    baseline = Baseline(*(pd.DataFrame(value, days, columns) for value in (mean, daily, weekly)))
    return surge_evidence(panel, baseline, LONGEST)


def test_a_days_ratio_is_tamed_capped_and_nothing_where_nothing_was_observed():
    evidence = evidence_of([10, 14, 60, 0, np.nan])
    tamed = log_likelihood_ratio(np.array([14.0]), np.array([10.0]), np.array([0.2 * 0.1]))[0]
    assert evidence.ratios[:, 0].tolist() == pytest.approx([FLOOR, tamed, CAP, FLOOR, 0])
    assert FLOOR < tamed < CAP


def test_a_single_complaint_where_hardly_any_comes_is_no_evidence():
    of_none, of_few = evidence_of([0, 0, 1], mean=0.001), evidence_of([0, 0, 1], mean=0.1)
    np.testing.assert_array_equal(of_none.ratios, of_few.ratios)
    np.testing.assert_array_equal(of_none.tail, of_few.tail)


def test_the_tail_is_of_the_least_probable_total_of_one_to_all_days():
    counts = [10, 30, 27, 26, 25, 9, 24, np.nan, 31]
    evidence = evidence_of(counts)
    values, mean = np.nan_to_num(np.array(counts, dtype=float)), np.where(np.isfinite(counts), 10.0, 0.0)
    for day, count in enumerate(counts):
        chances = [0.0]
        for length in range(1, LONGEST + 1):
            total, usual = window(values, day, length).sum(), window(mean, day, length).sum()
            observed = int((window(mean, day, length) > 0).sum())
            if np.isfinite(count) and total > usual + 3 * np.sqrt(usual):
                dispersion = window_dispersion(0.1, 0.02, observed)
                chances.append(float(-np.log10(nbinom.sf(total - 1, *with_size(dispersion, usual)))))
            else:
                chances.append(0.0)
        assert evidence.tail[day, 0] == pytest.approx(max(chances)), day
        assert evidence.tail_days[day, 0] == max(int(np.argmax(chances)), 1), day


def test_the_score_is_the_larger_of_the_scan_and_the_weighed_tail():
    evidence = evidence_of([10, 30, 10, 16, 16, 16])
    for weight in (0.0, 0.5, 2.0):
        np.testing.assert_array_equal(evidence.score(weight), np.maximum(evidence.scan, weight * evidence.tail))
    assert (evidence.score(2.0) > evidence.score(0.0)).any()
    assert (evidence.score(0.5) == evidence.scan).any()


@pytest.mark.parametrize(
    ("days", "alarms"),
    [
        ([0], 1),
        ([10, 17], 1),  # a week apart: one
        ([10, 18], 2),
        (range(10, 38), 1),
        (range(10, 39), 2),  # the 29th day counts anew
        (range(10, 67), 3),
        ([*range(10, 20), 30, 37, 44], 2),  # by the first day of the run that counted last
    ],
)
def test_alarms_are_counted_by_runs_that_begin_anew(days: Sequence[int], alarms: int):
    score = np.zeros((100, 2))
    score[list(days), 0] = 2.0
    assert count_alarms(score, 2.0).tolist() == [alarms, 0]
    assert count_alarms(score, 2.1).tolist() == [0, 0]
    assert alarm_rate(score, 2.0) == pytest.approx(alarms / (2 * 100 / MONTH))


def test_without_any_evidence_the_threshold_is_zero_and_with_one_day_of_it_just_above():
    score = np.zeros((40, 2))
    assert threshold_for(score, 0.5) == 0
    score[3, 0] = 1.25
    assert threshold_for(score, 0.01) == pytest.approx(1.25, abs=1e-5)
    assert threshold_for(score, 0.01) > 1.25
    assert threshold_for(score, 1.0) == 1.25


def test_what_the_config_states_needs_no_simulation():
    from models.forecasting.config import SurgeConfig

    assert surge_thresholds(SurgeConfig(threshold=2.5, tail_weight=0.75)) == Thresholds(2.5, 0.75)
