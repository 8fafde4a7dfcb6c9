"""`tsur train forecaster` and `tsur backtest`: daily counts in; a tracked run and its figures out.

Training is a backtest that names the champion of each series, then one fit of every champion on
all days; the forecasts are computed there and then, so that serving only looks them up. An
interrupted backtest goes on with the series it had not finished.
"""

import hashlib
import json
import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from batch.executor import Executor
from data.complaints.schema import check_counts
from data.errors import CountsError
from data.tables.csv_writer import csv_text
from models.forecasting.bundle import Forecasts, load_prophet
from models.forecasting.config import ForecasterConfig
from registry.client import Registry
from registry.names import forecaster_name
from registry.pyfunc import BUNDLE
from training.forecaster.backtest import Progress, backtest
from training.forecaster.evaluation import BacktestResult
from training.forecaster.fitting import fit_forecasts, refresh_forecasts
from training.forecaster.plots import backtest_figures, forecast_figures, log_figures
from training.forecaster.surges import log_surges
from training.tracker import TrackedRun, Tracker

log = logging.getLogger(__name__)
WAPE = "wape."
"""How the figures of a backtest begin: a refresh has none."""
Say = Callable[[str], None]
Bar = Callable[[str], Progress]
"""Makes a progress callback for a stage of that name."""


def no_bar(stage: str) -> Progress:
    """A progress callback that shows nothing."""
    return lambda key, done, total: None


@dataclass(frozen=True)
class TrainedForecaster:
    """What a training run leaves behind; a refresh has no backtest."""

    run_id: str
    version: int
    result: BacktestResult | None
    forecasts: Forecasts


