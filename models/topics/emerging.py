"""Emerging topics: complaints of the last days that fit no topic and look alike, as proposals for a new one.

In: complaints with day, place and what the classifier said of them, and their vectors (`Classifier.features`).
Out: `Emerging`: proposed topics, each with size, beginning, growth, example words and complaints. Groups with more
recent complaints than chance explains, and than the other complaints on the topics that they were named as, are
proposed where the classifier doubts most of the recent complaints like them: else a known topic has grown. The one
decision worth knowing: `false_alarms` is the chance that days on which nothing is new bring any proposal at all.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from pydantic import Field

from data.complaints.masking import mask
from data.config import Config
from models.classifier.labels import OTHER
from models.topics.keywords import keywords
from models.topics.scan_statistic import Bools, Floats, Group, Ints, topic_metric, unit, unusual_groups

SURE = 0.6
"""Past complaints with at least this confidence in a topic show how complaints on one topic differ."""
LEAST_NEW = 0.5
"""Share of doubtful ones among the recent complaints like a group's: with fewer it is the edge of a known topic."""
LEAST_KNOWN = 1 / 3
"""Expected share of a group's complaints, by the confidences in them, that are on one known topic: from this on the
group is that topic's. Who doubts each of many like complaints, and names them all alike, does not doubt them."""
NEAR = 0.25
"""Complaints are like a group's if they are nearer to its centre than this share of its members."""
LEAST_PAST = 100
"""Past complaints without which nothing can be called new."""
EXAMPLES = 3
EXAMPLE_CHARACTERS = 400
"""What is quoted of a group: enough to see what it is about at a glance."""
COLUMNS = ["text", "day", "municipality", "topic", "confidence", "unlike"]


class EmergingConfig(Config):
    """What is looked at, and how readily something is proposed; comments on each stand in the YAML."""

    days: int = Field(default=14, ge=1, le=60)
    past_days: int = Field(default=60, ge=7, le=730)
    max_recent: int = Field(default=2000, ge=50, le=10_000)
    max_past: int = Field(default=4000, ge=LEAST_PAST, le=20_000)
    doubt: float = Field(default=0.6, gt=0, le=1)
    smallest: int = Field(default=5, ge=3)
    false_alarms: float = Field(default=0.05, ge=0.005, le=0.5)


@dataclass(frozen=True)
class EmergingTopic:
    """A proposed topic.

    Attributes:
        rows: positions of its complaints of the last days among those given.
        size: how many they are.
        since: the day on which it began to grow.
        per_day_before, per_day_now: complaints a day like these, in the past and in the last days.
        p_value: the chance that so clear a group comes up where nothing is new.
        confidence: the classifier's mean confidence in the topic that it named; low: no known one fits.
        nearest: the known topic that was named most often.
        words: what these complaints speak of and others do not.
        examples: the most typical complaints, masked and shortened.
        municipalities: places and their complaints, the most first.
        cohesion: mean cosine of the members to their centre; 0: as unlike as any two complaints.
    """

    rows: list[int]
    size: int
    since: date
    per_day_before: float
    per_day_now: float
    p_value: float
    confidence: float
    nearest: str
    words: list[str]
    examples: list[str]
    municipalities: dict[str, int]
    cohesion: float

    @property
    def summary(self) -> str:
        """One sentence for the official who decides, in Russian."""
        speaks = ", ".join(f"«{word}»" for word in self.words[:3])
        before = f"{self.per_day_before:.1f}".replace(".", ",")
        now = f"{self.per_day_now:.1f}".replace(".", ",")
        return (
            f"Похожие обращения, которым не подходит ни одна тема: {speaks or 'без общих слов'}. "
            f"С {self.since:%d.%m.%Y}; в день раньше {before}, теперь {now}; "
            f"ближайшая тема «{self.nearest}» – уверенность {self.confidence:.0%}."
        )


