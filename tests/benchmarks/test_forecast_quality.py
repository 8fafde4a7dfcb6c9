"""The benchmark of forecasts: its protocol and figures hold against their definitions."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.forecast_quality.figures import figures_of
from benchmarks.forecast_quality.rivals import LEVELS, NAMES, RIVAL, RIVALS, with_past_errors
from benchmarks.forecast_quality.sets import SETS, Series, load_set
from benchmarks.forecast_quality.sparse import median_errors, sparse_figures
from benchmarks.forecast_quality.tables import targets
from models.forecasting.config import ForecasterConfig
from models.forecasting.series import panel
from tsur.samples import sample_counts

PLACE = {"municipality": "весь регион", "sector": "ЖКХ"}


def judged(forecaster: str = "auto_ets") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two windows of one series, ten a day forecast by quantiles 2 to 20, and the panel they end."""
    days = pd.date_range("2026-01-01", periods=70, freq="D")
    counts = pd.DataFrame({"date": days, **PLACE, "count": np.arange(70) % 2 * 4 + np.arange(70) // 7})
    rows = counts.iloc[-28:].rename(columns={"count": "actual"}).assign(forecaster=forecaster, mean=10.0)
    rows["window"] = np.repeat([1, 0], 14)
    bounds = dict(zip(NAMES, [2.0, 4.0, 6.0, 11.0, 14.0, 16.0, 20.0], strict=True))
    return rows.assign(**bounds), panel(counts)


def test_the_largest_frequent_series_and_the_sparse_ones_are_judged_up_to_the_cut(tmp_path):
    days = pd.date_range("2018-01-01", "2020-03-01", freq="D")
    rows = [pd.DataFrame({"date": days, "category": f"c{n}", "count": n}) for n in range(15)]
    early = pd.DataFrame({"date": days[:300], "category": "early", "count": 500})
    path = tmp_path / "counts.csv"
    pd.concat([*rows, early]).to_csv(path, index=False)
    counts, sparse = load_set(path, Series("counts.csv", 6, 0.5, {}, before="2020-01-01"))
    assert set(counts["sector"]) == {f"c{n}" for n in range(5, 15)}
    assert set(sparse["sector"]) == {"c1"}
    assert counts["date"].max() == sparse["date"].max() == pd.Timestamp("2019-12-31")
    back, _ = load_set(path, Series("counts.csv", 6, 0.5, {}, before="2020-01-01"), back=2)
    assert back["date"].max() == pd.Timestamp("2019-12-03")


@pytest.mark.parametrize(("forecaster", "point"), [("auto_ets", 10.0), ("champion", 11.0)])
def test_figures_are_those_of_their_definitions(forecaster: str, point: float):
    rows, wide = judged(forecaster)
    made = figures_of(rows, wide)
    off = (point - rows["actual"]).abs()
    by_window = [off[rows["window"] == w].sum() / rows.loc[rows["window"] == w, "actual"].sum() for w in (0, 1)]
    assert made["wape"] == pytest.approx(np.mean(by_window))
    assert made["wape_pooled"] == pytest.approx(off.sum() / rows["actual"].sum())
    assert made["coverage_80"] == pytest.approx(rows["actual"].between(4, 16).mean())
    assert made["width_95"] == 18.0
    loss = [
        np.maximum(q * (rows["actual"] - rows[n]), (q - 1) * (rows["actual"] - rows[n])).mean()
        for n, q in zip(NAMES, LEVELS, strict=True)
    ]
    assert made["pinball"] == pytest.approx(np.mean(loss))
    naive = [wide.iloc[:42], wide.iloc[:56]]
    scaled = [
        off[rows["window"] == w].mean() / past.diff(7).abs().mean().iloc[0]
        for w, past in zip((1, 0), naive, strict=True)
    ]
    assert made["mase"] == pytest.approx(np.mean(scaled))


def test_a_point_rivals_intervals_are_its_errors_in_the_windows_before():
    rows, _ = judged("weekday_mean")
    made = with_past_errors(rows[["date", *PLACE, "window", "forecaster", "mean", "actual"]], 1)
    errors = rows.loc[rows["window"] == 1, "actual"] - 10
    assert set(made["window"]) == {0}
    assert made["q90"].iloc[0] == pytest.approx(10 + np.quantile(errors, 0.9))
    assert (made[NAMES] >= 0).all(axis=None)


def test_both_medians_are_judged_on_the_same_days():
    rows = pd.DataFrame({"actual": [0, 1, 3], "mean": [0.6, 0.6, 4.0], "q50": [1, 1, 3], "dispersion": [0.0, 0.0, 0.5]})
    # Plain medians: 0 of Poisson 0.6, 3 of a negative binomial of mean 4 and variance 12.
    assert median_errors(rows) == {"mae_q50": pytest.approx(1 / 3), "mae_plain_median": pytest.approx(1 / 3)}
    assert median_errors(rows.iloc[:1]) == {"mae_q50": 1.0, "mae_plain_median": 0.0}


def test_q50_of_the_samples_sparse_series_is_no_worse_than_the_plain_median(tmp_path):
    counts = sample_counts()
    counts = counts[counts["date"] > counts["date"].max() - pd.Timedelta(days=140)]
    daily = counts.groupby(["municipality", "sector"])["count"].mean()
    below = daily[daily.between(0.3, 2)].index[:6]
    counts = counts[pd.MultiIndex.from_frame(counts[["municipality", "sector"]]).isin(below)]
    simple = ForecasterConfig(forecasters=["seasonal_naive", "profile_mean"], windows=4, processes=1)
    made = sparse_figures(counts, simple, 3, tmp_path, lambda key, done, total: None)
    assert made["days"] == 6 * 3 * 14
    assert made["mae_q50"] <= made["mae_plain_median"]


@pytest.mark.parametrize("rival", RIVALS)
def test_a_rival_gives_ordered_quantiles_of_a_window(rival: str):
    rng = np.random.default_rng(0)
    days = pd.date_range("2025-01-06", periods=120, freq="D", name="date")
    names = pd.MultiIndex.from_tuples([("весь регион", "ЖКХ")], names=["municipality", "sector"])
    past = pd.DataFrame(rng.poisson(20, (120, 1)).astype(float), index=days, columns=names)
    made = RIVALS[rival](rival, past, 0)
    assert list(made.columns) == RIVAL
    assert made["date"].iloc[0] == days[-1] + pd.Timedelta(days=1)
    assert len(made) == 14
    assert (np.diff(made[NAMES].to_numpy(), axis=1) >= 0).all()
    assert made["mean"].between(10, 30).all()


def test_targets_are_those_of_the_issue():
    worse = {"pinball": 2.0, "wape": 1.0, "coverage_80": 0.9, "width_80": 10.0, "seconds_per_series": 0.9}
    ours = {"pinball": 1.0, "wape": 0.5, "coverage_80": 0.81, "width_80": 9.0, "seconds_per_series": 0.2}
    rivals = ("seasonal_naive", "weekday_mean", "auto_ets", "prophet_default")
    figures = {"champion": ours, **dict.fromkeys(rivals, worse)}
    medians = {name: {"mae_q50": 0.4, "mae_plain_median": 0.4} for name in SETS} | {
        "nyc": {"mae_q50": 0.5, "mae_plain_median": 0.4}
    }
    made = targets({name: {"figures": figures, "sparse": medians[name]} for name in SETS})
    assert len(made) == 18
    assert {goal.name for goal in made if not goal.met} == {
        "chicago: WAPE of the champion",
        "nyc: q50's error below 2 a day over the plain median's",
    }
