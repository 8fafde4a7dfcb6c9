"""Drift: are the complaints of now other ones than those that the champion was taught?

In: complaints of then and of now, and what the champion makes of them. Out: a `DriftReport`: the signals, each with a
p-value, and those that are an alarm after Holm's correction, so that where nothing has changed at most a stated share
of the reports alarms. Complaints that the champion was taught are left out: it knows their words and is surer of them.
The strongest signal is a domain classifier: can the encoder's vectors tell now from then? Its AUC is held against those
of shuffled dates (Lopez-Paz & Oquab 2017). Accuracy is estimated without labels, as the mean of the calibrated
confidences.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.complaints.schema import LABELS
from data.errors import BundleError, InputError
from models.classifier.classifier import Classifier
from models.classifier.out_of_vocabulary import OutOfVocabulary
from registry.client import Registry
from training.evaluate.evaluate import seen_by
from training.report.markdown import markdown_table

Floats = npt.NDArray[np.floating]
LEVEL = 0.05
"""One report in twenty alarms where nothing has changed."""
MOST_ROWS = 1500
"""Of each side that are looked at: a domain classifier of more tells shifts that nobody minds."""
SHUFFLES = 999
"""Of the dates: the smallest p is 0.001, below Holm's strictest level of nine signals."""
RIDGE = 100.0
"""Penalty of the domain classifier, in rows."""
LEAST_EXPECTED = 5.0
"""Rows of a label in both halves of its table; rarer labels are counted together (Cochran 1954)."""
READ_AT_ONCE = 256


@dataclass(frozen=True)
class Readings:
    """What the champion makes of n complaints; what is per head is by its name.

    Attributes:
        features: what its heads read, shape (n, hidden).
        confidence: calibrated, of the labels given, shape (n,).
        labels: that it gives, shape (n,).
        characters: lengths of the texts, shape (n,).
        unknown: shares of words that training did not know, shape (n,).
    """

    features: Floats
    confidence: dict[str, Floats]
    labels: dict[str, npt.NDArray[np.object_]]
    characters: Floats
    unknown: Floats

    def part(self, rows: npt.NDArray[np.integer]) -> "Readings":
        """The complaints at these positions."""
        return Readings(
            self.features[rows],
            {head: values[rows] for head, values in self.confidence.items()},
            {head: names[rows] for head, names in self.labels.items()},
            self.characters[rows],
            self.unknown[rows],
        )


@dataclass(frozen=True)
class Signal:
    """One thing that may have changed: its figure then and now, and how often chance alone changes it as much."""

    name: str
    before: float
    now: float
    p: float
    alarm: bool = False


@dataclass(frozen=True)
class DriftReport:
    """What has changed.

    Attributes:
        signals: the surest first.
        rows: complaints that were looked at, then and now.
        accuracy: of each head the estimated accuracy, then and now.
    """

    signals: tuple[Signal, ...]
    rows: tuple[int, int]
    accuracy: dict[str, tuple[float, float]]

    @property
    def alarm(self) -> bool:
        """Whether anything has changed beyond chance."""
        return any(signal.alarm for signal in self.signals)

    @property
    def first_line(self) -> str:
        """What there is to know, in a sentence."""
        named = [signal.name for signal in self.signals if signal.alarm]
        lost = min((now - before for before, now in self.accuracy.values()), default=0.0)
        estimate = f"estimated accuracy changes by {100 * lost:+.1f} points at worst"
        if not named:
            return f"No drift in {self.rows[1]} complaints against {self.rows[0]}; {estimate}"
        return f"Drift in {', '.join(named)} ({self.rows[1]} complaints against {self.rows[0]}); {estimate}"

    def as_markdown(self) -> str:
        """A page that is read in a minute."""
        table = pd.DataFrame(
            [("drift" if s.alarm else "", s.name, s.before, s.now, f"{s.p:.2g}") for s in self.signals],
            columns=["", "what", "then", "now", "p"],
        )
        accuracy = pd.DataFrame(
            [(head, before, now) for head, (before, now) in self.accuracy.items()], columns=["head", "then", "now"]
        )
        parts = [f"{self.first_line}.", markdown_table(table), "Estimated accuracy, without labels:"]
        return "\n\n".join([*parts, markdown_table(accuracy)]) + "\n"


def not_taught(frame: pd.DataFrame, registry: Registry, name: str, version: int) -> pd.DataFrame:
    """The complaints that a registered version was not taught; all, where nobody knows which it was.

    Raises:
        InputError: none is left.
    """
    try:
        taught = seen_by(frame, registry, name, version)
    except BundleError:
        return frame
    if taught.all():
        raise InputError(
            f"version {version} was taught all {len(frame)} of these complaints, and is surer of them than of any "
            "other: name others by --then, or train on a dataset version, which holds some out"
        )
    return frame[~taught]


