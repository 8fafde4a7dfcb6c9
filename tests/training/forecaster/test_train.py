"""Training the forecaster: what a run tracks and registers, and how it stands beside seasonal naive."""

import pandas as pd
import pytest

from data.errors import CountsError
from data.settings import settings
from models.forecasting.bundle import Forecasts
from models.forecasting.config import ForecasterConfig
from registry.client import open_registry
from registry.names import forecaster_name
from registry.pyfunc import BUNDLE
from tests.conftest import tsur
from tests.training.runs import client, run_of
from training.forecaster.train import counts_fingerprint, largest_series
from tsur.samples import SAMPLE_REGION

FORECASTER = forecaster_name(SAMPLE_REGION)


@pytest.fixture
def run(trained, at_home):
    """The MLflow run of the session's training."""
    at_home(trained)
    return run_of(FORECASTER)


def test_champions_are_compared_with_seasonal_naive_and_beat_it(run):
    assert run.data.metrics["wape.champion"] < run.data.metrics["wape.seasonal_naive"]
    assert "wape.prophet" in run.data.metrics
    assert 0.6 < run.data.metrics["coverage_80.all"] <= 1


def test_run_tracks_parameters_tables_and_plots(run, small_counts):
    assert run.data.params["calendar"] == "russia"
    assert run.data.params["windows"] == "2"
    assert len(run.data.params["data_fingerprint"]) == 16
    plots = {item.path for item in client().list_artifacts(run.info.run_id, "forecasts")}
    assert {"forecasts/all.png", "forecasts/ЖКХ.png"} <= plots
    surges = {item.path for item in client().list_artifacts(run.info.run_id, "surges")}
    assert surges == {"surges/events.csv", "surges/timeline.png"}
    tracked = {item.path for item in client().list_artifacts(run.info.run_id, "backtest")}
    assert {"backtest/wape.csv", "backtest/champions.csv"} <= tracked
    for kind in ("came", "decomposition"):
        assert sum(kind in path for path in tracked) == 4, tracked


def test_champion_loads_as_a_pyfunc_and_agrees_with_the_bundle(run):
    import mlflow

    mlflow.set_tracking_uri(settings().mlflow_uri)
    mlflow.set_registry_uri(settings().mlflow_uri)  # whatever an earlier test has set
    wanted = pd.DataFrame({"municipality": ["Верхнереченск", None], "sector": ["ЖКХ", None], "horizon": [3, 2]})
    answers = mlflow.pyfunc.load_model(f"models:/{FORECASTER}@champion").predict(wanted)
    folder, _ = open_registry(SAMPLE_REGION).champion_bundle(FORECASTER)
    direct = Forecasts.load(folder).forecast("Верхнереченск", "ЖКХ", horizon=3)
    assert len(answers) == 5
    assert answers["mean"].head(3).tolist() == pytest.approx(direct["mean"].tolist())


def test_backtest_command_prints_every_forecaster_and_continues_where_it_was(small_counts, tmp_path):
    arguments = ["backtest", str(small_counts), "--sector", "sector", "--municipality", "municipality"]
    arguments += ["--largest", "2", "--set", "windows=2"]
    first = tsur(tmp_path, *arguments).stdout
    kept = sorted((tmp_path / "training" / SAMPLE_REGION / "backtest").glob("*.parquet"))
    times = [path.stat().st_mtime_ns for path in kept]
    second = tsur(tmp_path, *arguments).stdout
    for name in ("seasonal_naive", "weekday_mean", "prophet", "champion"):
        assert name in first
    assert len(kept) == 2 + 2, "a file a series, and one a window of the model of all series"
    assert [path.stat().st_mtime_ns for path in kept] == times
    assert table_of(first) == table_of(second)


def test_a_refresh_keeps_the_champions_until_a_backtest_is_due(small_counts, tmp_path):
    counts = pd.read_csv(small_counts, parse_dates=["date"])
    last = counts["date"].max()
    counts = counts[(counts["sector"] == "ЖКХ") & (counts["date"] > last - pd.Timedelta(days=300))]

    def train(days_before_the_end: int, *options: str) -> tuple[str, Forecasts]:
        path = tmp_path / "counts.csv"
        counts[counts["date"] <= last - pd.Timedelta(days=days_before_the_end)].to_csv(path, index=False)
        columns = ["--municipality", "municipality", "--set", "windows=2"]
        simple = ["--set", "forecasters=[weekday_mean, profile_mean, harmonic, gradient_boosting, combination]"]
        said = tsur(tmp_path / "home", "train", "forecaster", str(path), *columns, *simple, *options).stdout
        bundles = sorted((tmp_path / "home").rglob(BUNDLE), key=lambda folder: folder.stat().st_mtime_ns)
        return said, Forecasts.load(bundles[-1])

    said, first = train(20)
    assert "rolling-origin backtest" in said
    said, next_day = train(19, "--refresh")
    assert "rolling-origin backtest" not in said
    assert next_day.origin == first.origin + pd.Timedelta(days=1)
    assert next_day.backtested == first.origin
    assert list(next_day.series["champion"]) == list(first.series["champion"])
    assert next_day.past_means.index[-1].date() == next_day.origin
    assert not next_day.means.equals(first.means)
    said, due = train(0, "--refresh")
    assert "20 days before" in said
    assert due.backtested == due.origin


def table_of(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("│")]


def test_largest_series_are_those_of_the_last_year(sample_counts):
    kept = largest_series(sample_counts, 3, daily_mean=2.0)
    assert kept.groupby(["municipality", "sector"]).ngroups == 3
    with pytest.raises(CountsError, match="no series has 1e\\+06 complaints a day"):
        largest_series(sample_counts, 3, daily_mean=1e6)


def test_fingerprint_changes_with_one_count(sample_counts):
    changed = sample_counts.copy()
    changed.loc[10, "count"] += 1
    assert counts_fingerprint(sample_counts) != counts_fingerprint(changed)


@pytest.fixture(scope="module")
def sample_counts():
    from tsur.samples import sample_counts

    return sample_counts()


def test_real_chicago_counts_prophet_is_better_than_seasonal_naive(real_data, tmp_path):
    """Two series and one window only: the whole figure is `tsur backtest`'s, in the README."""
    path = real_data / "series" / "chicago_sanitation_daily.csv"
    arguments = ["backtest", str(path), "--sector", "category", "--calendar", "none", "--largest", "2"]
    done = tsur(tmp_path, *arguments, "--set", "windows=3")
    rows = {line.split("│")[1].strip(): line.split("│") for line in done.stdout.splitlines() if line.startswith("│")}
    assert float(rows["prophet"][-2]) < float(rows["seasonal_naive"][-2])


def test_config_file_holds_the_defaults():
    from data.config import load_config
    from data.settings import CHECKOUT

    assert load_config(CHECKOUT / "configs" / "forecaster.yaml", ForecasterConfig) == ForecasterConfig()
