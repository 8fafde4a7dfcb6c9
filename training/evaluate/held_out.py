"""Figures of rows held out in turn: each is judged by a fit, and by a calibration, that had not seen it.

In: a calibrated classifier fitted on all rows, and the logits that fits without them gave rows held out. Out: an
`Evaluation` as of rows that were kept back: for each part of the rows scaling and thresholds are fitted on the others.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS, LabelSpace
from models.classifier.out_of_vocabulary import known_beginnings
from training.classifier.calibrate import calibrate
from training.classifier.held_out_rows import HeldOut, unseen_rows
from training.evaluate.evaluate import Evaluation, evaluate_predictions, evaluate_scores
from training.evaluate.predictions import predictions_of, put_together
from training.evaluate.tfidf_svm import LexicalClassifier


def evaluate_held_out(classifier: Classifier, taught: pd.DataFrame, held_out: HeldOut) -> Evaluation:
    """Measure the fits on the rows that they had not seen; `taught` are the rows that the classifier was fitted on.

    The agencies' places and the known words are counted without the fold that is judged, and its confidences scaled,
    and thresholds chosen, by the other folds. Only the weights of the joint decoding are of all rows held out.
    """
    bundle = classifier.bundle
    folds = unseen_rows(taught, bundle.labels, bundle.catalogue, held_out)
    if len(folds) == 1:
        folds = folds[0].halves()
    predictions = []
    for judged in folds:
        others = [fold for fold in folds if fold is not judged]
        promised, weights = bundle.calibration.promised_precision, bundle.calibration.weights
        words = known_beginnings(taught["text"].iloc[judged.seen].tolist())
        of_others = replace(
            bundle,
            calibration=calibrate(classifier, others, promised, weights=weights),
            topic_agency_pmi=judged.pmi,
            out_of_vocabulary=bundle.out_of_vocabulary.model_copy(update={"beginnings": words}),
        )
        of_fold = predictions_of(Classifier(of_others, classifier.encoders), judged.logits, judged.frame)
        predictions.append((judged.positions, of_fold))
    rows = taught.iloc[held_out.rows].reset_index(drop=True)
    return evaluate_predictions(put_together(predictions), bundle.labels, rows)


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
