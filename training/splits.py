"""Train, validation and test rows of a complaints frame, and the frame's fingerprint.

In: a frame of complaints (schema COMPLAINTS). Out: positions of its rows. Equal texts (letters and
digits only) never stand on two sides; sectors keep their shares.
"""

import hashlib
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.errors import InputError

MIN_ROWS = 50
SPLITS = "splits.json"
"""Artifact of a training run: part → keys of its texts."""


@dataclass(frozen=True)
class Splits:
    """Row positions of each part, sorted."""

    train: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]


def fingerprint(frame: pd.DataFrame) -> str:
    """SHA-256 (16 hex digits) of the columns that training reads, in row order."""
    columns = ["id", "text", "municipality", "sector", "topic", "agency"]
    rows = pd.util.hash_pandas_object(frame[columns].astype("string").fillna(""), index=False)
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()[:16]


def text_keys(texts: "pd.Series[str]") -> npt.NDArray[np.str_]:
    """A hash of each text's letters and digits: equal for texts that differ in signs and case only."""
    folded = (re.sub(r"\W+", "", text.casefold()) for text in texts)
    return np.array([hashlib.sha256(text.encode()).hexdigest()[:16] for text in folded])


def split_rows(frame: pd.DataFrame, validation_share: float, test_share: float, seed: int) -> Splits:
    """Stratify by sector, keep equal texts together.

    Raises:
        InputError: fewer than 50 labelled rows.
    """
    if len(frame) < MIN_ROWS:
        raise InputError(f"training needs at least {MIN_ROWS} labelled complaints, there are {len(frame)}")
    groups = text_keys(frame["text"])
    strata = frame["sector"].fillna("").to_numpy()
    rows = np.arange(len(frame))
    rest, test = _part(rows, strata, groups, test_share, seed)
    train, validation = _part(rest, strata, groups, validation_share / (1 - test_share), seed)
    return Splits(np.sort(train), np.sort(validation), np.sort(test))


def _part(
    rows: npt.NDArray[np.int64],
    strata: npt.NDArray[np.str_],
    groups: npt.NDArray[np.str_],
    share: float,
    seed: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    import warnings

    from sklearn.model_selection import StratifiedGroupKFold

    folds = max(2, round(1 / share))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        kept, part = next(splitter.split(rows, strata[rows], groups[rows]))
    return rows[kept], rows[part]
