"""Findings: what there is to say of single rows of a dataset version, for a person to look at.

In: rows that were set aside, labels that two operators disagree about, labels that are likely wrong. Out: one table,
the file `findings.csv` of a version.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Literal

import pandas as pd

Kind = Literal["unknown_label", "no_label", "refused_id", "conflict", "likely_wrong"]


@dataclass(frozen=True)
class Finding:
    """One row of a file or the store, and what is the matter with it.

    Attributes:
        head: which label; None where the whole row is meant.
        given: the label in question; of a conflict the one that was overruled.
        other: what holds instead, or is likelier.
        confidence: how likely a model that has not seen the row finds the label given.
        reason: one sentence.
    """

    kind: Kind
    source: str
    id: str
    head: str | None = None
    given: str | None = None
    other: str | None = None
    confidence: float | None = None
    reason: str = ""


COLUMNS = [field.name for field in fields(Finding)]


def findings_frame(findings: Sequence[Finding], rows: pd.DataFrame) -> pd.DataFrame:
    """One row a finding, in their order; with the masked text of a complaint among the rows (`source, id, text`)."""
    frame = pd.DataFrame([asdict(finding) for finding in findings], columns=COLUMNS)
    texts = dict(zip(zip(rows["source"], rows["id"], strict=True), rows["text"], strict=True))
    return frame.assign(text=pd.Series([texts.get((each.source, each.id)) for each in findings], dtype=object))
