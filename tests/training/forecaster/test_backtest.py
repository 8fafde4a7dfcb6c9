"""The backtest: protocol, champions, figures, resuming."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.counts.daily import REGION
from data.errors import CountsError
from models.forecasting.config import ForecasterConfig
from models.forecasting.series import ALL_SECTORS, SeriesKey, long_form, panel, sums, trimmed, wide_form, with_sums
from training.forecaster import backtest as module
from training.forecaster.backtest import PREDICTIONS, LocalJob, backtest, predictions_of
from training.forecaster.fitting import fit_forecasts

SIMPLE = ForecasterConfig(
    forecasters=["seasonal_naive", "weekday_mean", "profile_mean"], windows=3, horizon=14, processes=1
)
PLACES, SECTORS = ["Алмазово", "Ольшаны"], ["Дороги", "ЖКХ"]


def made(days: int = 200, seed: int = 0) -> pd.DataFrame:
    """Poisson counts of four series, 4 to 12 a day, quiet at weekends."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2026-01-05", periods=days, freq="D")
    weekday = np.where(dates.weekday < 5, 1.2, 0.5)
    parts = []
    for number, (place, sector) in enumerate((p, s) for p in PLACES for s in SECTORS):
        count = rng.poisson(weekday * 4 * (number % 3 + 1))
        parts.append(pd.DataFrame({"date": dates, "municipality": place, "sector": sector, "count": count}))
    return pd.concat(parts, ignore_index=True)


def test_series_start_with_their_first_day_and_have_nan_in_gaps():
    counts = made()
    first = pd.Timestamp("2026-01-20")
    cut = counts[(counts["sector"] != "ЖКХ") | (counts["date"] >= first)]
    cut = cut[cut["date"] != pd.Timestamp("2026-02-10")]
    wide = panel(cut)
    assert trimmed(wide["Ольшаны", "ЖКХ"]).index[0] == first
    assert np.isnan(wide.loc["2026-02-10", ("Ольшаны", "Дороги")])


def test_sums_are_made_bottom_up_and_unknown_where_a_member_is():
    wide = panel(made().query("not (date == '2026-02-10' and municipality == 'Ольшаны' and sector == 'ЖКХ')"))
    full = with_sums(wide)
    assert set(sums([SeriesKey(*key) for key in wide])) == {
        *(SeriesKey(REGION, sector) for sector in SECTORS),
        *(SeriesKey(place, ALL_SECTORS) for place in PLACES),
        SeriesKey(REGION, ALL_SECTORS),
    }
    np.testing.assert_allclose(full[REGION, ALL_SECTORS].dropna(), wide.dropna().sum(axis=1))
    assert np.isnan(full.loc["2026-02-10", (REGION, "ЖКХ")])
    assert np.isfinite(full.loc["2026-02-10", (REGION, "Дороги")])


def test_counts_without_places_have_only_the_sum_over_sectors():
    base = [SeriesKey(REGION, "ЖКХ"), SeriesKey(REGION, "Дороги")]
    assert sums(base) == {SeriesKey(REGION, ALL_SECTORS): base}


def test_long_and_wide_forms_are_each_others_opposite():
    wide = panel(made(30))
    pd.testing.assert_frame_equal(wide_form(long_form(wide, "count"), "count"), wide, check_freq=False)


def test_windows_do_not_overlap_and_end_on_the_last_day():
    counts = made()
    predictions = backtest(counts, SIMPLE).predictions
    assert list(predictions.columns) == PREDICTIONS
    spans = predictions.groupby("window")["date"].agg(["min", "max"])
    assert spans.loc[0, "max"] == counts["date"].max()
    assert ((spans["max"] - spans["min"]).dt.days == 13).all()
    assert (spans["min"].shift(1) - spans["max"]).dropna().dt.days.eq(1).all()


def test_a_forecaster_sees_only_what_lies_before_its_window():
    history = trimmed(panel(made())["Ольшаны", "ЖКХ"])
    changed = history.copy()
    changed.iloc[-14:] = 1000.0
    key = SeriesKey("Ольшаны", "ЖКХ")
    before, after = (predictions_of(LocalJob(key, values, SIMPLE, None, None)) for values in (history, changed))
    np.testing.assert_allclose(before["mean"], after["mean"])


def test_wape_is_summed_errors_over_summed_counts_averaged_over_windows():
    result = backtest(made(), SIMPLE)
    rows = result.predictions[result.predictions["forecaster"] == "weekday_mean"]
    by_window = [
        (group["mean"] - group["actual"]).abs().sum() / group["actual"].sum() for _, group in rows.groupby("window")
    ]
    assert result.wape.loc["weekday_mean", "mean"] == pytest.approx(np.mean(by_window[:-1]))  # the oldest only teaches
    assert result.wape.loc["weekday_mean", 0] == pytest.approx(by_window[0])
    assert result.wape.loc["profile_mean", "mean"] < result.wape.loc["seasonal_naive", "mean"]
    assert list(result.wape.index) == ["seasonal_naive", "weekday_mean", "profile_mean", "champion_mean", "champion"]


def test_intervals_hold_about_as_many_days_as_they_say():
    coverage = backtest(made(), SIMPLE.model_copy(update={"windows": 6})).coverage
    assert 0.74 < coverage["5 a day or more"] < 0.92


