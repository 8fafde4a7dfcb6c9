"""`tsur evaluate`: a bundle as it is served, measured on labelled rows; its rival beside it.

In: a `Classifier` and a frame with labels. Out: an `Evaluation`: figures per head (of the joint
decoding, not of the bare heads), the routing decision's precision and coverage, calibration error.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import softmax

from data.errors import InputError
from models.classifier.classifier import Classifier
from models.classifier.decoding import Floats, JointDecoder
from models.classifier.labels import HEADS, Ints, LabelSpace
from registry.client import Registry
from registry.names import classifier_name
from training.evaluate.metrics import HeadMetrics, expected_calibration_error, head_metrics
from training.evaluate.tfidf_svm import LexicalClassifier


@dataclass(frozen=True)
class Evaluation:
    """Figures on held-out rows; `targets`, `predicted` and `confidence` are per head, shape (n,)."""

    heads: Mapping[str, HeadMetrics]
    targets: Mapping[str, Ints]
    predicted: Mapping[str, Ints]
    confidence: Mapping[str, npt.NDArray[np.floating]] = field(default_factory=dict)
    calibration_error: Mapping[str, float] = field(default_factory=dict)
    uncalibrated_error: Mapping[str, float] = field(default_factory=dict)
    coverage: float | None = None
    routed_precision: float | None = None


@dataclass(frozen=True)
class ChampionEvaluation:
    """Figures of the champion, and what they are of; `note` says in a sentence which rows these were."""

    evaluation: Evaluation
    classifier: Classifier
    rows: pd.DataFrame
    note: str


def evaluate_classifier(classifier: Classifier, rows: pd.DataFrame) -> Evaluation:
    """Measure joint decoding and routing on labelled rows."""
    parts = classifier.bundle
    places = parts.catalogue.municipality_ids(rows["municipality"])
    texts = rows["text"].tolist()
    logits, _ = classifier.logits(texts, places)
    decoder = classifier.decoder
    joint = decoder.joint(logits, places)
    best = decoder.best(joint)
    targets = parts.labels.targets(rows)
    marginals = {head: decoder.confidences(joint, head) for head in HEADS}
    predicted = {head: best[:, column] for column, head in enumerate(HEADS)}
    confidence = {head: marginals[head][np.arange(len(rows)), predicted[head]] for head in HEADS}
    errors = {head: expected_calibration_error(confidence[head], predicted[head] == targets[head]) for head in HEADS}
    before = _uncalibrated_errors(classifier, logits, places, targets)
    decisions = classifier.decisions(logits, texts, places)
    routed = np.array([item.decision == "route" for item in decisions])
    right = predicted["agency"] == targets["agency"]
    return Evaluation(
        heads={head: head_metrics(targets[head], marginals[head], predicted[head]) for head in HEADS},
        targets=targets,
        predicted=predicted,
        confidence=confidence,
        calibration_error=errors,
        uncalibrated_error=before,
        coverage=float(routed.mean()),
        routed_precision=float(right[routed].mean()) if routed.any() else None,
    )


def _uncalibrated_errors(
    classifier: Classifier, logits: Mapping[str, Floats], places: Sequence[str | None], targets: Mapping[str, Ints]
) -> dict[str, float]:
    """The calibration error of each head if nothing had been fitted to held-out rows."""
    plain = JointDecoder(classifier.bundle.labels, classifier.catalogue)
    joint = plain.joint(logits, places)
    best, rows = plain.best(joint), np.arange(len(places))
    return {
        head: expected_calibration_error(
            plain.marginal(joint, head)[rows, best[:, column]], best[:, column] == targets[head]
        )
        for column, head in enumerate(HEADS)
    }


def evaluate_lexical(labels: LabelSpace, train: pd.DataFrame, test: pd.DataFrame) -> Evaluation:
    """TF-IDF + linear SVM, fitted on the same training rows and measured on the same test rows."""
    model = LexicalClassifier(labels).fit(train["text"].tolist(), labels.targets(train))
    scores = model.scores(test["text"].tolist())
    targets = labels.targets(test)
    return Evaluation(
        heads={head: head_metrics(targets[head], scores[head]) for head in HEADS},
        targets=targets,
        predicted={head: scores[head].argmax(axis=1) for head in HEADS},
        confidence={head: softmax(scores[head], axis=1).max(axis=1) for head in HEADS},
    )


def evaluate_champion(frame: pd.DataFrame, region: str, registry: Registry) -> ChampionEvaluation:
    """Measure a region's champion on labelled complaints.

    Rows that it was trained or calibrated on are left out, whatever file they come in.

    Raises:
        NoChampionError, BundleError: there is no usable champion.
        InputError: no row has all three labels, or the champion has seen every row.
    """
    name = classifier_name(region)
    folder, version = registry.champion_bundle(name)
    classifier = Classifier.load(folder)
    rows = frame.dropna(subset=list(HEADS)).reset_index(drop=True)
    unlabelled = unlabelled_rows(frame)
    if rows.empty:
        raise InputError(
            f"evaluation needs complaints with sector, topic and agency; no row has all three{unlabelled}: "
            "`tsur import --source` names the map that says in which columns they are"
        )
    rows, seen = held_out(rows, registry, name, version)
    if rows.empty:
        raise InputError(f"version {version} was trained on all {seen} of these complaints: measure it on others")
    note = f"version {version} on {len(rows)} complaints"
    if seen:
        note += f"; {seen} more are left out, because it was trained or calibrated on them"
    note += unlabelled
    return ChampionEvaluation(evaluate_classifier(classifier, rows), classifier, rows, note)


def unlabelled_rows(frame: pd.DataFrame) -> str:
    """How many rows lack a label and cannot be measured, and of which heads; nothing where all have theirs."""
    missing = frame[list(HEADS)].isna()
    if not missing.any(axis=None):
        return ""
    each = ", ".join(f"{head} in {count}" for head, count in missing.sum().items() if count)
    return f"; {int(missing.any(axis=1).sum())} rows are left out, because a label is missing: {each}"


def held_out(frame: pd.DataFrame, registry: Registry, name: str, version: int) -> tuple[pd.DataFrame, int]:
    """Rows whose texts a registered version was neither trained nor calibrated on, and how many others there were."""
    from training.classifier.splits import SPLITS, text_keys

    splits = json.loads(registry.run_artifact(name, version, SPLITS))
    seen = np.isin(text_keys(frame["text"]), [*splits["train"], *splits["validation"]])
    return frame[~seen].reset_index(drop=True), int(seen.sum())
