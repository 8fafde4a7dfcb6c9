"""The forecasters: what each makes of a history, and what none of them ever does."""

from datetime import date
from typing import Self

import numpy as np
import pandas as pd
import pytest

from data.config import load_config
from data.errors import ConfigError
from data.production_calendar import calendar_frame
from data.settings import CHECKOUT
from models.forecasting import config as config_module
from models.forecasting.config import ForecasterConfig
from models.forecasting.forecasters import available
from models.forecasting.forecasters.available import local_forecaster
from models.forecasting.forecasters.prophet_model import ProphetConfig, ProphetForecaster
from models.forecasting.interface import Floats, LocalForecaster
from models.forecasting.series import SeriesKey
from models.forecasting.special_days import holidays_for_prophet, long_runs
from training.forecaster.backtest import LocalJob, predictions_of

CONFIG = ForecasterConfig()
SIMPLE = ["seasonal_naive", "weekday_mean", "profile_mean", "harmonic", "auto_ets", "auto_theta"]


def history(values: list[float], start: str = "2026-03-02") -> "pd.Series[float]":
    """A daily series that starts on a Monday."""
    return pd.Series(values, index=pd.date_range(start, periods=len(values), freq="D"), dtype="float64")


WEEK = [10.0, 9, 8, 7, 6, 2, 1]


@pytest.fixture(scope="module")
def two_years() -> "pd.Series[float]":
    days = pd.date_range("2024-03-04", "2026-03-01", freq="D")
    mean = 20 * np.array(WEEK)[days.weekday] / 6 * (1 + 0.4 * np.sin(2 * np.pi * days.dayofyear / 365))
    return pd.Series(np.random.default_rng(0).poisson(mean), index=days, dtype="float64")


@pytest.mark.parametrize("name", [*SIMPLE, "prophet"])
def test_a_steady_week_is_forecast_as_it_is(name: str):
    predicted = local_forecaster(name, CONFIG).fit(history(WEEK * 20), 14).predict()
    assert predicted.shape == (14,)
    np.testing.assert_allclose(predicted, WEEK * 2, atol=0.6)


@pytest.mark.parametrize("name", SIMPLE)
@pytest.mark.parametrize(
    "values",
    [
        [np.nan] * 20 + [1.0] * 10,
        WEEK * 8 + [np.nan] * 7,
        [3.0] * 3,
        [0.0] * 90,
        WEEK * 4 + [np.nan] * 40,
    ],
)
def test_gaps_and_short_or_empty_histories_still_give_finite_means(name: str, values: list[float]):
    predicted = local_forecaster(name, CONFIG).fit(history(values), 10).predict()
    assert predicted.shape == (10,)
    assert np.isfinite(predicted).all()
    assert (predicted >= 0).all()


def test_seasonal_naive_repeats_last_week_and_looks_further_back_in_a_gap():
    naive = local_forecaster("seasonal_naive", CONFIG)
    values = [5.0] * 7 + WEEK[:6] + [np.nan]
    np.testing.assert_array_equal(naive.fit(history(values), 8).predict(), [*WEEK[:6], 5, 10])


def test_weekday_mean_is_over_four_weeks():
    values = [100.0] * 7 + [1.0] * 7 + [2.0] * 7 + [3.0] * 7 + [6.0] * 7
    np.testing.assert_array_equal(local_forecaster("weekday_mean", CONFIG).fit(history(values), 7).predict(), [3.0] * 7)


def test_profile_mean_never_says_that_a_rare_complaint_is_impossible():
    values = [0.0] * 200
    values[10] = 1.0
    predicted = local_forecaster("profile_mean", CONFIG).fit(history(values), 7).predict()
    assert (predicted > 0).all()
    assert predicted.max() < 0.05


def test_prophet_learns_the_year_and_is_never_negative(two_years: "pd.Series[float]"):
    predicted = local_forecaster("prophet", CONFIG).fit(two_years, 90).predict()
    days = pd.date_range("2026-03-02", periods=90, freq="D")
    truth = 20 * np.array(WEEK)[days.weekday] / 6 * (1 + 0.4 * np.sin(2 * np.pi * days.dayofyear.to_numpy() / 365))
    assert (predicted >= 0).all()
    assert np.abs(predicted - truth).sum() / truth.sum() < 0.12


