"""`tsur retrain`: a dataset version in; a challenger, the gate's verdict on it, and where it may serve a champion out.

The steps, each done once: train by the champion's recipe on the rows that are not held out, register, compare with the
champion on those that are, judge, promote if asked. What is done is known by the registry's tags and the verdict's
file, so a retrain that was killed goes on where it was, and one that is asked for twice says that it is done.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data.catalogue.migrations import Migration
from data.errors import BundleError, InputError, NoChampionError
from data.store.promotions import Promotion
from models.encoder.onnx_runtime import Encoders
from registry.client import CHALLENGER, Registry
from registry.encoder_names import pinned
from registry.names import classifier_name
from registry.taking_back import taken_back
from training.arguments import ClassifierTraining
from training.classifier.job import Job
from training.evaluate.evaluate import seen_by
from training.retrain.challenger import DATASET, dataset_of, job_on, train_challenger, trained_version
from training.retrain.comparison import compare, verdict_on
from training.retrain.gate_limits import GateLimits
from training.retrain.gate_report import REPORT, VERDICT, Judged, write_gate_report
from training.retrain.lock import alone
from training.retrain.recipe import recipe_of
from training.retrain.since import rows_since
from training.retrain.versions import DatasetVersion, read_version
from training.tracker import Tracker

GATE = "gate"
"""Tag of a registered version: what the gate said of it last, as JSON; also the folder of its report in MLflow."""
Say = Callable[[str], None]


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


@dataclass(frozen=True)
class Retrained:
    """What came of it.

    Attributes:
        champion, challenger: versions; the champion is the one that the challenger was held against.
        passed: what the gate says.
        says: why, in a sentence.
        report: of the gate; None where the challenger is the champion already.
        done_before: nothing was left to do.
        promoted: None where the challenger serves nobody.
        note: why a challenger that passed was not promoted, where it should have been.
    """

    champion: int
    challenger: int
    passed: bool
    says: str
    report: Path | None
    done_before: bool = False
    promoted: Promotion | None = None
    note: str = ""


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
        if trained_version(registry, name, job) == champion:
            return _champion_already(registry, name, champion, asked)
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
        trial = _Trial(asked, job, name, champion, challenger.version, place)
        judged_before = trial.verdict()
        if judged_before is None:
            _judge(trial, say, tracker, registry)
        verdict = trial.verdict()
        assert verdict is not None
        _tell_registry(trial, verdict, registry)
        done = Retrained(champion, challenger.version, verdict["passed"], verdict["says"], trial.folder / REPORT)
        done = replace(done, done_before=judged_before is not None and not challenger.trained)
        return _promoted(done, trial, verdict, registry, say) if verdict["passed"] else done


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


def _champion_already(registry: Registry, name: str, champion: int, asked: Retraining) -> Retrained:
    """The champion was made of this very dataset version; where its promotion was not kept, for a kill, it is now."""
    says = f"version {champion}, the champion, was trained on {asked.dataset.name}: there is nothing new to learn"
    promotions, promoted = registry.promotions(name), None
    if asked.promoted_by is not None and (not promotions or promotions[-1].version != champion):
        said = registry.models.version(name, champion).tags.get(GATE)
        promoted = registry.promote(name, champion, {GATE: json.loads(said or "{}")}, asked.promoted_by)
    return Retrained(champion, champion, True, says, None, done_before=promoted is None, promoted=promoted)


@dataclass(frozen=True)
class _Trial:
    """One challenger before one champion, on one dataset version, under one set of limits."""

    asked: Retraining
    job: Job
    name: str
    champion: int
    challenger: int
    place: Path

    @property
    def folder(self) -> Path:
        """Of the report: the same trial has the same folder."""
        state = self.asked.dataset.manifest.history[-1].fingerprint
        fixed = json.dumps([state, self.champion, self.challenger, self.asked.limits.model_dump(mode="json")])
        key = hashlib.sha256(fixed.encode()).hexdigest()[:8]
        return self.place / f"{self.asked.dataset.name}-{self.challenger}-against-{self.champion}-{key}"

    @property
    def judged(self) -> Judged:
        """What the verdict is about."""
        champion, challenger = (f"{self.name} version {version}" for version in (self.champion, self.challenger))
        return Judged(champion, challenger, self.asked.dataset.name)

    def verdict(self) -> dict[str, Any] | None:
        """What the gate has said; None where it has not."""
        path = self.folder / VERDICT
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def _judge(trial: _Trial, say: Say, tracker: Tracker, registry: Registry) -> None:
    """Compare, judge, write the report, and track it as a run of its own."""
    asked, limits = trial.asked, trial.asked.limits
    bundles = [registry.bundle(trial.name, version) for version in (trial.champion, trial.challenger)]
    taught = _taught_test_rows(trial, registry)
    before = _version_before(trial, registry)
    migrations: Sequence[Migration] = trial.job.catalogue.ordered_migrations
    since = None if before is None else rows_since(before.rows, asked.dataset.rows, migrations)
    say(f"comparing versions {trial.champion} and {trial.challenger} on {int((~taught).sum())} rows held out for good")
    encoders = Encoders(folder=registry.encoders)
    comparison = compare(asked.dataset, bundles[0], bundles[1], taught, since, limits, encoders, migrations)
    say("judging")
    verdict = verdict_on(comparison, asked.dataset, since, limits)
    parameters = {"champion": trial.champion, "challenger": trial.challenger, DATASET: asked.dataset.name}
    with tracker.run(trial.name, GATE, parameters | limits.model_dump(mode="json")) as run:
        write_gate_report(trial.folder, verdict, trial.judged, comparison)
        run.log_folder(trial.folder, GATE)
        run.log_metrics({f"gate.{each}": of.difference for each, of in verdict.compared.items() if _is_ascii(each)})
        run.log_metrics({"gate.passed": float(verdict.promote), "gate.test_rows": len(comparison.rows)})


def _is_ascii(name: str) -> bool:
    return name.isascii() and ":" not in name  # MLflow's names of metrics


def _taught_test_rows(trial: _Trial, registry: Registry) -> npt.NDArray[np.bool_]:
    """Which test rows the champion was taught, shape (n,).

    Raises:
        InputError: too few others are left to compare on.
    """
    dataset = trial.asked.dataset
    rows = dataset.rows.iloc[dataset.split.test].reset_index(drop=True)
    try:
        taught = seen_by(rows, registry, trial.name, trial.champion)
    except BundleError:  # a version that was registered without its rows: nobody knows
        return np.zeros(len(rows), dtype=bool)
    left, needed = int((~taught).sum()), trial.asked.limits.least_rows
    if taught.any() and left < needed:
        raise InputError(
            f"version {trial.champion}, the champion, was taught {int(taught.sum())} of the {len(rows)} rows that "
            f"{dataset.name} holds out, and {left} others are too few to compare on ({needed} are needed): train a "
            f"champion without them by `tsur train classifier --dataset {dataset.manifest.number}`"
        )
    return taught


def _version_before(trial: _Trial, registry: Registry) -> DatasetVersion | None:
    """The dataset version that the champion was taught, or the one before this one, or none."""
    dataset = trial.asked.dataset
    folder, parent = dataset.folder.parent, dataset.manifest.parent
    taught = dataset_of(registry, trial.name, trial.champion, folder)
    if taught is None and parent is not None and (folder / parent).is_dir():
        taught = read_version(folder / parent)
    return None if taught is not None and taught.name == dataset.name else taught


def _tell_registry(trial: _Trial, verdict: Mapping[str, Any], registry: Registry) -> None:
    """What was said lies with the version too, for whoever promotes it from elsewhere."""
    said = {"champion": trial.champion, "passed": verdict["passed"], "says": verdict["says"][:1000]}
    said |= {DATASET: trial.asked.dataset.name, "test_rows": verdict["test_rows"]}
    registry.models.set_tag(trial.name, trial.challenger, GATE, json.dumps(said, ensure_ascii=False))


def _promoted(done: Retrained, trial: _Trial, verdict: Mapping[str, Any], registry: Registry, say: Say) -> Retrained:
    """Make a challenger that passed champion where somebody wants that, else let it decide in the shadow."""
    by = trial.asked.promoted_by
    back = taken_back(registry.promotions(trial.name), trial.challenger)
    if back is not None:
        note = f"not promoted: {back.promoted_by} took version {trial.challenger} back ({back.evidence.get('why', '')})"
        return replace(done, note=f"{note}; `tsur promote {trial.challenger}` promotes it all the same")
    if by is None:
        registry.challenge(trial.name, trial.challenger)
        return done
    say(f"promoting version {trial.challenger}")
    evidence = {GATE: {key: verdict[key] for key in ("says", "passed", "test_rows", "dataset", "accuracy")}}
    promotion = registry.promote(trial.name, trial.challenger, evidence, by)
    if registry.models.under_alias(trial.name, CHALLENGER) == trial.challenger:
        registry.challenge(trial.name, None)
    return replace(done, promoted=promotion, done_before=False)