@dataclass(frozen=True, eq=False)
class Job:
    """What a run is about, and who is told how far it is.

    Attributes:
        counts: `DAILY_COUNTS`.
        config: the forecaster's.
        regressors: see `models/forecasting/regressors.py`.
        work: where unfinished work is kept.
        say: takes lines to show.
        bar: makes progress callbacks.
        executor: where series are fitted; None: so many local processes as the config says.
    """

    counts: pd.DataFrame
    config: ForecasterConfig
    regressors: pd.DataFrame | None
    work: Path
    say: Say
    bar: Bar
    executor: Executor | None = None

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """What the run is tracked with: the config, flat, and the fingerprints of the data."""
        fingerprints = {"data_fingerprint": counts_fingerprint(self.counts)}
        if self.regressors is not None:
            rows = pd.util.hash_pandas_object(self.regressors, index=True)
            fingerprints["regressors_fingerprint"] = hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()[:16]
        return _flat(self.config.model_dump(mode="json")) | fingerprints

    @property
    def key(self) -> str:
        """Names the run: the same data and config continue the same one."""
        return hashlib.sha256(json.dumps(self.parameters, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def note(self) -> Path:
        """The file that remembers the run."""
        return self.work / f"forecaster-{self.key}.json"

    def backtest(self) -> BacktestResult:
        """Backtest every series, going on where an interrupted run was."""
        folder, progress = self.work / "backtest", self.bar("backtest")
        return backtest(self.counts, self.config, progress, folder, self.regressors, self.executor)

    def fit(self, result: BacktestResult) -> Forecasts:
        """Fit the champions that a backtest has named."""
        fits, progress = self.work / "fits", self.bar("final fits")
        return fit_forecasts(self.counts, self.config, result, progress, fits, self.regressors, self.executor)

    def refresh(self, last: Forecasts) -> Forecasts:
        """Fit the champions of the last forecasts on these counts."""
        fits, progress = self.work / "fits", self.bar("refresh")
        return refresh_forecasts(self.counts, self.config, last, progress, fits, self.regressors, self.executor)


def counts_fingerprint(counts: pd.DataFrame) -> str:
    """SHA-256 (16 hex digits) of daily counts."""
    rows = pd.util.hash_pandas_object(counts.astype("string"), index=False)
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()[:16]


def run_backtest(
    counts: pd.DataFrame,
    config: ForecasterConfig,
    region: str,
    home: Path,
    say: Say = log.info,
    bar: Bar = no_bar,
    regressors: pd.DataFrame | None = None,
    executor: Executor | None = None,
    *,
    tracker: Tracker,
) -> tuple[str, BacktestResult]:
    """Backtest, tracked; returns the MLflow run's id and the result. Arguments as those of `Job`.

    Raises:
        CountsError: the counts are malformed or too short.
        RegressorsError: the regressors do not cover the counts.
    """
    job = Job(check_counts(counts), config, regressors, home / "training" / region, say, bar, executor)
    with tracker.run(forecaster_name(region), "backtest", job.parameters) as run:
        result = job.backtest()
        _log_backtest(run, job, result)
    return run.id, result


def train_forecaster(
    counts: pd.DataFrame,
    config: ForecasterConfig,
    region: str,
    home: Path,
    say: Say = log.info,
    bar: Bar = no_bar,
    regressors: pd.DataFrame | None = None,
    refresh: bool = False,
    executor: Executor | None = None,
    *,
    tracker: Tracker,
    registry: Registry,
) -> TrainedForecaster:
    """Backtest, fit, register, promote; unfinished work is kept in `home`, the other arguments are those of `Job`.

    With `refresh`, the registered champions are kept and fitted on the new counts, unless a backtest is due.

    Raises:
        CountsError: the counts are malformed or too short.
        RegressorsError: the regressors do not cover the counts and the days forecast.
        NoChampionError: a refresh without a registered forecaster.
    """
    counts, name = check_counts(counts), forecaster_name(region)
    series = len(counts[["municipality", "sector"]].drop_duplicates())
    say(f"{series} series, {counts['date'].min():%Y-%m-%d} to {counts['date'].max():%Y-%m-%d}")
    job = Job(counts, config, regressors, home / "training" / region, say, bar, executor)
    last = _refreshable(registry, name, counts, config, say) if refresh else None
    by = "tsur train forecaster"
    return train_job(job, region, last, promoted_by=by, tracker=tracker, registry=registry)


def train_job(
    job: Job,
    region: str,
    last: Forecasts | None = None,
    *,
    promoted_by: str | None = None,
    tags: Mapping[str, str] | None = None,
    tracker: Tracker,
    registry: Registry,
) -> TrainedForecaster:
    """Backtest and fit, or fit the champions of the `last` forecasts; register the bundle, its version with `tags`.

    It becomes champion where `promoted_by` says who makes it that.

    Raises:
        CountsError, RegressorsError: as `train_forecaster`.
    """
    name = forecaster_name(region)
    with tracker.run(name, "train", job.parameters, job.note) as run:
        if last is None:
            result = job.backtest()
            forecasts = job.fit(result)
            _log_backtest(run, job, result)
        else:
            result, forecasts = None, job.refresh(last)
        version = _register(registry, name, run, job, forecasts, tags)
        if promoted_by is not None:
            registry.promote(name, version, evidence(forecasts, result), promoted_by)
    return TrainedForecaster(run.id, version, result, forecasts)


def _register(
    registry: Registry, name: str, run: TrackedRun, job: Job, forecasts: Forecasts, tags: Mapping[str, str] | None
) -> int:
    """Write the bundle, log what it forecasts, register it; the version, which nothing serves yet."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / BUNDLE
        job.say("plots and surges of the forecasts")
        forecasts.save(bundle)
        log_figures(run, forecast_figures(forecasts), "forecasts")
        log_surges(run, job.counts, forecasts.config)
        job.say(f"registering {name}")
        return registry.register(name, bundle, run.id, {"data_fingerprint": counts_fingerprint(job.counts)}, tags)


def _refreshable(
    registry: Registry, name: str, counts: pd.DataFrame, config: ForecasterConfig, say: Say
) -> Forecasts | None:
    """The registered forecasts, where their champions still hold: same config, and no backtest due."""
    folder, version = registry.champion_bundle(name)
    last = Forecasts.load(folder)
    age = (counts["date"].max().date() - last.backtested).days
    if not _same(last.config, config):
        say(f"version {version} was trained with another config: a full training")
        return None
    if not 0 <= age < config.refresh_days:
        say(f"version {version} was backtested {age} days before the last counts: a full training")
        return None
    say(f"champions of version {version}, backtested on counts to {last.backtested}")
    return replace(last, prophet=load_prophet(folder))


def _same(bundled: ForecasterConfig, config: ForecasterConfig) -> bool:
    """Whether a bundle was trained with this config; surge thresholds that nothing states are learnt."""
    learnt = {name for name in ("threshold", "day_weight") if getattr(config.surges, name) is None}
    surges = bundled.surges.model_copy(update=dict.fromkeys(learnt))
    return bundled.model_copy(update={"surges": surges}) == config


def evidence(forecasts: Forecasts, result: BacktestResult | None) -> dict[str, Any]:
    """What speaks for a forecaster: the WAPE of its backtest; a refresh has the day of an earlier one."""
    if result is None:
        return {"backtested": forecasts.backtested.isoformat()}
    return {"wape": {str(name): float(row["mean"]) for name, row in result.wape.iterrows()}}


def figures_of(result: BacktestResult) -> dict[str, float]:
    """What a run tracks of a backtest; a figure that nothing could be said of is left out."""
    figures = {f"{WAPE}{name}": float(row["mean"]) for name, row in result.wape.iterrows()}
    figures |= {f"coverage_80.{name}": value for name, value in result.coverage.items()}
    figures["pinball_loss"] = result.pinball_loss
    return {name: value for name, value in figures.items() if value == value}


def _log_backtest(run: TrackedRun, job: Job, result: BacktestResult) -> None:
    """Figures, tables and plots of a backtest."""
    job.say("plots and figures of the backtest")
    run.log_metrics(figures_of(result))
    run.log_text(csv_text(result.wape, index=True), "backtest/wape.csv")
    champions = pd.DataFrame([{**key._asdict(), "champion": name} for key, name in result.champions.items()])
    run.log_text(csv_text(champions), "backtest/champions.csv")
    log_figures(run, backtest_figures(job.counts, job.config, result, job.regressors), "backtest")


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            out |= _flat(value, f"{prefix}{name}.")
        else:
            out[prefix + name] = value
    return out


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
