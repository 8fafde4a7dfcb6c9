"""`tsur train regions`: one region a task, on this machine or on a cluster; who fails is told, the others finish."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

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
    complaints_of,
    config_of,
    console,
    counts_or_sample,
    forecaster_config,
    read_region,
    with_pinned_encoder,
)

app = typer.Typer()


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
    from data.settings import settings
    from models.forecasting.config import ForecasterConfig

    if settings().mlflow_uri != job.registry:
        raise InputError(
            f"this machine's registry is {settings().mlflow_uri}, not {job.registry}: set TSUR_HOME and "
            "TSUR_TRACKING_URI alike on all machines"
        )
    return _forecaster(job) if isinstance(job.arguments, ForecasterConfig) else _classifier(job)


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
    from batch.executor import Failure, InProcess
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
    failed = []
    with executor_of(engine, address, block=1) as executor:
        heartbeat.step(f"training {len(jobs)} regions")
        for number, (job, outcome) in enumerate((executor or InProcess()).attempts(train_region, jobs), start=1):
            if isinstance(outcome, Failure):
                failed.append(f"{job.region}: {outcome.reason}")
                console.print(f"{number} of {len(jobs)}: {failed[-1]}")
            else:
                console.print(f"{number} of {len(jobs)}: {job.region}: {model} version {outcome} is champion")
    if failed:
        raise PartsFailedError(
            f"{len(failed)} of {len(jobs)} regions failed, the others are trained: {'; '.join(failed)}"
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
