"""The challenger: a classifier taught a dataset version's rows but for those held out for good, registered once.

In: a version, a catalogue, a recipe. Out: a registered version that nothing serves. It bears the job's key as a tag
from the moment it is registered, so that a retrain that was killed, or is asked for again, finds it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from data.complaints.schema import COLUMNS
from models.classifier.bundle import read_config
from registry.client import Registry
from registry.names import classifier_name
from training.arguments import ClassifierTraining
from training.classifier.job import Job, ReadBefore, prepare
from training.classifier.remembered_vectors import NAME
from training.classifier.train import train_job
from training.retrain.versions import DatasetVersion, version_of_data
from training.tracker import Tracker

JOB, DATASET = "job", "dataset"
"""Tags of a registered version: the key of the job that made it, and the dataset version that it was taught."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Challenger:
    """A registered version of a region's classifier; `trained` says whether it was trained now."""

    version: int
    trained: bool


def job_on(dataset: DatasetVersion, catalogue: Path | None, recipe: ClassifierTraining) -> Job:
    """What training on a dataset version is.

    Raises:
        InputError: too few rows are left to learn from.
        LabelError: the catalogue has changed since the version was frozen, and does not know a label any more.
    """
    return prepare(dataset.rows[COLUMNS], catalogue, recipe, dataset.split)


def tags_of(job: Job, dataset: DatasetVersion) -> dict[str, str]:
    """What the registered version of a job is known by."""
    return {JOB: job.key, DATASET: dataset.name}


def trained_version(registry: Registry, name: str, key: str) -> int | None:
    """The newest registered version that the job of this key made.

    Raises:
        TrackingError: MLflow does not answer.
    """
    made = [int(each.version) for each in registry.models.versions(name) if each.tags.get(JOB) == key]
    return max(made, default=None)


def dataset_of(registry: Registry, name: str, version: int, folder: Path) -> DatasetVersion | None:
    """The dataset version that a registered classifier was taught, by its tag or by its rows' fingerprint; or None.

    Raises:
        BundleError: there is no such registered version.
        InputError: the dataset version is broken.
        TrackingError: MLflow does not answer.
    """
    tagged = registry.models.version(name, version).tags.get(DATASET)
    taught = read_config(registry.bundle(name, version)).data_fingerprint
    return version_of_data(folder, tagged, taught)


def train_challenger(
    dataset: DatasetVersion,
    job: Job,
    region: str,
    home: Path,
    say: Say,
    *,
    champion: Path | None = None,
    tracker: Tracker,
    registry: Registry,
) -> Challenger:
    """Train and register, unless that was done; with the champion's bundle, what it has read need not be read again.

    Raises:
        InputError, LabelError, EncoderError, ResumeError, TrackingError: as `train_job`.
    """
    made = trained_version(registry, classifier_name(region), job.key)
    if made is not None:
        say(f"version {made} was trained on {dataset.name} before")
        return Challenger(made, trained=False)
    vectors = vectors_file(home, region)
    job = replace(job, read_before=ReadBefore(vectors, _artifact_of(champion, job.arguments, registry)))
    tags = tags_of(job, dataset)
    trained = train_job(job, region, home, say, tags=tags, tracker=tracker, registry=registry)
    return Challenger(trained.version, trained=True)


def vectors_file(home: Path, region: str) -> Path:
    """Where the vectors of a region's texts are remembered from one retrain to the next."""
    return home / "retraining" / region / NAME


def _artifact_of(champion: Path | None, recipe: ClassifierTraining, registry: Registry) -> Path | None:
    """The encoder of the champion, where that is the recipe's encoder as it comes."""
    if champion is None:
        return None
    config = read_config(champion)
    if config.encoder != recipe.encoder or config.epochs != 0 or config.encoder_hash is None:
        return None
    folder = registry.encoders / config.encoder_hash
    return folder if folder.is_dir() else None
