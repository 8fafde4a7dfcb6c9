"""Figures of a classifier on held-out rows, for each head, whoever made the predictions.

In: label names, true indices of shape (n,), -100 where unknown, and scores of shape (n, labels).
Out: accuracy, macro-F1, weighted F1 and top-3 accuracy; a frame per label; a confusion matrix.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.labels import Ints

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class HeadMetrics:
    """One head's figures; all lie in [0, 1]."""

    rows: int
    accuracy: float
    macro_f1: float
    weighted_f1: float
    top3: float


def head_metrics(targets: Ints, scores: Floats, predicted: Ints | None = None) -> HeadMetrics:
    """Figures of one head over the rows with a known label.

    Macro-F1 is over the labels present in the targets. `predicted` defaults to the best score.
    """
    from sklearn.metrics import accuracy_score, f1_score

    known = targets >= 0
    truth, scores = targets[known], scores[known]
    answer = scores.argmax(axis=1) if predicted is None else predicted[known]
    present = np.unique(truth)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    return HeadMetrics(
        rows=int(known.sum()),
        accuracy=float(accuracy_score(truth, answer)),
        macro_f1=float(f1_score(truth, answer, labels=present, average="macro", zero_division=0)),
        weighted_f1=float(f1_score(truth, answer, labels=present, average="weighted", zero_division=0)),
        top3=float((best == truth[:, None]).any(axis=1).mean()),
    )


def label_report(names: Sequence[str], targets: Ints, predicted: Ints) -> pd.DataFrame:
    """Columns `label, precision, recall, f1, rows`, most frequent label first."""
    from sklearn.metrics import precision_recall_fscore_support

    known = targets >= 0
    present = np.unique(targets[known])
    precision, recall, f1, rows = precision_recall_fscore_support(
        targets[known], predicted[known], labels=present, zero_division=0
    )
    frame = pd.DataFrame(
        {
            "label": [names[i] for i in present],
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "rows": rows,
        }
    )
    return frame.sort_values("rows", ascending=False, ignore_index=True)


def confusions(names: Sequence[str], targets: Ints, predicted: Ints) -> pd.DataFrame:
    """The confusion matrix as a frame: true labels in rows, predicted in columns, counts."""
    from sklearn.metrics import confusion_matrix

    known = targets >= 0
    used = np.unique(np.concatenate([targets[known], predicted[known]]))
    matrix = confusion_matrix(targets[known], predicted[known], labels=used)
    labels = [names[i] for i in used]
    return pd.DataFrame(matrix, index=labels, columns=labels)
