"""The champions' fits: one job a series, and one for each global forecaster that a champion needs.

In: a panel and the champion of each series. Out: `ChampionFits`, their means of the days after the panel. The decision
worth knowing: a job knows by what it is stored, so a series whose counts did not change is not fitted again.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from batch.executor import Executor, LocalProcesses
from batch.task_cache import TaskCache, map_cached
from data.counts.daily import KEY
from models.forecasting.config import ForecasterConfig
from models.forecasting.count_cleaning import without_bulk_entry
from models.forecasting.forecasters.available import COMBINATION, GLOBAL, LOCAL, global_forecaster, local_forecaster
from models.forecasting.interface import days_ahead
from models.forecasting.regressors import check_covers, of_place
from models.forecasting.series import SeriesKey, keys_of, trimmed
from models.forecasting.series_kinds import NONE, POOLED, SeriesKind, kind_of, pooled_upward
from training.forecaster.backtest import ALL_SERIES, OF_LOCAL, PREDICTIONS_VERSION, Progress

Floats = npt.NDArray[np.float64]

FITTED = ["municipality", "sector", "forecaster", "step", "mean", "model"]
"""Columns of a fitted piece; `model` is a fitted model's JSON in the first row of its means."""


@dataclass(frozen=True, eq=False)
class LocalFit:
    """One series by one local forecaster; its fit may start from `warm_start`."""

    key: SeriesKey
    name: str
    history: "pd.Series[float]"
    config: ForecasterConfig
    horizon: int
    regressors: pd.DataFrame | None
    warm_start: str | None
    path: Path | None

    @property
    def is_slow(self) -> bool:
        """Whether it is worth starting first."""
        return LOCAL[self.name].is_slow


@dataclass(frozen=True, eq=False)
class GlobalFit:
    """All series by one global forecaster."""

    name: str
    panel: pd.DataFrame
    config: ForecasterConfig
    horizon: int
    regressors: pd.DataFrame | None
    path: Path | None
    key: SeriesKey = ALL_SERIES

    @property
    def is_slow(self) -> bool:
        """Whether it is worth starting first."""
        return GLOBAL[self.name].is_slow


Fit = LocalFit | GlobalFit


@dataclass(frozen=True)
class ChampionFits:
    """What champions say of the days after a panel: means, dates × base series, and fitted models' JSON."""

    means: pd.DataFrame
    models: dict[SeriesKey, str]


def champions_of(wide: pd.DataFrame, chosen: dict[SeriesKey, str], config: ForecasterConfig) -> dict[SeriesKey, str]:
    """What each series of a panel is forecast by: the method of its kind, or the champion chosen for it."""
    return {key: _champion(kind_of(trimmed(wide[key]), config), chosen.get(key), config) for key in keys_of(wide)}


def _champion(kind: SeriesKind, chosen: str | None, config: ForecasterConfig) -> str:
    if kind == "dead":
        return NONE
    if kind in ("short", "new"):
        return POOLED
    if chosen is None or chosen in (NONE, POOLED):
        chosen = COMBINATION if COMBINATION in config.forecasters else "profile_mean"
    if kind == "sparse" and any(name in LOCAL and not LOCAL[name].suits_sparse for name in members_of(chosen, config)):
        return "profile_mean"
    return chosen


def members_of(champion: str, config: ForecasterConfig) -> list[str]:
    """The forecasters that a champion's means are made of."""
    if champion in (NONE, POOLED):
        return []
    return [*config.combination] if champion == COMBINATION else [champion]


