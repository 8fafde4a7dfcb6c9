"""Figures of a classifier on held-out rows, for each head, whoever made the predictions.

In: label names, true indices of shape (n,), -100 where there is no label, and scores of shape (n, labels).
Out: accuracy, macro-F1, weighted F1 and top-3 accuracy; a frame per label; a confusion matrix.
From confidences and whether they came true, both of shape (n,): risk–coverage and reliability.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.classifier.labels import Ints

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]
BINS = 15
"""As Guo et al. 2017 (arXiv:1706.04599) and most after them."""


@dataclass(frozen=True)
class HeadMetrics:
    """One head's figures; all lie in [0, 1], and are NaN where no row has the head's label."""

    rows: int
    accuracy: float
    macro_f1: float
    weighted_f1: float
    top3: float


def head_metrics(targets: Ints, scores: Floats, predicted: Ints | None = None) -> HeadMetrics:
    """Figures of one head over the rows that have its label.

    Macro-F1 is over the labels present in the targets. `predicted` defaults to the best score. A target beyond the
    columns of the scores is a label that the model does not know: no answer is right there.
    """
    from sklearn.metrics import accuracy_score, f1_score

    labelled = targets >= 0
    if not labelled.any():
        return HeadMetrics(0, *[float("nan")] * 4)
    truth, scores = targets[labelled], scores[labelled]
    answer = scores.argmax(axis=1) if predicted is None else predicted[labelled]
    present = np.unique(truth)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    return HeadMetrics(
        rows=int(labelled.sum()),
        accuracy=float(accuracy_score(truth, answer)),
        macro_f1=float(f1_score(truth, answer, labels=present, average="macro", zero_division=0)),
        weighted_f1=float(f1_score(truth, answer, labels=present, average="weighted", zero_division=0)),
        top3=float((best == truth[:, None]).any(axis=1).mean()),
    )


def label_report(names: Sequence[str], targets: Ints, predicted: Ints) -> pd.DataFrame:
    """Columns `label, precision, recall, f1, rows`, most frequent label first."""
    from sklearn.metrics import precision_recall_fscore_support

    labelled = targets >= 0
    present = np.unique(targets[labelled])
    precision, recall, f1, rows = precision_recall_fscore_support(
        targets[labelled], predicted[labelled], labels=present, zero_division=0
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

    labelled = targets >= 0
    used = np.unique(np.concatenate([targets[labelled], predicted[labelled]]))
    matrix = confusion_matrix(targets[labelled], predicted[labelled], labels=used)
    labels = [names[i] for i in used]
    return pd.DataFrame(matrix, index=labels, columns=labels)


def worst_labels(report: pd.DataFrame, confused: pd.DataFrame, least_rows: int = 5, count: int = 10) -> pd.DataFrame:
    """The labels with the lowest F1 among those with enough rows, and what they are mostly taken for.

    `report` is from `label_report`, `confused` from `confused_pairs`; adds the column `taken for`.
    """
    worst = report[report["rows"] >= least_rows].sort_values(["f1", "rows"], ascending=[True, False]).head(count)
    mostly = confused.drop_duplicates("true").set_index("true")
    taken = [
        f"{mostly['predicted'][name]} ({mostly['rows'][name]})" if name in mostly.index else "" for name in worst.label
    ]
    return worst.assign(**{"taken for": taken}).reset_index(drop=True)


def confused_pairs(matrix: pd.DataFrame) -> pd.DataFrame:
    """Columns `true, predicted, rows, share`: wrong pairs, most frequent first; `share` is of the true label's rows."""
    counts = matrix.to_numpy()
    true, predicted = np.nonzero(counts * (1 - np.eye(len(counts), dtype=counts.dtype)))
    frame = pd.DataFrame(
        {
            "true": matrix.index[true],
            "predicted": matrix.columns[predicted],
            "rows": counts[true, predicted],
            "share": counts[true, predicted] / counts.sum(axis=1)[true],
        }
    )
    return frame.sort_values(["rows", "share"], ascending=False, ignore_index=True, kind="stable")


def risk_coverage(confidence: Floats, correct: Bools) -> pd.DataFrame:
    """What stays right when only the surest rows are answered (El-Yaniv & Wiener 2010).

    Columns `threshold, coverage, precision, risk`, the surest first; rows of equal confidence
    are answered together, so that the order in which they came decides nothing.
    """
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    last_of_equals = np.append(falling[1:] < falling[:-1], True)[: len(order)]
    answered = np.arange(1, len(order) + 1)
    precision = np.cumsum(correct[order]) / answered
    frame = pd.DataFrame(
        {"threshold": falling, "coverage": answered / max(len(order), 1), "precision": precision, "risk": 1 - precision}
    )
    return frame[last_of_equals].reset_index(drop=True)


def coverage_at_precision(curve: pd.DataFrame, precision: float) -> float:
    """The largest share of rows that can be answered with at least this precision; 0 where none can."""
    coverages = curve.loc[curve["precision"] >= precision, "coverage"]
    return float(coverages.max()) if len(coverages) else 0.0


def area_under_risk(curve: pd.DataFrame) -> float:
    """Mean risk over all coverages of a `risk_coverage` curve: lower is better, 0 is never wrong."""
    steps = np.diff(curve["coverage"], prepend=0.0)
    return float((curve["risk"] * steps).sum())


def reliability(confidence: Floats, correct: Bools, bins: int = BINS) -> pd.DataFrame:
    """Columns `confidence, accuracy, rows` of bins with equally many rows, fewer where there are fewer rows."""
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return pd.DataFrame(
        {
            "confidence": [float(confidence[part].mean()) for part in parts],
            "accuracy": [float(correct[part].mean()) for part in parts],
            "rows": [len(part) for part in parts],
        }
    )


def expected_calibration_error(confidence: Floats, correct: Bools, bins: int = BINS) -> float:
    """Mean |confidence − accuracy| over the bins of `reliability`, weighted by their rows; 0 where there is none."""
    table = reliability(confidence, correct, bins)
    gaps = (table["confidence"] - table["accuracy"]).abs()
    return float((gaps * table["rows"]).sum() / max(table["rows"].sum(), 1))


def brier(confidence: Floats, correct: Bools) -> float:
    """Mean squared distance of the confidence from what came true, of the answer given."""
    return float(np.mean((confidence - correct) ** 2)) if len(confidence) else float("nan")


def slice_figures(
    keys: pd.Series, correct: Mapping[str, Bools | Floats], routed: Bools, deciding: str = "agency"
) -> pd.DataFrame:
    """Figures of each slice of the rows; `keys`, a named series, says which slice every row is in.

    `correct` is NaN for a row without the label, which then counts in the coverage only.

    Columns: the key's name, `rows`, `HEAD accuracy`, `coverage` (share routed) and `routed
    precision` (of the deciding head; NaN where nothing was routed). Slices of an ordered key keep
    their order, others come with the most rows first.
    """
    frame = pd.DataFrame({f"{head} accuracy": right for head, right in correct.items()} | {"coverage": routed})
    key = pd.Series(keys.array, name=keys.name)
    figures = frame.groupby(key, observed=True).mean()
    figures.insert(0, "rows", frame.groupby(key, observed=True).size())
    precision = frame[routed].groupby(key[routed], observed=True)[f"{deciding} accuracy"].mean()
    figures["routed precision"] = precision.reindex(figures.index)
    if not isinstance(key.dtype, pd.CategoricalDtype):
        figures = figures.sort_values("rows", ascending=False, kind="stable")
    return figures.reset_index()