@pytest.mark.parametrize("forecaster", ["weekday_mean", "gradient_boosting"])
def test_a_backlog_typed_in_on_one_day_is_not_learnt_as_it_is(forecaster: str):
    counts = made()
    day = counts["date"].max() - pd.Timedelta(days=16)
    backlog = counts.copy()
    backlog.loc[backlog["date"] == day, "count"] = 5000
    config = SIMPLE.model_copy(update={"forecasters": [forecaster], "windows": 1})
    usual, after = (backtest(rows, config).predictions["mean"].sum() for rows in (counts, backlog))
    assert after < 1.8 * usual


@pytest.mark.parametrize("forecaster", ["weekday_mean", "gradient_boosting"])
def test_a_backlog_typed_in_on_one_day_is_not_forecast_either(forecaster: str):
    counts = made()
    day = counts["date"].max() - pd.Timedelta(days=2)
    backlog = counts.copy()
    backlog.loc[backlog["date"] == day, "count"] = 5000
    config = SIMPLE.model_copy(update={"forecasters": [forecaster], "windows": 1, "max_horizon": 14})
    result = backtest(counts, config)
    usual, after = (fit_forecasts(rows, config, result).means.sum().sum() for rows in (counts, backlog))
    assert after < 1.8 * usual


def test_sparse_series_go_without_prophet():
    key = SeriesKey("Ольшаны", "Связь")
    values = pd.Series(
        np.random.default_rng(0).poisson(0.2, 200), index=pd.date_range("2026-01-05", periods=200), dtype="float64"
    )
    names = set(predictions_of(LocalJob(key, values, ForecasterConfig(windows=1), None, None))["forecaster"])
    assert names == {"seasonal_naive", "weekday_mean", "profile_mean", "harmonic", "zero_inflated"}


def test_sums_get_their_own_dispersion():
    spread = backtest(made(), SIMPLE).spread.set_index(["municipality", "sector"])
    assert len(spread) == 9
    assert spread.loc[(REGION, ALL_SECTORS), "daily"] < spread["daily"].max()
    assert (spread >= 0).all(axis=None)


def test_progress_is_told_after_each_series():
    seen: list[tuple[int, int]] = []
    backtest(made(), SIMPLE, progress=lambda key, done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_an_interrupted_backtest_continues_and_ends_with_the_same_result(tmp_path: Path):
    class KilledError(Exception):
        pass

    def kill(key: SeriesKey, done: int, total: int) -> None:
        if done == 2:
            raise KilledError

    counts = made()
    with pytest.raises(KilledError):
        backtest(counts, SIMPLE, progress=kill, folder=tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}
    assert len(kept) >= 2
    continued = backtest(counts, SIMPLE, folder=tmp_path)
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())
    pd.testing.assert_frame_equal(continued.predictions, backtest(counts, SIMPLE).predictions)


def names_after(folder: Path, counts: pd.DataFrame, config: ForecasterConfig) -> set[str]:
    """What lies in the folder after a backtest."""
    backtest(counts, config, folder=folder)
    return {path.name for path in folder.iterdir()}


def test_kept_predictions_are_not_reused_for_other_data_or_another_config(tmp_path: Path):
    first = names_after(tmp_path, made(), SIMPLE)
    assert len(first) == 4
    assert not first & names_after(tmp_path, made(seed=1), SIMPLE)
    assert not first & names_after(tmp_path, made(), SIMPLE.model_copy(update={"horizon": 7}))
    assert first == names_after(tmp_path, made(), SIMPLE.model_copy(update={"processes": 2, "levels": [0.9]}))


def test_kept_predictions_are_not_reused_by_another_version_of_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = names_after(tmp_path, made(), SIMPLE)
    monkeypatch.setattr(module, "PREDICTIONS_VERSION", module.PREDICTIONS_VERSION + 1)
    assert not first & names_after(tmp_path, made(), SIMPLE)


def test_a_finished_backtest_leaves_only_its_own_files_and_what_is_not_its_own(tmp_path: Path):
    stale = tmp_path / f"{'0' * 32}.partial"
    others = [tmp_path / "counts.parquet", tmp_path / "notes.txt"]
    for path in (stale, *others):
        path.write_bytes(b"")
    backtest(made(), SIMPLE, folder=tmp_path)
    now = names_after(tmp_path, made(seed=1), SIMPLE)
    assert len(now) == 4 + len(others)
    assert not stale.exists()
    assert all(path.exists() for path in others)


def test_a_damaged_file_is_computed_again(tmp_path: Path):
    before = backtest(made(), SIMPLE, folder=tmp_path)
    next(tmp_path.glob("*.parquet")).write_bytes(b"half")
    pd.testing.assert_frame_equal(backtest(made(), SIMPLE, folder=tmp_path).predictions, before.predictions)


def test_two_processes_give_what_one_gives():
    one, two = backtest(made(), SIMPLE), backtest(made(), SIMPLE.model_copy(update={"processes": 2}))
    pd.testing.assert_frame_equal(one.predictions, two.predictions)


def test_too_short_a_history_is_refused_with_the_days_it_needs():
    with pytest.raises(CountsError, match="74"):
        backtest(made(70), SIMPLE)
