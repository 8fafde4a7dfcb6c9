"""`tsur train forecaster` and `tsur backtest`: daily counts in; a tracked run and its figures out.

Training is a backtest that names the champion of each series, then one fit of every champion on
all days; the forecasts are computed there and then, so that serving only looks them up. An
interrupted backtest goes on with the series it had not finished.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from data.errors import CountsError
from data.schema import check_counts
from models.forecasting.backtest import BacktestResult, Progress, backtest
from models.forecasting.config import ForecasterConfig
from models.forecasting.fitting import fit_forecasts
from models.forecasting.forecast import Forecasts
from training import tracking
from training.surges import log_surges

log = logging.getLogger(__name__)
Say = Callable[[str], None]
Bar = Callable[[str], Progress]
"""Makes a progress callback for a stage of that name."""


def no_bar(stage: str) -> Progress:
    """A progress callback that shows nothing."""
    return lambda key, done, total: None


@dataclass(frozen=True)
class TrainedForecaster:
    """What a training run leaves behind."""

    run_id: str
    version: int
    result: BacktestResult
    forecasts: Forecasts


def counts_fingerprint(counts: pd.DataFrame) -> str:
    """SHA-256 (16 hex digits) of daily counts."""
    rows = pd.util.hash_pandas_object(counts.astype("string"), index=False)
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()[:16]


def run_backtest(
    counts: pd.DataFrame, config: ForecasterConfig, home: Path, bar: Bar = no_bar
) -> tuple[str, BacktestResult]:
    """Backtest, tracked; returns the MLflow run's id and the result.

    Raises:
        CountsError: the counts are malformed or too short.
    """
    counts = check_counts(counts)
    with tracking.tracked_run(tracking.FORECASTER, "backtest", _parameters(counts, config)) as run_id:
        result = backtest(counts, config, bar("backtest"), home / "training" / "backtest")
        _log_result(result)
    return run_id, result


def train_forecaster(
    counts: pd.DataFrame, config: ForecasterConfig, home: Path, say: Say = log.info, bar: Bar = no_bar
) -> TrainedForecaster:
    """Backtest, fit, register as champion.

    Raises:
        CountsError: the counts are malformed or too short.
    """
    import tempfile

    counts = check_counts(counts)
    series = len(counts[["municipality", "sector"]].drop_duplicates())
    say(f"{series} series, {counts['date'].min():%Y-%m-%d} to {counts['date'].max():%Y-%m-%d}")
    parameters = _parameters(counts, config)
    key = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:16]
    note = home / "training" / f"forecaster-{key}.json"
    with tracking.tracked_run(tracking.FORECASTER, "train", parameters, note) as run_id:
        result = backtest(counts, config, bar("backtest"), home / "training" / "backtest")
        forecasts = fit_forecasts(counts, config, result, bar("final fits"))
        _log_result(result)
        with tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder) / tracking.BUNDLE_ARTIFACT
            forecasts.save(bundle)
            log_plots(forecasts)
            log_surges(counts, forecasts.config)
            version = tracking.register(
                tracking.FORECASTER,
                bundle,
                Path(__file__).with_name("pyfunc_forecaster.py"),
                _signature(),
                {"data_fingerprint": counts_fingerprint(counts)},
            )
    return TrainedForecaster(run_id, version, result, forecasts)


def _parameters(counts: pd.DataFrame, config: ForecasterConfig) -> dict[str, Any]:
    return _flat(config.model_dump(mode="json")) | {"data_fingerprint": counts_fingerprint(counts)}


def _log_result(result: BacktestResult) -> None:
    import mlflow

    mlflow.log_metrics({f"wape.{name}": float(row["mean"]) for name, row in result.wape.iterrows()})
    held_out = {f"coverage_80.{name}": value for name, value in result.coverage.items()}
    held_out["pinball_loss"] = result.pinball_loss
    mlflow.log_metrics({name: value for name, value in held_out.items() if value == value})
    mlflow.log_text(result.wape.to_csv(), "backtest/wape.csv")
    champions = pd.DataFrame([{**key._asdict(), "champion": name} for key, name in result.champions.items()])
    mlflow.log_text(champions.to_csv(index=False), "backtest/champions.csv")


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            out |= _flat(value, f"{prefix}{name}.")
        else:
            out[prefix + name] = value
    return out


def log_plots(forecasts: Forecasts, largest: int = 4) -> None:
    """Log a PNG of the forecast with its intervals for the region and its largest sectors."""
    import mlflow

    sectors = sorted({key.sector for key in forecasts.keys}, key=lambda s: -_size(forecasts, s))
    for sector in [None, *sectors[:largest]]:
        mlflow.log_figure(forecast_figure(forecasts, None, sector), f"forecasts/{sector or 'all'}.png")


def _size(forecasts: Forecasts, sector: str) -> float:
    return float(forecasts.mean_of(forecasts.resolve(None, sector)).sum())


def forecast_figure(forecasts: Forecasts, municipality: str | None, sector: str | None) -> Any:
    """A matplotlib figure: the last weeks' counts and the forecast with its 50, 80 and 95 % intervals."""
    from matplotlib.figure import Figure

    key = forecasts.resolve(municipality, sector)
    ahead = forecasts.forecast(municipality, sector, horizon=min(28, forecasts.config.max_horizon))
    past = forecasts.tail[forecasts.members(key)].sum(axis=1, min_count=1)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(past.index, past.to_numpy(), color="black", linewidth=1, label="counts")
    quantiles = sorted((float(name[1:]), name) for name in ahead.columns if name[0] == "q" and name[1:2].isdigit())
    for (low, low_name), (high, high_name) in zip(quantiles, reversed(quantiles), strict=True):
        if low < high:
            axes.fill_between(ahead["date"], ahead[low_name], ahead[high_name], color="tab:blue", alpha=0.18)
    axes.plot(ahead["date"], ahead["mean"], color="tab:blue", label="forecast")
    axes.set(title=f"{key.municipality} · {key.sector}", ylabel="complaints a day", ylim=(0, None))
    axes.legend(loc="upper left")
    return figure


def _signature() -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = [
        ColSpec("string", "municipality", required=False),
        ColSpec("string", "sector", required=False),
        ColSpec("long", "horizon"),
    ]
    return ModelSignature(Schema(inputs))


def largest_series(counts: pd.DataFrame, most: int, daily_mean: float) -> pd.DataFrame:
    """Counts of the `most` series with the most complaints over the last 365 days, all above `daily_mean`.

    Raises:
        CountsError: no series has that many a day.
    """
    recent = counts[counts["date"] > counts["date"].max() - pd.Timedelta(days=365)]
    means = recent.groupby(["municipality", "sector"])["count"].sum() / recent["date"].nunique()
    chosen = means[means >= daily_mean].nlargest(most).index
    if chosen.empty:
        raise CountsError(f"daily counts: no series has {daily_mean:g} complaints a day or more in its last year")
    return counts[pd.MultiIndex.from_frame(counts[["municipality", "sector"]]).isin(chosen)]
