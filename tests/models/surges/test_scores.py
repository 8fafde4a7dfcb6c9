"""The scores of evidence and the counting of alarms, each against its definition worked out the long way."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from scipy.stats import nbinom

from models.forecasting.series import NAMES
from models.surges.baseline import Baseline
from models.surges.evidence import (
    CAP,
    FLOOR,
    SUDDEN_FROM,
    SURGE_RATIO,
    Evidence,
    log_likelihood_ratio,
    scan_statistic,
    sudden_evidence,
    surge_evidence,
    trailing_sum,
)
from models.surges.thresholds import Thresholds, count_alarms, surge_thresholds, threshold_for
from models.surges.wildness import rolling_wildness

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


def evidence_of(counts: Sequence[float], mean: float = 10.0, daily: float = 0.1, wildness: float = 1.0) -> Evidence:
    """Of one series, alone in its region, so that nothing is a common factor."""
    days = pd.date_range("2026-01-01", periods=len(counts), freq="D", name="date")
    columns = pd.MultiIndex.from_tuples([("А", "ЖКХ")], names=NAMES)
    panel = pd.DataFrame(np.array(counts, dtype=float)[:, None], days, columns)
    baseline = Baseline(*(pd.DataFrame(value, days, columns) for value in (mean, daily, 0.02)))
    return surge_evidence(panel, baseline, LONGEST, np.array([wildness]))


def test_a_days_ratio_is_tamed_capped_and_nothing_where_nothing_was_observed():
    evidence = evidence_of([10, 14, 60, 0, np.nan])
    tamed = log_likelihood_ratio(np.array([14.0]), np.array([10.0]), np.array([0.2 * 0.1]))[0]
    assert evidence.ratios[:, 0].tolist() == pytest.approx([FLOOR, tamed, CAP, FLOOR, 0])
    assert FLOOR < tamed < CAP


def test_a_single_complaint_where_hardly_any_comes_is_no_evidence():
    of_none, of_few = evidence_of([0, 0, 1], mean=0.001), evidence_of([0, 0, 1], mean=0.1)
    np.testing.assert_array_equal(of_none.ratios, of_few.ratios)
    np.testing.assert_array_equal(of_none.sudden, of_few.sudden)


def test_a_single_days_evidence_is_its_ratio_and_further_on_its_logarithm():
    ratios = np.array([-1.0, 0.0, 0.7, SUDDEN_FROM, SUDDEN_FROM * np.e, SUDDEN_FROM * np.e**2])
    expected = [0, 0, 0.7, SUDDEN_FROM, 2 * SUDDEN_FROM, 3 * SUDDEN_FROM]
    assert sudden_evidence(ratios).tolist() == pytest.approx(expected)


def test_a_single_day_is_not_capped_as_it_is_in_the_sum():
    evidence = evidence_of([10, 60, np.nan])
    ratio = log_likelihood_ratio(np.array([60.0]), np.array([10.0]), np.array([0.2 * 0.1]))[0]
    assert evidence.sudden[:, 0].tolist() == pytest.approx([0, SUDDEN_FROM * (1 + np.log(ratio / SUDDEN_FROM)), 0])
    assert evidence.sudden[1, 0] > CAP


def test_the_score_is_the_larger_of_the_scan_and_the_weighed_day():
    evidence = evidence_of([10, 30, 10, 16, 16, 16])
    for weight in (0.0, 0.5, 2.0):
        np.testing.assert_array_equal(evidence.score(weight), np.maximum(evidence.scan, weight * evidence.sudden))
    assert (evidence.score(2.0) > evidence.score(0.0)).any()
    assert (evidence.score(0.5) == evidence.scan).any()


def test_all_evidence_of_a_series_is_measured_against_its_wildness():
    calm, wild = evidence_of([10, 30, 27, 9]), evidence_of([10, 30, 27, 9], wildness=2.0)
    for of in ("scan", "ratios", "sudden"):
        np.testing.assert_allclose(getattr(wild, of), getattr(calm, of) / 2)


def test_a_series_is_wilder_the_more_its_past_jumps_and_as_wild_as_the_others_in_the_beginning():
    rng = np.random.default_rng(0)
    scan = np.abs(rng.normal(size=(400, 3))) * [0.5, 1.0, 4.0]
    wildness = rolling_wildness(scan)
    assert (wildness[:28] == 1).all()
    assert (np.diff(wildness[-1]) > 0).all()
    assert wildness[-1, 0] < 1 < wildness[-1, 2]
    # a fourth root, and less where the past is short
    assert wildness[-1, 2] / wildness[-1, 1] < 4**0.25
    assert wildness[60, 2] / wildness[60, 1] < wildness[-1, 2] / wildness[-1, 1]
    later = scan.copy()
    later[300:] *= 10
    np.testing.assert_array_equal(rolling_wildness(later)[:300], wildness[:300])


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


def test_without_any_evidence_the_threshold_is_zero_and_with_one_day_of_it_just_above():
    score = np.zeros((40, 2))
    assert threshold_for(score, 0.5) == 0
    score[3, 0] = 1.25
    assert threshold_for(score, 0.01) == pytest.approx(1.25, abs=1e-5)
    assert threshold_for(score, 0.01) > 1.25
    assert threshold_for(score, 1.0) == 1.25


def test_what_the_config_states_needs_no_simulation():
    from models.forecasting.config import SurgeConfig

    assert surge_thresholds(SurgeConfig(threshold=2.5, day_weight=0.75)) == Thresholds(2.5, 0.75)
