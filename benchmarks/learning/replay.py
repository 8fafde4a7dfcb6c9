"""Petersburg as it happened: a champion of the first weeks, and a retrain by the gate every two weeks.

In: `text/petersburg.csv`. Out: what the gate said at each retrain, and how the old and the new champion do on the two
weeks that came next. Complaints come in their order, the labels that they ended with are the operators' word. Heads
alone on words and the district: no encoder, so that forty thousand rows are read in a minute.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.fast_heads import DIRECTIONS, FastClassifier, fit_fast
from data.complaints.schema import LABELS
from models.text.model_input import normalised_text
from training.classifier.splits import stable_split
from training.evaluate.tfidf_svm import lexical_features
from training.retrain.answers import Answers
from training.retrain.comparison import earlier_test, newest_rows
from training.retrain.gate import Verdict, judge
from training.retrain.gate_limits import GateLimits
from training.retrain.joined_checks import checks_of_data
from training.retrain.paired_bootstrap import Compared, Resamples, mean_difference
from training.retrain.since import rows_since

Floats = npt.NDArray[np.floating]
BEGIN, TWO_WEEKS = pd.Timestamp("2020-12-01", tz="UTC"), pd.Timedelta(days=14)
TEST_SHARE = 0.15


@dataclass(frozen=True)
class Retrain:
    """One retrain: its day, what the gate said, and both champions on the two weeks behind it."""

    day: str
    rows: int
    passed: bool
    says: str
    champion: float
    challenger: float
    difference: Compared

    def as_json(self) -> dict[str, Any]:
        """For the results."""
        return asdict(self)


def complaints(path: Path) -> pd.DataFrame:
    """The rows in their order, as a dataset version has them."""
    frame = pd.read_csv(path, dtype=str)
    frame["created_at"] = pd.to_datetime(frame["created_at"]).dt.tz_localize("Europe/Moscow").dt.tz_convert("UTC")
    frame = frame.assign(source="other", place=np.arange(len(frame)))
    frame = frame.astype(dict.fromkeys(LABELS, object))
    split = np.full(len(frame), "train", dtype=object)
    split[stable_split(frame, TEST_SHARE, "petersburg").test] = "test"
    return frame.assign(split=split)


def features_of(frame: pd.DataFrame) -> Floats:
    """Leading directions of TF-IDF, fitted on what came before the first retrain, beside the district."""
    from sklearn.decomposition import TruncatedSVD

    texts = [normalised_text(text) for text in frame["text"]]
    first = int((frame["created_at"] < BEGIN).sum())
    words = lexical_features().fit(texts[:first])
    directions = TruncatedSVD(DIRECTIONS, random_state=0).fit(words.transform(texts[:first]))
    read = directions.transform(words.transform(texts))
    districts = pd.get_dummies(frame["municipality"]).to_numpy(dtype=float)
    both = np.hstack([read / read[:first].std(axis=0), districts / (districts[:first].std(axis=0) + 1e-6)])
    return np.asarray(both, dtype=np.float64)


def replay(frame: pd.DataFrame, features: Floats, limits: GateLimits) -> tuple[list[Retrain], Compared]:
    """All retrains, and the last champion held against the first on the last two weeks."""
    version = frame[frame["created_at"] < BEGIN]
    first = champion = _taught(version, features)
    retrains: list[Retrain] = []
    judged = version
    for day in pd.date_range(BEGIN + TWO_WEEKS, frame["created_at"].max() - TWO_WEEKS, freq=TWO_WEEKS):
        now = frame[frame["created_at"] < day]
        challenger = _taught(now, features)
        verdict = _gate(version, now, champion, challenger, features, limits, day)
        judged = frame[(frame["created_at"] >= day) & (frame["created_at"] < day + TWO_WEEKS)]
        scores = [_scores(each.answers(features[judged["place"]]), judged) for each in (champion, challenger)]
        compared = Resamples(len(judged)).compare(mean_difference(scores[1], scores[0]))
        old, new = (float(each.mean()) for each in scores)
        retrains.append(Retrain(f"{day:%Y-%m-%d}", len(now), verdict.promote, verdict.first_line, old, new, compared))
        if verdict.promote:
            champion, version = challenger, now
    last, begun = (_scores(each.answers(features[judged["place"]]), judged) for each in (champion, first))
    return retrains, Resamples(len(judged)).compare(mean_difference(last, begun))


def _taught(version: pd.DataFrame, features: Floats) -> FastClassifier:
    rows = version[version["split"] == "train"]
    return fit_fast(features[rows["place"]], rows)


def _gate(
    before: pd.DataFrame,
    now: pd.DataFrame,
    champion: FastClassifier,
    challenger: FastClassifier,
    features: Floats,
    limits: GateLimits,
    day: pd.Timestamp,
) -> Verdict:
    positions = np.flatnonzero(now["split"] == "test")
    test = now.iloc[positions]
    asked = features[test["place"]]
    since = rows_since(before, now)
    sides = champion.answers(asked), challenger.answers(asked)
    newest = newest_rows(test.reset_index(drop=True), limits.newest_days, day)
    of_data = checks_of_data(now.reset_index(drop=True), since, limits)
    return judge(_truth(test), *sides, newest, limits, earlier_test(since, now, positions), of_data)


def _truth(rows: pd.DataFrame) -> dict[str, npt.NDArray[np.object_]]:
    labels = rows[LABELS].astype(object).where(rows[LABELS].notna(), None)
    return {head: labels[head].to_numpy(dtype=object) for head in LABELS}


def _scores(answers: Answers, rows: pd.DataFrame) -> Floats:
    """Of each row the share of its labels that are right, shape (n,)."""
    truth = _truth(rows)
    marks = np.stack([answers.right(truth, head) for head in LABELS])
    return np.asarray(np.nanmean(marks, axis=0))
