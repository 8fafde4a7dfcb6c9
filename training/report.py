"""What the MLflow run of a classifier keeps for its engineer: tables, plots, masked samples."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from data.masking import mask
from models.classifier import Classifier
from models.labels import HEADS
from training.evaluate import Evaluation
from training.metrics import confusions, label_report

LARGEST_MATRIX = 30
SAMPLES = 50
SAMPLE_CHARACTERS = 300


def log_report(evaluation: Evaluation, classifier: Classifier, rows: pd.DataFrame) -> None:
    """Log reports and confusion matrices of each head, the routing figures and misread samples."""
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        write_report(evaluation, classifier, rows, Path(folder))
        mlflow.log_artifacts(folder, "report")
    figures = {f"test.{head}.calibration_error": value for head, value in evaluation.calibration_error.items()}
    if evaluation.coverage is not None:
        figures["test.coverage"] = evaluation.coverage
    if evaluation.routed_precision is not None:
        figures["test.routed_precision"] = evaluation.routed_precision
    mlflow.log_metrics(figures)


def write_report(evaluation: Evaluation, classifier: Classifier, rows: pd.DataFrame, folder: Path) -> None:
    """Write `labels-HEAD.csv`, `confusion-HEAD.{csv,png}` and `misread.csv` (masked) into `folder`."""
    names = classifier.parts.labels.names
    folder.mkdir(parents=True, exist_ok=True)
    for head in HEADS:
        targets, predicted = evaluation.targets[head], evaluation.predicted[head]
        label_report(names[head], targets, predicted).to_csv(folder / f"labels-{head}.csv", index=False)
        matrix = confusions(names[head], targets, predicted)
        matrix.to_csv(folder / f"confusion-{head}.csv")
        plot_confusions(matrix, head, folder / f"confusion-{head}.png")
    misread(evaluation, classifier, rows).to_csv(folder / "misread.csv", index=False)


def misread(evaluation: Evaluation, classifier: Classifier, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose topic was read wrong, the surest errors first: masked text, true and predicted labels; 50."""
    names = classifier.parts.labels.names
    wrong = np.flatnonzero(evaluation.predicted["topic"] != evaluation.targets["topic"])
    wrong = wrong[np.argsort(-evaluation.confidence["topic"][wrong], kind="stable")][:SAMPLES]
    table = {
        "id": rows["id"].iloc[wrong],
        "text": [mask(t)[:SAMPLE_CHARACTERS] for t in rows["text"].iloc[wrong]],
    }
    for head in HEADS:
        table[head] = [names[head][i] if i >= 0 else "" for i in evaluation.targets[head][wrong]]
        table[f"predicted {head}"] = [names[head][i] for i in evaluation.predicted[head][wrong]]
    return pd.DataFrame(table)


def plot_confusions(matrix: pd.DataFrame, head: str, path: Path) -> None:
    """Row-normalised confusion matrix of the most frequent labels (at most 30) as a PNG."""
    from matplotlib.figure import Figure

    kept = matrix.sum(axis=1).sort_values(ascending=False).index[:LARGEST_MATRIX]
    shown = matrix.reindex(index=kept, columns=kept, fill_value=0)
    shares = shown.div(matrix.loc[kept].sum(axis=1).clip(lower=1), axis=0)
    size = 3 + 0.32 * len(kept)
    figure = Figure(figsize=(size + 2, size), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    short = [label if len(label) <= 32 else label[:31] + "…" for label in kept]
    axes.set_xticks(range(len(kept)), short, rotation=90, fontsize=7)
    axes.set_yticks(range(len(kept)), short, fontsize=7)
    axes.set(xlabel="predicted", ylabel="true", title=f"{head}: share of each true label")
    figure.colorbar(image, ax=axes, shrink=0.6)
    figure.savefig(path, dpi=110)
