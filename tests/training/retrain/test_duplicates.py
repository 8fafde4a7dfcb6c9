"""Duplicates: copies, floods, and near-duplicates on both sides of the split are counted."""

import numpy as np
import pandas as pd

from training.retrain import duplicates
from training.retrain.duplicates import Duplicates, find_duplicates

TEXT = "На улице Лесной третий день не вывозят мусор, контейнеры переполнены, пакеты лежат на дороге."
TEXTS = pd.Series(
    [
        TEXT,
        TEXT.upper(),
        TEXT + " Примите меры!",
        "Врач не принимает по записи, талонов нет.",
        "Автобус не пришёл.",
        "автобус не пришёл",
        "Автобус не пришёл!",
    ]
)


def held_out(*rows: int) -> np.ndarray:
    return np.isin(np.arange(len(TEXTS)), rows)


def test_copies_near_duplicates_and_those_across_the_split_are_counted():
    expected = Duplicates(copies=3, most_copies=3, compared=4, near=2, largest=2, across=1)
    assert find_duplicates(TEXTS, held_out(2, 3)) == expected
    assert find_duplicates(TEXTS, held_out(0, 1, 2)).across == 0, "both near-duplicates are held out"


def test_of_more_texts_than_can_be_compared_some_are_drawn_the_same_every_time(monkeypatch):
    monkeypatch.setattr(duplicates, "MOST_TEXTS", 3)
    first, again = (find_duplicates(TEXTS, held_out(3)) for _ in range(2))
    assert first == again
    assert (first.compared, first.copies) == (3, 3)
