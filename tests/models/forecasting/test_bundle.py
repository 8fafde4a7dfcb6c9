"""Forecasts: what is answered, refused, saved and read back."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import BundleError, ForecastStaleError, HorizonError, TsurError, UnknownSeriesError
from data.settings import CHECKOUT
from models.forecasting.bundle import PROPHET_FILE, Forecasts
from models.forecasting.config import ForecasterConfig
from models.forecasting.distribution import quantile_name
from training.forecaster.backtest import backtest
from training.forecaster.fitting import fit_forecasts

PLACES, SECTORS = ["Алмазово", "Ольшаны"], ["Дороги", "ЖКХ"]


@pytest.fixture(scope="module")
def forecasts() -> Forecasts:
    rng = np.random.default_rng(0)
    days = pd.date_range("2026-01-01", "2026-07-19", freq="D")
    weekday = np.where(days.weekday < 5, 1.2, 0.5)
    rows = [
        pd.DataFrame({"date": days, "municipality": p, "sector": s, "count": rng.poisson(weekday * mean)})
        for p, s, mean in [("Алмазово", "Дороги", 0.3), ("Алмазово", "ЖКХ", 20), ("Ольшаны", "ЖКХ", 4)]
    ]
    new = pd.DataFrame({"date": days[-10:], "municipality": "Ольшаны", "sector": "Дороги", "count": 1})
    counts = pd.concat([*rows, new], ignore_index=True)
    config = ForecasterConfig(windows=2, max_horizon=30, processes=1, forecasters=["seasonal_naive", "prophet"])
    return fit_forecasts(counts, config, backtest(counts, config))


def test_the_next_days_are_forecast_with_whole_quantiles(forecasts: Forecasts):
    made = forecasts.forecast("Алмазово", "ЖКХ", horizon=14)
    assert list(made.columns) == ["date", "mean", "q2.5", "q10", "q25", "q50", "q75", "q90", "q97.5"]
    assert made["date"].iloc[0] == pd.Timestamp(2026, 7, 20)
    assert len(made) == 14
    assert ((made["q10"] <= made["mean"]) & (made["mean"] <= made["q90"])).all()
    assert made["mean"].between(5, 40).all()
    weekend = made["date"].dt.weekday >= 5
    assert made.loc[weekend, "mean"].mean() < 0.7 * made.loc[~weekend, "mean"].mean()


def test_levels_and_start_can_be_chosen(forecasts: Forecasts):
    made = forecasts.forecast("Алмазово", "ЖКХ", start=date(2026, 8, 1), horizon=2, levels=[0.9])
    assert list(made.columns) == ["date", "mean", "q5", "q50", "q95"]
    assert list(made["date"].dt.day) == [1, 2]


@pytest.mark.parametrize(
    ("municipality", "sector", "members"),
    [
        (None, None, [(p, s) for p in PLACES for s in SECTORS]),
        (None, "ЖКХ", [("Алмазово", "ЖКХ"), ("Ольшаны", "ЖКХ")]),
        ("Ольшаны", None, [("Ольшаны", "Дороги"), ("Ольшаны", "ЖКХ")]),
    ],
)
def test_a_sum_is_the_sum_of_its_members(
    forecasts: Forecasts, municipality: str | None, sector: str | None, members: list[tuple[str, str]]
):
    whole = forecasts.forecast(municipality, sector)["mean"]
    np.testing.assert_allclose(whole, sum(forecasts.forecast(*member)["mean"] for member in members))


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({"horizon": 0}, HorizonError, "at least one day"),
        ({"horizon": -3}, HorizonError, "at least one day"),
        ({"horizon": 10_000}, HorizonError, "reach 30 days, to 2026-08-18"),
        ({"horizon": 5, "start": date(2026, 8, 17)}, HorizonError, "reach 2 days"),
        ({"start": date(2026, 7, 19)}, HorizonError, "start on 2026-07-20"),
        ({"start": date(2026, 8, 19)}, ForecastStaleError, "end on 2026-08-18"),
        ({"municipality": "Алмазова"}, UnknownSeriesError, "did you mean 'Алмазово'"),
        ({"sector": "ЖКХХ"}, UnknownSeriesError, "known are"),
    ],
)
def test_what_cannot_be_forecast_is_refused(
    forecasts: Forecasts, asked: dict[str, object], error: type[TsurError], says: str
):
    with pytest.raises(error, match=says):
        forecasts.forecast(**asked)  # type: ignore[arg-type]


def test_a_series_too_new_for_the_backtest_is_still_forecast(forecasts: Forecasts):
    made = forecasts.forecast("Ольшаны", "Дороги", horizon=7)
    assert made["mean"].between(0.3, 2).all()


def test_saved_and_loaded_forecasts_are_the_same_without_prophet(forecasts: Forecasts, tmp_path: Path):
    forecasts.save(tmp_path)
    loaded = Forecasts.load(tmp_path)
    for args in ((), ("Алмазово", "ЖКХ"), (None, "ЖКХ")):
        pd.testing.assert_frame_equal(loaded.forecast(*args), forecasts.forecast(*args), check_freq=False)
    pd.testing.assert_frame_equal(loaded.tail, forecasts.tail, check_freq=False)
    assert loaded.config == forecasts.config
    assert not list(tmp_path.glob("*.pkl"))
    assert (tmp_path / PROPHET_FILE).is_file()


def test_a_bundle_of_format_2_is_still_read(forecasts: Forecasts, tmp_path: Path):
    """Format 2 said `contenders` in its config and `treatment` in its series; its thresholds are of other evidence."""
    forecasts.save(tmp_path)
    facts = json.loads((tmp_path / "forecasts.json").read_text(encoding="utf-8"))
    (tmp_path / "forecasts.json").write_text(json.dumps(facts | {"format": 2}), encoding="utf-8")
    config = tmp_path / "config.yaml"
    text = config.read_text(encoding="utf-8").replace("forecasters:", "contenders:")
    config.write_text(text.replace("day_weight:", "tail_weight:"), encoding="utf-8")
    series = pd.read_parquet(tmp_path / "series.parquet").drop(columns="wildness")
    series.rename(columns={"kind": "treatment"}).to_parquet(tmp_path / "series.parquet", index=False)
    loaded = Forecasts.load(tmp_path)
    surges = forecasts.config.surges.model_copy(update={"threshold": None, "day_weight": None})
    assert loaded.config == forecasts.config.model_copy(update={"surges": surges})
    assert set(loaded.series["wildness"]) == {1.0}
    assert list(loaded.series["kind"]) == list(forecasts.series["kind"])
    pd.testing.assert_frame_equal(loaded.forecast(), forecasts.forecast(), check_freq=False)


def test_loading_does_not_import_prophet_or_stan(forecasts: Forecasts, tmp_path: Path):
    forecasts.save(tmp_path)
    code = (
        "import sys; from pathlib import Path; from models.forecasting.bundle import Forecasts; "
        f"Forecasts.load(Path({str(tmp_path)!r})).forecast(); "
        "print({'prophet', 'cmdstanpy', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (lambda folder: (folder / "means.parquet").unlink(), "means.parquet is missing"),
        (lambda folder: (folder / "means.parquet").write_bytes(b"half"), "broken"),
        (lambda folder: (folder / "forecasts.json").write_text("{"), "broken"),
        (lambda folder: (folder / "config.yaml").write_text("horizons: 3\n"), "unknown key 'horizons'"),
        (lambda folder: rewrite(folder, {"format": 99}), "format 99"),
        (lambda folder: rewrite(folder, {"days": 3}), "not of one training"),
    ],
)
def test_a_broken_bundle_is_refused(forecasts: Forecasts, tmp_path: Path, breaks, says: str):
    forecasts.save(tmp_path)
    breaks(tmp_path)
    with pytest.raises(BundleError, match=says):
        Forecasts.load(tmp_path)


def test_a_series_that_fell_silent_keeps_its_place_in_the_bundle(forecasts: Forecasts, tmp_path: Path):
    silent = forecasts.tail.copy()
    silent[("Ольшаны", "ЖКХ")] = np.nan
    silent.iloc[-1] = np.nan
    replace(forecasts, tail=silent).save(tmp_path)
    pd.testing.assert_frame_equal(Forecasts.load(tmp_path).tail, silent, check_freq=False)


def rewrite(folder: Path, changes: dict[str, int]) -> None:
    path = folder / "forecasts.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(("level", "name"), [(0.1, "q10"), (0.025, "q2.5"), (0.975, "q97.5"), (0.5, "q50")])
def test_quantile_columns_are_named_by_percent(level: float, name: str):
    assert quantile_name(level) == name
