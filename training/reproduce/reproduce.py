"""`tsur reproduce`: a recorded training done once more in a scratch folder, its figures held against those of then.

In: a `Recorded` training and the data that it was taught. Out: a `Reproduction`. Nothing is registered or tracked.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from batch.executor import Executor
from data.catalogue.checks import load_catalogue
from data.complaints.schema import check_counts
from data.errors import InputError
from models.classifier.bundle import CATALOGUE
from models.forecasting.bundle import Forecasts
from registry.client import Registry
from registry.encoder_names import pinned
from training.classifier.job import Job as ClassifierJob
from training.classifier.job import prepare
from training.classifier.train import fit_and_measure
from training.environment import differences, environment
from training.forecaster.train import WAPE, Bar, Job, Say, counts_fingerprint, figures_of
from training.reproduce.figures import Reproduction, compared
from training.reproduce.recorded import Recorded
from training.retrain.challenger import job_on
from training.retrain.recipe import arguments_of, forecaster_recipe_of
from training.retrain.versions import DatasetVersion
from training.tracker import UntrackedRun, git_commit

FORECAST = "forecast.total"
"""The complaints that the bundle forecasts in all: the fits' own figure, beside those of the backtest."""


def reproduce_classifier(
    recorded: Recorded,
    rows: DatasetVersion | pd.DataFrame,
    registry: Registry,
    home: Path,
    scratch: Path,
    tolerance: float,
    say: Say,
) -> Reproduction:
    """Train a classifier again, on a dataset version or on the rows of a file; encoders are those of `home`.

    Raises:
        InputError: these are not the rows that it was taught, or not the split.
        BundleError, ConfigError, EncoderError: its bundle, recipe or encoder is gone.
    """
    job = _classifier_job(recorded, rows, registry)
    recorded.check_fingerprint(job.fingerprint, "these rows")
    _check_split(recorded, job)
    _tell_start(recorded, say, f"seed {job.arguments.seed}")
    run = UntrackedRun()
    fit_and_measure(job, scratch, home, say, run)
    return Reproduction(
        compared(recorded.run.figures, run.figures, tolerance), tolerance, tuple(_differences(recorded))
    )


def _classifier_job(recorded: Recorded, rows: DatasetVersion | pd.DataFrame, registry: Registry) -> ClassifierJob:
    """The job of then: arguments of the run, catalogue of the bundle."""
    arguments = arguments_of(registry, recorded.name, recorded.version)
    arguments = arguments.model_copy(update={"encoder": pinned(arguments.encoder, registry)})
    job = prepare(rows, None, arguments) if isinstance(rows, pd.DataFrame) else job_on(rows, None, arguments)
    path = registry.bundle(recorded.name, recorded.version) / CATALOGUE
    return replace(job, catalogue=load_catalogue(path), catalogue_yaml=path.read_text(encoding="utf-8"))


def _check_split(recorded: Recorded, job: ClassifierJob) -> None:
    """As many rows teach as did then: those of a file are split otherwise than those of a dataset version."""
    then, now = recorded.run.parameters.get("rows.train"), len(job.splits.train)
    if then is not None and int(then) != now:
        raise InputError(
            f"{now} of these rows would teach, and run {recorded.run.id} was taught {then}: it was trained on a "
            "dataset version, which is found where no file is named (--datasets FOLDER)"
        )


def reproduce_forecaster(
    recorded: Recorded,
    counts: pd.DataFrame,
    regressors: pd.DataFrame | None,
    registry: Registry,
    scratch: Path,
    tolerance: float,
    say: Say,
    bar: Bar,
    executor: Executor | None = None,
) -> Reproduction:
    """Train a forecaster again.

    Raises:
        InputError: these are not the counts or the regressors that it was taught, or it was a refresh.
        BundleError, ConfigError: its bundle or recipe is gone.
    """
    if not any(name.startswith(WAPE) for name in recorded.run.figures):
        raise InputError(
            f"run {recorded.run.id} refreshed an earlier forecaster and has no figures of its own: reproduce the "
            "training whose champions it kept"
        )
    counts = check_counts(counts)
    recorded.check_fingerprint(counts_fingerprint(counts), "these counts")
    recipe = forecaster_recipe_of(registry, recorded.name, recorded.version)
    job = Job(counts, recipe, regressors, scratch, say, bar, executor)
    _check_regressors(recorded, job)
    _tell_start(recorded, say, "no chance in it")
    result = job.backtest()
    now = figures_of(result) | {FORECAST: float(job.fit(result).means.sum().sum())}
    bundle = Forecasts.load(registry.bundle(recorded.name, recorded.version))
    then = {**recorded.run.figures, FORECAST: float(bundle.means.sum().sum())}
    return Reproduction(compared(then, now, tolerance), tolerance, tuple(_differences(recorded)))


def _check_regressors(recorded: Recorded, job: Job) -> None:
    then, now = (facts.get("regressors_fingerprint") for facts in (recorded.run.parameters, job.parameters))
    if then != now:
        said = "without regressors" if then is None else f"with the regressors of fingerprint {then}"
        raise InputError(f"run {recorded.run.id} was taught {said}, and --regressors names {now or 'none'}")


def _tell_start(recorded: Recorded, say: Say, chance: str) -> None:
    say(f"{recorded.name} version {recorded.version}, run {recorded.run.id}: training again ({chance})")


def _differences(recorded: Recorded) -> Iterator[str]:
    """What else is another one than then."""
    commit = git_commit()
    if commit != recorded.run.commit:
        yield f"the commit is {commit}, it was {recorded.run.commit}"
    if recorded.environment is None:
        yield "the run did not record processor and package versions"
    else:
        yield from differences(recorded.environment, environment())
