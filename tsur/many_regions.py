"""`tsur train regions`, `tsur retrain regions`: one region a task, here or on a cluster; one that fails stops none."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, TypeVar

import typer

from data.errors import InputError, PartsFailedError
from tsur.count_columns import USUAL
from tsur.engines import executor_of
from tsur.heartbeat import heartbeat
from tsur.options import (
    ClusterAddress,
    ConfigPath,
    EngineName,
    Overrides,
    Who,
    complaints_of,
    config_of,
    console,
    counts_or_sample,
    forecaster_config,
    read_region,
    who,
    with_pinned_encoder,
)
from tsur.retrain import Limits, Promote, tell_retrained

if TYPE_CHECKING:
    from training.retrain.gate_limits import GateLimits
    from training.retrain.trial import Retrained

app, retrain_app = typer.Typer(), typer.Typer()


@dataclass(frozen=True)
class RegionTraining:
    """One region's training, wherever it runs.

    Attributes:
        region: its id.
        file: complaints, or daily counts with the columns date, municipality, sector and count.
        arguments: of the classifier's training, or the forecaster's config.
        registry: the address of the registry that every machine has to have.
        shares: the machine's cores are other regions' too, so this one keeps to its process.
    """

    region: str
    file: Path
    arguments: Any
    registry: str
    shares: bool


def train_region(job: RegionTraining) -> int:
    """Train and promote; the version.

    Raises:
        TsurError: the region is unknown, its file cannot be used, or this machine has another registry.
    """
    from models.forecasting.config import ForecasterConfig

    _check_registry(job.registry)
    return _forecaster(job) if isinstance(job.arguments, ForecasterConfig) else _classifier(job)


def _check_registry(asked: str) -> None:
    from data.settings import settings

    if settings().mlflow_uri != asked:
        raise InputError(
            f"this machine's registry is {settings().mlflow_uri}, not {asked}: set TSUR_HOME and "
            "TSUR_TRACKING_URI alike on all machines"
        )


def _classifier(job: RegionTraining) -> int:
    from data.settings import settings
    from registry.client import open_registry
    from training.classifier.job import prepare
    from training.classifier.train import train_job
    from training.tracker import open_tracker

    own, registry = read_region(job.region), open_registry(job.region)
    complaints, home, tracker = complaints_of(own, job.file), settings().home, open_tracker()
    fixed, by = prepare(complaints, own.catalogue, job.arguments), "tsur train regions"
    trained = train_job(fixed, own.id, home, heartbeat.step, promoted_by=by, tracker=tracker, registry=registry)
    return trained.version


def _forecaster(job: RegionTraining) -> int:
    from batch.executor import InProcess
    from data.settings import settings
    from registry.client import open_registry
    from training.forecaster.train import train_forecaster
    from training.tracker import open_tracker

    own, registry = read_region(job.region), open_registry(job.region)
    counts = counts_or_sample(own, job.file, USUAL | {"municipality": "municipality"})
    home, executor, tracker = settings().home, InProcess() if job.shares else None, open_tracker()
    trained = train_forecaster(
        counts, job.arguments, own.id, home, heartbeat.step, executor=executor, tracker=tracker, registry=registry
    )
    return trained.version


@app.command("regions")
def train_regions(
    files: Annotated[
        list[str], typer.Argument(metavar="REGION=FILE…", help="Each region's complaints, or daily counts.")
    ],
    model: Annotated[Literal["classifier", "forecaster"], typer.Option(help="Which model.")] = "classifier",
    config: ConfigPath = None,
    override: Overrides = None,
    engine: EngineName = "local",
    address: ClusterAddress = None,
) -> None:
    """Train a model of many regions, one region a task; who fails is told, and the others finish."""
    from data.settings import settings
    from registry.client import open_registry
    from training.arguments import ClassifierTraining
    from training.tracker import open_tracker

    registry = open_registry("")
    open_tracker()
    arguments: Any
    if model == "forecaster":
        arguments = forecaster_config(config, override)
    else:
        arguments = with_pinned_encoder(config_of("classifier.yaml", ClassifierTraining, config, override), registry)
    parts = region_files(files)
    jobs = [RegionTraining(*part, arguments, settings().mlflow_uri, engine == "ray") for part in parts]
    heartbeat.step(f"training {len(jobs)} regions")
    for job, version in _each_region(train_region, jobs, engine, address, "trained"):
        console.print(f"{job.region}: {model} version {version} is champion")


@dataclass(frozen=True)
class RegionRetraining:
    """One region's retrain on its newest dataset version, wherever it runs.

    Attributes:
        region: its id.
        limits: of the gate.
        promoted_by: who promotes a challenger that passes; None: nobody.
        registry: the address of the registry that every machine has to have.
    """

    region: str
    limits: "GateLimits"
    promoted_by: str | None
    registry: str


def retrain_region(job: RegionRetraining) -> "Retrained":
    """Train a challenger and hold it against the champion.

    Raises:
        TsurError: the region is unknown, it has no dataset version or champion, or this machine has another registry.
    """
    from data.settings import settings
    from registry.client import open_registry
    from training.retrain.retraining import Retraining, retrain
    from training.tracker import open_tracker
    from tsur.datasets import named_version

    _check_registry(job.registry)
    own = read_region(job.region)
    dataset = named_version(own.id, None, None)
    asked = Retraining(own.id, dataset, own.catalogue, job.limits, {}, job.promoted_by)
    return retrain(asked, settings().home, heartbeat.step, tracker=open_tracker(), registry=open_registry(own.id))


@retrain_app.command("regions")
def retrain_regions(
    regions: Annotated[list[str], typer.Argument(metavar="REGION…", help="Their ids.")],
    promote: Promote = False,
    config: ConfigPath = None,
    override: Limits = None,
    engine: EngineName = "local",
    address: ClusterAddress = None,
    by: Who = None,
) -> None:
    """Retrain many regions' classifiers, each on its newest dataset version; who fails is told, the others finish.

    Status 1 where the gate refuses one of them, 2 where one failed.
    """
    from data.settings import settings
    from registry.client import open_registry
    from training.retrain.gate_limits import GateLimits
    from training.tracker import open_tracker

    open_registry("")
    open_tracker()
    limits = config_of("gate.yaml", GateLimits, config, override)
    promoted_by = f"tsur retrain regions ({who(by)})" if promote else None
    jobs = [RegionRetraining(region, limits, promoted_by, settings().mlflow_uri) for region in dict.fromkeys(regions)]
    heartbeat.step(f"retraining {len(jobs)} regions")
    refused = 0
    for job, done in _each_region(retrain_region, jobs, engine, address, "retrained"):
        refused += not done.passed
        console.print(f"{job.region}: ", end="")
        tell_retrained(done, "its newest dataset version")
    raise typer.Exit(1 if refused else 0)


class OfRegion(Protocol):
    """A job of one region."""

    @property
    def region(self) -> str:
        """The region's id."""


