"""What a new region can do with few labelled complaints: words alone, an encoder as it comes, an adapted one.

In: texts and, for encoders, their vectors; topics of the rows that teach. Out: a topic for each row that judges. Each
topic's name in the catalogue stands beside the rows as one more of its complaints, for all alike: with no rows it is
all there is.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.adaptation.few_shot import Floats, Labels
from benchmarks.frozen_vectors import exported, read
from models.encoder.source import PACKAGED


def vectors_of(artifact: Path, texts: Sequence[str]) -> Floats:
    """Mean-pooled vectors by the fp32 graph of an encoder's artifact, shape (texts, width)."""
    return read(artifact, texts, "fp32")


def as_it_comes(work: Path) -> Path:
    """The packaged encoder as an artifact, made the way an adapted one is."""
    return exported(PACKAGED, work / "as-it-comes")


def by_words(taught: Sequence[str], topics: Labels, judged: Sequence[str]) -> Labels:
    """TF-IDF of words and letters, a linear SVM."""
    from training.evaluate.tfidf_svm import lexical_features

    features = lexical_features().fit(taught)
    return _by_machine(features.transform(taught), topics, features.transform(judged))


def by_vectors(taught: Floats, topics: Labels, judged: Floats) -> Labels:
    """The nearest prototype: cosine to the mean of each topic's standardised vectors (Snell et al. 2017)."""
    mean, deviation = taught.mean(axis=0), taught.std(axis=0) + 1e-6
    rows, asked = (_unit((vectors - mean) / deviation) for vectors in (taught, judged))
    names = np.unique(topics)
    prototypes = _unit(np.stack([rows[topics == name].mean(axis=0) for name in names]))
    nearest: Labels = names[np.argmax(asked @ prototypes.T, axis=1)]
    return nearest


def by_words_and_vectors(
    taught: Sequence[str], of_taught: Floats, topics: Labels, judged: Sequence[str], of_judged: Floats
) -> Labels:
    """A linear SVM on TF-IDF and the encoder's standardised vectors side by side."""
    from scipy.sparse import csr_matrix, hstack

    from training.evaluate.tfidf_svm import lexical_features

    features = lexical_features().fit(taught)
    mean, scale = of_taught.mean(axis=0), (of_taught.std(axis=0) + 1e-6) * np.sqrt(of_taught.shape[1])
    rows, asked = (
        hstack([features.transform(texts), csr_matrix((vectors - mean) / scale)]).tocsr()
        for texts, vectors in ((taught, of_taught), (judged, of_judged))
    )
    return _by_machine(rows, topics, asked)


def _by_machine(rows: Any, topics: Labels, asked: Any) -> Labels:
    """A linear SVM's answers; features are sparse matrices of shapes (taught, features) and (judged, features)."""
    from sklearn.svm import LinearSVC

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that there are many topics for so few rows
        predicted: Labels = LinearSVC(C=0.5, random_state=0).fit(rows, topics).predict(asked)
    return predicted


def _unit(vectors: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-9)
