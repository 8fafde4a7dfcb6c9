"""The surge benchmark: rivals that hold against their papers, counting that holds against its definition."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import nbinom

from benchmarks.surge_quality.benchmark import CHECK, with_rivals
from benchmarks.surge_quality.regressions import log_tail
from benchmarks.surge_quality.rivals import Scored, Trial, cusum, ears, farrington, ours, rammie
from benchmarks.surge_quality.trials import (
    alarm_weeks,
    at_rate,
    curve,
    delays,
    false_alarms,
    inject,
    shape,
    true_share,
    usual,
)
from data.errors import ConfigError
from models.forecasting.series import NAMES

WEEK = np.array([1.3, 1.2, 1.1, 1.1, 1.0, 0.7, 0.6])


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Six calm series of 12 a day over 300 days, the last 120 of them judged."""
    rng = np.random.default_rng(1)
    days = pd.date_range("2024-01-01", periods=300, freq="D")
    counts = pd.DataFrame(rng.poisson(12 * WEEK[np.arange(300) % 7][:, None] * np.ones(6)).astype(float), index=days)
    counts.columns = pd.MultiIndex.from_tuples([("весь регион", f"С{n}") for n in range(6)], names=NAMES)
    return Trial(counts, counts, np.arange(6), 180, tmp_path_factory.mktemp("fits"))


def test_ears_are_those_of_hutwagner():
    days = pd.date_range("2024-01-01", periods=30, freq="D")
    values = np.random.default_rng(2).poisson(9, 30).astype(float)
    values[-1] = 25
    counts = pd.DataFrame({("r", "a"): values}, index=days)
    made = Trial(counts, counts, np.array([0]), 12, Path())

    def by_hand(day: int, guard: int) -> float:
        past = values[day - guard - 7 : day - guard]
        return float((values[day] - past.mean()) / past.std(ddof=1))

    assert ears(0)(made).score[-1, 0] == pytest.approx(by_hand(29, 0))
    assert ears(2)(made).score[-1, 0] == pytest.approx(by_hand(29, 2))
    third = sum(max(by_hand(day, 2) - 1, 0) for day in (27, 28, 29))
    assert ears(2, 3)(made).score[-1, 0] == pytest.approx(third)


@pytest.mark.parametrize(("count", "mean", "dispersion"), [(7, 3, 0.1), (40, 12, 0.5), (2, 0.2, 1.5), (13, 12.5, 0.02)])
def test_the_tail_is_the_chance_of_so_many_or_more(count: float, mean: float, dispersion: float):
    made = log_tail(np.array([float(count)]), np.array([float(mean)]), np.array([dispersion]))
    assert made[0] == pytest.approx(-np.log10(nbinom.sf(count - 1, 1 / dispersion, 1 / (1 + dispersion * mean))))


def test_a_tail_says_nothing_up_to_the_mean_and_stays_finite_beyond_all_numbers():
    made = log_tail(np.array([3.0, 2.0, 1e6]), np.array([3.0, 3.0, 3.0]), np.full(3, 1e-3))
    assert made[:2].tolist() == [0, 0]
    assert made[2] == pytest.approx(300)


def test_regressions_expect_the_weekday_and_the_cusum_restarts(trial: Trial):
    calm = farrington(trial).score
    assert (calm > 3).mean() < 0.01  # a probability of 1 in 1,000 is as rare as it says
    raised = trial.counts.copy()
    raised.iloc[200:220, 0] *= 3
    scored = cusum(Trial(raised, trial.clean, trial.watched, trial.first, trial.folder))
    up = scored.alarms(5.0)[:, 0]
    assert up[20:40].any()
    assert not up[:20].any()
    assert not up[45:].any()  # it does not stay up for weeks after


def test_rammie_knows_the_weekday_of_all_and_no_rise_that_has_become_the_level(trial: Trial):
    calm = rammie(trial).score
    assert (calm > 3).mean() < 0.01
    raised = trial.counts.copy()
    raised.iloc[200:, 0] *= 3
    score = rammie(replace(trial, counts=raised)).score
    assert score[20, 0] > 3  # far above its season and its last fortnight
    assert (score[45:, 0] > 3).mean() < 0.1  # above its season alone
    np.testing.assert_array_equal(score[:, 1:], calm[:, 1:])


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("step", [1] * 5),
        ("ramp", [n / 10 for n in range(1, 11)]),
        ("spike", [1]),
        ("decay", [0.8**n for n in range(10)]),
    ],
)
def test_the_shapes_of_injected_surges(name: str, extra: list[float]):
    np.testing.assert_allclose(shape(name, 2.0), extra)


def test_what_is_usual_leaves_out_the_extremes_of_the_weekday():
    counts = np.tile(np.arange(7.0) + 1, 20)[:, None]
    counts[70] += 500
    np.testing.assert_allclose(usual(counts)[:, 0], np.tile(np.arange(7.0) + 1, 20))


def test_injections_are_seeded_apart_and_nothing_else_changes(trial: Trial):
    one, same = (inject(trial.clean, trial.watched, 180, "step", 2.0, 5) for _ in range(2))
    pd.testing.assert_frame_equal(one.counts, same.counts)
    touched = np.zeros(one.counts.shape, dtype=bool)
    for day, series in one.sites:
        touched[180 + day : 180 + day + 5, series] = True
        extra = (one.counts - trial.clean).iloc[180 + day : 180 + day + 5, series].sum()
        assert 20 < extra < 120
    assert ((one.counts == trial.clean) | touched).all(axis=None)


def test_alarms_delays_and_shares_are_counted_as_stated():
    up = np.zeros((120, 2), dtype=bool)
    up[[10, 12, 50], 0] = True
    up[60:90, 1] = True
    months = 2 * 120 / (365.25 / 12)
    assert false_alarms(up) == pytest.approx(4 / months)  # the last one counts anew after 28 days
    assert alarm_weeks(up) == pytest.approx((2 + 5) / months)
    sites = np.array([[9, 0], [48, 0], [20, 1]])
    assert delays(up, sites, 5).tolist() == [1, 2, np.inf]
    assert true_share(up, sites, 5) == pytest.approx(2 / 3)


def test_a_curve_never_exceeds_a_rate_and_ours_finds_what_is_plain(trial: Trial):
    made = [inject(trial.clean, trial.watched, 180, "step", 2.5, seed) for seed in (1, 2)]
    runs = [(ours(Trial(one.counts, trial.clean, trial.watched, 180, trial.folder)), one) for one in made]
    points = curve(ours(trial), runs)
    rates = [point["false_alarms"] for point in points]
    assert rates == sorted(rates)
    best = at_rate(points, 0.5)
    assert best["false_alarms"] <= 0.5
    assert best["detected"] >= 0.9
    assert best["delay"] <= 2
    blind = curve(Scored(np.random.default_rng(0).random((120, 6))), [(Scored(np.zeros((120, 6))), made[0])])
    assert at_rate(blind, 0.5).get("detected", 0.0) == 0.0


def test_rivals_keep_their_figures_only_while_the_one_measured_anew_has_its_own():
    def of(detected: float) -> dict[str, Any]:
        return {"at_rates": {"0.5": {"detected": detected}, "1": {}}}

    measured, kept = {"tsur": of(0.9), CHECK: of(0.29798)}, {CHECK: of(0.298), "prophet": of(0.55)}
    assert with_rivals("boston", measured, kept) == {**kept, **measured}
    with pytest.raises(ConfigError, match="measure all again, without --ours"):
        with_rivals("boston", {**measured, CHECK: of(0.31)}, kept)
