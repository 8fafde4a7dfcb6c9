"""Complaints for an engineer to read: rows of an evaluation, masked and cut, with what the model said."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.complaints.masking import mask
from models.classifier.labels import HEADS
from training.evaluate.evaluate import Evaluation

SAMPLES = 50
"""In the CSV: what a person reads through in one sitting."""
SHOWN = 12
CHARACTERS = 300
"""In the text of the report: rows, and characters of each."""


def misread(evaluation: Evaluation, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose topic was read wrong, the surest errors first: masked text, true and predicted labels; 50."""
    wrong = np.flatnonzero(evaluation.labelled("topic") & ~evaluation.right("topic"))
    wrong = wrong[np.argsort(-evaluation.confidence["topic"][wrong], kind="stable")][:SAMPLES]
    return masked_sample(evaluation, rows, wrong, "topic")


def masked_sample(
    evaluation: Evaluation, rows: pd.DataFrame, positions: npt.NDArray[np.int64], head: str
) -> pd.DataFrame:
    """The rows at those positions: id, masked text, true and predicted labels, confidence of `head`."""
    names = evaluation.labels.names
    table = {
        "id": rows["id"].iloc[positions].to_numpy(),
        "text": [mask(text)[:CHARACTERS] for text in rows["text"].iloc[positions]],
    }
    for one in HEADS:
        table[one] = [names[one][i] if i >= 0 else "" for i in evaluation.targets[one][positions]]
        table[f"predicted {one}"] = [names[one][i] for i in evaluation.predicted[one][positions]]
    table["confidence"] = evaluation.confidence[head][positions]
    return pd.DataFrame(table)


def shown(samples: pd.DataFrame) -> pd.DataFrame:
    """Samples as the report shows them: true and predicted in one cell."""
    first = samples.head(SHOWN)
    shown = first[["confidence", "text"]].copy()
    for head in HEADS:
        pairs = zip(first[head], first[f"predicted {head}"], strict=True)
        shown[head] = [true if true == said else f"{true or 'none given'} → {said}" for true, said in pairs]
    return shown
