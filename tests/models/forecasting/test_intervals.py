"""Conformal quantiles: the stated share of days, whatever the size of the counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.forecasting.distribution import cumulative, quantiles
from models.forecasting.intervals import LEVELS, SUM, Conformal, groups


def days(mean: float, true_alpha: float, number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    size = 1 / true_alpha
    counts = np.random.default_rng(seed).negative_binomial(size, size / (size + mean), number).astype(float)
    return counts, np.full(number, mean)


def fitted(mean: float, true_alpha: float, said_alpha: float) -> Conformal:
    counts, means = days(mean, true_alpha, 1500, 0)
    chances = cumulative(counts, means, said_alpha), cumulative(counts - 1, means, said_alpha)
    return Conformal.fit(groups(means), np.zeros(len(means), dtype=np.int64), *chances)


@pytest.mark.parametrize(("true_alpha", "said_alpha"), [(0.4, 0.02), (0.02, 0.4), (0.2, 0.2)])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_intervals_hold_what_they_say_though_the_dispersion_is_wrong(
    true_alpha: float, said_alpha: float, level: float
):
    conformal = fitted(20.0, true_alpha, said_alpha)
    counts, means = days(20.0, true_alpha, 4000, 1)
    wanted = [(1 - level) / 2, (1 + level) / 2]
    made = quantiles(means, said_alpha, conformal.asked(groups(means), np.zeros(4000, dtype=np.int64), wanted))
    inside = (made[:, 0] <= counts) & (counts <= made[:, 1])
    assert level - 0.02 < inside.mean() < level + 0.07  # whole counts: the bounds themselves lie inside
    assert (made >= 0).all()


def test_a_day_on_the_bound_lies_inside():
    counts, means = np.array([2.0, 18.0] * 50), np.full(100, 10.0)
    conformal = Conformal.fit(
        groups(means), np.zeros(100, dtype=np.int64), cumulative(counts, means, 0.1), cumulative(counts - 1, means, 0.1)
    )
    asked = conformal.asked(groups(means[:1]), np.zeros(1, dtype=np.int64), [0.1, 0.9])
    assert quantiles([10.0], 0.1, asked).tolist() == [[2, 18]]


def test_quantiles_do_not_cross():
    conformal = fitted(3.0, 0.5, 0.1)
    levels = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]
    for group in range(SUM + 1):
        asked = conformal.asked(np.array([group]), np.array([5]), levels)[0]
        assert (np.diff(asked) >= 0).all()
        assert 0 < asked[0] < asked[-1] < 1


COUNTS_AND_MEANS = st.lists(st.tuples(st.integers(0, 40), st.floats(0.02, 30)), min_size=1, max_size=60)


@given(days=COUNTS_AND_MEANS, said_alpha=st.sampled_from([0.0, 0.1, 1.0]))
@settings(max_examples=60, deadline=None)
def test_whatever_the_counts_the_bounds_give_way_to_the_median(days: list[tuple[int, float]], said_alpha: float):
    counts, means = np.array(days, dtype=np.float64).T
    chances = cumulative(counts, means, said_alpha), cumulative(counts - 1, means, said_alpha)
    table = Conformal.fit(groups(means), np.zeros(len(means), dtype=np.int64), *chances).table
    for _, rows in table.groupby(["group", "week"]):
        asked = rows["asked"].to_numpy()
        assert (np.diff(asked) >= 0).all()
        assert asked[LEVELS == 0.5] == 0.5


def test_the_median_of_small_counts_is_not_lifted_by_the_bounds():
    """Twelve series of 0.52 to 0.63 a day: 57 % of their days have none."""
    means = np.repeat(np.linspace(0.52, 0.63, 12), 56)
    counts = np.random.default_rng(0).poisson(means).astype(float)
    week = np.zeros(len(means), dtype=np.int64)
    conformal = Conformal.fit(groups(means), week, cumulative(counts, means, 0.0), cumulative(counts - 1, means, 0.0))
    made = quantiles(means, 0.0, conformal.asked(groups(means), week, [0.1, 0.5, 0.9]))
    assert (made[:, :2] == 0).all()
    assert (counts <= made[:, 2]).mean() >= 0.8


def test_weeks_beyond_the_backtest_are_like_its_last():
    conformal = fitted(20.0, 0.4, 0.02)
    near, far = (conformal.asked(np.array([2]), np.array([week]), [0.1, 0.9]) for week in (0, 9))
    np.testing.assert_array_equal(near, far)


def test_a_small_group_leans_on_all_days():
    counts, means = days(20.0, 0.4, 1500, 0)
    few, one = days(1.0, 0.4, 5, 1)
    y, mu = np.concatenate([counts, few]), np.concatenate([means, one])
    conformal = Conformal.fit(
        groups(mu), np.zeros(len(mu), dtype=np.int64), cumulative(y, mu, 0.02), cumulative(y - 1, mu, 0.02)
    )
    small, large = (conformal.asked(np.array([group]), np.array([0]), [0.9])[0, 0] for group in (0, 2))
    assert small == pytest.approx(large, abs=0.04)


def test_without_errors_what_is_wanted_is_asked():
    np.testing.assert_array_equal(Conformal.identity().asked(np.array([0, 1]), np.array([0, 0]), [0.1]), [[0.1]] * 2)


def test_groups_are_by_size_and_sums_are_their_own():
    assert groups(np.array([0.1, 2.0, 9.9, 10.0])).tolist() == [0, 1, 1, 2]
    assert groups(np.array([0.1, 50.0]), of_sum=True).tolist() == [SUM, SUM]
