"""The complaints of the benchmark with their vectors, and what a classifier says that some topics were kept from.

In: the bundled sample and the corpora of the real data. Out: a `Material`, and for each of its complaints a topic and
the confidence in it. To be affordable, the encoder stays frozen and a linear head on its vectors, fitted without each
complaint and without the topics left out, stands for the classifier: it is weaker than the product, which reads
n-grams too.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.classifier_quality.corpus import TIMEZONE, Corpus, load_corpus
from benchmarks.emerging_topics.rivals import Bools, Floats, Ints
from benchmarks.frozen_vectors import frozen_vectors
from benchmarks.results import real_data
from models.classifier.labels import LabelSpace
from models.topics.scan_statistic import topic_metric
from training.classifier.splits import fingerprint

SIZES = (8, 15, 25)
"""Complaints on a left-out topic that are put into the last days."""
KNOWN_ROWS = 5
"""Rows from which a topic is taught; rarer ones stay in the stream as complaints that fit no topic."""
FOLDS = 5
TEMPERATURES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0)
PRIOR_ROWS = 3.0


@dataclass(frozen=True)
class Material:
    """A corpus with vectors; `tuning` topics may be chosen on, `reported` ones not; `days` of the region."""

    name: str
    texts: list[str]
    topics: Ints
    vectors: Floats
    tuning: list[int]
    reported: list[int]
    fingerprint: str
    days: "pd.Series[pd.Timestamp]"


def load_material(name: str, topics: int) -> Material:
    """A corpus' texts, vectors and topics; the largest topics in turn for tuning and for the report."""
    corpus = sample_corpus() if name == "sample" else load_corpus(real_data() / "text" / f"{name}.csv")
    vectors = frozen_vectors(corpus.frame["text"].tolist())
    codes, names = pd.factorize(corpus.frame["topic"])
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    large = [int(topic) for topic in np.argsort(-counts, kind="stable") if counts[topic] >= SIZES[0]]
    tuning = [] if name == "ryazan" else large[::2][:topics]
    reported = (large if name == "ryazan" else large[1::2])[:topics]
    standard = (vectors - vectors.mean(axis=0)) / (vectors.std(axis=0) + 1e-6)
    texts, days = corpus.frame["text"].tolist(), _days(corpus.frame["created_at"])
    return Material(name, texts, codes, standard, tuning, reported, corpus.fingerprint, days)


def _days(moments: "pd.Series[pd.Timestamp]") -> "pd.Series[pd.Timestamp]":
    return moments.dt.tz_convert(TIMEZONE).dt.tz_localize(None).dt.normalize()


def sample_corpus() -> Corpus:
    """The bundled sample."""
    from data.settings import settings
    from tsur.samples import sample_complaints

    frame = sample_complaints()
    key = fingerprint(frame)
    work = settings().home / "benchmarks" / "classifier_quality" / f"sample-{key}"
    work.mkdir(parents=True, exist_ok=True)
    return Corpus("sample", frame, LabelSpace({}), {}, key, work)


def said(material: Material, left_out: list[int], taught: Bools | None = None) -> tuple[Ints, Floats]:
    """The topic named for each complaint and the confidence in it, by heads fitted without it and without some topics.

    Heads: the nearest topic mean under the scatter inside topics (linear discriminant analysis), one temperature.

    Args:
        material: the complaints.
        left_out: topics that the heads do not know.
        taught: complaints that may teach, shape (n,); all, if not given.
    """
    of_topic = material.topics if taught is None else np.where(taught, material.topics, -1)
    counts = np.bincount(of_topic[of_topic >= 0], minlength=material.topics.max() + 1)
    in_training = np.isin(of_topic, np.flatnonzero(counts >= KNOWN_ROWS)) & ~np.isin(of_topic, left_out)
    folds = np.random.default_rng(0).integers(0, FOLDS, len(in_training))
    logits = np.full((len(in_training), len(counts)), -np.inf)
    for fold in range(FOLDS):
        train, test = in_training & (folds != fold), folds == fold
        metric = topic_metric(material.vectors[train], material.topics[train])
        placed = material.vectors[test] @ metric
        for topic in np.unique(material.topics[train]):
            rows = train & (material.topics == topic)
            mean = material.vectors[rows].mean(axis=0) @ metric * rows.sum() / (rows.sum() + PRIOR_ROWS)
            logits[test, topic] = placed @ mean - mean @ mean / 2 + np.log(rows.sum() / train.sum())
    best = min(TEMPERATURES, key=lambda t: _loss(logits[in_training] * t, material.topics[in_training]))
    chances = _softmax(logits * best)
    return chances.argmax(axis=1), chances.max(axis=1)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances: Floats = powers / powers.sum(axis=1, keepdims=True)
    return chances


def _loss(logits: Floats, truth: Ints) -> float:
    chances = _softmax(logits)[np.arange(len(truth)), truth]
    return -float(np.log(np.maximum(chances, 1e-12)).mean())
