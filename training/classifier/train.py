"""`tsur train classifier`: complaints in; a tracked run, a registered bundle and its figures out.

The steps, each in its module: split the rows, learn the label space, fine-tune with transformers'
Trainer (resuming by itself after a kill), export, calibrate on the validation rows, and measure
the bundle as it will be served on the test rows, next to TF-IDF + linear SVM on the same rows.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from data.catalogue.checks import load_catalogue
from data.catalogue.draft import draft_catalogue
from data.catalogue.model import Catalogue
from data.complaints.schema import LABELS, check_complaints
from data.errors import InputError
from models.classifier.bundle import BundleConfig, ClassifierBundle, write_bundle
from models.classifier.calibration import NEVER_ROUTE, Calibration
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS, LabelSpace, learn_label_space
from models.classifier.out_of_vocabulary import fit_out_of_vocabulary
from models.classifier.topic_agency_pmi import count_topic_agency
from models.encoder.onnx_runtime import Encoders
from registry.client import CHAMPION, Registry
from registry.names import classifier_name
from training.arguments import ClassifierTraining
from training.classifier.agreement import checked_precision
from training.classifier.calibrate import calibrate
from training.classifier.splits import SPLITS, Splits, fingerprint, split_rows, text_keys
from training.evaluate.evaluate import Evaluation, evaluate_classifier, evaluate_lexical
from training.tracker import TrackedRun, Tracker

if TYPE_CHECKING:
    from training.classifier.fit_network import FittedNetwork

log = logging.getLogger(__name__)
Say = Callable[[str], None]


@dataclass(frozen=True)
class TrainedClassifier:
    """What a training run leaves behind."""

    run_id: str
    version: int
    bundle: Path
    evaluation: Evaluation
    lexical: Evaluation


@dataclass(frozen=True)
class Job:
    """Everything that fixes a run: rows, splits, labels, catalogue, arguments."""

    frame: pd.DataFrame
    splits: Splits
    catalogue: Catalogue
    catalogue_yaml: str
    arguments: ClassifierTraining
    fingerprint: str

    @property
    def key(self) -> str:
        """Names the working folder: the same data, catalogue and arguments continue the same run."""
        said = json.dumps([self.fingerprint, self.catalogue_yaml, self.arguments.model_dump(mode="json")])
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def prepare(frame: pd.DataFrame, catalogue_path: Path | None, arguments: ClassifierTraining) -> Job:
    """Check the rows and fix the splits.

    Without a catalogue, one is drafted from the training rows alone: combinations seen only in
    test rows must not help.

    Raises:
        InputError: too few labelled rows.
        LabelError: a row's labels are not in the given catalogue.
    """
    frame = check_complaints(frame)
    frame = frame.dropna(subset=LABELS, how="any").reset_index(drop=True)
    splits = split_rows(frame, arguments.validation_share, arguments.test_share, arguments.seed)
    if catalogue_path is None:
        text = draft_catalogue(frame.iloc[splits.train], region="")
        catalogue = Catalogue.model_validate(yaml.safe_load(text))
    else:
        text, catalogue = catalogue_path.read_text(encoding="utf-8"), load_catalogue(catalogue_path)
        for sector, topic, agency in frame[LABELS].itertuples(index=False):
            catalogue.check_labels(sector, topic, agency)
    return Job(frame, splits, catalogue, text, arguments, fingerprint(frame))


def train_classifier(
    frame: pd.DataFrame,
    catalogue_path: Path | None,
    arguments: ClassifierTraining,
    region: str,
    home: Path,
    say: Say = log.info,
    fresh: bool = False,
    *,
    tracker: Tracker,
    registry: Registry,
) -> TrainedClassifier:
    """Train, measure, register and promote a region's classifier; continues an interrupted run of the same job.

    Raises:
        InputError, LabelError, EncoderError, ResumeError: see their docstrings.
    """
    job = prepare(frame, catalogue_path, arguments)
    work = home / "training" / region / f"classifier-{job.key}"
    if fresh:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    parts = job.splits
    say(
        f"{len(job.frame)} labelled complaints ({job.fingerprint}): "
        f"{len(parts.train)} train, {len(parts.validation)} validation, {len(parts.test)} test"
    )
    parameters = job.arguments.model_dump(mode="json") | {"data_fingerprint": job.fingerprint}
    parameters |= {f"rows.{name}": len(rows) for name, rows in asdict(parts).items()}
    name = classifier_name(region)
    with tracker.run(name, "train", parameters, work / "run.json") as run:
        train, validation = job.frame.iloc[parts.train], job.frame.iloc[parts.validation]
        labels = _label_space(train, job.arguments.min_label_rows)
        rows = BundleRows(train, validation, job.fingerprint)
        bundle = fit_bundle(rows, labels, job.catalogue_yaml, job.arguments, work, home, say, run)
        evaluation, lexical = measure(job, bundle, run, say)
        say(f"registering the bundle as {CHAMPION}")
        version = register(registry, name, job, bundle, run)
        registry.promote(name, version, evidence(evaluation, lexical), "tsur train classifier")
    shutil.rmtree(work, ignore_errors=True)
    return TrainedClassifier(run.id, version, registry.bundle(name, version), evaluation, lexical)


def _label_space(train: pd.DataFrame, min_rows: int) -> LabelSpace:
    labels = learn_label_space({head: train[head].tolist() for head in HEADS}, min_rows)
    if any(len(labels.names[head]) < 2 for head in HEADS):
        raise InputError(
            f"training needs at least two labels with {min_rows} rows or more for each of {', '.join(HEADS)}"
        )
    return labels


@dataclass(frozen=True)
class BundleRows:
    """The rows that a bundle is fitted on.

    Attributes:
        train: what is learnt from.
        validation: what calibrates; without fine-tuning nothing has to be held back, so it is learnt from too.
        fingerprint: of all rows that the run was given.
    """

    train: pd.DataFrame
    validation: pd.DataFrame
    fingerprint: str


def fit_bundle(
    rows: BundleRows,
    labels: LabelSpace,
    catalogue_yaml: str,
    arguments: ClassifierTraining,
    work: Path,
    home: Path,
    say: Say,
    run: TrackedRun | None = None,
) -> Path:
    """Fit, calibrate, choose the precision, write; the bundle's folder inside `work`, its encoder's beside it.

    Where the encoder is not fine-tuned, all rows calibrate by logits of heads that were fitted without them.
    """
    catalogue = Catalogue.model_validate(yaml.safe_load(catalogue_yaml))
    taught = rows.train if arguments.epochs else pd.concat([rows.train, rows.validation], ignore_index=True)
    network = _fitted_network(taught, rows.validation, labels, catalogue, arguments, work, home, say, run)
    draft = _uncalibrated(rows, taught, labels, catalogue, arguments, network, work / "bundle")
    encoders = Encoders()
    say("calibrating")
    calibrating = rows.validation if arguments.epochs else taught
    classifier = Classifier(draft, encoders)
    calibration = calibrate(classifier, calibrating, arguments.promised_precision, network.held_out)
    calibrated = replace(draft, calibration=calibration)
    places = catalogue.municipality_ids(taught["municipality"])
    checked = checked_precision(calibrated, encoders, taught["text"].tolist(), places, arguments.precision, say)
    serving = {"precision": checked.precision, "agreement": dict(checked.agreement)}
    bundle = replace(calibrated, config=calibrated.config.model_copy(update=serving))
    write_bundle(bundle, catalogue_yaml)
    return bundle.folder


def _fitted_network(
    taught: pd.DataFrame,
    validation: pd.DataFrame,
    labels: LabelSpace,
    catalogue: Catalogue,
    arguments: ClassifierTraining,
    work: Path,
    home: Path,
    say: Say,
    run: TrackedRun | None,
) -> "FittedNetwork":
    """Fit the network, unless an interrupted run got so far."""
    from training.classifier.fit_network import FittedNetwork, fit_network

    folder = work / "network"
    if folder.exists():
        say("the network was fitted before the run was interrupted")
    else:
        network = fit_network(taught, validation, labels, catalogue, arguments, work, home / "encoders", say, run)
        network.save(folder)
    return FittedNetwork.load(folder, labels)  # as exact as a bundle stores it, interrupted or not


def _uncalibrated(
    rows: BundleRows,
    taught: pd.DataFrame,
    labels: LabelSpace,
    catalogue: Catalogue,
    arguments: ClassifierTraining,
    network: "FittedNetwork",
    folder: Path,
) -> ClassifierBundle:
    """The bundle as far as it is known before it is calibrated; it routes nothing."""
    config = BundleConfig(
        encoder=arguments.encoder,
        encoder_hash=network.encoder_hash,
        text_prefix=arguments.text_prefix,
        max_tokens=network.max_tokens,
        data_fingerprint=rows.fingerprint,
        precision="fp32" if arguments.precision == "fp32" else "int8",
    )
    unfit = Calibration(temperatures=dict.fromkeys(HEADS, 1.0), threshold=NEVER_ROUTE, promised_precision=0, coverage=0)
    return ClassifierBundle(
        folder=folder,
        config=config,
        labels=labels,
        calibration=unfit,
        catalogue=catalogue,
        topic_agency_pmi=count_topic_agency(
            labels, labels.targets(taught), catalogue.municipality_ids(taught["municipality"])
        ),
        out_of_vocabulary=fit_out_of_vocabulary(rows.train["text"].tolist(), rows.validation["text"].tolist()),
        heads=network.heads,
        ngrams=network.ngrams,
    )


def measure(job: Job, bundle: Path, run: TrackedRun, say: Say) -> tuple[Evaluation, Evaluation]:
    """Measure a bundle and TF-IDF + SVM on the test rows, write its card, tell the run; both figures."""
    from training.report.card import write_card
    from training.report.report import log_report

    train, test = job.frame.iloc[job.splits.train], job.frame.iloc[job.splits.test]
    classifier = Classifier.load(bundle)
    say("measuring the bundle on the test rows, and TF-IDF + linear SVM beside it")
    evaluation = evaluate_classifier(classifier, test)
    lexical = evaluate_lexical(classifier.bundle.labels, train, test)
    write_card(bundle, job.frame, evaluation, lexical, test, job.arguments)
    for prefix, figures in (("test", evaluation), ("lexical", lexical)):
        for head in HEADS:
            numbers = {k: v for k, v in asdict(figures.heads[head]).items() if k != "rows"}
            run.log_metrics({f"{prefix}.{head}.{name}": value for name, value in numbers.items()})
    run.log_metrics({f"agreement.{head}": share for head, share in classifier.bundle.config.agreement.items()})
    log_report(run, evaluation, classifier, test, lexical)
    keys = text_keys(job.frame["text"])
    run.log_dict({name: keys[rows].tolist() for name, rows in asdict(job.splits).items()}, SPLITS)
    return evaluation, lexical


def evidence(evaluation: Evaluation, lexical: Evaluation) -> dict[str, Any]:
    """What speaks for a classifier: its figures on the test rows, and those of TF-IDF + SVM on the same."""
    return {
        "test": {head: asdict(evaluation.heads[head]) for head in HEADS},
        "tfidf_svm": {head: asdict(lexical.heads[head]) for head in HEADS},
        "coverage": evaluation.coverage,
        "routed_precision": evaluation.routed_precision,
    }


def register(registry: Registry, name: str, job: Job, bundle: Path, run: TrackedRun, **metadata: Any) -> int:
    """Register a bundle that nothing serves yet; its version."""
    metadata |= {"data_fingerprint": job.fingerprint, "encoder": job.arguments.encoder}
    return registry.register(name, bundle, run.id, metadata)
