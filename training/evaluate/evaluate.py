"""`tsur evaluate`: a bundle as it is served, measured on labelled rows; its rival beside it.

In: a `Classifier` and a frame with labels. Out: an `Evaluation`: figures per head (of the joint
decoding, not of the bare heads), the routing decision's precision and coverage, calibration error.
Every row counts for each label that it has, and a true label that the model does not know is a wrong answer.
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
from models.classifier.routing import Classification
from registry.client import Registry
from registry.names import classifier_name
from training.evaluate.label_space import label_counts, label_space, rare_rows
from training.evaluate.metrics import HeadMetrics, expected_calibration_error, head_metrics
from training.evaluate.routed import Bools, RoutedFigures, routed_at, routed_figures
from training.evaluate.tfidf_svm import LexicalClassifier

LabelCounts = Mapping[str, Mapping[str, int]]
"""Of each head: label → its training rows."""


@dataclass(frozen=True)
class RareLabels:
    """The rows whose label had fewer than five training rows, and how many of them are right; None without rows."""

    rows: int
    accuracy: float | None


@dataclass(frozen=True)
class Evaluation:
    """Figures on rows that were not learnt from; what is per head and row has shape (n,).

    Attributes:
        labels: what targets and predictions are indices of: the labels the model knows, then those only the rows have.
        heads: each head's figures, over the rows that have its label.
        targets: true labels, -100 where there is none.
        predicted: the labels given.
        confidence: of the label given.
        calibration_error: ECE of each head.
        uncalibrated_error: what it were if nothing had been fitted to rows held out.
        rare: of each head, the rows with rare labels.
        routed: which rows go out without an operator.
        routing: how often these are right.
        decisions: what the service would say of each row.
        promises: precision → which rows would go out if that were promised.
    """

    labels: LabelSpace
    heads: Mapping[str, HeadMetrics]
    targets: Mapping[str, Ints]
    predicted: Mapping[str, Ints]
    confidence: Mapping[str, npt.NDArray[np.floating]] = field(default_factory=dict)
    calibration_error: Mapping[str, float] = field(default_factory=dict)
    uncalibrated_error: Mapping[str, float] = field(default_factory=dict)
    rare: Mapping[str, RareLabels] = field(default_factory=dict)
    routed: Bools | None = None
    routing: RoutedFigures | None = None
    decisions: Sequence[Classification] = field(default=(), repr=False)
    promises: Mapping[float, Bools] = field(default_factory=dict)

    @property
    def coverage(self) -> float | None:
        """Share of all rows that go out without an operator."""
        return None if self.routing is None else self.routing.coverage

    @property
    def routed_precision(self) -> float | None:
        """Share of what is routed whose agency is right."""
        return None if self.routing is None else self.routing.agency

    def labelled(self, head: str) -> Bools:
        """Which rows have this head's label."""
        return np.greater_equal(self.targets[head], 0)

    def right(self, head: str) -> Bools:
        """Which rows this head has right; one without a label is not."""
        return np.equal(self.predicted[head], self.targets[head])

    def marks(self, head: str) -> Floats:
        """1 where this head is right, 0 where it is wrong, NaN where the row has no such label."""
        return np.where(self.labelled(head), self.right(head), np.nan)

    def routing_at(self, promise: float) -> RoutedFigures:
        """What would be routed if that precision were promised, and how often rightly."""
        every = {head: (self.right(head), self.labelled(head)) for head in HEADS}
        right, labelled = ({head: pair[i] for head, pair in every.items()} for i in (0, 1))
        return routed_figures(self.promises[promise], right, labelled)

    def answers(self, head: str) -> tuple[Floats, Bools]:
        """Confidences of this head and which of its answers are right, over the rows that have its label."""
        labelled = self.labelled(head)
        return self.confidence[head][labelled], self.right(head)[labelled]


@dataclass(frozen=True)
class ChampionEvaluation:
    """Figures of the champion, and what they are of; `note` says in a sentence which rows these were."""

    evaluation: Evaluation
    classifier: Classifier
    rows: pd.DataFrame
    note: str


def evaluate_classifier(
    classifier: Classifier, rows: pd.DataFrame, label_rows: LabelCounts | None = None
) -> Evaluation:
    """Measure joint decoding and routing on labelled rows.

    Args:
        classifier: what is measured.
        rows: complaints, each with one label or more.
        label_rows: training rows of each label; without it those labels count as rare that the classifier lacks.
    """
    places = classifier.catalogue.municipality_ids(rows["municipality"])
    logits, _ = classifier.logits(rows["text"].tolist(), places)
    return evaluate_logits(classifier, logits, rows, label_rows)


def evaluate_logits(
    classifier: Classifier, logits: Mapping[str, Floats], rows: pd.DataFrame, label_rows: LabelCounts | None = None
) -> Evaluation:
    """Measure joint decoding and routing of logits that are there already, of shape (n, labels of the head)."""
    known, texts = classifier.bundle.labels, rows["text"].tolist()
    places = classifier.catalogue.municipality_ids(rows["municipality"])
    decoder = classifier.decoder
    joint = decoder.joint(logits, places)
    predicted = dict(zip(HEADS, decoder.best(joint).T, strict=True))
    marginals = {head: decoder.confidences(joint, head) for head in HEADS}
    confidence = {head: marginals[head][np.arange(len(rows)), predicted[head]] for head in HEADS}
    labels = label_space(rows, known)
    targets = labels.targets(rows)
    labelled = {head: targets[head] >= 0 for head in HEADS}
    right = {head: predicted[head] == targets[head] for head in HEADS}
    decisions = classifier.decisions(logits, texts, places)
    routed = np.array([item.decision == "route" for item in decisions], dtype=bool)
    return Evaluation(
        labels=labels,
        heads={head: head_metrics(targets[head], marginals[head], predicted[head]) for head in HEADS},
        targets=targets,
        predicted=predicted,
        confidence=confidence,
        calibration_error={
            head: expected_calibration_error(confidence[head][labelled[head]], right[head][labelled[head]])
            for head in HEADS
        },
        uncalibrated_error=_uncalibrated_errors(classifier, logits, places, targets),
        rare={head: _rare(head, labels, known, targets, right, label_rows) for head in HEADS},
        routed=routed,
        routing=routed_figures(routed, right, labelled),
        decisions=decisions,
        promises={
            promise: routed_at(decisions, threshold)
            for promise, threshold in classifier.bundle.calibration.thresholds.items()
        },
    )