@dataclass(frozen=True)
class ChampionFitter:
    """How champions are fitted: settings, where finished fits are stored and run, and what they may start from."""

    config: ForecasterConfig
    cache: TaskCache
    executor: Executor | None = None
    regressors: pd.DataFrame | None = None
    progress: Progress | None = None
    warm_starts: dict[SeriesKey, str] = field(default_factory=dict)

    def fit(self, wide: pd.DataFrame, champions: dict[SeriesKey, str], horizon: int) -> ChampionFits:
        """The champions' means of the `horizon` days after a panel."""
        clean = without_bulk_entry(wide, self.config)
        fitted = self._fitted(self._jobs(clean, champions, horizon))
        days = days_ahead(wide.index, horizon)
        means = {key: self._means(key, champion, fitted, clean, horizon) for key, champion in champions.items()}
        frame = pd.DataFrame(means, index=days)
        frame.columns = wide.columns
        models = {
            key: str(fitted[key, champion]["model"].iloc[0])
            for key, champion in champions.items()
            if (key, champion) in fitted and fitted[key, champion]["model"].iloc[0]
        }
        return ChampionFits(frame, models)

    def _means(
        self,
        key: SeriesKey,
        champion: str,
        fitted: dict[tuple[SeriesKey, str], pd.DataFrame],
        clean: pd.DataFrame,
        horizon: int,
    ) -> Floats:
        if champion == NONE:
            return np.zeros(horizon)
        if champion == POOLED:
            return pooled_upward(key, clean, horizon)
        of_members = [
            fitted[key, name]["mean"].to_numpy(dtype=np.float64) for name in members_of(champion, self.config)
        ]
        if len(of_members) == 1:
            return of_members[0]
        return np.asarray(np.expm1(np.mean(np.log1p(of_members), axis=0)))

    def _fitted(self, jobs: list[Fit]) -> dict[tuple[SeriesKey, str], pd.DataFrame]:
        """The rows `FITTED` of each series and forecaster."""
        executor = self.executor or LocalProcesses(self.config.processes)
        pieces = []
        for job, piece in map_cached(run_fit, jobs, executor, self.cache, FITTED):
            pieces.append(piece)
            if self.progress is not None:
                self.progress(job.key, len(pieces), len(jobs))
        if not pieces:
            return {}
        return {
            (SeriesKey(str(place), str(sector)), str(name)): rows
            for (place, sector, name), rows in pd.concat(pieces).groupby([*KEY, "forecaster"])
        }

    def _jobs(self, clean: pd.DataFrame, champions: dict[SeriesKey, str], horizon: int) -> list[Fit]:
        """A job for each global forecaster that a champion needs, and for each local one of a series."""
        config, regressors = self.config, self.regressors
        if regressors is not None:
            regressors = check_covers(regressors, clean, horizon)
        facts = [PREDICTIONS_VERSION, horizon, config.model_dump(mode="json", include={"calendar", "horizon"})]
        needed = {key: members_of(champion, config) for key, champion in champions.items()}
        jobs: list[Fit] = []
        for name in sorted({name for names in needed.values() for name in names if name in GLOBAL}):
            path = self.cache.path([*facts, name, config.boosting.model_dump()], clean, regressors)
            jobs.append(GlobalFit(name, clean, config, horizon, regressors, path))
        of_local = config.model_dump(mode="json", include=OF_LOCAL)
        for key, names in needed.items():
            history, of_key = trimmed(clean[key]), of_place(regressors, key.municipality)
            for name in (name for name in names if name in LOCAL):
                path = self.cache.path([*facts, *key, name, of_local], history.to_frame(), of_key)
                start = self.warm_starts.get(key)
                jobs.append(LocalFit(key, name, history, config, horizon, of_key, start, path))
        return sorted(jobs, key=lambda job: not job.is_slow)


def run_fit(job: Fit) -> pd.DataFrame:
    """The rows `FITTED` of a job."""
    if isinstance(job, GlobalFit):
        panel_means = global_forecaster(job.name, job.config).fit(job.panel, job.horizon, job.regressors).predict()
        parts = [_rows(key, job.name, panel_means[key].to_numpy(), "") for key in keys_of(panel_means)]
        return pd.concat(parts, ignore_index=True)
    forecaster = local_forecaster(job.name, job.config)
    if job.warm_start:
        forecaster.start_from(job.warm_start)
    means = forecaster.fit(job.history, job.horizon, job.regressors).predict()
    return _rows(job.key, job.name, means, forecaster.to_json())


def _rows(key: SeriesKey, name: str, means: Floats, model: str) -> pd.DataFrame:
    models = [model, *[""] * (len(means) - 1)]
    columns = {**key._asdict(), "forecaster": name, "step": np.arange(len(means)), "mean": means, "model": models}
    return pd.DataFrame(columns)[FITTED]
