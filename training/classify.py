"""`tsur classify`: complaints in, a CSV of decisions out, chunk by chunk."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from models.classifier import Classifier
from models.decoding import Classification
from models.labels import HEADS

CHUNK = 512
COLUMNS = (
    "id",
    "municipality",
    "decision",
    "reasons",
    *(f"{head}{part}" for head in HEADS for part in ("", "_confidence")),
)
TAIL = ("deadline_hours", "truncated")


@dataclass(frozen=True)
class Classified:
    """How many rows were read, and how many of them can be routed without an operator."""

    rows: int
    routed: int


def classify_complaints(
    complaints: pd.DataFrame, classifier: Classifier, out: Path, progress: Callable[[int], None]
) -> Classified:
    """Write one row of decisions for each complaint, in their order; `progress` gets rows so far."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f"{out.name}.partial")
    routed = 0
    with partial.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, *TAIL])
        for start in range(0, len(complaints), CHUNK):
            rows = complaints.iloc[start : start + CHUNK]
            places = classifier.catalogue.place_ids(rows["municipality"])
            found = classifier.classify(rows["text"].tolist(), places)
            routed += sum(item.decision == "route" for item in found)
            for (_, row), item in zip(rows.iterrows(), found, strict=True):
                writer.writerow([row["id"], row["municipality"] or "", *_cells(item)])
            progress(start + len(rows))
    partial.replace(out)
    return Classified(len(complaints), routed)


def _cells(item: Classification) -> list[object]:
    proposals = [getattr(item, head) for head in HEADS]
    labels = [cell for proposal in proposals for cell in (proposal.label, f"{proposal.confidence:.4f}")]
    deadline = "" if item.deadline_hours is None else item.deadline_hours
    return [item.decision, " ".join(item.reasons), *labels, deadline, int(item.truncated)]
