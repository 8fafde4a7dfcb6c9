"""Every label gets an index: those that a model knows, then those that only the measured rows have.

In: complaints, and a model's label space. Out: a `LabelSpace` in which each true label has an index of its own. A
label that the model does not know is thus a wrong answer, as it is for the citizen; it is never «Прочее», nor left out.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.classifier.labels import HEADS, RARE_ROWS, Ints, LabelSpace


def label_space(rows: pd.DataFrame, known: LabelSpace | None = None) -> LabelSpace:
    """The labels of `known` in their order, then the others of `rows` by name."""
    names = {}
    for head in HEADS:
        first = known.names[head] if known is not None else ()
        others = {name for name in rows[head] if isinstance(name, str)} - set(first)
        names[head] = (*first, *sorted(others))
    return LabelSpace(names)


def label_counts(rows: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Of each head: label → how many rows bear it."""
    return {head: {str(name): int(count) for name, count in rows[head].value_counts().items()} for head in HEADS}


def rare_rows(
    targets: Ints, names: tuple[str, ...], counts: Mapping[str, int] | None, known: int
) -> npt.NDArray[np.bool_]:
    """Which rows bear a label that had fewer than five training rows, shape (n,).

    Args:
        targets: true labels as indices into `names`, -100 where there is none.
        names: a head's labels, those that the model knows first.
        counts: label → training rows; without it those are rare that the model does not know.
        known: how many labels the model knows.
    """
    if counts is None:
        return np.greater_equal(targets, known)
    rare = np.flatnonzero([counts.get(name, 0) < RARE_ROWS for name in names])
    return np.isin(targets, rare)
