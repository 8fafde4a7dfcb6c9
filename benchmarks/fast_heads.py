"""Classifiers that are fitted in a second: heads alone on frozen features, for benchmarks that need hundreds of them.

In: texts, read once. Out: features, shape (n, width): the packaged encoder's vectors, standardised, beside the leading
directions of TF-IDF; no label is looked at. A `FastClassifier` is a ridge regression of one-hot labels a head, solved
directly; what it says of each taught row without that row (leave one out) is exact and free, and calibrates it. It has
no joint decoding and no rare labels: what compares two of them compares what they were taught.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import log_softmax, softmax

from benchmarks.adaptation.rivals import MAX_TOKENS, PREFIX, READ_AT_ONCE, as_it_comes
from benchmarks.results import console
from data.atomic import atomic_file
from data.complaints.schema import LABELS
from data.settings import settings
from models.encoder.artifact import encoder_files
from models.encoder.fastest import multiplies_int8
from models.encoder.onnx_runtime import Encoders
from models.text.model_input import normalised_text
from training.classifier.calibrate import fit_threshold
from training.retrain.answers import Answers

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]
DIRECTIONS = 256
"""Of TF-IDF: more gained nothing on the sample."""
RIDGE = 30.0
"""Penalty, in rows."""
SHARPNESS = np.exp(np.linspace(0, 5, 26))
"""By which scores in [0, 1] may be multiplied to become log-probabilities."""


def frozen_features(texts: Sequence[str]) -> Floats:
    """Features of texts, shape (n, width); vectors are remembered in the home, by a hash of all texts."""
    plain = [normalised_text(text) for text in texts]
    work = settings().home / "benchmarks" / "fast_heads"
    key = hashlib.sha256("\n".join(plain).encode()).hexdigest()[:16]
    path = work / f"{key}.npy"
    if not path.exists():
        read = _read(as_it_comes(_made(work)), plain)
        with atomic_file(path) as partial, partial.open("wb") as file:
            np.save(file, read)
    vectors = np.load(path)
    words = _directions(plain)
    return np.hstack([_standard(vectors), _standard(words) * np.sqrt(vectors.shape[1] / words.shape[1])])


def word_features(texts: Sequence[str]) -> Floats:
    """Features without the encoder, shape (n, width): the leading directions of TF-IDF alone."""
    return _standard(_directions([normalised_text(text) for text in texts]))


def _read(artifact: Path, texts: Sequence[str]) -> Floats:
    """The encoder's vectors as they are served, shape (n, hidden)."""
    encoder = Encoders(cached=0).load(encoder_files(artifact, "int8" if multiplies_int8() else "fp32"))
    parts = []
    for start in range(0, len(texts), READ_AT_ONCE):
        console.print(f"reading text {start} of {len(texts)}")
        with encoder.reading([PREFIX + text for text in texts[start : start + READ_AT_ONCE]], MAX_TOKENS) as finish:
            parts.append(finish().values)
    return np.concatenate(parts)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _directions(texts: Sequence[str]) -> Floats:
    from sklearn.decomposition import TruncatedSVD

    from training.evaluate.tfidf_svm import lexical_features

    counts = lexical_features().fit_transform(texts)
    directions: Floats = TruncatedSVD(min(DIRECTIONS, counts.shape[1] - 1), random_state=0).fit_transform(counts)
    return directions


def _standard(values: Floats) -> Floats:
    standard: Floats = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-6)
    return standard


@dataclass(frozen=True)
class FastClassifier:
    """Heads on frozen features.

    Attributes:
        names: of each head its labels, in the order of the columns.
        weights: of each head, shape (width + 1, labels); the last row is the bias.
        sharpness: of each head, what scores are multiplied by.
        threshold: on the agency's confidence, above which a row is routed.
    """

    names: Mapping[str, npt.NDArray[np.object_]]
    weights: Mapping[str, Floats]
    sharpness: Mapping[str, float]
    threshold: float

    def scores(self, features: Floats, head: str) -> Floats:
        """Scores of a head's labels, shape (n, labels)."""
        return _with_bias(features) @ self.weights[head]

    def probabilities(self, features: Floats, head: str) -> Floats:
        """Calibrated probabilities of a head's labels, shape (n, labels)."""
        of_labels: Floats = softmax(self.sharpness[head] * self.scores(features, head), axis=1)
        return of_labels

    def answers(self, features: Floats) -> Answers:
        """What it says of rows, as the gate reads it."""
        given, confidence = {}, {}
        for head in LABELS:
            probabilities = self.probabilities(features, head)
            given[head] = self.names[head][probabilities.argmax(axis=1)]
            confidence[head] = probabilities.max(axis=1)
        return Answers(given, confidence, confidence["agency"] >= self.threshold)


def fit_fast(features: Floats, rows: pd.DataFrame, promised: float = 0.95) -> FastClassifier:
    """Fit on rows (columns `sector, topic, agency`) and their features, shape (n, width)."""
    names, weights, sharpness, threshold = {}, {}, {}, 2.0
    for head in LABELS:
        known = rows[head].notna().to_numpy()
        names[head], targets = np.unique(rows[head].to_numpy(dtype=object)[known], return_inverse=True)
        weights[head], left_out = ridge(features[known], targets, len(names[head]))
        losses = [-log_softmax(s * left_out, axis=1)[np.arange(len(targets)), targets].mean() for s in SHARPNESS]
        sharpness[head] = float(SHARPNESS[int(np.argmin(losses))])
        if head == "agency":
            sure = softmax(sharpness[head] * left_out, axis=1)
            threshold = fit_threshold(sure.max(axis=1), sure.argmax(axis=1) == targets, promised).value
    return FastClassifier(names, weights, sharpness, threshold)


def ridge(features: Floats, targets: Ints, labels: int) -> tuple[Floats, Floats]:
    """Weights, shape (width + 1, labels), and each row's scores by all other rows, shape (n, labels)."""
    design = _with_bias(features).astype(np.float64)
    wanted = np.eye(labels)[targets]
    penalty = RIDGE * np.eye(design.shape[1])
    penalty[-1, -1] = 1e-6
    inverse = np.linalg.inv(design.T @ design / design.shape[1] + penalty) / design.shape[1]
    weights = inverse @ (design.T @ wanted)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)[:, None]
    fitted = design @ weights
    return weights, (fitted - leverage * wanted) / np.maximum(1 - leverage, 1e-6)


def _with_bias(features: Floats) -> Floats:
    return np.hstack([features, np.ones((len(features), 1))])
