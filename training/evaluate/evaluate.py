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
from models.classifier.decoding import Floats
from models.classifier.labels import HEADS, Ints, LabelSpace
from models.classifier.routing import Classification
from registry.client import Registry
from registry.names import classifier_name
from training.evaluate.label_space import label_counts, label_space, rare_rows
from training.evaluate.metrics import HeadMetrics, expected_calibration_error, head_metrics
from training.evaluate.predictions import Predictions, predictions_of
from training.evaluate.routed import Bools, RoutedFigures, routed_figures, sure_topics
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
        sure = sure_topics(self.decisions) if self.decisions else None
        return routed_figures(self.promises[promise], right, labelled, sure)

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
        label_rows: training rows of each label; without it as many as the bundle counted.
    """
    places = classifier.catalogue.municipality_ids(rows["municipality"])
    logits, _ = classifier.logits(rows["text"].tolist(), places)
    return evaluate_predictions(predictions_of(classifier, logits, rows), classifier.bundle.labels, rows, label_rows)


def evaluate_predictions(
    predictions: Predictions, known: LabelSpace, rows: pd.DataFrame, label_rows: LabelCounts | None = None
) -> Evaluation:
    """Judge what was said of labelled rows; `known` are the labels of the classifier that said it."""
    labels = label_space(rows, known)
    targets = labels.targets(rows)
    labelled = {head: targets[head] >= 0 for head in HEADS}
    right = {head: predictions.predicted[head] == targets[head] for head in HEADS}

    def calibration_error(head: str, confidence: Floats, predicted: Ints) -> float:
        chosen = labelled[head]
        return expected_calibration_error(confidence[chosen], (predicted == targets[head])[chosen])

    confidence, routed = predictions.confidence, predictions.routed
    predicted, scores = predictions.predicted, predictions.scores
    plain_confidence, plain_predicted = predictions.plain_confidence, predictions.plain_predicted
    counts = label_rows or _counts_of(known)
    return Evaluation(
        labels=labels,
        heads={head: head_metrics(targets[head], scores[head], predicted[head]) for head in HEADS},
        targets=targets,
        predicted=predicted,
        confidence=confidence,
        calibration_error={head: calibration_error(head, confidence[head], predicted[head]) for head in HEADS},
        uncalibrated_error={
            head: calibration_error(head, plain_confidence[head], plain_predicted[head]) for head in HEADS
        },
        rare={head: _rare(head, labels, known, targets, right, counts) for head in HEADS},
        routed=routed,
        routing=routed_figures(routed, right, labelled, sure_topics(predictions.decisions)),
        decisions=predictions.decisions,
        promises=predictions.promises,
    )


def _counts_of(known: LabelSpace) -> LabelCounts | None:
    """Training rows of each label, where the bundle counted them."""
    if not known.rows:
        return None
    return {head: dict(zip(known.names[head], known.rows[head], strict=True)) for head in HEADS}


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


def evaluate_lexical(train: pd.DataFrame, test: pd.DataFrame) -> Evaluation:
    """TF-IDF + linear SVM: taught every label of the training rows, measured on every label of the test rows."""
    known = label_space(train)
    model = LexicalClassifier(known).fit(train["text"].tolist(), known.targets(train))
    return evaluate_scores(model.scores(test["text"].tolist()), known, test, label_counts(train))


def evaluate_scores(
    scores: Mapping[str, Floats], known: LabelSpace, rows: pd.DataFrame, label_rows: LabelCounts | None = None
) -> Evaluation:
    """Judge bare scores of the labels in `known`, shape (n, labels): the highest is the answer, nothing is routed."""
    labels, counts = label_space(rows, known), label_rows or _counts_of(known)
    targets = labels.targets(rows)
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
    learnt = seen_by(rows, registry, name, version)
    rows, seen = rows[~learnt].reset_index(drop=True), int(learnt.sum())
    if rows.empty:
        raise InputError(
            f"version {version} was trained on all {seen} of these complaints: measure it on others, or train with "
            "--set holdout=0.2 to keep a fifth of them back"
        )
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


def seen_by(frame: pd.DataFrame, registry: Registry, name: str, version: int) -> Bools:
    """Which complaints a registered version or its encoder was trained or calibrated on, shape (n,).

    A new complaint may say word for word what an old one said; it is the same one only if its id is the same too.
    Versions of earlier releases know only the texts that they saw, and calibrated on rows of their own.
    """
    from training.classifier.encoder_rows import rows_of_run
    from training.classifier.splits import SPLITS, complaint_keys, text_keys

    splits = json.loads(registry.run_artifact(name, version, SPLITS))
    learnt = [*splits["train"], *splits.get("validation", []), *rows_of_run(name, version, registry)]
    return np.isin(complaint_keys(frame), learnt) | np.isin(text_keys(frame["text"]), learnt)
