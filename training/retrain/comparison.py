"""Champion and challenger on the same frozen test rows: what the gate judges.

In: a dataset version, both bundles, the rows that the champion was taught. Out: a `Comparison`: labels, answers, which
rows are the newest and which were tested before. Both read with the same encoders where theirs are the same, and their
speed is measured in turns, so that what else the machine does meets both.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.catalogue.migrations import Migration
from data.complaints.schema import LABELS
from models.classifier.classifier import Classifier
from models.encoder.onnx_runtime import Encoders
from training.evaluate.evaluate import evaluate_classifier
from training.retrain.answers import Answers, answers_of
from training.retrain.gate import EarlierTest, Verdict, judge
from training.retrain.gate_limits import GateLimits
from training.retrain.joined_checks import checks_of_data
from training.retrain.label_checks import Truth
from training.retrain.since import Since
from training.retrain.versions import DatasetVersion

Bools = npt.NDArray[np.bool_]
TIMED_TEXTS, TURNS = 16, 3
"""Texts that are classified one after the other to measure speed, and how often each model does; the best turn counts,
for whatever else runs on the machine only ever makes it slower."""


@dataclass(frozen=True)
class Comparison:
    """Both models on n test rows.

    Attributes:
        rows: the test rows, schema COMPLAINTS.
        truth: of each head their labels; None where nobody knows one.
        newest: which are the newest, shape (n,).
        before: which were tested before; None where no earlier version is known.
        left_out: test rows that the champion was taught, and that say nothing of it therefore.
    """

    rows: pd.DataFrame
    truth: Truth
    champion: Answers
    challenger: Answers
    newest: Bools
    before: EarlierTest | None
    left_out: int


def compare(
    dataset: DatasetVersion,
    champion: Path,
    challenger: Path,
    taught: Bools,
    since: Since | None,
    limits: GateLimits,
    encoders: Encoders,
    migrations: Sequence[Migration] = (),
) -> Comparison:
    """Ask both bundles about the test rows but for those that the champion was `taught` (of all test rows)."""
    positions = dataset.split.test[~taught]
    rows = dataset.rows.iloc[positions].reset_index(drop=True)
    one, other = Classifier.load(champion, encoders), Classifier.load(challenger, encoders)
    seconds = seconds_a_text([one, other], rows["text"].tolist()[:TIMED_TEXTS])
    sides = [
        answers_of(evaluate_classifier(side, rows), migrations, spent, side.bundle.config.agreement)
        for side, spent in zip((one, other), seconds, strict=True)
    ]
    labels = rows[list(LABELS)].astype(object)
    labels = labels.where(labels.notna(), None)
    return Comparison(
        rows=rows,
        truth={head: labels[head].to_numpy(dtype=object) for head in LABELS},
        champion=sides[0],
        challenger=sides[1],
        newest=newest_rows(rows, limits.newest_days, dataset.manifest.created_at),
        before=None if since is None else earlier_test(since, dataset.rows, positions, int(taught.sum())),
        left_out=int(taught.sum()),
    )


def earlier_test(since: Since, rows: pd.DataFrame, positions: npt.NDArray[np.int64], left_out: int = 0) -> EarlierTest:
    """Which of the test rows, at these positions of the version's rows, were tested before; some may be left out."""
    return EarlierTest(~since.changed[positions], since.tested - left_out, since.labels_in_play(rows))


def verdict_on(comparison: Comparison, dataset: DatasetVersion, since: Since | None, limits: GateLimits) -> Verdict:
    """What the gate says of a comparison and of the data behind it."""
    of_data = [] if since is None else checks_of_data(dataset.rows, since, limits)
    sides = comparison.champion, comparison.challenger
    return judge(comparison.truth, *sides, comparison.newest, limits, comparison.before, of_data)


def newest_rows(rows: pd.DataFrame, days: int, frozen_at: object) -> Bools:
    """Rows of the last days before the newest one, shape (n,); dates after the freezing are a clock's or a typist's."""
    moments = rows["created_at"]
    past = moments[moments <= pd.Timestamp(str(frozen_at))]
    newest = past.max() if len(past) else moments.max()
    return np.asarray((moments > newest - pd.Timedelta(days=days)) & (moments <= newest), dtype=bool)


def seconds_a_text(classifiers: Sequence[Classifier], texts: Sequence[str]) -> list[float]:
    """What a text takes each classifier, read anew each time; they take turns."""
    spent: list[list[float]] = [[] for _ in classifiers]
    for _ in range(TURNS):
        for classifier, of_turns in zip(classifiers, spent, strict=True):
            classifier.encoders.cache.forget()
            began = time.perf_counter()
            for text in texts:
                classifier.classify([text])
            of_turns.append((time.perf_counter() - began) / max(len(texts), 1))
    return [min(of_turns) for of_turns in spent]
