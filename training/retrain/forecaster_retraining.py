"""`tsur retrain forecaster`: newer counts in; a challenger, the gate's verdict and, where it may serve, a champion out.

The steps, each done once: train by the champion's recipe on all counts, register, compare with the champion on the
newest weeks, judge, promote if asked. What is done is known by the registry's tags, the verdict's file and the pieces
of unfinished backtests, so a retrain that was killed goes on where it was.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from batch.executor import Executor
from data.complaints.schema import check_counts
from data.config import parse_config
from data.errors import InputError, NoChampionError
from models.forecasting.bundle import Forecasts
from models.forecasting.config import ForecasterConfig
from registry.client import Registry
from registry.history import GATE
from registry.names import forecaster_name
from training.forecaster.train import Bar, Job, no_bar, train_job
from training.retrain.challenger import JOB, trained_version
from training.retrain.forecast_gate import judge_forecasts
from training.retrain.forecast_report import write_forecast_report
from training.retrain.forecast_windows import compare_forecasters, windows_since
from training.retrain.gate_limits import ForecastLimits
from training.retrain.lock import alone
from training.retrain.recipe import forecaster_recipe_of
from training.retrain.trial import Retrained, Say, Trial, champion_already
from training.tracker import Tracker

REHEARSAL = "forecaster-rehearsal"
"""Folder of the rehearsal's unfinished work, beside the reports."""
REGRESSORS = "regressors_fingerprint"


@dataclass(frozen=True)
class ForecasterRetraining:
    """What is asked for.

    Attributes:
        counts: `DAILY_COUNTS`, the older days among them.
        limits: of the gate.
        changes: keys of the champion's recipe that are to be another, nested as in `configs/forecaster.yaml`.
        regressors: see `models/forecasting/regressors.py`; those of the champion, continued.
        promoted_by: who promotes a challenger that passes; None: nobody.
    """

    region: str
    counts: pd.DataFrame
    limits: ForecastLimits
    changes: Mapping[str, Any]
    regressors: pd.DataFrame | None = None
    promoted_by: str | None = None


def retrain_forecaster(
    asked: ForecasterRetraining,
    home: Path,
    say: Say,
    bar: Bar = no_bar,
    executor: Executor | None = None,
    *,
    tracker: Tracker,
    registry: Registry,
) -> Retrained:
    """Do what is left to do.

    Raises:
        InputError: another retrain of the region is at work, or the counts are not newer than the champion's.
        NoChampionError: there is no champion whose recipe could be followed.
        CountsError, RegressorsError, BundleError, StoreError, TrackingError: as the steps say; asked again, it goes on.
    """
    name, place = forecaster_name(asked.region), home / "retraining" / asked.region
    with alone(place, f"a retrain of region {asked.region}", "wait until it is done"):
        champion = _champion(registry, name)
        recipe = _recipe(registry, name, champion, asked)
        work = home / "training" / asked.region
        job = Job(check_counts(asked.counts), recipe, asked.regressors, work, say, bar, executor)
        made = trained_version(registry, name, job.key)
        if made == champion:
            return champion_already(registry, name, champion, "these counts", asked.promoted_by)
        windows_since(Forecasts.load(registry.bundle(name, champion)), job.counts, recipe.horizon, asked.limits)
        challenger = _trained(job, asked.region, made, tracker, registry)
        trial = _trial(asked, job, name, champion, challenger, place)
        return trial.outcome(
            lambda: _judge(asked, job, trial, place / REHEARSAL, tracker, registry),
            ("series", "days"),
            "figures",
            registry,
            say,
            trained_before=made is not None,
        )


def _champion(registry: Registry, name: str) -> int:
    try:
        return registry.champion(name)
    except NoChampionError as error:
        raise NoChampionError(
            f"{error.message}; a first forecaster becomes champion by `tsur train forecaster COUNTS`, and later ones "
            "are held against it"
        ) from None


def _recipe(registry: Registry, name: str, champion: int, asked: ForecasterRetraining) -> ForecasterConfig:
    """The champion's recipe with what is changed; it takes regressors where the champion did."""
    recipe = forecaster_recipe_of(registry, name, champion)
    if REGRESSORS in registry.run_parameters(name, champion) and asked.regressors is None:
        raise InputError(
            f"version {champion}, the champion, was fitted with regressors: name them by --regressors FILE"
        )
    return parse_config(_merged(recipe.model_dump(), asked.changes), ForecasterConfig, "--recipe")


def _merged(content: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A nested mapping with some of its leaves changed."""
    out = dict(content)
    for key, value in changes.items():
        inner = out.get(key)
        out[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, Mapping) else value
    return out


def _trained(job: Job, region: str, made: int | None, tracker: Tracker, registry: Registry) -> int:
    """The challenger's version; trained and registered now, unless that was done."""
    if made is not None:
        job.say(f"version {made} was trained on these counts before")
        return made
    return train_job(job, region, tags={JOB: job.key}, tracker=tracker, registry=registry).version


def _trial(asked: ForecasterRetraining, job: Job, name: str, champion: int, challenger: int, place: Path) -> Trial:
    """Of one challenger before one champion, on the same counts, under one set of limits."""
    fixed = json.dumps([job.key, champion, challenger, asked.limits.model_dump(mode="json")])
    key = hashlib.sha256(fixed.encode()).hexdigest()[:8]
    last = f"{job.counts['date'].max():%Y-%m-%d}"
    folder = place / f"forecaster-{last}-{challenger}-against-{champion}-{key}"
    return Trial(name, champion, challenger, folder, asked.promoted_by)


def _judge(
    asked: ForecasterRetraining, job: Job, trial: Trial, rehearsal: Path, tracker: Tracker, registry: Registry
) -> None:
    """Compare, judge, write the report, and track it as a run of its own."""
    sides = [Forecasts.load(registry.bundle(trial.name, version)) for version in (trial.champion, trial.challenger)]
    comparison = compare_forecasters(job, sides[0], sides[1], asked.limits, rehearsal)
    job.say("judging")
    verdict = judge_forecasts(comparison, asked.limits)
    parameters = {"champion": trial.champion, "challenger": trial.challenger, "windows_compared": comparison.windows}
    with tracker.run(trial.name, GATE, parameters | asked.limits.model_dump(mode="json")) as run:
        write_forecast_report(verdict, trial, comparison)
        run.log_folder(trial.folder, GATE)
        compared = {"wape": verdict.overall, **{n.replace(" ", "_"): each for n, each in verdict.compared.items()}}
        run.log_metrics({f"gate.{each}": of.difference for each, of in compared.items()})
        run.log_metrics({"gate.passed": float(verdict.promote), "gate.series": verdict.overall.rows})
    shutil.rmtree(rehearsal, ignore_errors=True)
