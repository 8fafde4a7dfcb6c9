"""Duplicates in a dataset version: texts that came several times, and near-duplicates on both sides of the split.

In: texts and which rows are held out. Out: how many, and how large the largest group is: a flood of copies teaches one
opinion many times over, and a near-duplicate of a taught row among the test rows flatters whoever was taught it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.classifier.splits import near_duplicate_groups, text_keys

MOST_TEXTS = 20_000
"""Different texts that are compared with each other: the price is their number squared, 16 seconds of computing for so
many. Of more, so many are drawn, and the report says how many were compared."""


@dataclass(frozen=True)
class Duplicates:
    """Counts of rows.

    Attributes:
        copies: rows whose text stands in an earlier row too.
        most_copies: of one text.
        compared: different texts that were held against each other.
        near: of these, texts that have a near-duplicate.
        largest: texts of the largest group of near-duplicates.
        across: texts held out that have a near-duplicate among the taught ones.
    """

    copies: int
    most_copies: int
    compared: int
    near: int
    largest: int
    across: int


def find_duplicates(texts: "pd.Series[str]", held_out: npt.NDArray[np.bool_]) -> Duplicates:
    """Count the copies and near-duplicates of texts, shape (n,)."""
    keys = pd.Series(text_keys(texts))
    first = np.flatnonzero(~keys.duplicated().to_numpy())
    if len(first) > MOST_TEXTS:
        first = np.sort(np.random.default_rng(0).choice(first, MOST_TEXTS, replace=False))
    groups = near_duplicate_groups(texts.iloc[first].tolist())
    _, group_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    taught = np.zeros(len(sizes), dtype=bool)
    taught[group_of[~held_out[first]]] = True
    return Duplicates(
        copies=int(keys.duplicated().sum()),
        most_copies=int(keys.value_counts().iloc[0]),
        compared=len(first),
        near=int(sizes[sizes > 1].sum()),
        largest=int(sizes.max()),
        across=int((held_out[first] & taught[group_of]).sum()),
    )
