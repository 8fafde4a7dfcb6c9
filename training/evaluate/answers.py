"""What the champion answered to each measured row, as a table: what other programs judge it by.

In: an `Evaluation` and its rows. Out: a CSV with `id, decision, reasons`, of each head the true label, the label given,
its confidence and the three likeliest labels, and whether the row would go out at each promised precision. No text.
"""

from pathlib import Path

import pandas as pd

from data.tables.csv_writer import write_csv
from models.classifier.labels import HEADS
from models.classifier.routing import ALTERNATIVES
from training.evaluate.evaluate import Evaluation
from training.evaluate.routed import sure_topics

GIVEN, CONFIDENCE = "given", "confidence"
AT, SURE = "routed at", "topic sure"


def answers(evaluation: Evaluation, rows: pd.DataFrame) -> pd.DataFrame:
    """One row a complaint; `rows` are those of the evaluation, in its order.

    Columns: `id, decision, reasons` (joined by a space), `topic sure` (1 or 0), of each HEAD `HEAD, HEAD given,
    HEAD confidence, HEAD 1` to `HEAD 3`, and `routed at PRECISION` of each precision whose threshold the bundle knows.
    """
    said = evaluation.decisions
    table: dict[str, object] = {
        "id": rows["id"].to_numpy(),
        "decision": [item.decision for item in said],
        "reasons": [" ".join(item.reasons) for item in said],
        SURE: sure_topics(said).astype(int),
    }
    for head in HEADS:
        table[head] = rows[head].to_numpy()
        table[f"{head} {GIVEN}"] = [getattr(item, head).label for item in said]
        table[f"{head} {CONFIDENCE}"] = [getattr(item, head).confidence for item in said]
        for place in range(ALTERNATIVES):
            likeliest = [item.alternatives[head][place : place + 1] for item in said]
            table[f"{head} {place + 1}"] = [one[0].label if one else None for one in likeliest]
    for promise, routed in evaluation.promises.items():
        table[f"{AT} {promise:g}"] = routed.astype(int)
    return pd.DataFrame(table)


def write_answers(evaluation: Evaluation, rows: pd.DataFrame, path: Path) -> None:
    """Write the answers as a CSV that Excel opens; the folder is made."""
    write_csv(answers(evaluation, rows), path)
