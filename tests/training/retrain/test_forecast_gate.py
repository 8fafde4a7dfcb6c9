"""The gate of forecasters on small series: what is compared, and which challengers are refused why."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from tests.training.retrain.forecasts import CONFIG, NEWER, job, last_days, older, trained
from training.retrain.forecast_gate import LEAST_REWRITTEN, judge_forecasts
from training.retrain.forecast_windows import compare_forecasters, rewritten, windows_since
from training.retrain.gate_limits import ForecastLimits

LIMITS = ForecastLimits()


@pytest.fixture(scope="module")
def counts(small_counts):
    return last_days(small_counts)


@pytest.fixture(scope="module")
def champion(counts, tmp_path_factory):
    return trained(older(counts), tmp_path_factory.mktemp("champion"))


@pytest.fixture(scope="module")
def honest(counts, champion, tmp_path_factory):
    """An honest challenger before the champion."""
    work = tmp_path_factory.mktemp("honest")
    return compare_forecasters(job(counts, work), champion, champion, LIMITS, work / "rehearsal")


def judged(counts, champion, work, config=CONFIG):
    """The verdict on a challenger that is taught these counts."""
    comparison = compare_forecasters(job(counts, work, config), champion, champion, LIMITS, work / "rehearsal")
    return judge_forecasts(comparison, LIMITS)


def failed(verdict):
    return {check.name for check in verdict.checks if not check.passed}


def test_an_honest_challenger_passes_on_windows_that_neither_was_chosen_on(counts, champion, honest):
    verdict = judge_forecasts(honest, LIMITS)
    assert verdict.promote, verdict.first_line
    assert verdict.first_line.startswith("Passed on 6 series: ")
    assert honest.windows == 2
    assert honest.first.date() > champion.backtested
    assert honest.last == counts["date"].max()
    assert set(honest.champion.days["date"]) == set(pd.date_range(honest.first, honest.last))
    assert set(verdict.sectors) == set(counts["sector"])


def test_both_sides_answer_the_same_days_and_the_champion_as_it_serves_too(honest):
    said = [frame[["date", "municipality", "sector", "actual"]] for frame in (honest.champion.days, honest.unrefreshed)]
    pd.testing.assert_frame_equal(said[0], honest.challenger.days[list(said[0])])
    pd.testing.assert_frame_equal(said[0], said[1])


def test_a_challenger_with_a_poor_forecaster_is_refused_for_its_errors(counts, champion, tmp_path):
    poor = CONFIG.model_copy(update={"forecasters": ["seasonal_naive"]})
    verdict = judged(counts, champion, tmp_path, poor)
    assert "WAPE" in failed(verdict)
    assert verdict.first_line.startswith("Refused, ")
    assert "WAPE" in verdict.first_line


def test_spoiled_counts_that_teach_both_sides_are_told_by_the_champion_as_it_serves(counts, champion, tmp_path):
    """The weeks before the newest are three times as many, on days that the champion's tail no longer holds."""
    last = counts["date"].max()
    spoiled = counts.assign(
        count=counts["count"].where(counts["date"] > last - pd.Timedelta(days=28), counts["count"] * 3)
    )
    forgetful = replace(champion, tail=champion.tail.iloc[:0])
    assert failed(judged(spoiled, forgetful, tmp_path)) == {"as it serves"}


def test_a_shuffled_year_is_told_by_the_counts_that_the_champion_knew(counts, champion, tmp_path):
    rng = np.random.default_rng(0)
    shuffled = counts.assign(count=counts.groupby(["municipality", "sector"])["count"].transform(rng.permutation))
    verdict = judged(shuffled, champion, tmp_path)
    assert "rewritten" in failed(verdict)
    assert "counts of days that the champion knew are others now" in verdict.first_line


def with_errors_of(comparison, sector, times):
    """The challenger's medians in one sector so many times as high."""
    days = comparison.challenger.days
    median = days["q50"].where(days["sector"] != sector, days["q50"] * times)
    return replace(comparison, challenger=replace(comparison.challenger, days=days.assign(q50=median)))


def test_a_sector_that_is_forecast_worse_refuses_whatever_the_others_gain(honest):
    lenient = LIMITS.model_copy(update={"wape_tolerance": 1.0})
    verdict = judge_forecasts(with_errors_of(honest, "Здравоохранение", 2), lenient)
    assert "sectors" in failed(verdict)
    assert "worse in Здравоохранение" in verdict.first_line


def test_intervals_alarms_and_seconds_have_their_limits(honest):
    narrow = honest.challenger.days.assign(q10=honest.challenger.days["q50"], q90=honest.challenger.days["q50"])
    side = replace(honest.challenger, days=narrow, alarms=honest.challenger.alarms + 1, fit_seconds=1e4)
    side = replace(side, answer_seconds=9.0)
    assert failed(judge_forecasts(replace(honest, challenger=side), LIMITS)) == {
        "interval", "alarms", "fitting", "answering",
    }  # fmt: skip
    quick = replace(honest.challenger, fit_seconds=50 * honest.champion.fit_seconds + 1)
    assert judge_forecasts(replace(honest, challenger=quick), LIMITS).promote, "a minute is nobody's loss"


def test_windows_lie_after_what_the_champion_was_chosen_on(counts, champion):
    assert windows_since(champion, counts, 14, LIMITS) == 2
    assert windows_since(champion, counts, 7, LIMITS) == 4
    with pytest.raises(InputError, match=rf"14 days after .* {NEWER} newer days are needed"):
        windows_since(champion, older(counts, NEWER - 14), NEWER, LIMITS)


def test_rewritten_counts_are_told_by_sector_and_a_few_are_nobodys_loss(honest):
    columns = pd.MultiIndex.from_tuples([("А", "ЖКХ"), ("Б", "Дороги")], names=["municipality", "sector"])
    known = pd.DataFrame([[10.0, 1.0], [10.0, np.nan]], pd.date_range("2026-01-01", periods=2), columns)
    now = known.iloc[:1] * 2
    found = rewritten(known, now)
    assert found.loc["ЖКХ"].tolist() == [20.0, 20.0]
    assert found.loc["Дороги"].tolist() == [1.0, 1.0]
    assert LEAST_REWRITTEN == 20
    (check,) = (c for c in judge_forecasts(replace(honest, rewritten=found), LIMITS).checks if c.name == "rewritten")
    assert not check.passed
    assert "ЖКХ 100%" in check.says
    assert "Дороги" not in check.says
