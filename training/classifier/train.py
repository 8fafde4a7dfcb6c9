"""`tsur train classifier`: complaints in; a tracked run, a registered bundle and its figures out.

The steps, each in its module: learn the label space, fit with rows held out in turn, fit on all rows, calibrate by what
was said of the rows held out, check int8, and measure next to TF-IDF + linear SVM on the same rows. The figures are of
fits that had not seen the row they judge; the bundle that is registered is fitted on every row. With `holdout` a share
of the rows is kept from all fits, and the bundle itself is measured on it. A region that begins has a handful of
complaints, or none: then its catalogue's words teach, nothing is measured, and an operator decides everything.
"""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data.errors import InputError
from models.classifier.bundle import BundleConfig, ClassifierBundle, read_config, write_bundle
from models.classifier.calibration import NEVER_ROUTE, Calibration
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS, LabelSpace, learn_label_space
from models.classifier.out_of_vocabulary import OutOfVocabulary, fit_out_of_vocabulary, known_beginnings
from models.classifier.topic_agency_pmi import count_topic_agency
from models.encoder.onnx_runtime import Encoders
from registry.client import CHAMPION, Registry
from registry.names import classifier_name
from training.classifier.agreement import checked_precision, write_smoke
from training.classifier.calibrate import calibrate
from training.classifier.catalogue_rows import catalogue_rows
from training.classifier.encoder_rows import ENCODER_ROWS, encoder_rows, judged_by_unknown, rows_of_encoder
from training.classifier.held_out_rows import HeldOut, unseen_rows
from training.classifier.job import Job
from training.classifier.splits import MIN_ROWS, SPLITS, complaint_keys, contradictions
from training.classifier.taught_rows import taught_rows
from training.evaluate.evaluate import Evaluation, evaluate_classifier, evaluate_lexical
from training.evaluate.held_out import evaluate_held_out, evaluate_lexical_held_out
from training.tracker import TrackedRun, Tracker

if TYPE_CHECKING:
    from training.classifier.fit_network import FittedNetwork

log = logging.getLogger(__name__)
Say = Callable[[str], None]


@dataclass(frozen=True)
class TrainedClassifier:
    """What a training run leaves behind; without figures where there were too few complaints to measure by."""

    run_id: str
    version: int
    bundle: Path
    evaluation: Evaluation | None
    lexical: Evaluation | None


def train_job(
    job: Job,
    region: str,
    home: Path,
    say: Say = log.info,
    fresh: bool = False,
    promoted_by: str | None = None,
    tags: Mapping[str, str] | None = None,
    *,
    tracker: Tracker,
    registry: Registry,
) -> TrainedClassifier:
    """Train, measure and register a region's classifier, its version with `tags`; continues an interrupted run.

    It becomes champion where `promoted_by` says who makes it that.

    Raises:
        InputError, EncoderError, ResumeError, TrackingError: see their docstrings.
    """
    work = home / "training" / region / f"classifier-{job.key}"
    if fresh:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    _tell_of_rows(job, say)
    parameters = job.arguments.model_dump(mode="json") | {"data_fingerprint": job.fingerprint}
    parameters |= {f"rows.{name}": len(rows) for name, rows in asdict(job.splits).items()}
    name = classifier_name(region)
    known = rows_of_encoder(job.arguments.encoder, registry)
    job = judged_by_unknown(job, known, say)
    say("opening a run of MLflow")
    with tracker.run(name, "train", parameters, work / "run.json") as run:
        fitted, figures = fit_and_measure(job, work, home, say, run)
        tuned = read_config(fitted.folder).epochs
        if known or tuned:
            run.log_dict(encoder_rows(known, job.taught if tuned else None), ENCODER_ROWS)
        say("registering the bundle" if promoted_by is None else f"registering the bundle as {CHAMPION}")
        version = register(registry, name, job, fitted.folder, run, tags)
        if promoted_by is not None:
            spoken_for = {"not_measured": f"{len(job.taught)} complaints"} if figures is None else evidence(*figures)
            registry.promote(name, version, spoken_for, promoted_by)
    shutil.rmtree(work, ignore_errors=True)
    return TrainedClassifier(run.id, version, registry.bundle(name, version), *(figures or (None, None)))


