"""Figures of rows held out in turn: each is judged by a fit, and by a calibration, that had not seen it.

In: a calibrated classifier fitted on all rows, and the logits that fits without them gave rows held out. Out: an
`Evaluation` as of rows that were kept back: for each part of the rows the calibration is fitted anew on the others, and
nothing that was counted on all rows (which agency answers for what, which words are known) is counted on that part.
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

PARTS = 5
"""Of the rows held out: four fifths of them fit each calibration, next to all that the bundle has."""


def evaluate_held_out(classifier: Classifier, taught: pd.DataFrame, held_out: HeldOut) -> Evaluation:
    """Measure the fits on the rows that they had not seen; `taught` are the rows that the classifier was fitted on."""
    rows = taught.iloc[held_out.rows].reset_index(drop=True)
    parts = _parts(len(rows))
    predictions = []
    for part in range(PARTS):
        here, others = np.flatnonzero(parts == part), np.flatnonzero(parts != part)
        if not len(here):
            continue
        without = _without(classifier, taught, held_out.rows[here])
        logits_of_others = {head: held_out.logits[head][others] for head in HEADS}
        promised = classifier.bundle.calibration.promised_precision
        calibration = calibrate(without, rows.iloc[others], promised, logits_of_others)
        of_part = Classifier(replace(without.bundle, calibration=calibration), classifier.encoders)
        logits = {head: held_out.logits[head][here] for head in HEADS}
        predictions.append((here, predictions_of(of_part, logits, rows.iloc[here])))
    return evaluate_predictions(put_together(predictions), classifier.bundle.labels, rows)


def _without(classifier: Classifier, taught: pd.DataFrame, judged: Ints) -> Classifier:
    """The classifier as it were if some of the rows it was taught had not been counted."""
    bundle = classifier.bundle
    others = taught.drop(index=taught.index[judged])
    vocabulary = {"beginnings": known_beginnings(others["text"].tolist())}
    counted = replace(
        bundle,
        topic_agency_pmi=count_topic_agency(bundle.labels, bundle.labels.targets(others)),
        out_of_vocabulary=bundle.out_of_vocabulary.model_copy(update=vocabulary),
    )
    return Classifier(counted, classifier.encoders)


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


def _parts(rows: int) -> Ints:
    """The part of each row, shape (n,): drawn, so that a part is no span of time."""
    drawn: Ints = np.random.default_rng(0).permutation(rows) % PARTS
    return drawn
