"""`tsur distill`: a registered classifier in; a small one that answers like it, its run and its figures out.

The steps: rows that the teacher has not seen are kept back, a student encoder learns from the texts of the others and
of unlabelled complaints what the teacher says of them, heads, n-grams and calibration are fitted on the
student by the recipe of `tsur train classifier` with the teacher's labels and catalogue, and both are
measured on the same test rows. The bundle is registered as challenger: a person, or `--promote`, makes it
champion.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from data.catalogue.model import Catalogue
from data.errors import InputError
from models.classifier.bundle import read_bundle
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from registry.client import CHALLENGER, CHAMPION, Registry
from registry.names import classifier_name
from training.arguments import ClassifierTraining, Distillation
from training.classifier.job import Job, prepare
from training.classifier.splits import MIN_ROWS, Splits, split_rows, text_keys
from training.classifier.taught_rows import model_inputs
from training.classifier.train import FittedBundle, Say, fit_bundle, measure, register
from training.encoder.distillation import distill_encoder
from training.encoder.distillation_metrics import Comparison, Fidelity, compare
from training.encoder.student import check_size
from training.encoder.teacher import Teacher
from training.evaluate.evaluate import seen_by
from training.tracker import TrackedRun, Tracker

log = logging.getLogger(__name__)
TESTED_SHARE = 0.2
"""Of complaints that the teacher has not seen, where it has seen too few to learn from."""


@dataclass(frozen=True)
class DistilledClassifier:
    """What a distillation leaves behind; `encoder` is the student's folder, for training on new labels."""

    run_id: str
    version: int
    alias: str
    teacher_version: int
    encoder: Path
    fidelity: Fidelity
    comparison: Comparison


@dataclass(frozen=True)
class Plan:
    """What a distillation works on, known before it begins.

    Attributes:
        name: of the registered model.
        arguments: how the student is taught.
        teacher_version: the version that is imitated.
        teacher_bundle: its folder.
        teacher: its network.
        job: rows, splits, and how heads are fitted on the student's encoder.
        texts: what the student is taught with.
        work: where unfinished work is kept.
        student: the folder that the student's encoder is written to.
    """

    name: str
    arguments: Distillation
    teacher_version: int
    teacher_bundle: Path
    teacher: Teacher
    job: Job
    texts: list[str]
    work: Path
    student: Path

    @property
    def parameters(self) -> dict[str, Any]:
        """What the run is tracked with."""
        of_student = {f"distillation.{name}": value for name, value in self.arguments.model_dump(mode="json").items()}
        data = {"data_fingerprint": self.job.fingerprint, "texts": len(self.texts)}
        of_heads = self.job.arguments.model_dump(mode="json")
        return of_student | of_heads | data | {"teacher_version": self.teacher_version}


def distill(
    frame: pd.DataFrame,
    unlabelled: Sequence[pd.DataFrame],
    arguments: Distillation,
    recipe: ClassifierTraining,
    region: str,
    home: Path,
    say: Say = log.info,
    promote: bool = False,
    fresh: bool = False,
    *,
    tracker: Tracker,
    registry: Registry,
) -> DistilledClassifier:
    """Distil, measure and register a student of a region's classifier; continues an interrupted run of the same job.

    `frame` holds complaints, `unlabelled` more of them whose labels are not read; `recipe` is how the heads
    are fitted.

    Raises:
        NoChampionError, BundleError: there is no such teacher.
        InputError: too few rows, or the teacher was trained on all test rows.
        LabelError: a row's labels are not in the teacher's catalogue.
        EncoderError: such a student cannot be made of the teacher.
    """
    plan = _plan(frame, unlabelled, arguments, recipe, region, home, registry)
    if fresh:
        shutil.rmtree(plan.work, ignore_errors=True)
        shutil.rmtree(plan.student, ignore_errors=True)
    plan.work.mkdir(parents=True, exist_ok=True)
    with tracker.run(plan.name, "distill", plan.parameters, plan.work / "run.json") as run:
        cache = home / "distillation"
        fidelity = distill_encoder(plan.texts, plan.teacher, arguments, plan.work, cache, plan.student, say, run)
        fitted = _fit(plan, home, say, run)
        comparison = _measure(plan, fitted, fidelity, run, say)
        version, alias = _register(plan, fitted.folder, comparison, fidelity, promote, run, registry, say)
    shutil.rmtree(plan.work, ignore_errors=True)
    return DistilledClassifier(run.id, version, alias, plan.teacher_version, plan.student, fidelity, comparison)