@dataclass(frozen=True)
class Emerging:
    """What was looked at, and the proposed topics, the clearest first; without enough past, none can be."""

    start: date
    end: date
    recent: int
    past: int
    doubtful: int
    enough_past: bool
    topics: list[EmergingTopic]


def emerging_topics(complaints: pd.DataFrame, vectors: Floats, end: date, config: EmergingConfig) -> Emerging:
    """Look for topics that emerged in the `config.days` days up to `end`.

    Args:
        complaints: columns `text, day, municipality, topic, confidence, unlike`: the day as a datetime without
            zone, the topic that the classifier named, its confidence, and whether the text is unlike training.
        vectors: of the complaints, shape (n, width).
        end: the last day.
        config: how many days, and how readily.
    """
    start = end - timedelta(days=config.days - 1)
    rows = in_window(complaints, end, config)
    frame = complaints[COLUMNS].iloc[rows].assign(row=rows).reset_index(drop=True)
    vectors = np.asarray(vectors, dtype=np.float64)[rows]
    recent = (frame["day"] >= pd.Timestamp(start)).to_numpy()
    doubtful = doubted(frame, config.doubt)
    past = int((~recent).sum())
    enough = past >= LEAST_PAST
    topics = _Search(frame, _placed(frame, vectors, recent), recent, doubtful, end, config).topics() if enough else []
    return Emerging(start, end, int(recent.sum()), past, int((doubtful & recent).sum()), enough, topics)


def in_window(complaints: pd.DataFrame, end: date, config: EmergingConfig) -> Ints:
    """Positions of the newest complaints of the last days and of the past before; the same text counts once.

    Args:
        complaints: columns `text, day`.
        end: the last day.
        config: how many days, how many complaints.
    """
    first_recent = pd.Timestamp(end) - pd.Timedelta(days=config.days - 1)
    first = first_recent - pd.Timedelta(days=config.past_days)
    frame = complaints[["text", "day"]].reset_index(drop=True)
    frame = frame[frame["day"].between(first, pd.Timestamp(end))]
    frame = frame.sort_values("day", kind="stable").drop_duplicates("text")
    recent = frame["day"] >= first_recent
    newest = [frame.index[~recent][-config.max_past :], frame.index[recent][-config.max_recent :]]
    return np.concatenate(newest).astype(np.int64)


def doubted(frame: pd.DataFrame, doubt: float) -> Bools:
    """Which complaints fit no topic: low confidence, a topic too rare to learn, or words never seen."""
    unknown = frame["unlike"].astype(bool) | (frame["topic"] == OTHER) | (frame["confidence"] < doubt)
    return unknown.to_numpy(dtype=bool)


def _placed(frame: pd.DataFrame, vectors: Floats, recent: Bools) -> Floats:
    """The vectors in the metric of topics, seen from the middle of the past, of length one."""
    topics = pd.factorize(frame["topic"])[0].astype(np.int64)
    sure = ~recent & ~doubted(frame, SURE)
    metric = topic_metric(vectors[sure], topics[sure]) if sure.any() else np.eye(vectors.shape[1])
    return unit((vectors - vectors[~recent].mean(axis=0)) @ metric)