def readings(frame: pd.DataFrame, classifier: Classifier, seed: int = 0) -> Readings:
    """What the champion makes of complaints (schema COMPLAINTS); of many, so many are drawn."""
    if len(frame) > MOST_ROWS:
        frame = frame.sample(MOST_ROWS, random_state=seed)
    texts, places = frame["text"].tolist(), classifier.catalogue.municipality_ids(frame["municipality"])
    said = []
    for start in range(0, len(texts), READ_AT_ONCE):
        part = slice(start, start + READ_AT_ONCE)
        said += classifier.classify(texts[part], places[part])
    given = {head: [getattr(each, head) for each in said] for head in LABELS}
    words: OutOfVocabulary = classifier.bundle.out_of_vocabulary
    return Readings(
        np.stack([each.features for each in said if each.features is not None]),
        {head: np.array([each.confidence for each in of_head]) for head, of_head in given.items()},
        {head: np.array([each.label for each in of_head], dtype=object) for head, of_head in given.items()},
        np.array([len(text) for text in texts], dtype=np.float64),
        words.scores(texts),
    )


def drift(before: Readings, now: Readings, level: float = LEVEL) -> DriftReport:
    """Hold the complaints of now against those of then."""
    signals = [
        domain_classifier(before.features, now.features),
        _ranks("length", before.characters, now.characters),
        _ranks("unknown words", before.unknown, now.unknown),
        *(_ranks(f"confidence of {head}", before.confidence[head], now.confidence[head]) for head in LABELS),
        *(_shares(f"labels given as {head}", before.labels[head], now.labels[head]) for head in LABELS),
    ]
    accuracy = {head: (float(before.confidence[head].mean()), float(now.confidence[head].mean())) for head in LABELS}
    rows = len(before.characters), len(now.characters)
    return DriftReport(tuple(_after_holm(signals, level)), rows, accuracy)


def domain_classifier(before: Floats, now: Floats, seed: int = 0) -> Signal:
    """How well vectors tell now from then: the AUC of a ridge regression, each row judged by all others.

    Leaving one row out is exact, and shuffled dates share the same matrix, so that a thousand of them cost one product.
    """
    rows = np.concatenate([before, now]).astype(np.float64)
    design = np.hstack([(rows - rows.mean(axis=0)) / (rows.std(axis=0) + 1e-6), np.ones((len(rows), 1))])
    penalty = RIDGE * np.eye(design.shape[1])
    penalty[-1, -1] = 1e-6
    hat = design @ np.linalg.solve(design.T @ design + penalty, design.T)
    date = np.concatenate([np.zeros(len(before)), np.ones(len(now))])
    rng = np.random.default_rng(seed)
    dates = np.stack([date, *(rng.permutation(date) for _ in range(SHUFFLES))], axis=1)
    leverage = np.diag(hat)[:, None]
    scores = (hat @ dates - leverage * dates) / np.maximum(1 - leverage, 1e-6)
    found = _auc(scores, dates)
    p = (1 + np.count_nonzero(found[1:] >= found[0])) / (1 + SHUFFLES)
    return Signal("texts (AUC of now against then)", 0.5, float(found[0]), float(p))


def _auc(scores: Floats, positive: Floats) -> Floats:
    """Area under the ROC curve of each column, by ranks."""
    ranks = scores.argsort(axis=0).argsort(axis=0) + 1
    ones = positive.sum(axis=0)
    area: Floats = ((ranks * positive).sum(axis=0) - ones * (ones + 1) / 2) / (ones * (len(scores) - ones))
    return area


def _ranks(name: str, before: Floats, now: Floats) -> Signal:
    """Whether figures are larger or smaller now (Mann & Whitney 1947); the figures told are medians."""
    from scipy.stats import mannwhitneyu

    p = float(mannwhitneyu(before, now).pvalue)
    return Signal(name, float(np.median(before)), float(np.median(now)), p)


def _shares(name: str, before: Sequence[str] | npt.NDArray[np.object_], now: npt.NDArray[np.object_]) -> Signal:
    """Whether labels have other shares now; the figures told are those of the label that changed most."""
    from scipy.stats import chi2_contingency

    counts = pd.DataFrame({"then": pd.Series(before).value_counts(), "now": pd.Series(now).value_counts()}).fillna(0)
    rare = counts.sum(axis=1) * min(len(before), len(now)) / (len(before) + len(now)) < LEAST_EXPECTED
    pooled = pd.concat([counts[~rare], counts[rare].sum().to_frame("rare").T])
    pooled = pooled[pooled.sum(axis=1) > 0]
    if len(pooled) < 2:
        return Signal(name, 1.0, 1.0, 1.0)
    shares = (pooled[["then", "now"]] / pooled[["then", "now"]].sum()).to_numpy()
    most = int(np.abs(shares[:, 1] - shares[:, 0]).argmax())
    p = float(chi2_contingency(pooled.to_numpy()).pvalue)
    return Signal(f"{name}, most «{pooled.index[most]}»", float(shares[most, 0]), float(shares[most, 1]), p)


def _after_holm(signals: list[Signal], level: float) -> list[Signal]:
    """In the order of their p-values, those marked that stay below the level."""
    ordered, alarm = sorted(signals, key=lambda each: each.p), True
    marked = []
    for place, each in enumerate(ordered):
        alarm = alarm and each.p * (len(ordered) - place) <= level
        marked.append(Signal(each.name, each.before, each.now, each.p, alarm))
    return marked
