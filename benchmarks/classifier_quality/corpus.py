"""What is classified: labelled complaints of a real corpus, and their folds.

In: `text/NAME.csv` in the folder of real data. Out: a `Corpus` with cleaned texts, the labels frequent enough to be
learnt and scored, and a folder for what is computed once; a `Fold` of it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.complaints.cleaning import clean_text
from data.errors import ColumnsError, FileError
from data.settings import settings
from models.classifier.labels import HEADS, Ints, LabelSpace
from training.classifier.splits import MIN_LABEL_ROWS, fingerprint

Floats = npt.NDArray[np.floating]
Scores = dict[str, Floats]
Recipe = Mapping[str, Any]


@dataclass(frozen=True)
class Corpus:
    """Labelled complaints with cleaned texts, and the labels frequent enough to be learnt and scored.

    Attributes:
        name: the corpus' name.
        frame: columns `id, text, municipality, sector, topic, agency`.
        labels: of each head, the labels with at least five rows.
        targets: of each head, the index of each row's label, -100 where it is rare or absent.
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
    """Positions of a corpus' training and test rows."""

    corpus: Corpus
    number: int
    train: Ints
    test: Ints

    @property
    def texts(self) -> tuple[list[str], list[str]]:
        """Texts of the training and of the test rows."""
        texts = self.corpus.frame["text"].to_numpy()
        return texts[self.train].tolist(), texts[self.test].tolist()


def load_corpus(path: Path) -> Corpus:
    """Read a corpus and clean its texts.

    Raises:
        FileError: no such file.
        ColumnsError: a column is missing.
    """
    columns = ["id", "text", *HEADS]
    if not path.is_file():
        raise FileError(f"TSUR_REAL_DATA holds no {path.parent.name}/{path.name}")
    frame = pd.read_csv(path, dtype="string").astype(object)
    missing = [name for name in columns if name not in frame]
    if missing:
        raise ColumnsError(f"{path.name}: column {missing[0]!r} is missing; there are {list(frame)}")
    frame = frame[columns].assign(municipality=None, text=[clean_text(text) for text in frame["text"]])
    names, targets = {}, {}
    for head in HEADS:
        counted = frame[head].value_counts()
        names[head] = tuple(sorted(counted.index[counted >= MIN_LABEL_ROWS]))
        index = {name: i for i, name in enumerate(names[head])}
        targets[head] = np.array([index.get(name, -100) for name in frame[head]])
    key = fingerprint(frame)
    work = settings().home / "benchmarks" / "classifier_quality" / f"{path.stem}-{key}"
    work.mkdir(parents=True, exist_ok=True)
    return Corpus(path.stem, frame, LabelSpace(names), targets, key, work)


def recipe_hash(recipe: Recipe) -> str:
    """Ten hex digits that change with any value of a recipe."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:10]