def _plan(
    frame: pd.DataFrame,
    unlabelled: Sequence[pd.DataFrame],
    arguments: Distillation,
    recipe: ClassifierTraining,
    region: str,
    home: Path,
    registry: Registry,
) -> Plan:
    """Look the teacher up, split the rows, and name the folders of this very job."""
    name = classifier_name(region)
    version = registry.champion(name) if arguments.teacher == "champion" else arguments.teacher
    bundle = registry.bundle(name, version)
    teacher = Teacher.of_bundle(bundle)
    check_size(teacher.network.encoder, arguments)  # refused before a run begins
    job = teachers_job(frame, bundle, registry, name, version, recipe)
    texts = taught_texts(frame, unlabelled, job)
    fixed = json.dumps([job.key, version, arguments.model_dump(mode="json"), texts])
    key = hashlib.sha256(fixed.encode()).hexdigest()
    of_student = f"{arguments.layers}-layers-of-version-{version}-{key[:8]}"
    student = home.resolve() / "students" / region / of_student
    on_student = {"encoder": str(student), "frozen_layers": min(recipe.frozen_layers, arguments.layers)}
    return Plan(
        name=name,
        arguments=arguments,
        teacher_version=version,
        teacher_bundle=bundle,
        teacher=teacher,
        job=replace(job, arguments=job.arguments.model_copy(update=on_student)),
        texts=texts,
        work=home / "training" / region / f"student-{key[:16]}",
        student=student,
    )


def teachers_job(
    frame: pd.DataFrame, bundle: Path, registry: Registry, name: str, version: int, recipe: ClassifierTraining
) -> Job:
    """Rows under the teacher's labels, catalogue and reading; tested are those that the teacher has not seen.

    Where it has seen too few of them to learn from, a fifth of the others is tested.

    Raises:
        InputError: it has seen all of them, or there are too few.
    """
    parts = read_bundle(bundle)
    update = {"text_prefix": parts.config.text_prefix, "max_tokens": parts.config.max_tokens, "epochs": 0, "holdout": 0}
    recipe = recipe.model_copy(update=update)
    job = prepare(frame, bundle / "catalogue.yaml" if parts.catalogue.region else None, recipe)
    seen = seen_by(job.frame, registry, name, version)
    if seen.all():
        raise InputError(
            f"version {version}, the teacher, was fitted on all of these complaints, and nothing is left to measure a "
            "student on: add complaints that it has not seen, or train the teacher with --set holdout=0.2"
        )
    tested = np.flatnonzero(~seen)
    if seen.sum() < MIN_ROWS:
        tested = tested[split_rows(job.frame.iloc[tested], TESTED_SHARE, recipe.seed).test]
    splits = Splits(np.setdiff1d(np.arange(len(seen)), tested), tested)
    text = (bundle / "catalogue.yaml").read_text(encoding="utf-8")
    catalogue = Catalogue.model_validate(yaml.safe_load(text))
    return replace(job, splits=splits, catalogue=catalogue, catalogue_yaml=text)


def taught_texts(frame: pd.DataFrame, unlabelled: Sequence[pd.DataFrame], job: Job) -> list[str]:
    """What the models read of all rows but those that are tested on."""
    rows = pd.concat([frame, *unlabelled], ignore_index=True)
    tested = text_keys(job.frame["text"].iloc[job.splits.test])
    return model_inputs(rows[~np.isin(text_keys(rows["text"]), tested)], job.catalogue)


def _fit(plan: Plan, home: Path, say: Say, run: TrackedRun) -> FittedBundle:
    """Heads, n-grams and calibration on the student."""
    labels = read_bundle(plan.teacher_bundle).labels
    return fit_bundle(plan.job, labels, plan.work, home, say, run)


def _measure(plan: Plan, student: FittedBundle, fidelity: Fidelity, run: TrackedRun, say: Say) -> Comparison:
    """Figures of teacher and student on the test rows, in the run too."""
    measure(plan.job, student, run, say)
    say("measuring the teacher on the same rows")
    of_teacher, of_student = (Classifier.load(folder) for folder in (plan.teacher_bundle, student.folder))
    comparison = compare(of_teacher, of_student, plan.job.kept_back)
    run.log_metrics({"fidelity.explained": fidelity.explained})
    for head in HEADS:
        figures = {f"fidelity.{head}.divergence": fidelity.divergence[head]}
        figures |= {f"fidelity.{head}.agreement": fidelity.agreement[head]}
        teachers = asdict(comparison.teacher.heads[head])
        figures |= {f"teacher.{head}.{name}": value for name, value in teachers.items() if name != "rows"}
        of_both = asdict(comparison.heads[head])
        figures |= {f"distillation.{head}.{name}": value for name, value in of_both.items()}
        run.log_metrics(figures)
    return comparison


def _register(
    plan: Plan,
    fitted: Path,
    comparison: Comparison,
    fidelity: Fidelity,
    promote: bool,
    run: TrackedRun,
    registry: Registry,
    say: Say,
) -> tuple[int, str]:
    """Register the student's bundle as challenger, or promote it; its version and alias."""
    alias = CHAMPION if promote else CHALLENGER
    say(f"registering the bundle as {alias}")
    version = register(registry, plan.name, plan.job, fitted, run, teacher_version=plan.teacher_version)
    if promote:
        registry.promote(plan.name, version, _evidence(comparison, fidelity), "tsur distill --promote")
    else:
        registry.challenge(plan.name, version)
    return version, alias


def _evidence(comparison: Comparison, fidelity: Fidelity) -> dict[str, Any]:
    """What speaks for a student: its figures beside the teacher's, and how alike they are on texts held out."""
    return {
        "test": {head: asdict(comparison.student.heads[head]) for head in HEADS},
        "teacher": {head: asdict(comparison.teacher.heads[head]) for head in HEADS},
        "agreement": dict(fidelity.agreement),
    }
