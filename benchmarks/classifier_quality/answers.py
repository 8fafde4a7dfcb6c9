"""What a contender said of the test rows of a fold, kept on disk: finished folds are never computed again.

In: scores of every label, or the CSV of `tsur evaluate --answers`. Out: `Answers`, whose labels are indices in the
corpus' label space, -1 for an answer that is no label of it («Прочее»), which is never right.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.classifier_quality.corpus import Bools, Floats, Fold, Scores, recipe_hash
from models.classifier.labels import HEADS, Ints, LabelSpace
from models.classifier.routing import ALTERNATIVES
from training.evaluate.answers import AT, CONFIDENCE, GIVEN, SURE

PARTS = ("given", "likeliest", "confidence", "routed", "sure")


@dataclass(frozen=True)
class Answers:
    """What was said of n rows.

    Attributes:
        given: of each head, the label of each row, shape (n,).
        likeliest: of each head, the three likeliest labels, shape (n, 3).
        confidence: of each head, how probable the given label is, shape (n,); empty where scores are no probabilities.
        routed: promised precision → which rows go out without an operator; empty where nothing is promised.
        sure: "topic" → which topics are told as sure; empty where nothing is promised.
        seconds: how long it took.
        commit: what was checked out then.
    """

    given: Mapping[str, Ints]
    likeliest: Mapping[str, Ints]
    confidence: Mapping[str, Floats] = field(default_factory=dict)
    routed: Mapping[float, Bools] = field(default_factory=dict)
    sure: Mapping[str, Bools] = field(default_factory=dict)
    seconds: float = 0.0
    commit: str = ""

    @classmethod
    def of_scores(cls, scores: Scores) -> "Answers":
        """The labels with the highest scores; `scores` by head, shape (n, labels)."""
        best = {head: np.argsort(-values, axis=1, kind="stable")[:, :ALTERNATIVES] for head, values in scores.items()}
        return cls(
            {head: rows[:, 0] for head, rows in best.items()}, {head: _three(rows) for head, rows in best.items()}
        )

    @classmethod
    def of_file(cls, path: Path, ids: "pd.Series[str]", labels: LabelSpace) -> "Answers":
        """Read what `tsur evaluate --answers` wrote, in the order of `ids`.

        Raises:
            KeyError: a row of `ids` was not answered.
        """
        table = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False, encoding="utf-8-sig").set_index("id")
        table = table.loc[ids.tolist()]
        places = [str(place + 1) for place in range(ALTERNATIVES)]
        promised = [str(name) for name in table if re.fullmatch(rf"{AT} [\d.]+", str(name))]
        return cls(
            given={head: _indices(table[f"{head} {GIVEN}"], labels, head) for head in HEADS},
            likeliest={
                head: np.column_stack([_indices(table[f"{head} {place}"], labels, head) for place in places])
                for head in HEADS
            },
            confidence={head: table[f"{head} {CONFIDENCE}"].astype(float).to_numpy() for head in HEADS},
            routed={float(name.removeprefix(AT)): (table[name] == "1").to_numpy() for name in promised},
            sure={"topic": (table[SURE] == "1").to_numpy()},
        )


def answers_path(name: str, recipe: Mapping[str, Any], fold: Fold) -> Path:
    """Where the answers of one fold are kept: by data, contender, recipe and folds."""
    return fold.corpus.work / f"{name}-{recipe_hash(recipe)}" / f"fold-{fold.number}-of-{fold.of}.npz"


def keep_answers(path: Path, fold: Fold, answers: Answers) -> None:
    """Write one fold's answers; a kill leaves either the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished.npz")
    arrays: dict[str, Any] = {"train": fold.train, "test": fold.test}
    arrays |= {"seconds": answers.seconds, "commit": answers.commit}
    for part in PARTS:
        arrays |= {f"{part}.{key}": values for key, values in getattr(answers, part).items()}
    np.savez_compressed(unfinished, **arrays)
    unfinished.rename(path)


def kept_answers(path: Path, fold: Fold) -> Answers | None:
    """One fold's answers; None if they are absent or of another split."""
    if not path.exists():
        return None
    with np.load(path) as arrays:
        if not (np.array_equal(arrays["train"], fold.train) and np.array_equal(arrays["test"], fold.test)):
            return None
        parts: dict[str, dict[Any, Any]] = {part: {} for part in PARTS}
        for name in arrays.files:
            part, _, key = name.partition(".")
            if part in parts:
                parts[part][float(key) if part == "routed" else key] = arrays[name]
        return Answers(**parts, seconds=float(arrays["seconds"]), commit=str(arrays["commit"]))


def pooled(answers: list[Answers]) -> Answers:
    """The answers to the rows of several folds, one after the other; the seconds of all."""

    def joined(part: str) -> dict[Any, Any]:
        first = getattr(answers[0], part)
        return {key: np.concatenate([getattr(each, part)[key] for each in answers]) for key in first}

    parts = {part: joined(part) for part in PARTS}
    return Answers(**parts, seconds=sum(each.seconds for each in answers), commit=answers[-1].commit)


def _indices(column: "pd.Series[str]", labels: LabelSpace, head: str) -> Ints:
    index = {name: i for i, name in enumerate(labels.names[head])}
    return np.array([index.get(name, -1) for name in column], dtype=np.int64)


def _three(rows: Ints) -> Ints:
    """The likeliest labels, -1 where there are fewer than three."""
    return np.pad(rows, ((0, 0), (0, ALTERNATIVES - rows.shape[1])), constant_values=-1)
