"""Training rows as they are fed to n-grams and encoder, and which of them are held out in turn.

In: labelled complaints, the catalogue, arguments. Out: texts as the models read them, label indices, weights, tokens
and folds. Behind the complaints stand the catalogue's own words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.catalogue.model import Catalogue
from models.classifier.labels import Ints, LabelSpace
from models.text.model_input import model_input
from training.arguments import ClassifierTraining
from training.classifier.catalogue_rows import WEIGHT as CATALOGUE_WEIGHT
from training.classifier.catalogue_rows import catalogue_rows, example_rows
from training.classifier.courtesy_augmentation import with_courtesy
from training.classifier.fit_ngrams import FOLDS, MOST_TEXTS, draw_folds
from training.classifier.regression import row_weights
from training.classifier.splits import MIN_ROWS, text_keys

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]
FOLD_ROWS = 4000
"""Of one fold where there are many rows: they calibrate to within a point, and more would not teach."""
ENOUGH_HELD_OUT = 1500
"""Where rows are many, folds are held out in turn until there are so many rows to choose and to calibrate by."""
ALWAYS_TAUGHT = -1
"""Fold of the rows that are never held out."""


@dataclass(frozen=True)
class TaughtRows:
    """Training rows: complaints, and behind them the catalogue's own words.

    Attributes:
        frame: columns `text, municipality, sector, topic, agency`.
        complaints: how many rows, from the first on, are complaints.
        texts: as the models read them.
        asked: as they read them when the row is held out: as it came, without augmentation.
        targets: label indices of each head, -100 where unknown, shape (n,).
        label_counts: labels of each head.
        weight: what each row counts, shape (n,).
        folds: which rows are held out together, shape (n,).
        held_out: the folds that are, in turn.
        judged: which rows choose and calibrate where they are held out, shape (n,).
        weighting: of labels by their rows: none, sqrt or balanced.
    """

    frame: pd.DataFrame
    complaints: int
    texts: list[str]
    asked: list[str]
    targets: Mapping[str, Ints]
    label_counts: Mapping[str, int]
    weight: Floats
    folds: Ints
    held_out: Sequence[int]
    judged: Bools
    weighting: str

    @property
    def held_out_rows(self) -> Ints:
        """Complaints that are held out in turn and judged, as positions."""
        return self.rows_of(self.held_out)

    def rows_of(self, folds: Sequence[int]) -> Ints:
        """Complaints of some folds that are judged, as positions."""
        rows: Ints = np.flatnonzero((np.isin(self.folds, folds) & self.judged)[: self.complaints])
        return rows

    def row_weights(self, head: str) -> Floats:
        """What each row counts for one head: its own weight and that of its label."""
        balanced: Floats = self.weight * row_weights(self.targets[head], self.label_counts[head], self.weighting)
        return balanced


def taught_rows(
    train: pd.DataFrame,
    labels: LabelSpace,
    catalogue: Catalogue,
    arguments: ClassifierTraining,
    only: Ints | None = None,
) -> TaughtRows:
    """Complaints, augmented if asked for, and behind them the catalogue's own words.

    `only`: positions of the complaints that may choose and calibrate; None: any.
    """
    rare = labels.rare["topic"]
    names = catalogue_rows(catalogue, rare)
    words = pd.concat([names, example_rows(catalogue, rare)], ignore_index=True)
    frame = pd.concat([train, words], ignore_index=True)
    judged = np.ones(len(frame), dtype=bool) if only is None else np.isin(np.arange(len(frame)), only)
    if only is None or len(frame) <= MOST_TEXTS:  # few: heads are stacked on what n-grams say out of fold of each row
        folds, held_out = folds_of(frame, len(train), arguments.seed)
    else:
        folds, held_out = folds_among(frame, only, arguments.seed)
    is_name = np.isin(np.arange(len(frame)), np.arange(len(train), len(train) + len(names)))
    asked = model_inputs(frame, catalogue)
    if arguments.courtesy_augmentation:
        frame["text"] = [*with_courtesy(train["text"].tolist(), arguments.seed), *words["text"]]
    return TaughtRows(
        frame=frame,
        complaints=len(train),
        texts=model_inputs(frame, catalogue),
        asked=asked,
        targets=labels.targets(frame),
        label_counts=labels.counts,
        weight=np.where(is_name, CATALOGUE_WEIGHT, 1.0),
        folds=folds,
        held_out=held_out,
        judged=judged,
        weighting=arguments.class_weighting,
    )


def folds_of(frame: pd.DataFrame, complaints: int, seed: int) -> tuple[Ints, list[int]]:
    """The fold of each row, shape (n,), and the folds that are held out in turn.

    A handful of complaints: none is held out, for it would say nothing. Few rows: five folds of which each is held
    out; equal texts share one. Many: the folds are held out until there are
    rows enough; where all rows have a time they are spans of it, the newest held out first, for it is the coming
    weeks that the model will be asked about.
    """
    if complaints < MIN_ROWS:
        return np.full(len(frame), ALWAYS_TAUGHT, dtype=np.int64), []
    if len(frame) <= MOST_TEXTS:
        return draw_folds(text_keys(frame["text"]), seed), list(range(FOLDS))
    count = max(FOLDS, complaints // FOLD_ROWS)
    held_out = list(range(min(count, -(-ENOUGH_HELD_OUT // (complaints // count)))))
    times = frame["created_at"].iloc[:complaints]
    if times.isna().any():
        folds = draw_folds(text_keys(frame["text"]), seed, count)
    else:
        folds = np.empty(len(frame), dtype=np.int64)
        newest_first = np.argsort(-times.astype("int64").to_numpy(), kind="stable")
        folds[newest_first] = np.arange(complaints) * count // complaints
    folds[complaints:] = ALWAYS_TAUGHT
    return folds, held_out


def folds_among(frame: pd.DataFrame, rows: Ints, seed: int) -> tuple[Ints, list[int]]:
    """As `folds_of`, where only the complaints at some positions are held out; up to a fifth of all are one fold."""
    folds, held_out = np.full(len(frame), ALWAYS_TAUGHT, dtype=np.int64), [0]
    if FOLDS * len(rows) <= len(frame):
        folds[rows] = 0
    else:
        folds[rows], held_out = folds_of(frame.iloc[rows], len(rows), seed)
    return folds, held_out


def model_inputs(rows: pd.DataFrame, catalogue: Catalogue) -> list[str]:
    """What the models read of each row; a municipality that the catalogue does not know is left out."""
    known = {place.name for place in catalogue.municipalities}
    return [
        model_input(text, place if place in known else None)
        for text, place in zip(rows["text"], rows["municipality"], strict=True)
    ]


def tokenised(texts: list[str], targets: Mapping[str, Ints], tokenizer: Any, prefix: str, limit: int) -> Any:
    """A `datasets.Dataset` with `input_ids, attention_mask, sector, topic, agency, length, row`."""
    from datasets import Dataset

    inputs = [prefix + text for text in texts]
    tokens = tokenizer(inputs, truncation=True, max_length=limit, return_token_type_ids=False)
    columns = {head: column.tolist() for head, column in targets.items()}
    lengths = [len(ids) for ids in tokens["input_ids"]]
    return Dataset.from_dict({**tokens, **columns, "length": lengths, "row": range(len(texts))})
