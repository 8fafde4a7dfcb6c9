"""The global model and harmonic regression: what they learn, and what they never see."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from models.forecasting.forecasters.boosting import BoostingConfig, GradientBoosting
from models.forecasting.forecasters.harmonic import HarmonicConfig, HarmonicForecaster
from models.forecasting.forecasters.prophet_model import ProphetConfig, ProphetForecaster
from models.forecasting.special_days import holidays_for_prophet

WEEK = np.array([1.4, 1.2, 1.1, 1.1, 1.0, 0.7, 0.5])
LEVELS = [3.0, 12.0, 40.0]


def panel(
    days: int = 500, seed: int = 0, factor: Callable[[pd.DatetimeIndex], np.ndarray] | None = None
) -> pd.DataFrame:
    """Poisson counts of three places, 3 to 40 a day, with one week."""
    index = pd.date_range("2024-06-03", periods=days, freq="D", name="date")
    shape = WEEK[index.weekday] * (1.0 if factor is None else factor(index))
    counts = np.random.default_rng(seed).poisson(np.outer(shape, LEVELS)).astype(float)
    columns = pd.MultiIndex.from_tuples([(place, "ЖКХ") for place in "АБВ"], names=["municipality", "sector"])
    return pd.DataFrame(counts, index=index, columns=columns)


@pytest.fixture(scope="module")
def model() -> GradientBoosting:
    return GradientBoosting(BoostingConfig())


def test_the_week_and_the_level_of_each_series_are_learnt(model: GradientBoosting):
    past = panel()
    made = model.fit(past, 14).predict()
    truth = np.outer(WEEK[pd.DatetimeIndex(made.index).weekday], LEVELS)
    assert list(made.columns) == list(past.columns)
    assert made.index[0] == past.index[-1] + pd.Timedelta(days=1)
    assert np.abs(made.to_numpy() - truth).sum() / truth.sum() < 0.12
    assert (made.to_numpy() >= 0).all()


def test_the_first_fortnight_does_not_depend_on_how_far_the_rest_reaches(model: GradientBoosting):
    past = panel(300)
    pd.testing.assert_frame_equal(
        model.fit(past, 40).predict().iloc[:14], model.fit(past, 14).predict(), check_freq=False
    )


def test_the_same_panel_gives_the_same_means(model: GradientBoosting):
    pd.testing.assert_frame_equal(model.fit(panel(300), 14).predict(), model.fit(panel(300), 14).predict())


@pytest.mark.parametrize("breaks", ["gap", "new", "silent", "empty"])
def test_gaps_new_and_silent_series_still_give_finite_means(model: GradientBoosting, breaks: str):
    past = panel(300)
    rows = {"gap": slice(100, 140), "new": slice(0, 280), "silent": slice(260, 300), "empty": slice(0, 300)}[breaks]
    past.iloc[rows, 1] = np.nan
    made = model.fit(past, 14).predict().to_numpy()
    assert np.isfinite(made).all()
    assert (made >= 0).all()
    assert made[:, 1].mean() == pytest.approx(0 if breaks == "empty" else 12, rel=0.35)


def test_a_regressor_that_doubles_counts_is_used(model: GradientBoosting):
    heat = pd.Series(np.random.default_rng(1).random(514) < 0.2, index=pd.date_range("2024-06-03", periods=514))
    past = panel(factor=lambda index: 1 + heat.reindex(index).to_numpy())
    hot, cold = (heat.astype(float).to_frame("heat") for _ in range(2))
    hot.iloc[500:], cold.iloc[500:] = 1.0, 0.0
    ratio = model.fit(past, 14, hot).predict().sum() / model.fit(past, 14, cold).predict().sum()
    assert (ratio > 1.6).all()


def test_regressors_can_differ_by_place(model: GradientBoosting):
    heat = pd.DataFrame(
        np.random.default_rng(2).random((514, 3)) < 0.2,
        index=pd.date_range("2024-06-03", periods=514),
        columns=pd.MultiIndex.from_product([list("АБВ"), ["heat"]]),
    ).astype(float)
    past = panel()
    past = past * (1 + heat.iloc[:500].to_numpy())
    heat.iloc[500:] = [1.0, 0.0, 0.0]
    made = model.fit(past, 14, heat).predict().sum()
    plain = WEEK.sum() * 2 * np.array(LEVELS)
    assert made.iloc[0] / plain[0] > 1.6 * made.iloc[2] / plain[2]


def test_the_production_calendar_is_learnt():
    days = pd.date_range("2022-06-01", "2024-12-30", freq="D")
    special = holidays_for_prophet(days[0].date(), days[-1].date()).set_index("ds")["holiday"]
    quiet = special.reindex(days).isin(["new_year", "long_holiday", "holiday"]).to_numpy()
    mean = np.outer(np.where(quiet, 0.2, 1.0) * WEEK[days.weekday], LEVELS * 8)
    names = pd.MultiIndex.from_tuples([(f"{n}", "ЖКХ") for n in range(24)], names=["municipality", "sector"])
    past = pd.DataFrame(np.random.default_rng(0).poisson(mean).astype(float), index=days, columns=names)
    made = GradientBoosting(BoostingConfig(), "russia").fit(past, 9).predict()[2:]
    truth = np.outer(0.2 * WEEK[pd.DatetimeIndex(made.index).weekday], LEVELS * 8)
    assert made.to_numpy().sum() == pytest.approx(truth.sum(), rel=0.25)


def test_a_holiday_is_known_from_the_calendar_and_not_from_last_year():
    """The history is shorter than a year, so that only the calendar can tell that 4 November will be quiet."""
    days = pd.date_range("2025-01-09", "2025-11-02", freq="D")
    special = holidays_for_prophet(days[0].date(), days[-1].date()).set_index("ds")["holiday"]
    quiet = special.reindex(days).isin(["long_holiday", "holiday"]).to_numpy()
    mean = np.outer(np.where(quiet, 0.1, 1.0), [20.0] * 40)
    names = pd.MultiIndex.from_tuples([(f"{n}", "ЖКХ") for n in range(40)], names=["municipality", "sector"])
    past = pd.DataFrame(np.random.default_rng(0).poisson(mean).astype(float), index=days, columns=names)
    ahead = {
        calendar: GradientBoosting(BoostingConfig(max_rows=60_000, step_days=1), calendar).fit(past, 2).predict()
        for calendar in ("russia", "none")
    }
    holiday = pd.Timestamp("2025-11-04")
    assert ahead["russia"].loc[holiday].mean() < 0.5 * ahead["none"].loc[holiday].mean()


@pytest.mark.parametrize("calendar", ["none", "russia"])
def test_harmonic_regression_is_prophet_with_a_flat_trend(calendar: str):
    """The same model solved directly; the ridge is set to Prophet's flat prior."""
    history = panel(760).iloc[:, 2]
    direct = HarmonicForecaster(HarmonicConfig(yearly_ridge=0.001), calendar).fit(history, 14).predict()
    prophet = ProphetForecaster(ProphetConfig(), calendar).fit(history, 14).predict()
    np.testing.assert_allclose(direct, prophet, rtol=0.05)


