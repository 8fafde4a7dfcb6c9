"""What is classified: every labelled complaint of a real corpus, as `tsur import` reads it, and the folds it has.

In: `text/NAME.csv` in the folder of real data. Out: a `Corpus` with all its rows and all its labels, and its `Fold`s:
five for Kursk and Ryazan, near-duplicates never on both sides; one for Petersburg, by time. A row without an agency
teaches and judges sector and topic.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.complaints.files import read_complaints, write_complaints
from data.complaints.importing import import_complaints
from data.complaints.schema import COLUMNS
from data.complaints.sources import SourceMap
from data.errors import ColumnsError, FileError
from data.settings import settings
from models.classifier.labels import HEADS, Ints, LabelSpace
from training.classifier.splits import cross_validation_folds, fingerprint
from training.evaluate.label_space import label_counts, label_space, rare_rows

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]
Scores = dict[str, Floats]
Recipe = Mapping[str, Any]

TIMEZONE = "Europe/Moscow"
"""All three regions live by it."""
UNDATED = datetime(2022, 1, 1)
"""Of rows whose corpus says nothing of time; no classifier reads it."""
JUDGED_FROM = {"petersburg": pd.Timestamp("2021-02-15", tz=TIMEZONE)}
"""Corpora that are judged by time: rows before that moment teach, rows from then on judge."""


@dataclass(frozen=True)
class Corpus:
    """Labelled complaints, and the labels that any of them has.

    Attributes:
        name: the corpus' name.
        frame: schema COMPLAINTS.
        labels: of each head, all labels of all rows.
        targets: of each head, the index of each row's label, -100 where it has none.
        fingerprint: the frame's hash.
        work: a folder for what is computed once for this corpus.
    """

    name: str
    frame: pd.DataFrame
    labels: LabelSpace
    targets: Mapping[str, Ints]
    fingerprint: str
    work: Path


@dataclass(frozen=True)
class Fold:
    """Positions of a corpus' training and test rows; `of` says how many folds there are."""

    corpus: Corpus
    number: int
    of: int
    train: Ints
    test: Ints

    @property
    def rows(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The training and the test rows."""
        frame = self.corpus.frame
        return frame.iloc[self.train].reset_index(drop=True), frame.iloc[self.test].reset_index(drop=True)

    @property
    def texts(self) -> tuple[list[str], list[str]]:
        """Texts of the training and of the test rows."""
        train, test = self.rows
        return train["text"].tolist(), test["text"].tolist()

    @property
    def placed_texts(self) -> tuple[list[str], list[str]]:
        """The same with the municipality before each text that has one."""
        train, test = (
            [f"{place} {text}" if isinstance(place, str) else text for place, text in zip(*columns, strict=True)]
            for columns in ((part["municipality"], part["text"]) for part in self.rows)
        )
        return train, test

    def rare(self, head: str) -> Bools:
        """Which test rows bear a label with fewer than five training rows, shape (test rows,)."""
        names, counts = self.corpus.labels.names[head], label_counts(self.rows[0])[head]
        return rare_rows(self.corpus.targets[head][self.test], names, counts, len(names))


def load_corpus(path: Path) -> Corpus:
    """Read a corpus as `tsur import` does: cleaned and masked; no row is set aside.

    Raises:
        FileError: no such file.
        ColumnsError: a column is missing.
    """
    if not path.is_file():
        raise FileError(f"TSUR_REAL_DATA holds no {path.parent.name}/{path.name}")
    home = settings().home / "benchmarks" / "classifier_quality"
    frame = _imported(path, home)
    labels = label_space(frame)
    key = fingerprint(frame)
    work = home / f"{path.stem}-{key}"
    work.mkdir(parents=True, exist_ok=True)
    return Corpus(path.stem, frame, labels, labels.targets(frame), key, work)


def folds_of(corpus: Corpus) -> list[Fold]:
    """By time where the corpus is judged so, else five folds."""
    since = JUDGED_FROM.get(corpus.name)
    if since is None:
        parts = cross_validation_folds(corpus.frame)
    else:
        judged = (corpus.frame["created_at"] >= since).to_numpy()
        parts = [(np.flatnonzero(~judged), np.flatnonzero(judged))]
    return [Fold(corpus, number, len(parts), *part) for number, part in enumerate(parts)]


def recipe_hash(recipe: Recipe) -> str:
    """Ten hex digits that change with any value of a recipe."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:10]


def _imported(path: Path, home: Path) -> pd.DataFrame:
    """The complaints of a file; read once, for masking names takes its time."""
    kept = home / "imported" / f"{path.stem}-{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}.jsonl"
    if not kept.exists():
        header = pd.read_csv(path, nrows=0)
        missing = [name for name in ("id", "text", *HEADS) if name not in header]
        if missing:
            raise ColumnsError(f"{path.name}: column {missing[0]!r} is missing; there are {list(header)}")
        source = SourceMap(
            name="other", title=path.stem, columns={name: [name] for name in COLUMNS}, region_timezone=TIMEZONE,
            timezone=TIMEZONE,
        )  # fmt: skip
        date = None if "created_at" in header else UNDATED.replace(tzinfo=UTC)
        imported = import_complaints(path, source, default_date=date)
        if len(imported.rejects):
            raise FileError(f"{path.name}: {len(imported.rejects)} rows cannot be read: {imported.reasons[0][0]}")
        write_complaints(imported.complaints, kept)
    return read_complaints(kept)
