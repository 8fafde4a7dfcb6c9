"""The project's own classifier as a contender: fitted, calibrated and decoded as `tsur train classifier` does.

In: a fold and the arguments of training that differ from `configs/classifier.yaml`. Out: calibrated
probabilities of each head, shape (test rows, labels). A tenth of the training rows calibrates. Rare
labels are «Прочее» in training, as in the product; its share is left out of the scores.
"""

import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.results import console
from data.catalogue import draft_catalogue
from data.settings import settings
from models.classifier import Classifier
from models.decoding import Floats
from models.labels import HEADS, OTHER, LabelSpace
from training.arguments import ClassifierTraining
from training.splits import split_off
from training.train_classifier import fit_bundle


def tuned(fold: Any, recipe: Mapping[str, Any]) -> dict[str, Floats]:
    """Train on nine tenths of the fold's training rows, calibrate on the last, score the test rows."""
    corpus = fold.corpus
    arguments = ClassifierTraining(**recipe)
    frame = corpus.frame.iloc[fold.train].reset_index(drop=True)
    rest, part = split_off(frame, arguments.validation_share, arguments.seed)
    train, validation = frame.iloc[rest], frame.iloc[part]
    names = {head: (*corpus.labels.names[head], OTHER) for head in HEADS}
    work = corpus.work / f"tuned-{fold.number}"
    shutil.rmtree(work / "bundle", ignore_errors=True)
    work.mkdir(exist_ok=True)
    catalogue = draft_catalogue(frame if not arguments.epochs else train, region="")
    fitted = (train, validation), LabelSpace(names), catalogue, arguments, corpus.fingerprint
    bundle = fit_bundle(*fitted, work, settings().home, console.print)
    scores = probabilities(Classifier.load(bundle), corpus.frame.iloc[fold.test]["text"].tolist())
    shutil.rmtree(work)
    return scores


def probabilities(classifier: Classifier, texts: list[str]) -> dict[str, Floats]:
    """What the joint decoding gives each label, shape (n, labels), among the labels that are no «Прочее»."""
    places: list[str | None] = [None] * len(texts)
    logits, _ = classifier.logits(texts, places)
    joint = classifier.decoder.joint(logits, places)
    out = {}
    for head in HEADS:
        known = [name != OTHER for name in classifier.parts.labels.names[head]]
        shares = classifier.decoder.marginal(joint, head)[:, known]
        out[head] = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-12)
    return out
