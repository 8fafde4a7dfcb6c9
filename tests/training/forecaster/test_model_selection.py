"""Judging a backtest: who is champion, and that no champion is its own judge."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from models.forecasting.config import ForecasterConfig
from models.forecasting.distribution import pinball
from models.forecasting.series import SeriesKey
from training.forecaster.backtest import PREDICTIONS
from training.forecaster.evaluation import BacktestResult, evaluate
from training.forecaster.model_selection import choose_champions, held_out

KEY = SeriesKey("Ольшаны", "ЖКХ")
CONFIG = ForecasterConfig(levels=[0.8])
CALM, WILD = [10.0] * 14, [2.0, 18.0] * 7
"""What came where ten a day were forecast."""


def predictions(actual: dict[int, list[float]], means: Mapping[str, Mapping[int, float]]) -> pd.DataFrame:
    """One series: what came by window, and what each forecaster had forecast for each window's days."""
    parts = []
    for window, values in actual.items():
        days = pd.date_range(pd.Timestamp("2026-06-01") - pd.Timedelta(days=14 * window), periods=len(values))
        for name, by_window in means.items():
            columns = {"date": days, "window": window, "forecaster": name, "mean": by_window[window]}
            parts.append(pd.DataFrame({**columns, "actual": values}))
    return pd.concat(parts, ignore_index=True).assign(**KEY._asdict())[PREDICTIONS]


def judged(actual: dict[int, list[float]], means: Mapping[str, Mapping[int, float]]) -> BacktestResult:
    rows = predictions(actual, means)
    wide = rows.drop_duplicates("date").pivot(index="date", columns=list(KEY._fields), values="actual")
    return evaluate(rows, wide.sort_index(), CONFIG)


def one(windows: int) -> dict[str, dict[int, float]]:
    """A single forecaster that always says ten."""
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
        [
            {**KEY._asdict(), "window": 0, "forecaster": n, "absolute": absolute[n], "squared": squared[n]}
            for n in absolute
        ]
    )
    assert choose_champions(errors, {KEY: sparse}) == {KEY: winner}


def losses(by_series: dict[str, dict[str, float]], windows: int) -> pd.DataFrame:
    """Absolute errors of each series and forecaster, the same in every window."""
    return pd.DataFrame(
        [
            {"municipality": "Ольшаны", "sector": sector, "window": window, "forecaster": name, "absolute": loss}
            for sector, by_name in by_series.items()
            for name, loss in by_name.items()
            for window in range(windows)
        ]
    ).assign(squared=0.0)


EVERYWHERE = {f"{number}": {"weekday_mean": 100.0, "prophet": 80.0} for number in range(9)}


@pytest.mark.parametrize(
    ("own", "windows", "winner"),
    [
        ({"weekday_mean": 95.0, "prophet": 100.0}, 2, "prophet"),
        ({"weekday_mean": 40.0, "prophet": 100.0}, 6, "weekday_mean"),
    ],
)
def test_a_series_leaves_the_best_of_all_only_on_clear_evidence(own: dict[str, float], windows: int, winner: str):
    errors = losses({**EVERYWHERE, "ЖКХ": own}, windows)
    sparse = {SeriesKey("Ольшаны", sector): False for sector in set(errors["sector"])}
    assert choose_champions(errors, sparse)[KEY] == winner


@pytest.mark.parametrize(("better", "winner"), [(0.98, "combination"), (0.85, "prophet")])
def test_the_combination_is_left_only_for_a_clearly_better_forecaster(better: float, winner: str):
    errors = losses({"ЖКХ": {"prophet": 100 * better, "combination": 100.0}}, 4)
    assert choose_champions(errors, {KEY: False}) == {KEY: winner}


@pytest.mark.parametrize(
    ("actual", "coverage"),
    [
        ({0: CALM, 1: CALM}, 1.0),
        ({0: WILD, 1: WILD}, 1.0),
        # who has seen only calm misses all that is wild, and not the other way round
        ({0: CALM, 1: WILD}, 1.0),
        ({0: WILD, 1: CALM}, 0.0),
        ({0: CALM, 1: CALM, 2: WILD}, 1.0),
        ({0: WILD, 1: CALM, 2: CALM}, 0.5),
    ],
)
def test_a_window_is_covered_as_far_as_the_windows_before_it_foresaw(actual: dict[int, list[float]], coverage: float):
    assert judged(actual, one(len(actual))).coverage["all"] == pytest.approx(coverage)


def test_pinball_loss_is_of_quantiles_that_the_windows_before_gave():
    result = judged({0: CALM, 1: WILD}, one(2))
    rows = result.judged
    expected = [
        pinball(rows["actual"].to_numpy(), rows[name].to_numpy(), level).mean()
        for name, level in (("q10", 0.1), ("q50", 0.5), ("q90", 0.9))
    ]
    assert result.pinball_loss == pytest.approx(np.mean(expected))
    assert set(rows["q10"]) == {2.0}
    assert set(rows["q90"]) == {18.0}


@pytest.mark.parametrize("window", [0, 1])
def test_nothing_from_a_window_on_changes_its_champion_or_quantiles(window: int):
    actual = {0: CALM, 1: WILD, 2: [8.0, 13.0] * 7}
    means = {"seasonal_naive": {0: 9.0, 1: 30.0, 2: 9.0}, "weekday_mean": {0: 11.0, 1: 10.0, 2: 20.0}}

    def rows_of(actual: dict[int, list[float]]) -> pd.DataFrame:
        rows = predictions(actual, means)
        off = rows["mean"] - rows["actual"]
        kept = held_out(rows.assign(absolute=off.abs(), squared=off**2), {KEY: False}, [0.8])
        return kept.loc[kept["window"] == window, ["forecaster", "dispersion", "q10", "q50", "q90"]]

    later = {at: [300.0, 0.0] * 7 for at in range(window + 1)}
    assert len(rows_of(actual)) == 14
    pd.testing.assert_frame_equal(rows_of(actual), rows_of({**actual, **later}))


def test_the_table_has_the_champions_mean_and_median_on_judged_windows_only():
    means = {"seasonal_naive": {0: 10.0, 1: 40.0}, "weekday_mean": {0: 40.0, 1: 10.0}}
    result = judged({0: CALM, 1: CALM}, means)
    assert result.wape.loc["champion_mean", "mean"] == pytest.approx(3.0)  # the best before was the worst then
    assert list(result.wape.columns) == [0, "mean"]
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
