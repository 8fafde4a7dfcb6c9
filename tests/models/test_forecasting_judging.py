"""Judging a backtest: who is champion, and that no champion is its own judge."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from models.forecasting.backtest import PREDICTIONS, BacktestResult, evaluate
from models.forecasting.config import ForecasterConfig
from models.forecasting.distribution import quantiles
from models.forecasting.judging import choose_champions, held_out
from models.forecasting.series import SeriesKey

KEY = SeriesKey("Ольшаны", "ЖКХ")
CONFIG = ForecasterConfig(levels=[0.8])
CALM, WILD = [10.0] * 14, [2.0, 18.0] * 7
"""What came where ten a day were forecast."""


def predictions(actual: dict[int, list[float]], means: Mapping[str, Mapping[int, float]]) -> pd.DataFrame:
    """One series: what came by window, and what each contender had forecast for each window's days."""
    parts = []
    for window, values in actual.items():
        days = pd.date_range(pd.Timestamp("2026-06-01") - pd.Timedelta(days=14 * window), periods=len(values))
        for name, by_window in means.items():
            columns = {"date": days, "window": window, "contender": name, "mean": by_window[window]}
            parts.append(pd.DataFrame({**columns, "actual": values}))
    return pd.concat(parts, ignore_index=True).assign(**KEY._asdict())[PREDICTIONS]


def judged(actual: dict[int, list[float]], means: Mapping[str, Mapping[int, float]]) -> BacktestResult:
    rows = predictions(actual, means)
    wide = rows.drop_duplicates("date").pivot(index="date", columns=list(KEY._fields), values="actual")
    return evaluate(rows, wide.sort_index(), CONFIG)


def one(windows: int) -> dict[str, dict[int, float]]:
    """A single contender that always says ten."""
    return {"weekday_mean": dict.fromkeys(range(windows), 10.0)}


@pytest.mark.parametrize(
    ("absolute", "squared", "sparse", "winner"),
    [
        ({"seasonal_naive": 5, "prophet": 4}, {"seasonal_naive": 1, "prophet": 2}, False, "prophet"),
        ({"seasonal_naive": 4, "prophet": 4}, {"seasonal_naive": 2, "prophet": 2}, False, "seasonal_naive"),
        ({"seasonal_naive": 4, "profile_mean": 5}, {"seasonal_naive": 9, "profile_mean": 6}, True, "profile_mean"),
    ],
)
def test_the_champion_has_the_least_error_and_ties_go_to_the_simpler(
    absolute: dict[str, float], squared: dict[str, float], sparse: bool, winner: str
):
    errors = pd.DataFrame(
        [{**KEY._asdict(), "contender": n, "absolute": absolute[n], "squared": squared[n]} for n in absolute]
    )
    assert choose_champions(errors, {KEY: sparse}) == {KEY: winner}


@pytest.mark.parametrize(
    ("actual", "coverage"),
    [
        ({0: CALM, 1: CALM}, 1.0),
        ({0: WILD, 1: WILD}, 1.0),
        # the calm window expects calm of the wild one, and misses all of it
        ({0: CALM, 1: WILD}, 0.5),
        ({0: WILD, 1: CALM}, 0.5),
        # the last window judges the others, and is judged by them, like any other
        ({0: CALM, 1: CALM, 2: WILD}, 2 / 3),
        ({0: WILD, 1: CALM, 2: CALM}, 2 / 3),
    ],
)
def test_a_window_is_covered_as_far_as_the_other_windows_foresaw(actual: dict[int, list[float]], coverage: float):
    assert judged(actual, one(len(actual))).coverage["all"] == pytest.approx(coverage)


def test_pinball_loss_is_of_intervals_that_the_other_windows_gave():
    low, high = quantiles([10.0], 0.0, [0.1, 0.9])[0]
    calm = judged({0: CALM, 1: CALM}, one(2)).pinball_loss
    assert calm == pytest.approx((0.1 * (10 - low) + 0.1 * (high - 10)) / 2)
    mixed = judged({0: CALM, 1: WILD}, one(2))
    under, over = 0.9 * (low - 2) + 0.1 * (high - 2), 0.1 * (18 - low) + 0.9 * (18 - high)
    wide = quantiles([10.0], float(mixed.spread["daily"].iloc[0]), [0.1, 0.9])[0]
    of_calm = 0.1 * (10 - wide[0]) + 0.1 * (wide[1] - 10)
    assert mixed.pinball_loss == pytest.approx(((under + over) / 2 + of_calm) / 4)


@pytest.mark.parametrize("window", [0, 1, 2])
def test_what_came_in_a_window_changes_neither_its_champion_nor_its_dispersion(window: int):
    actual = {0: CALM, 1: WILD, 2: [8.0, 13.0] * 7}
    means = {"seasonal_naive": {0: 9.0, 1: 30.0, 2: 9.0}, "weekday_mean": {0: 11.0, 1: 10.0, 2: 20.0}}

    def rows_of(actual: dict[int, list[float]]) -> pd.DataFrame:
        rows = predictions(actual, means)
        off = rows["mean"] - rows["actual"]
        kept = held_out(rows.assign(absolute=off.abs(), squared=off**2), {KEY: False})
        return kept.loc[kept["window"] == window, ["contender", "dispersion"]]

    pd.testing.assert_frame_equal(rows_of(actual), rows_of({**actual, window: [300.0, 0.0] * 7}))


def test_wape_and_coverage_are_of_the_same_champions():
    means = {"seasonal_naive": {0: 10.0, 1: 40.0}, "weekday_mean": {0: 40.0, 1: 10.0}}
    result = judged({0: CALM, 1: CALM}, means)
    assert result.wape.loc["champion", "mean"] == pytest.approx(3.0)  # each window's best was the other's worst
    assert result.coverage["all"] == 0.0


def test_one_window_has_no_held_out_figures():
    result = judged({0: CALM}, one(1))
    assert list(result.coverage) == ["all"]
    assert np.isnan(result.coverage["all"])
    assert np.isnan(result.pinball_loss)
    assert list(result.wape.index) == ["weekday_mean"]
    assert result.champions == {KEY: "weekday_mean"}
    assert KEY in {SeriesKey(*row) for row in result.spread[list(KEY._fields)].itertuples(index=False)}


def test_a_surge_in_the_last_window_does_not_widen_what_is_served():
    usual = judged({0: CALM, 1: CALM}, one(2)).spread
    pd.testing.assert_frame_equal(judged({0: WILD, 1: CALM}, one(2)).spread, usual)
