"""Figures of rows held out in turn: each is judged by a fit, and by a calibration, that had not seen it.

In: a calibrated classifier fitted on all rows, and the logits that fits without them gave rows held out. Out: an
`Evaluation` as of rows that were kept back: for each part of the rows scaling and thresholds are fitted on the others.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS, Ints, LabelSpace
from models.classifier.out_of_vocabulary import known_beginnings
from models.classifier.topic_agency_pmi import count_topic_agency
from training.classifier.calibrate import calibrate
from training.classifier.held_out_rows import HeldOut
from training.evaluate.evaluate import Evaluation, evaluate_predictions, evaluate_scores
from training.evaluate.predictions import predictions_of, put_together
from training.evaluate.tfidf_svm import LexicalClassifier


def evaluate_held_out(classifier: Classifier, taught: pd.DataFrame, held_out: HeldOut) -> Evaluation:
    """Measure the fits on the rows that they had not seen; `taught` are the rows that the classifier was fitted on.

    The agencies' places and the known words are counted without the part that is judged, and its confidences scaled,
    and thresholds chosen, by the other parts. Only the four weights of the joint decoding are of all rows held out.
    """
    labels, rows = classifier.bundle.labels, taught.iloc[held_out.rows].reset_index(drop=True)
    places = classifier.catalogue.municipality_ids(taught["municipality"])
    targets = labels.targets(taught)
    parts, predictions = _parts(held_out), []
    for part in np.unique(parts):
        here, others = np.flatnonzero(parts == part), np.flatnonzero(parts != part)
        calibration = calibrate(
            classifier,
            rows.iloc[others],
            classifier.bundle.calibration.promised_precision,
            {head: held_out.logits[head][others] for head in HEADS},
            weights=classifier.bundle.calibration.weights,
        )
        counted = np.setdiff1d(np.arange(len(taught)), held_out.rows[here])
        pmi = count_topic_agency(
            labels,
            {head: of_head[counted] for head, of_head in targets.items()},
            [places[row] for row in counted.tolist()],
        )
        words = known_beginnings(taught["text"].iloc[counted].tolist())
        bundle = replace(
            classifier.bundle,
            calibration=calibration,
            topic_agency_pmi=pmi,
            out_of_vocabulary=classifier.bundle.out_of_vocabulary.model_copy(update={"beginnings": words}),
        )
        logits = {head: held_out.logits[head][here] for head in HEADS}
        of_part = predictions_of(Classifier(bundle, classifier.encoders), logits, rows.iloc[here])
        predictions.append((here, of_part))
    return evaluate_predictions(put_together(predictions), labels, rows)


def evaluate_lexical_held_out(labels: LabelSpace, taught: pd.DataFrame, held_out: HeldOut) -> Evaluation:
    """TF-IDF + linear SVM, fitted without each fold in turn, measured on the same rows."""
    rows = taught.iloc[held_out.rows].reset_index(drop=True)
    texts, targets = taught["text"].to_numpy(), labels.targets(taught)
    scores = {head: np.zeros((len(rows), len(labels.names[head]))) for head in HEADS}
    for fold in np.unique(held_out.folds):
        here = held_out.folds == fold
        rest = np.ones(len(taught), dtype=bool)
        rest[held_out.rows[here]] = False
        model = LexicalClassifier(labels).fit(texts[rest].tolist(), {head: targets[head][rest] for head in HEADS})
        for head, of_head in model.scores(texts[held_out.rows[here]].tolist()).items():
            scores[head][here] = of_head
    return evaluate_scores(scores, labels, rows)


def _parts(held_out: HeldOut) -> Ints:
    """The part of each row, shape (n,): its fold, or one of two halves where one fold was held out."""
    if len(np.unique(held_out.folds)) > 1:
        return held_out.folds
    drawn: Ints = np.random.default_rng(0).permutation(len(held_out.rows)) % 2
    return drawn
