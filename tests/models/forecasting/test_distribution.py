"""Predictive distributions: dispersion, quantiles, tails."""

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from models.forecasting.distribution import (
    fit_dispersion,
    pinball,
    quantile_levels,
    quantiles,
    tail_probability,
    window_dispersion,
)


@pytest.mark.parametrize("alpha", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("mean", [2.0, 30.0])
def test_the_dispersion_of_simulated_counts_is_found(alpha: float, mean: float):
    size = 1 / alpha
    counts = np.random.default_rng(1).negative_binomial(size, size / (size + mean), 4000)
    assert fit_dispersion(counts, np.full(4000, mean), trim=0) == pytest.approx(alpha, rel=0.25)


def test_poisson_counts_have_hardly_any_dispersion_and_no_counts_have_none():
    counts = np.random.default_rng(1).poisson(10, 2000)
    assert fit_dispersion(counts, np.full(2000, 10.0)) < 0.01
    assert fit_dispersion([], []) == 0
    assert fit_dispersion([np.nan], [1.0]) == 0


def test_a_few_surge_days_do_not_make_the_usual_wide():
    counts = np.random.default_rng(1).poisson(10, 200).astype(float)
    counts[:3] = 80
    assert fit_dispersion(counts, np.full(200, 10.0)) < 0.05


@pytest.mark.parametrize("dispersion", [0.0, 0.2, 2.0])
def test_quantiles_are_whole_ordered_and_not_negative(dispersion: float):
    made = quantiles([0.0, 0.1, 3.0, 50.0], dispersion, [0.025, 0.1, 0.5, 0.9, 0.975])
    assert made.shape == (4, 5)
    assert made.dtype == np.int64
    assert (made >= 0).all()
    assert (np.diff(made, axis=1) >= 0).all()


@pytest.mark.parametrize("count", [0, 1, 5, 40])
@pytest.mark.parametrize("mean", [0.1, 4.0, 25.0])
def test_tails_are_those_of_the_textbook(count: int, mean: float):
    assert tail_probability(count, mean, 0.0) == pytest.approx(poisson(mean).sf(count - 1))
    expected = nbinom(4, 4 / (4 + mean)).sf(count - 1)
    assert tail_probability(count, mean, 0.25) == pytest.approx(expected)


def test_a_forecast_of_zero_does_not_make_one_complaint_impossible():
    assert tail_probability(1, 0.0, 0.0) > 0


def test_the_dispersion_of_a_window_lies_between_a_day_and_a_week():
    assert window_dispersion(0.2, 0.05, 1) == pytest.approx(0.2)
    assert 0.05 < window_dispersion(0.2, 0.05, 3) < 0.2
    assert window_dispersion(0.2, 0.05, 7) == pytest.approx(0.05)


def test_levels_are_the_median_and_bound_central_intervals():
    assert quantile_levels([0.5, 0.8, 0.95]) == [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]


def test_pinball_loss_weighs_the_missed_side():
    np.testing.assert_allclose(pinball(np.array([10.0]), np.array([6.0]), 0.9), [3.6])
    np.testing.assert_allclose(pinball(np.array([6.0]), np.array([10.0]), 0.9), [0.4])