def fit_and_measure(
    job: Job, work: Path, home: Path, say: Say, run: TrackedRun
) -> "tuple[FittedBundle, tuple[Evaluation, Evaluation] | None]":
    """The bundle, inside `work`, its figures and those of TF-IDF + SVM; the run is told of all of them.

    No figures where there are too few complaints to hold some out.
    """
    fitted = fit_bundle(job, _label_space(job), work, home, say, run)
    if job.measurable:
        return fitted, measure(job, fitted, run, say)
    from training.report.card import write_first_card

    say(f"not measured, and nothing is routed: below {MIN_ROWS} complaints an operator decides all")
    write_first_card(fitted.folder, job.frame, job.arguments)
    return fitted, None


def _tell_of_rows(job: Job, say: Say) -> None:
    """How many rows there are, which labels they lack, and which of them contradict each other."""
    kept_back = f", {len(job.splits.test)} of them kept back" if len(job.splits.test) else ""
    say(f"{len(job.frame)} labelled complaints ({job.fingerprint}){kept_back}")
    missing = {head: int(job.frame[head].isna().sum()) for head in HEADS}
    if any(missing.values()):
        say("rows without a label teach the others: " + ", ".join(f"{head} {n}" for head, n in missing.items() if n))
    for head, (rows, texts) in contradictions(job.frame).items():
        say(f"{rows} rows contradict each other: {texts} texts of one place have several labels as {head}; all teach")


def _label_space(job: Job) -> LabelSpace:
    taught = {head: job.taught[head].tolist() for head in HEADS}
    labels = learn_label_space(taught, job.arguments.min_label_rows, job.catalogue.label_names)
    for head in HEADS:
        if len(labels.names[head]) < 2:
            raise InputError(
                f"training needs at least two labels as {head}, the rows have {len(labels.names[head])}: "
                "there is nothing to tell apart"
            )
    return labels


@dataclass(frozen=True)
class FittedBundle:
    """A bundle's folder, and what fits without them said of rows held out, beside these rows."""

    folder: Path
    held_out: HeldOut


def fit_bundle(
    job: Job, labels: LabelSpace, work: Path, home: Path, say: Say, run: TrackedRun | None = None
) -> FittedBundle:
    """Fit, calibrate, choose the precision, write; the bundle lies inside `work`, its encoder beside it."""
    network = _fitted_network(job, labels, work, home, say, run)
    draft = _uncalibrated(job, labels, network, work / "bundle")
    encoders = Encoders()
    held_out = network.held_out
    calibrated, asked = draft, job.taught
    if job.measurable:
        say("calibrating")
        unseen = unseen_rows(job.taught, labels, job.catalogue, held_out)
        calibration = calibrate(Classifier(draft, encoders), unseen, job.arguments.promised_precision, say)
        calibrated = replace(draft, calibration=calibration)
    else:
        asked = pd.concat([catalogue_rows(job.catalogue), job.taught])
    places = job.catalogue.municipality_ids(asked["municipality"])
    checked = checked_precision(calibrated, encoders, asked["text"].tolist(), places, job.arguments.precision, say)
    serving = {"precision": checked.precision, "agreement": dict(checked.agreement)}
    bundle = replace(calibrated, config=calibrated.config.model_copy(update=serving))
    write_bundle(bundle, job.catalogue_yaml)
    write_smoke(bundle, encoders)
    return FittedBundle(bundle.folder, held_out)


def _fitted_network(
    job: Job, labels: LabelSpace, work: Path, home: Path, say: Say, run: TrackedRun | None
) -> "FittedNetwork":
    """Fit the network, unless an interrupted run got so far."""
    from training.classifier.fit_network import FittedNetwork, Places, fit_network

    folder = work / "network"
    if folder.exists():
        say("the network was fitted before the run was interrupted")
    else:
        places = Places(work, home / "encoders", job.read_before)
        taught = taught_rows(job.taught, labels, job.catalogue, job.arguments, job.judged)
        network = fit_network(taught, job.arguments, places, say, run)
        network.save(folder)
    return FittedNetwork.load(folder, labels)  # as exact as a bundle stores it, interrupted or not


