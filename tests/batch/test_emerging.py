"""`tsur emerging`: from a file's complaints to proposals; only the days looked at are classified."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from batch.emerging import emerging_in
from data.complaints.schema import COLUMNS
from data.errors import InputError
from models.classifier.classifier import Classifier
from models.topics.emerging import EmergingConfig
from tests.serving.bundles import SENTENCES, write_classifier

END = datetime(2026, 11, 15, 21, 30, tzinfo=UTC)
"""After midnight in Moscow: the last day is the 16th."""
CONFIG = EmergingConfig(doubt=1.0)
"""A random network may be sure of anything."""


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier.load(write_classifier(tmp_path_factory.mktemp("classifier") / "bundle"))


def complaints(texts: list[tuple[str, int]]) -> pd.DataFrame:
    """Complaints with their ages in days, as `tsur import` writes them."""
    frame = pd.DataFrame(
        {
            "id": [str(n) for n in range(len(texts))],
            "text": [text for text, _ in texts],
            "source": "other",
            "created_at": pd.to_datetime([END - timedelta(days=age) for _, age in texts], utc=True),
        }
    )
    return frame.assign(municipality="Верхнереченск", sector=None, topic=None, agency=None)[COLUMNS]


def ordinary(rows: int = 400) -> list[tuple[str, int]]:
    ages = np.random.default_rng(0).integers(0, 74, rows)
    ages[:1] = 0
    return [(f"{SENTENCES[n % 5]} {SENTENCES[n // 5 % 5]} и ещё {n}", int(age)) for n, age in enumerate(ages)]


def new(size: int = 15) -> list[tuple[str, int]]:
    return [(f"самокаты брошены на тротуаре, {n}", n % 7) for n in range(size)]


def test_what_is_new_in_a_file_is_proposed(classifier: Classifier):
    seen: list[int] = []
    found = emerging_in(complaints(ordinary() + new()), classifier, CONFIG, "Europe/Moscow", seen.append)
    (topic,) = [topic for topic in found.topics if "самокаты" in " ".join(topic.words)]
    assert topic.size >= 12
    assert set(topic.municipalities) == {"Верхнереченск"}
    assert (found.end.isoformat(), found.recent + found.past) == ("2026-11-16", 415)
    assert seen == [256, 415]


def test_on_ordinary_days_a_file_has_nothing_new(classifier: Classifier):
    assert emerging_in(complaints(ordinary()), classifier, CONFIG, "Europe/Moscow", lambda rows: None).topics == []


def test_complaints_outside_the_days_are_not_even_classified(classifier: Classifier):
    seen: list[int] = []
    texts = ordinary(100) + [(f"старое обращение {n}", 300) for n in range(500)]
    emerging_in(complaints(texts), classifier, CONFIG, "Europe/Moscow", seen.append)
    assert seen == [100]


@pytest.mark.parametrize("rows", [1, 20])
def test_a_short_file_says_that_there_is_nothing_to_compare_with(classifier: Classifier, rows: int):
    found = emerging_in(complaints(ordinary(rows)), classifier, CONFIG, "Europe/Moscow", lambda rows: None)
    assert (found.enough_past, found.topics) == (False, [])


def test_no_complaints_at_all_are_an_error(classifier: Classifier):
    with pytest.raises(InputError, match="no complaints"):
        emerging_in(complaints([]), classifier, CONFIG, "Europe/Moscow", lambda rows: None)
