"""The lexical rival: scores for every label of every head, whatever the rows can teach."""

import numpy as np
import pytest

from models.classifier.labels import HEADS, Ints, LabelSpace
from training.evaluate.tfidf_svm import LexicalClassifier

TEXTS = [
    "не вывозят мусор у дома",
    "мусор лежит неделю",
    "яма на дороге",
    "разбитая дорога, яма на яме",
    "нет света на улице",
    "фонарь не горит, света нет",
]
LABELS = LabelSpace({"sector": ("Мусор", "Дороги", "Свет"), "topic": ("Вывоз", "Ямы"), "agency": ("А", "Б", "В", "Г")})
SECTOR = [0, 0, 1, 1, 2, 2]


def targets(**heads: list[int]) -> dict[str, Ints]:
    return {head: np.array(heads.get(head, SECTOR), dtype=np.int64) for head in HEADS}


def test_scores_have_a_column_for_every_label_and_the_right_one_wins():
    rival = LexicalClassifier(LABELS).fit(TEXTS, targets(topic=[0, 0, 1, 1, -100, -100]))
    scores = rival.scores(["мусор не вывозят", "яма на дороге", "нет света, фонарь"])
    assert {head: score.shape for head, score in scores.items()} == {
        "sector": (3, 3),
        "topic": (3, 2),
        "agency": (3, 4),
    }
    assert scores["sector"].argmax(axis=1).tolist() == [0, 1, 2]
    assert scores["topic"].argmax(axis=1)[:2].tolist() == [0, 1]


def test_a_label_never_seen_is_never_first():
    scores = LexicalClassifier(LABELS).fit(TEXTS, targets(topic=[0, 0, 1, 1, 0, 1])).scores(TEXTS)["agency"]
    assert (scores[:, 3] < scores[:, :3].min()).all()


def test_rows_without_a_label_do_not_teach_that_head():
    """The third label's rows are hidden: it is as good as never seen."""
    rival = LexicalClassifier(LABELS).fit(TEXTS, targets(sector=[0, 0, 1, 1, -100, -100], topic=[0, 0, 1, 1, 0, 1]))
    assert rival.scores(["нет света, фонарь"])["sector"].argmin() == 2


@pytest.mark.parametrize(
    ("agencies", "winner"), [([2] * 6, 2), ([-100] * 5 + [1], 1), ([0, 1, 0, 1, 1, 1], None)],
    ids=["one label", "one row", "two labels"],
)  # fmt: skip
def test_a_head_that_has_one_label_only_gives_that_one(agencies: list[int], winner: int | None):
    scores = LexicalClassifier(LABELS).fit(TEXTS, targets(topic=[0, 0, 1, 1, 0, 1], agency=agencies)).scores(TEXTS)
    assert scores["agency"].shape == (6, 4)
    if winner is not None:
        assert set(scores["agency"].argmax(axis=1)) == {winner}


def test_a_head_without_any_label_says_nothing():
    rival = LexicalClassifier(LABELS).fit(TEXTS, targets(topic=[0, 0, 1, 1, 0, 1], agency=[-100] * 6))
    assert np.ptp(rival.scores(TEXTS)["agency"]) == 0


def test_the_same_rows_give_the_same_scores():
    first, second = (
        LexicalClassifier(LABELS).fit(TEXTS, targets(topic=[0, 0, 1, 1, 0, 1])).scores(TEXTS) for _ in "ab"
    )
    for head in HEADS:
        np.testing.assert_array_equal(first[head], second[head])