@dataclass(frozen=True)
class _Search:
    """The complaints looked at, beside their placed vectors: which are recent, which doubtful."""

    frame: pd.DataFrame
    vectors: Floats
    recent: Bools
    doubtful: Bools
    end: date
    config: EmergingConfig

    def topics(self) -> list[EmergingTopic]:
        """The unusual groups that are no known topic's, described; of those that overlap, the clearest."""
        free, topics = np.ones(len(self.frame), dtype=bool), []
        for group in sorted(self._groups(), key=lambda group: group.p_value):
            if free[group.members].all():
                free[group.members] = False
                if self._is_new(group.members):
                    topics.append(self._topic(group.members, group.p_value))
        return topics

    def _groups(self) -> list[Group]:
        """Unusual groups of the doubtful complaints, and of all: each search has half of the false alarms.

        Where the classifier is often sure, the doubtful ones stand out against few others; where it is rarely, new
        complaints of which it is sure by mistake would be missing from their group.
        """
        named = pd.factorize(self.frame["topic"])[0].astype(np.int64)
        smallest, highest_p = self.config.smallest, self.config.false_alarms / 2
        groups = []
        for among in (self.doubtful, np.ones_like(self.doubtful)):
            found = unusual_groups(self.vectors, self.recent, named, among, smallest, highest_p)
            groups += [Group(group.members, 2 * group.p_value) for group in found]
        return groups

    def _is_new(self, rows: Ints) -> bool:
        """Whether no known topic fits these, and the classifier doubts most of the recent complaints like them."""
        new = rows[self.recent[rows]]
        if self._of_one_topic(new) >= LEAST_KNOWN:
            return False
        centre = self.vectors[new].sum(axis=0)
        alike = self.recent & (self.vectors @ centre >= np.quantile(self.vectors[new] @ centre, NEAR))
        return bool(self.doubtful[alike].mean() >= LEAST_NEW)

    def _of_one_topic(self, rows: Ints) -> float:
        """Expected share of these complaints that are on the known topic that is named most."""
        frame = self.frame.iloc[rows]
        sure = frame["confidence"].where(~frame["unlike"].astype(bool) & (frame["topic"] != OTHER), 0.0)
        return float(sure.groupby(frame["topic"]).sum().max() / len(frame))

    def _spans(self) -> tuple[int, int]:
        """Days that the recent complaints and those of the past cover: where there are many, not all asked for."""
        end, start = pd.Timestamp(self.end), pd.Timestamp(self.end) - pd.Timedelta(days=self.config.days - 1)
        now = (end - self.frame["day"][self.recent].min()).days + 1
        return now, max((start - self.frame["day"].min()).days, 1)

    def _topic(self, rows: Ints, p_value: float) -> EmergingTopic:
        new = rows[self.recent[rows]]
        members, vectors = self.frame.iloc[new], self.vectors[new]
        texts = [mask(text) for text in members["text"]]
        nearness = vectors @ unit(vectors.sum(axis=0))
        others = np.setdiff1d(np.arange(len(self.frame)), rows)
        now, before = self._spans()
        named = Counter(members["topic"][members["topic"] != OTHER])
        places = Counter(place for place in members["municipality"] if isinstance(place, str))
        return EmergingTopic(
            rows=members["row"].tolist(),
            size=len(members),
            since=_began(self.frame["day"], self.recent, rows),
            per_day_before=(len(rows) - len(new)) / before,
            per_day_now=len(new) / now,
            p_value=p_value,
            confidence=float(members["confidence"].mean()),
            nearest=min(named, key=lambda topic: (-named[topic], topic), default=OTHER),
            words=keywords(texts, self.frame["text"].iloc[others].tolist()),
            examples=[_shortened(texts[row]) for row in np.argsort(-nearness, kind="stable")[:EXAMPLES]],
            municipalities=dict(sorted(places.items(), key=lambda item: (-item[1], item[0]))),
            cohesion=float(nearness.mean()),
        )


def _began(days: "pd.Series[pd.Timestamp]", recent: Bools, rows: Ints) -> date:
    """The recent day from which on the members are most above their share of all complaints."""
    all_days, member_days = days.to_numpy(), days.to_numpy()[rows]
    best, began = -np.inf, member_days.max()
    for day in np.unique(member_days[recent[rows]]):
        observed, expected = int((member_days >= day).sum()), len(rows) * float((all_days >= day).mean())
        score = observed * np.log(observed / expected) - (observed - expected)
        if score > best:
            best, began = score, day
    return pd.Timestamp(began).date()


def _shortened(text: str) -> str:
    return text if len(text) <= EXAMPLE_CHARACTERS else f"{text[:EXAMPLE_CHARACTERS].rstrip()}…"