def _uncalibrated(job: Job, labels: LabelSpace, network: "FittedNetwork", folder: Path) -> ClassifierBundle:
    """The bundle as far as it is known before it is calibrated; it routes nothing."""
    config = BundleConfig(
        encoder=job.arguments.encoder,
        encoder_hash=network.encoder_hash,
        text_prefix=job.arguments.text_prefix,
        max_tokens=network.max_tokens,
        epochs=network.epochs,
        chosen=network.chosen,
        data_fingerprint=job.fingerprint,
        precision="fp32" if job.arguments.precision == "fp32" else "int8",
    )
    unfit = Calibration(
        temperatures=dict.fromkeys(HEADS, 1.0),
        threshold=NEVER_ROUTE,
        promised_precision=job.arguments.promised_precision,
        coverage=0,
    )
    taught = job.taught
    if job.measurable:
        words = _out_of_vocabulary(taught["text"], network.held_out)
    else:
        words = words_of_all([*catalogue_rows(job.catalogue)["text"], *taught["text"]])
    return ClassifierBundle(
        folder=folder,
        config=config,
        labels=labels,
        calibration=unfit,
        catalogue=job.catalogue,
        topic_agency_pmi=count_topic_agency(
            labels, labels.targets(taught), job.catalogue.municipality_ids(taught["municipality"])
        ),
        out_of_vocabulary=words,
        heads=network.heads,
        ngrams=network.ngrams,
    )


def words_of_all(texts: Sequence[str]) -> OutOfVocabulary:
    """Words of a handful of texts: too few to call another text odd by them."""
    return OutOfVocabulary(beginnings=known_beginnings(texts), usual=0.0, threshold=1.0)


def _out_of_vocabulary(texts: "pd.Series[str]", held_out: HeldOut) -> OutOfVocabulary:
    """Words of all texts, and a threshold from the texts of one fold, by the words that the others know."""
    fold = held_out.rows[held_out.folds == held_out.folds.min()]
    others = np.setdiff1d(np.arange(len(texts)), fold)
    judged = fit_out_of_vocabulary(texts.iloc[others].tolist(), texts.iloc[fold].tolist())
    return judged.model_copy(update={"beginnings": known_beginnings(texts.tolist())})


def measure(job: Job, fitted: FittedBundle, run: TrackedRun, say: Say) -> tuple[Evaluation, Evaluation]:
    """Measure a bundle beside TF-IDF + SVM on the same rows, write its card, tell the run; both figures.

    Rows kept back judge the bundle itself; without any, rows held out in turn judge the fits that had not seen them,
    by calibrations that had not either.
    """
    from training.report.card import write_card
    from training.report.report import log_report

    classifier = Classifier.load(fitted.folder)
    if len(job.splits.test):
        say(f"measuring the bundle on {len(job.splits.test)} rows kept back, and TF-IDF + linear SVM beside it")
        rows = job.kept_back
        evaluation = evaluate_classifier(classifier, rows)
        lexical = evaluate_lexical(job.taught, rows)
    else:
        held_out = fitted.held_out
        rows = job.taught.iloc[held_out.rows].reset_index(drop=True)
        say(f"measuring on {len(rows)} rows held out in turn, and TF-IDF + linear SVM beside it")
        evaluation = evaluate_held_out(classifier, job.taught, held_out)
        lexical = evaluate_lexical_held_out(classifier.bundle.labels, job.taught, held_out)
    write_card(fitted.folder, job.frame, evaluation, lexical, rows, job.arguments, bool(len(job.splits.test)))
    for prefix, figures in (("test", evaluation), ("lexical", lexical)):
        for head in HEADS:
            numbers = {k: v for k, v in asdict(figures.heads[head]).items() if k != "rows"}
            run.log_metrics({f"{prefix}.{head}.{name}": value for name, value in numbers.items()})
    run.log_metrics({f"agreement.{head}": share for head, share in classifier.bundle.config.agreement.items()})
    log_report(run, evaluation, classifier, rows, lexical)
    keys = complaint_keys(job.frame)
    run.log_dict({name: keys[positions].tolist() for name, positions in asdict(job.splits).items()}, SPLITS)
    return evaluation, lexical


def evidence(evaluation: Evaluation, lexical: Evaluation) -> dict[str, Any]:
    """What speaks for a classifier: its figures on the test rows, and those of TF-IDF + SVM on the same."""
    return {
        "test": {head: asdict(evaluation.heads[head]) for head in HEADS},
        "tfidf_svm": {head: asdict(lexical.heads[head]) for head in HEADS},
        "coverage": evaluation.coverage,
        "routed_precision": evaluation.routed_precision,
    }


def register(
    registry: Registry,
    name: str,
    job: Job,
    bundle: Path,
    run: TrackedRun,
    tags: Mapping[str, str] | None = None,
    **metadata: Any,
) -> int:
    """Register a bundle that nothing serves yet; its version."""
    metadata |= {"data_fingerprint": job.fingerprint, "encoder": job.arguments.encoder}
    return registry.register(name, bundle, run.id, metadata, tags)