def _rare(
    head: str,
    labels: LabelSpace,
    known: LabelSpace,
    targets: Mapping[str, Ints],
    right: Mapping[str, Bools],
    label_rows: LabelCounts | None,
) -> RareLabels:
    counts = None if label_rows is None else label_rows[head]
    rare = rare_rows(targets[head], labels.names[head], counts, len(known.names[head]))
    return RareLabels(int(rare.sum()), float(right[head][rare].mean()) if rare.any() else None)


def _uncalibrated_errors(
    classifier: Classifier, logits: Mapping[str, Floats], places: Sequence[str | None], targets: Mapping[str, Ints]
) -> dict[str, float]:
    """The calibration error of each head if nothing had been fitted to held-out rows."""
    plain = JointDecoder(classifier.bundle.labels, classifier.catalogue)
    joint = plain.joint(logits, places)
    best = plain.best(joint)
    errors = {}
    for column, head in enumerate(HEADS):
        rows = np.flatnonzero(targets[head] >= 0)
        chosen = best[rows, column]
        confidence = plain.marginal(joint, head)[rows, chosen]
        errors[head] = expected_calibration_error(confidence, chosen == targets[head][rows])
    return errors


def evaluate_lexical(train: pd.DataFrame, test: pd.DataFrame) -> Evaluation:
    """TF-IDF + linear SVM: taught every label of the training rows, measured on every label of the test rows."""
    known = label_space(train)
    model = LexicalClassifier(known).fit(train["text"].tolist(), known.targets(train))
    scores = model.scores(test["text"].tolist())
    labels, counts = label_space(test, known), label_counts(train)
    targets = labels.targets(test)
    predicted = {head: scores[head].argmax(axis=1) for head in HEADS}
    right = {head: predicted[head] == targets[head] for head in HEADS}
    return Evaluation(
        labels=labels,
        heads={head: head_metrics(targets[head], scores[head]) for head in HEADS},
        targets=targets,
        predicted=predicted,
        confidence={head: softmax(scores[head], axis=1).max(axis=1) for head in HEADS},
        rare={head: _rare(head, labels, known, targets, right, counts) for head in HEADS},
    )


def evaluate_champion(frame: pd.DataFrame, region: str, registry: Registry) -> ChampionEvaluation:
    """Measure a region's champion on labelled complaints, each on the labels that it has.

    Complaints that it was trained or calibrated on are left out: those of the same id and text.

    Raises:
        NoChampionError, BundleError: there is no usable champion.
        InputError: no row has a label, or the champion has seen every row.
    """
    name = classifier_name(region)
    folder, version = registry.champion_bundle(name)
    classifier = Classifier.load(folder)
    rows = frame[frame[list(HEADS)].notna().any(axis=1)].reset_index(drop=True)
    if rows.empty:
        raise InputError(
            f"evaluation needs complaints with a sector, topic or agency; none of {len(frame)} rows has one: "
            "`tsur import --source` names the map that says in which columns they are"
        )
    rows, seen = held_out(rows, registry, name, version)
    if rows.empty:
        raise InputError(f"version {version} was trained on all {seen} of these complaints: measure it on others")
    note = f"version {version} on {len(rows)} complaints"
    if seen:
        note += f"; {seen} more are left out, because it was trained or calibrated on them"
    note += missing_labels(rows, len(frame) - seen - len(rows))
    return ChampionEvaluation(evaluate_classifier(classifier, rows), classifier, rows, note)


def missing_labels(rows: pd.DataFrame, unlabelled: int = 0) -> str:
    """Which labels the measured rows lack, and how many rows have none at all; nothing where all have theirs."""
    missing = rows[list(HEADS)].isna().sum()
    each = ", ".join(f"{head} in {count}" for head, count in missing.items() if count)
    lacking = f"; measured on the labels there are, missing: {each}" if each else ""
    return lacking + (f"; {unlabelled} rows are left out, because they have no label" if unlabelled else "")


def held_out(frame: pd.DataFrame, registry: Registry, name: str, version: int) -> tuple[pd.DataFrame, int]:
    """Complaints that a registered version was neither trained nor calibrated on, and how many others there were.

    A new complaint may say word for word what an old one said; it is the same one only if its id is the same too.
    Versions of earlier releases know only the texts that they saw.
    """
    from training.classifier.splits import SPLITS, complaint_keys, text_keys

    splits = json.loads(registry.run_artifact(name, version, SPLITS))
    learnt = [*splits["train"], *splits.get("validation", [])]
    seen = np.isin(complaint_keys(frame), learnt) | np.isin(text_keys(frame["text"]), learnt)
    return frame[~seen].reset_index(drop=True), int(seen.sum())