Job = TypeVar("Job", bound=OfRegion)
Result = TypeVar("Result")


def _each_region(
    function: Callable[[Job], Result], jobs: Sequence[Job], engine: str, address: str | None, done: str
) -> Iterator[tuple[Job, Result]]:
    """Each region's result as it comes, a failure told at once; `done` says what became of the others.

    Raises:
        PartsFailedError: behind the last one, if some failed; names them with their reasons.
    """
    from batch.executor import Failure, InProcess

    failed = []
    with executor_of(engine, address, block=1) as executor:
        for number, (job, outcome) in enumerate((executor or InProcess()).attempts(function, jobs), start=1):
            console.print(f"{number} of {len(jobs)}: ", end="")
            if isinstance(outcome, Failure):
                failed.append(f"{job.region}: {outcome.reason}")
                console.print(failed[-1], soft_wrap=True)
            else:
                yield job, outcome
    if failed:
        raise PartsFailedError(
            f"{len(failed)} of {len(jobs)} regions failed, the others are {done}: {'; '.join(failed)}"
        )


def region_files(arguments: list[str]) -> list[tuple[str, Path]]:
    """Each region with its file.

    Raises:
        InputError: an argument is no REGION=FILE, or a region comes twice.
    """
    parts: dict[str, Path] = {}
    for argument in arguments:
        region, equals, file = argument.partition("=")
        if not equals or not region or not file:
            raise InputError(f"{argument!r}: expected REGION=FILE, as in kursk=kursk.jsonl")
        if region in parts:
            raise InputError(f"region {region!r} is named twice: one file a region")
        parts[region] = Path(file).resolve()
    return list(parts.items())
