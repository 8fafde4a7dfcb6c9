"""`tsur distill`: a registered classifier in; a small one that answers like it, its run and its figures out.

The steps: rows that the teacher has not seen are kept back, a student encoder learns from the texts of the others and
of unlabelled complaints what the teacher says of them, heads, n-grams and calibration are fitted on the
student by the recipe of `tsur train classifier` with the teacher's labels and catalogue, and both are
measured on the same test rows. A fine-tuned teacher knows the labels of the rows it was taught, and its student's
vectors tell of them: half of the rows kept back choose and calibrate then, and the other half is tested. The bundle is
registered as challenger: a person, or `--promote`, makes it champion.
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
import numpy.typing as npt
import pandas as pd
import yaml

from data.atomic import atomic_file
from data.catalogue.model import Catalogue
from data.errors import InputError
from models.classifier.bundle import read_bundle
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from registry.client import CHALLENGER, CHAMPION, Registry
from registry.names import classifier_name
from training.arguments import ClassifierTraining, Distillation
from training.classifier.encoder_rows import ENCODER_ROWS, encoder_rows, rows_of_run
from training.classifier.job import Job, prepare
from training.classifier.splits import MIN_ROWS, Rows, Splits, split_off, split_rows, text_keys
from training.classifier.taught_rows import model_inputs
from training.classifier.train import FittedBundle, Say, fit_bundle, measure, register
from training.encoder.distillation import distill_encoder
from training.encoder.distillation_metrics import Comparison, Fidelity, compare
from training.encoder.student import check_size
from training.encoder.teacher import Teacher
from training.evaluate.evaluate import seen_by
from training.tracker import TrackedRun, Tracker

log = logging.getLogger(__name__)
Bools = npt.NDArray[np.bool_]
TESTED_SHARE = 0.2
"""Of complaints that the teacher has not seen, where it has seen too few to learn from."""
CALIBRATING_SHARE = 0.5
"""Of complaints that a fine-tuned teacher has not seen; the others are tested."""


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
        InputError: too few rows, or the teacher was taught all of them, or all but a handful.
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
        _keep_encoder_rows(plan, registry, run)
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

    Where it has seen too few of them to learn from, a fifth of the others is tested. Of those that a fine-tuned teacher
    has not seen, half is tested, and the other half is held out to choose and to calibrate by.

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
    knows_labels = bool(parts.config.epochs or rows_of_run(name, version, registry))
    splits, judged = _kept_back(job.frame, seen, knows_labels, recipe.seed)
    text = (bundle / "catalogue.yaml").read_text(encoding="utf-8")
    catalogue = Catalogue.model_validate(yaml.safe_load(text))
    return replace(job, splits=splits, catalogue=catalogue, catalogue_yaml=text, judged=judged)


def _kept_back(frame: pd.DataFrame, seen: Bools, knows_labels: bool, seed: int) -> tuple[Splits, Rows | None]:
    """Rows taught and tested, by which the teacher has seen; and which of the taught judge, None: all."""
    unseen = np.flatnonzero(~seen)
    if seen.sum() < MIN_ROWS:
        tested = unseen[split_rows(frame.iloc[unseen], TESTED_SHARE, seed).test]
    elif not knows_labels:
        tested = unseen
    elif len(unseen) < 2 * MIN_ROWS:
        raise InputError(
            "the teacher's encoder learnt labels, and half of the complaints that it has not seen have to calibrate "
            f"its student: {2 * MIN_ROWS} are needed, there are {len(unseen)}; add new ones, or train the teacher with "
            "--set holdout=0.2"
        )
    else:
        tested = unseen[split_off(frame.iloc[unseen], CALIBRATING_SHARE, seed)[1]]
    taught = np.setdiff1d(np.arange(len(frame)), tested)
    calibrates = knows_labels and seen.sum() >= MIN_ROWS
    return Splits(taught, np.sort(tested)), np.flatnonzero(~seen[taught]) if calibrates else None


def taught_texts(frame: pd.DataFrame, unlabelled: Sequence[pd.DataFrame], job: Job) -> list[str]:
    """What the models read of all rows but the tested ones, and those that calibrate a tuned teacher's student."""
    rows = pd.concat([frame, *unlabelled], ignore_index=True)
    kept = pd.concat([job.kept_back["text"], job.taught["text"].iloc[[] if job.judged is None else job.judged]])
    return model_inputs(rows[~np.isin(text_keys(rows["text"]), text_keys(kept))], job.catalogue)


def _keep_encoder_rows(plan: Plan, registry: Registry, run: TrackedRun) -> None:
    """The student knows of labels what its teacher's encoder does; so do the run and the student's folder."""
    known = rows_of_run(plan.name, plan.teacher_version, registry)
    if known:
        run.log_dict(encoder_rows(known), ENCODER_ROWS)
        with atomic_file(plan.student / ENCODER_ROWS) as partial:
            partial.write_text(json.dumps(encoder_rows(known)), encoding="utf-8")


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
