"""Taught rows and rows kept back of a complaints frame, folds of it, contradictions in it, and its fingerprint.

In: a frame of complaints (schema COMPLAINTS). Out: positions of its rows. In a split, equal texts
(letters and digits only) never stand on two sides, and sectors keep their shares; in the folds
that models are compared on, near-duplicates stay together too, and topics keep their shares.
"""

import hashlib
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.complaints.schema import LABELS
from data.errors import InputError

MIN_ROWS = 50
"""With fewer, what is held out or kept back is a handful, which nothing can be chosen, calibrated or measured by."""
FOLDS = 5
"""Each model is fitted on four fifths of the rows."""
MIN_LABEL_ROWS = 5
"""A label with fewer rows cannot stand in every fold."""
NEAR_DUPLICATE = 0.8
"""Cosine of character TF-IDF above which two texts are the same complaint written twice."""
_SIMILARITIES = 4_000_000
"""How many cosines are held at once: 48 MB."""
Rows = npt.NDArray[np.int64]
SPLITS = "splits.json"
"""Artifact of a training run: part → keys of its complaints; of their texts alone in earlier releases."""


@dataclass(frozen=True)
class Splits:
    """Row positions of each part, sorted; `test` is what no fit sees, and may be empty."""

    train: Rows
    test: Rows


def fingerprint(frame: pd.DataFrame) -> str:
    """SHA-256 (16 hex digits) of the columns that training reads, in row order."""
    columns = ["id", "text", "municipality", "sector", "topic", "agency"]
    rows = pd.util.hash_pandas_object(frame[columns].astype("string").fillna(""), index=False)
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()[:16]


def text_keys(texts: "pd.Series[str]") -> npt.NDArray[np.str_]:
    """A hash of each text's letters and digits: equal for texts that differ in signs and case only."""
    folded = (re.sub(r"\W+", "", text.casefold()) for text in texts)
    return np.array([hashlib.sha256(text.encode()).hexdigest()[:16] for text in folded], dtype="<U16")


def complaint_keys(frame: pd.DataFrame) -> npt.NDArray[np.str_]:
    """A hash of each complaint's id and of its text's letters and digits; columns used: `id, text`."""
    pairs = zip(frame["id"], text_keys(frame["text"]), strict=True)
    return np.array([hashlib.sha256(f"{key} {id_}".encode()).hexdigest()[:16] for id_, key in pairs], dtype="<U16")


def split_rows(frame: pd.DataFrame, holdout: float, seed: int) -> Splits:
    """Keep back a share of the rows, stratified by sector, equal texts together; none at 0.

    Raises:
        InputError: fewer than 50 labelled rows.
    """
    if len(frame) < MIN_ROWS:
        raise InputError(f"training needs at least {MIN_ROWS} labelled complaints, there are {len(frame)}")
    if holdout == 0:
        return Splits(np.arange(len(frame)), np.array([], dtype=np.int64))
    rest, test = split_off(frame, holdout, seed)
    return Splits(np.sort(rest), np.sort(test))


def stable_split(frame: pd.DataFrame, holdout: float, key: str) -> Splits:
    """Keep back a share of the texts for good: by a keyed hash of each text's letters and digits, whatever else is.

    Rows that join or leave move no other row to the other side, so that a model is never tested on what an earlier one
    was taught. Equal texts stand on one side; sectors keep their shares as chance has it. A larger share keeps back the
    same rows and more. Column used: `text`.
    """
    kept_back = np.array([_place_on_unit_line(text, key) < holdout for text in text_keys(frame["text"])], dtype=bool)
    return Splits(np.flatnonzero(~kept_back), np.flatnonzero(kept_back))


def _place_on_unit_line(text_key: str, key: str) -> float:
    """Where a text falls in [0, 1), evenly, and otherwise for every key."""
    digest = hashlib.blake2b(text_key.encode(), digest_size=8, key=key.encode()).digest()
    return int.from_bytes(digest, "big") / 2**64


def contradictions(frame: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Of each head, rows of equal text and place that have different labels, and how many such texts; none left out."""
    keys = pd.Series(text_keys(frame["text"]), index=frame.index) + "|" + frame["municipality"].fillna("").astype(str)
    found = {}
    for head in LABELS:
        labelled = frame[head].notna()
        several = frame[head][labelled].groupby(keys[labelled]).nunique() > 1
        if several.any():
            found[head] = (int(keys[labelled].isin(several.index[several]).sum()), int(several.sum()))
    return found


def split_off(frame: pd.DataFrame, share: float, seed: int) -> tuple[Rows, Rows]:
    """Positions of the rest and of the part split off: stratified by sector, equal texts together."""
    from sklearn.model_selection import StratifiedGroupKFold

    strata, groups = frame["sector"].fillna("").to_numpy(), text_keys(frame["text"])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        splitter = StratifiedGroupKFold(max(2, round(1 / share)), shuffle=True, random_state=seed)
        rest, part = next(splitter.split(strata, strata, groups))
    return rest, part


def near_duplicate_groups(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """The group of each text, shape (n,): texts that are near-duplicates, or linked by such, share one.

    Near means a cosine above 0.8 of TF-IDF vectors of character 4–5-grams.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 5), sublinear_tf=True).fit_transform(texts)
    step = max(1, _SIMILARITIES // len(texts))
    parent = np.arange(len(texts))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = row = parent[parent[row]]
        return row

    for start in range(0, len(texts), step):
        cosines = (vectors[start : start + step] @ vectors.T).tocoo()
        near = (cosines.data > NEAR_DUPLICATE) & (cosines.row + start < cosines.col)
        first, second = cosines.row[near] + start, cosines.col[near]
        for pair in np.lexsort((-second, first)):  # the roots, and so the folds, depend on the order
            parent[root(first[pair])] = root(second[pair])
    return np.array([root(row) for row in range(len(texts))])


def cross_validation_folds(frame: pd.DataFrame, folds: int = FOLDS, seed: int = 0) -> list[tuple[Rows, Rows]]:
    """Training and test rows of each fold: one split for all heads; every row is tested once.

    Stratified by topic, or by sector where the topic is rare; near-duplicates stay together.

    Raises:
        InputError: fewer than 50 complaints, or no label has a row for each fold.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if len(frame) < MIN_ROWS:
        raise InputError(f"cross-validation needs at least {MIN_ROWS} complaints, there are {len(frame)}")
    topics = frame["topic"].fillna("")
    frequent = topics.map(topics.value_counts()) >= MIN_LABEL_ROWS
    strata = topics.where(frequent, "~" + frame["sector"].fillna("")).to_numpy()
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        try:
            return list(splitter.split(frame, strata, near_duplicate_groups(frame["text"].tolist())))
        except ValueError as error:
            raise InputError(f"{len(frame)} complaints cannot be split into {folds} folds: {error}") from None
