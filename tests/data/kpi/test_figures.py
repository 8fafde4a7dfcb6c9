"""Figures have the intervals of the textbook, hide what is of too few, and say what has changed."""

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from data.kpi.figures import LEAST, count, quantile, share


def test_a_share_has_wilsons_interval_and_newcombes_for_its_change():
    figure = share((45, 60), (100, 250))
    assert (figure.value, figure.n, figure.previous, figure.previous_n) == (0.75, 60, 0.4, 250)
    assert (figure.low, figure.high) == pytest.approx(proportion_confint(45, 60, method="wilson"))
    assert figure.change == pytest.approx(0.35)
    expected = confint_proportions_2indep(45, 60, 100, 250, compare="diff", method="newcomb")
    assert (figure.change_low, figure.change_high) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("n", [0, 1, LEAST - 1])
def test_of_too_few_nothing_is_shown_but_how_many(n: int):
    for figure in (share((n, n), (50, 100)), quantile(np.ones(n), np.ones(100), 0.5)):
        assert (figure.value, figure.low, figure.change, figure.n) == (None, None, None, n)
        assert figure.previous is not None
    assert share((LEAST, LEAST), (n, n)).previous is None
    assert share((LEAST, LEAST), (n, n)).value == 1


def test_a_count_is_shown_however_small_and_its_change_is_relative():
    figure = count(30, 20)
    assert (figure.value, figure.change, figure.low) == (30, 0.5, None)
    assert figure.change_low < 0.5 < figure.change_high
    assert count(3, 0).change is None
    assert count(0, 5).change == -1


def test_the_interval_of_a_quantile_holds_it_as_often_as_is_said():
    random = np.random.default_rng(1)
    for level, truth in ((0.5, np.log(2)), (0.9, np.log(10))):
        figures = [quantile(random.exponential(1, 200), np.ones(0), level) for _ in range(600)]
        held = np.mean([figure.low <= truth <= figure.high for figure in figures])
        assert 0.93 <= held <= 0.985