def test_harmonic_regression_uses_regressors_and_the_recent_level():
    heat = pd.Series(np.random.default_rng(1).random(514) < 0.3, index=pd.date_range("2024-06-03", periods=514))
    history = panel(factor=lambda index: 1 + heat.reindex(index).to_numpy()).iloc[:, 2]
    model = HarmonicForecaster(HarmonicConfig())
    hot, cold = (heat.astype(float).to_frame("heat") for _ in range(2))
    hot.iloc[500:], cold.iloc[500:] = 1.0, 0.0
    assert model.fit(history, 14, hot).predict().sum() > 1.6 * model.fit(history, 14, cold).predict().sum()
    doubled = history.copy()
    doubled.iloc[-56:] *= 2
    assert model.fit(doubled, 14, cold).predict().sum() > 1.7 * model.fit(history, 14, cold).predict().sum()


@pytest.mark.parametrize("growth", ["flat", "linear", "logistic"])
def test_prophets_components_add_up_to_its_prediction(growth: str):
    heat = pd.DataFrame(
        {"heat": np.random.default_rng(0).normal(size=630)}, index=pd.date_range("2024-06-03", periods=630)
    )
    config = ProphetConfig(growth=growth)  # type: ignore[arg-type]
    history = panel(600).iloc[:, 2]
    forecaster = ProphetForecaster(config, "russia").fit(history, 30, heat)
    parts = forecaster.components(pd.DatetimeIndex(heat.index))
    assert list(parts) == ["trend", "weekly", "yearly", "calendar", "regressors"]
    fitted, recent = np.expm1(parts.sum(axis=1)).clip(lower=0), history.index[-config.level_days :]
    level = (history[recent].sum() + 5) / (fitted[recent].sum() + 5)
    np.testing.assert_allclose(forecaster.predict(), fitted.iloc[600:] * level)


def test_a_saturating_trend_stays_below_its_cap():
    history = panel(600).iloc[:, 2]
    forecaster = ProphetForecaster(ProphetConfig(growth="logistic", saturation=1.2)).fit(history, 30)
    trend = forecaster.components(pd.date_range("2024-06-03", periods=2000, freq="D"))["trend"]
    assert trend.max() <= np.log1p(1.2 * history.rolling(28).mean().max()) + 1e-9


def test_a_warm_start_ends_where_a_cold_one_does():
    history = panel(600).iloc[:, 2]
    warm, cold = ProphetForecaster(ProphetConfig()), ProphetForecaster(ProphetConfig())
    warm.start_from(ProphetForecaster(ProphetConfig()).fit(history.iloc[:-14], 14).to_json())
    np.testing.assert_allclose(warm.fit(history, 14).predict(), cold.fit(history, 14).predict(), rtol=0.02)
