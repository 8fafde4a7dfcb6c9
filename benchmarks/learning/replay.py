"""Petersburg as it happened: a champion of the first weeks, and a retrain by the gate every two weeks.

In: `text/petersburg.csv`. Out: what the gate said at each retrain, and how champion and challenger do on the two weeks
that came next. On a day the rows before it have the labels that they ended with where they were answered by then,
and otherwise those that they came with: so later retrains hold corrections. The weeks that judge have the labels that
they ended with.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.results import console
from benchmarks.vector_classifier import Floats, VectorClassifier, fit_on_vectors
from data.complaints.schema import LABELS
from training.classifier.splits import stable_split
from training.retrain.answers import Answers
from training.retrain.comparison import earlier_test, newest_rows
from training.retrain.gate import Verdict, judge
from training.retrain.gate_limits import GateLimits
from training.retrain.joined_checks import checks_of_data
from training.retrain.paired_bootstrap import Compared, Resamples, mean_difference
from training.retrain.since import rows_since

BEGIN, TWO_WEEKS = pd.Timestamp("2020-12-01", tz="UTC"), pd.Timedelta(days=14)
TEST_SHARE = 0.15
"""As in configs/dataset.yaml."""
TIMEZONE = "Europe/Moscow"


@dataclass(frozen=True)
class Retrain:
    """One retrain: its day, what the gate said, without the labels that it names, and both models on the next weeks."""

    day: str
    rows: int
    corrected: int
    passed: bool
    checks_failed: int
    champion: float
    challenger: float
    difference: Compared


@dataclass(frozen=True)
class Replay:
    """All retrains, and the last champion against the first.

    Attributes:
        last: on the last two weeks.
        served: whoever was champion then against the first one, on all weeks from the first retrain on.
    """

    retrains: list[Retrain]
    last: Compared
    served: Compared

    def as_json(self) -> dict[str, Any]:
        """For the results."""
        return asdict(self)


def complaints(path: Path, each: int = 1) -> pd.DataFrame:
    """The rows in their order, or every so-many-th: as a version has them, and `place, answered_at, first HEAD`."""
    frame = pd.read_csv(path, dtype=str).iloc[::each].reset_index(drop=True)
    for column in ("created_at", "answered_at"):
        frame[column] = pd.to_datetime(frame[column]).dt.tz_localize(TIMEZONE).dt.tz_convert("UTC")
    frame = frame.rename(columns={f"first_{head}": f"first {head}" for head in LABELS})
    split = np.full(len(frame), "train", dtype=object)
    split[stable_split(frame, TEST_SHARE, "petersburg").test] = "test"
    return frame.assign(source="other", place=np.arange(len(frame)), split=split)


def known_on(frame: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """The rows before a day, with the labels that were known then; what the catalogue does not know is none."""
    rows = frame[frame["created_at"] < day].reset_index(drop=True)
    answered = (rows["answered_at"] < day).to_numpy()
    for head in LABELS:
        first = rows[f"first {head}"].where(rows[f"first {head}"].isin(frame[head].dropna().unique()))
        labels = pd.Series(np.where(answered, rows[head], first), dtype=object)
        rows[head] = labels.where(labels.notna(), None)
    return rows


def replay(frame: pd.DataFrame, vectors: Floats, limits: GateLimits) -> Replay:
    """Train, predict two weeks, take the corrections, retrain, ask the gate; and so on to the end."""
    version = known_on(frame, BEGIN)
    first = champion = _taught(version, vectors)
    retrains: list[Retrain] = []
    served: list[Floats] = []
    for day in pd.date_range(BEGIN + TWO_WEEKS, frame["created_at"].max() - TWO_WEEKS, freq=TWO_WEEKS):
        now = known_on(frame, day)
        challenger = _taught(now, vectors)
        verdict = _gate(version, now, champion, challenger, vectors, limits, day)
        judged = frame[(frame["created_at"] >= day) & (frame["created_at"] < day + TWO_WEEKS)]
        old, new, begun = (
            _scores(each.answers(vectors[judged["place"]]), judged) for each in (champion, challenger, first)
        )
        retrains.append(_retrain(day, version, now, verdict, old, new))
        console.print(f"{day:%d.%m.%Y}: {verdict.first_line[:200]}")
        if verdict.promote:
            champion, version, old = challenger, now, new
        served.append(old - begun)
    return Replay(retrains, _above_nothing(served[-1]), _above_nothing(np.concatenate(served)))


def _retrain(
    day: pd.Timestamp, version: pd.DataFrame, now: pd.DataFrame, verdict: Verdict, old: Floats, new: Floats
) -> Retrain:
    relabelled = rows_since(version, now).relabelled
    corrected = int(np.logical_or.reduce(list(relabelled.values())).sum())
    compared = Resamples(len(old)).compare(mean_difference(new, old))
    means = float(old.mean()), float(new.mean())
    failed = sum(not check.passed for check in verdict.checks)
    return Retrain(f"{day:%Y-%m-%d}", len(now), corrected, verdict.promote, failed, *means, compared)


def _above_nothing(gains: Floats) -> Compared:
    return Resamples(len(gains)).compare(mean_difference(gains, np.zeros_like(gains)))


def _taught(version: pd.DataFrame, vectors: Floats) -> VectorClassifier:
    rows = version[version["split"] == "train"].reset_index(drop=True)
    return fit_on_vectors(rows, vectors[rows["place"]])


def _gate(
    before: pd.DataFrame,
    now: pd.DataFrame,
    champion: VectorClassifier,
    challenger: VectorClassifier,
    vectors: Floats,
    limits: GateLimits,
    day: pd.Timestamp,
) -> Verdict:
    """What the gate of `tsur retrain` says of two dataset versions and what was taught from them."""
    positions = np.flatnonzero(now["split"] == "test")
    test = now.iloc[positions].reset_index(drop=True)
    asked = vectors[test["place"]]
    since = rows_since(before, now)
    sides = champion.answers(asked), challenger.answers(asked)
    newest = newest_rows(test, limits.newest_days, day)
    of_data = checks_of_data(now, since, limits)
    return judge(_truth(test), *sides, newest, limits, earlier_test(since, now, positions), of_data)


def _truth(rows: pd.DataFrame) -> dict[str, npt.NDArray[np.object_]]:
    labels = rows[LABELS].astype(object).where(rows[LABELS].notna(), None)
    return {head: labels[head].to_numpy(dtype=object) for head in LABELS}


def _scores(answers: Answers, rows: pd.DataFrame) -> Floats:
    """Of each row the share of its labels that are right, shape (n,)."""
    truth = _truth(rows)
    marks = np.stack([answers.right(truth, head) for head in LABELS])
    return np.asarray(np.nanmean(marks, axis=0))
