"""`tsur retrain`: a dataset version in; a challenger, the gate's verdict on it, and where it may serve a champion out.

The steps, each done once: train by the champion's recipe on the rows that are not held out, register, compare with the
champion on those that are, judge, promote if asked. What is done is known by the registry's tags and the verdict's
file, so a retrain that was killed goes on where it was, and one that is asked for twice says that it is done.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data.catalogue.migrations import Migration
from data.errors import BundleError, InputError, NoChampionError
from models.encoder.onnx_runtime import Encoders
from registry.client import Registry
from registry.encoder_names import pinned
from registry.history import GATE
from registry.names import classifier_name
from training.arguments import ClassifierTraining
from training.classifier.job import Job
from training.evaluate.evaluate import seen_by
from training.retrain.challenger import DATASET, dataset_of, job_on, train_challenger, trained_version
from training.retrain.comparison import compare, verdict_on
from training.retrain.gate_limits import GateLimits
from training.retrain.gate_report import Judged, write_gate_report
from training.retrain.lock import alone
from training.retrain.recipe import recipe_of
from training.retrain.since import rows_since
from training.retrain.trial import Retrained, Say, Trial, champion_already
from training.retrain.versions import DatasetVersion, read_version
from training.tracker import Tracker


@dataclass(frozen=True)
class Retraining:
    """What is asked for.

    Attributes:
        dataset: what the challenger is taught and tested on.
        catalogue: the region's; None: one is drafted from the rows.
        limits: of the gate.
        changes: keys of the champion's recipe that are to be another.
        promoted_by: who promotes a challenger that passes; None: nobody.
    """

    region: str
    dataset: DatasetVersion
    catalogue: Path | None
    limits: GateLimits
    changes: Mapping[str, Any]
    promoted_by: str | None = None


def retrain(asked: Retraining, home: Path, say: Say, *, tracker: Tracker, registry: Registry) -> Retrained:
    """Do what is left to do.

    Raises:
        InputError: another retrain of the region is at work, too few rows, or the champion was taught the test rows.
        NoChampionError: there is no champion whose recipe could be followed.
        BundleError, EncoderError, LabelError, StoreError, TrackingError: as the steps say; asked again, it goes on.
    """
    place = home / "retraining" / asked.region
    with alone(place, f"a retrain of region {asked.region}", "wait until it is done"):
        name = classifier_name(asked.region)
        champion = _champion(registry, name)
        recipe = _recipe(registry, name, champion, asked.changes)
        job = job_on(asked.dataset, asked.catalogue, recipe)
        if trained_version(registry, name, job.key) == champion:
            return champion_already(registry, name, champion, asked.dataset.name, asked.promoted_by)
        challenger = train_challenger(
            asked.dataset,
            job,
            asked.region,
            home,
            say,
            champion=registry.bundle(name, champion),
            tracker=tracker,
            registry=registry,
        )
        trial = _trial(asked, name, champion, challenger.version, place)
        return trial.outcome(
            lambda: _judge(asked, job, trial, say, tracker, registry),
            (DATASET, "test_rows"),
            "accuracy",
            registry,
            say,
            trained_before=not challenger.trained,
        )


def _champion(registry: Registry, name: str) -> int:
    try:
        return registry.champion(name)
    except NoChampionError as error:
        raise NoChampionError(
            f"{error.message}; `tsur train classifier --dataset VERSION` trains a first one, which later ones can be "
            "held against"
        ) from None


def _recipe(registry: Registry, name: str, champion: int, changes: Mapping[str, Any]) -> ClassifierTraining:
    recipe = recipe_of(registry, name, champion)
    changed = ClassifierTraining.model_validate(recipe.model_dump() | dict(changes))
    return changed.model_copy(update={"encoder": pinned(changed.encoder, registry)})


def _trial(asked: Retraining, name: str, champion: int, challenger: int, place: Path) -> Trial:
    """Of one challenger before one champion, on one dataset version, under one set of limits."""
    state = asked.dataset.manifest.history[-1].fingerprint
    fixed = json.dumps([state, champion, challenger, asked.limits.model_dump(mode="json", exclude={"forecaster"})])
    key = hashlib.sha256(fixed.encode()).hexdigest()[:8]
    folder = place / f"{asked.dataset.name}-{challenger}-against-{champion}-{key}"
    return Trial(name, champion, challenger, folder, asked.promoted_by)


def _judge(asked: Retraining, job: Job, trial: Trial, say: Say, tracker: Tracker, registry: Registry) -> None:
    """Compare, judge, write the report, and track it as a run of its own."""
    limits = asked.limits
    bundles = [registry.bundle(trial.name, version) for version in (trial.champion, trial.challenger)]
    taught = _taught_test_rows(asked, trial, registry)
    before = _version_before(asked.dataset, trial, registry)
    migrations: Sequence[Migration] = job.catalogue.ordered_migrations
    since = None if before is None else rows_since(before.rows, asked.dataset.rows, migrations)
    say(f"comparing versions {trial.champion} and {trial.challenger} on {int((~taught).sum())} rows held out for good")
    encoders = Encoders(folder=registry.encoders)
    comparison = compare(asked.dataset, bundles[0], bundles[1], taught, since, limits, encoders, migrations)
    say("judging")
    verdict = verdict_on(comparison, asked.dataset, since, limits)
    parameters = {"champion": trial.champion, "challenger": trial.challenger, DATASET: asked.dataset.name}
    said_of_classifiers = limits.model_dump(mode="json", exclude={"forecaster"})
    judged = Judged(trial.named(trial.champion), trial.named(trial.challenger), asked.dataset.name)
    with tracker.run(trial.name, GATE, parameters | said_of_classifiers) as run:
        write_gate_report(trial.folder, verdict, judged, comparison)
        run.log_folder(trial.folder, GATE)
        run.log_metrics({f"gate.{each}": of.difference for each, of in verdict.compared.items() if _is_ascii(each)})
        run.log_metrics({"gate.passed": float(verdict.promote), "gate.test_rows": len(comparison.rows)})


def _is_ascii(name: str) -> bool:
    return name.isascii() and ":" not in name  # MLflow's names of metrics


def _taught_test_rows(asked: Retraining, trial: Trial, registry: Registry) -> npt.NDArray[np.bool_]:
    """Which test rows the champion was taught, shape (n,).

    Raises:
        InputError: too few others are left to compare on.
    """
    dataset = asked.dataset
    rows = dataset.rows.iloc[dataset.split.test].reset_index(drop=True)
    try:
        taught = seen_by(rows, registry, trial.name, trial.champion)
    except BundleError:  # a version that was registered without its rows: nobody knows
        return np.zeros(len(rows), dtype=bool)
    left, needed = int((~taught).sum()), asked.limits.least_rows
    if taught.any() and left < needed:
        raise InputError(
            f"version {trial.champion}, the champion, was taught {int(taught.sum())} of the {len(rows)} rows that "
            f"{dataset.name} holds out, and {left} others are too few to compare on ({needed} are needed): train a "
            f"champion without them by `tsur train classifier --dataset {dataset.manifest.number}`"
        )
    return taught


def _version_before(dataset: DatasetVersion, trial: Trial, registry: Registry) -> DatasetVersion | None:
    """The dataset version that the champion was taught, or the one before this one, or none."""
    folder, parent = dataset.folder.parent, dataset.manifest.parent
    taught = dataset_of(registry, trial.name, trial.champion, folder)
    if taught is None and parent is not None and (folder / parent).is_dir():
        taught = read_version(folder / parent)
    return None if taught is not None and taught.name == dataset.name else taught
