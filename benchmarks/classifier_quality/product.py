"""The project's own classifier as a candidate: fitted, calibrated and decoded as `tsur train classifier` does.

In: a fold and the arguments of training that differ from `configs/classifier.yaml`. Out: calibrated
probabilities of each head, shape (test rows, labels). A tenth of the training rows calibrates. Rare
labels are «Прочее» in training, as in the product; its share is left out of the scores.
"""

import shutil
from collections.abc import Mapping

import numpy as np

from benchmarks.classifier_quality.corpus import Fold, Recipe, Scores, recipe_hash
from benchmarks.results import console
from data.settings import settings
from models.classifier.classifier import Classifier
from models.classifier.decoding import Floats, JointDecoder
from models.classifier.explanation import deletion_test
from models.classifier.labels import HEADS, OTHER, LabelSpace
from training.arguments import ClassifierTraining
from training.classifier.train import fit_bundle, prepare

EXPLAINED = 10
"""Texts of each fold that the deletion test reads."""


def product(fold: Fold, recipe: Recipe) -> Scores:
    """Train on the fold's training rows as the product does, score the test rows.

    Beside each head's scores stand those of the uncalibrated decoding, `uncalibrated.HEAD`, and the figures of
    the deletion test, `deletion`, shape (2,): the fall of the confidence without the top words, and without
    as many random ones.
    """
    corpus = fold.corpus
    arguments = ClassifierTraining(**recipe["arguments"])
    frame = corpus.frame.iloc[fold.train].reset_index(drop=True)
    work = corpus.work / f"product-{recipe_hash(recipe['arguments'])}-{fold.number}"
    work.mkdir(exist_ok=True)  # what a killed run has fitted is there
    labels = LabelSpace({head: corpus.labels.names[head] for head in HEADS})
    job = prepare(frame, None, arguments)
    bundle = fit_bundle(job, labels, work, settings().home, console.print).folder
    classifier = Classifier.load(bundle)
    texts = corpus.frame.iloc[fold.test]["text"].tolist()
    logits, _ = classifier.logits(texts, [None] * len(texts))
    plain = JointDecoder(classifier.bundle.labels, classifier.catalogue)
    scores = probabilities(classifier.decoder, logits)
    scores |= {f"uncalibrated.{head}": shares for head, shares in probabilities(plain, logits).items()}
    deletion = deletion_test(classifier, texts[:EXPLAINED], [None] * EXPLAINED)
    shutil.rmtree(work)
    return scores | {"deletion": np.array([deletion.top, deletion.random])}


def probabilities(decoder: JointDecoder, logits: Mapping[str, Floats]) -> dict[str, Floats]:
    """What the joint decoding gives each label, shape (n, labels), among the labels that are no «Прочее»."""
    joint = decoder.joint(logits, [None] * len(logits[HEADS[0]]))
    out = {}
    for head in HEADS:
        real = [name != OTHER for name in decoder.labels.names[head]]
        shares = decoder.marginal(joint, head)[:, real]
        out[head] = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-12)
    return out
