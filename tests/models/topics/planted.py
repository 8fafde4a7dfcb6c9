"""Days of complaints with vectors: ordinary ones on known topics, and whatever a test plants among them."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from models.topics.scan_statistic import Floats

END = date(2026, 11, 15)
WIDTH = 32
DAYS, PAST_DAYS = 14, 60
ORDINARY = ("мусор не вывозят у дома", "яма на дороге", "нет горячей воды", "автобус не приходит", "темно во дворе")


@dataclass(frozen=True)
class Days:
    """Columns as `emerging_topics` wants them, and vectors."""

    complaints: pd.DataFrame
    vectors: Floats

    def __add__(self, other: "Days") -> "Days":
        frames = [self.complaints, other.complaints]
        return Days(pd.concat(frames, ignore_index=True), np.concatenate([self.vectors, other.vectors]))


def ordinary(rows: int = 700, seed: int = 0, days: int = DAYS + PAST_DAYS) -> Days:
    """Complaints on eight known topics, spread over the days; the classifier is sure of half of them."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(8, WIDTH))
    topics = rng.integers(0, len(centres), rows)
    ages = rng.integers(0, days, rows)
    texts = [f"{ORDINARY[topic % len(ORDINARY)]}, обращение {row}" for row, topic in enumerate(topics)]
    names = [f"Тема {topic}" for topic in topics]
    return _days(texts, ages, names, rng.choice([0.3, 0.9], rows), centres[topics] + rng.normal(size=(rows, WIDTH)))


def group(text: str, size: int, ages: range, confidence: float = 0.2, seed: int = 1, place: str | None = None) -> Days:
    """So many like complaints, `text` with a number; their ages in days take turns in `ages`."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=WIDTH) + 0.6 * rng.normal(size=(size, WIDTH))
    texts = [f"{text}, случай {seed} {row}" for row in range(size)]
    turns = [ages[row % len(ages)] for row in range(size)]
    return _days(texts, np.array(turns), ["Тема 3"] * size, np.full(size, confidence), vectors, place)


def _days(
    texts: list[str],
    ages: "np.ndarray",
    topics: list[str],
    confidence: Floats,
    vectors: Floats,
    place: str | None = None,
) -> Days:
    day = pd.Timestamp(END) - pd.to_timedelta(ages, unit="D")
    columns = {"text": texts, "day": day, "municipality": place, "topic": topics, "confidence": confidence}
    return Days(pd.DataFrame(columns | {"unlike": False}), vectors)