def test_prophet_follows_a_level_shift(two_years: "pd.Series[float]"):
    shifted = two_years.copy()
    shifted.iloc[-56:] *= 2
    plain = local_forecaster("prophet", CONFIG).fit(two_years, 14).predict().sum()
    assert local_forecaster("prophet", CONFIG).fit(shifted, 14).predict().sum() > 1.4 * plain


def test_prophet_knows_the_production_calendar(two_years: "pd.Series[float]"):
    quiet = two_years.copy()
    special = holidays_for_prophet(quiet.index[0].date(), quiet.index[-1].date()).set_index("ds")["holiday"]
    off = special[special.isin(["new_year", "long_holiday", "holiday"])].index
    quiet.loc[off] = (quiet.loc[off] * 0.2).round()
    until = quiet[:"2025-12-30"]
    new_year = local_forecaster("prophet", CONFIG).fit(until, 9).predict()[2:].sum()
    blind = local_forecaster("prophet", ForecasterConfig(calendar="none")).fit(until, 9).predict()[2:].sum()
    assert new_year < 0.6 * blind


def test_a_fitted_prophet_is_stored_as_json(two_years: "pd.Series[float]"):
    from prophet.serialize import model_from_json

    forecaster = ProphetForecaster(ProphetConfig(), "russia").fit(two_years.iloc[-100:], 14)
    days = pd.DataFrame({"ds": pd.date_range("2026-03-02", periods=14)})
    again = model_from_json(forecaster.to_json())
    trend = forecaster.components(pd.DatetimeIndex(days["ds"])).sum(axis=1)
    np.testing.assert_allclose(again.predict(days)["yhat"], trend)


def test_kinds_of_special_days():
    special = holidays_for_prophet(date(2024, 12, 20), date(2025, 5, 12)).set_index("ds")["holiday"]
    assert special["2024-12-28"] == "working_saturday"
    assert special["2025-01-04"] == "new_year"
    assert special["2025-01-09"] == "after_long"
    assert special["2025-03-07"] == "short"
    assert special["2025-05-03"] == "long_holiday"
    assert special["2025-05-12"] == "after_long"
    assert pd.Timestamp("2025-02-05") not in special.index


def test_a_long_run_is_four_days_off_or_more_weekends_included():
    calendar = calendar_frame(date(2025, 4, 25), date(2025, 5, 12))
    assert [f"{day:%m-%d}" for day in calendar.loc[long_runs(calendar), "date"]] == [
        *("05-01", "05-02", "05-03", "05-04"),
        *("05-08", "05-09", "05-10", "05-11"),
    ]


def test_years_outside_the_calendar_are_left_out_of_the_holidays():
    assert holidays_for_prophet(date(2015, 1, 1), date(2019, 1, 8))["ds"].min() == pd.Timestamp(2019, 1, 1)
    assert len(holidays_for_prophet(date(2012, 1, 1), date(2014, 1, 1))) == 0


def test_the_committed_config_holds_the_defaults():
    assert load_config(CHECKOUT / "configs" / "forecaster.yaml", ForecasterConfig) == ForecasterConfig()


class LastValue(LocalForecaster):
    """A forecaster that somebody adds."""

    name = "last_value"

    def fit(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Self:
        self._means = np.full(horizon, history.iloc[-1])
        return self

    def predict(self) -> Floats:
        return self._means


def test_a_new_forecaster_is_a_class_and_a_line_of_the_list(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(available.LOCAL, LastValue.name, LastValue)
    monkeypatch.setattr(available, "SIMPLEST_FIRST", [LastValue.name, *available.SIMPLEST_FIRST])
    monkeypatch.setattr(config_module, "SIMPLEST_FIRST", available.SIMPLEST_FIRST)
    config = ForecasterConfig(forecasters=["last_value"], windows=1)
    job = LocalJob(SeriesKey("Ольшаны", "ЖКХ"), history(WEEK * 20), config, None, None)
    predictions = predictions_of(job)
    assert set(predictions["forecaster"]) == {"last_value"}
    assert (predictions["mean"] == WEEK[-1]).all()


def test_an_unknown_forecaster_is_refused(tmp_path):
    path = tmp_path / "forecaster.yaml"
    path.write_text("forecasters: [oracle]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="seasonal_naive"):
        load_config(path, ForecasterConfig)
