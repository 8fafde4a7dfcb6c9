"""The benchmark of adaptation: every row counts once a draw, the same rows judge, differences are paired by row."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from benchmarks.adaptation.benchmark import TITLES, _contenders, few_shot, markdown, targets
from benchmarks.adaptation.few_shot import ROWS_A_TOPIC, Right, count_right, difference, draw
from benchmarks.adaptation.rivals import by_vectors
from benchmarks.results import resample_weights

SIZES = {"единственная": 1, "пара": 2, "редкая": 5, "частая": 40}
TOPICS = np.array([topic for topic, size in SIZES.items() for _ in range(size)], dtype=object)


def test_a_topic_keeps_half_of_its_rows_and_a_single_one_judges():
    drawn = draw(TOPICS, seed=0)
    taught = {topic: int((TOPICS[drawn.taught(8)] == topic).sum()) for topic in SIZES}
    assert taught == {"единственная": 0, "пара": 1, "редкая": 2, "частая": 8}
    assert len(drawn.taught(8)) + len(drawn.judged) == len(TOPICS)
    assert len(drawn.taught(0)) == 0
    assert {int((TOPICS[drawn.taught(2)] == topic).sum()) for topic in ("редкая", "частая")} == {2}


def test_fewer_rows_are_some_of_more_and_seeds_draw_differently():
    first, second = draw(TOPICS, seed=0), draw(TOPICS, seed=1)
    for fewer, more in pairwise(ROWS_A_TOPIC):
        assert set(first.taught(fewer)) <= set(first.taught(more))
    assert set(first.taught(8)) != set(second.taught(8))


def test_each_judged_row_of_each_draw_counts():
    draws = [draw(TOPICS, seed) for seed in range(3)]
    right = count_right(draws, [np.full(len(each.judged), "частая", dtype=object) for each in draws], TOPICS)
    assert right.judged.sum() == sum(len(each.judged) for each in draws)
    assert right.share == pytest.approx(32 / (32 + 3 + 1 + 1))


def test_a_difference_is_paired_by_row():
    judged = np.ones(200)
    often = Right((np.arange(200) % 4 > 0).astype(float), judged)
    same_but_ten = Right(often.right * (np.arange(200) >= 10), judged)
    found = difference(often, same_but_ten, resample_weights(200))
    assert found["difference"] == pytest.approx(7 / 200)
    assert 0 < found["low"] < found["difference"] < found["high"] < 0.1


def test_the_nearest_prototype_is_found_whatever_the_scale_of_a_feature():
    rng = np.random.default_rng(0)
    centres, labels = rng.normal(size=(3, 8)), np.repeat(np.array(["а", "б", "в"], dtype=object), 20)
    rows = np.repeat(centres, 20, axis=0) + 0.1 * rng.normal(size=(60, 8))
    rows[:, 0] *= 1000
    assert (by_vectors(rows[::2], labels[::2], rows[1::2]) == labels[1::2]).all()


@pytest.fixture(scope="module")
def measured():
    """Two topics a sector; the adapted vectors tell topics apart, those of the encoder as it comes do not."""
    rng = np.random.default_rng(0)
    names = np.array([f"тема {number}" for number in range(4)], dtype=object)
    topics = np.repeat(names, 12)
    frame = pd.DataFrame({"topic": topics, "sector": [f"отрасль {int(topic[-1]) // 2}" for topic in topics]})
    texts = [f"жалоба {number}" for number in range(len(topics))] + list(names)
    placed = np.concatenate([topics, names])
    centres = dict(zip(names, rng.normal(size=(4, 16)), strict=True))
    vectors = {
        "as_it_comes": rng.normal(size=(len(placed), 16)),
        "adapted": np.stack([centres[topic] for topic in placed]) + 0.1 * rng.normal(size=(len(placed), 16)),
    }
    draws = [draw(topics, seed) for seed in range(2)]
    contenders = _contenders(few_shot(topics, names, texts, vectors, draws), draws, frame)
    return {"kursk": {"topics": 4, "judged_a_draw": len(draws[0].judged), "contenders": contenders}}


def test_the_contenders_stand_beside_each_other_and_the_better_one_is_better(measured):
    contenders = measured["kursk"]["contenders"]
    assert contenders.keys() == TITLES.keys()
    assert contenders["adapted"]["topic"]["8"] == 1.0
    assert contenders["adapted"]["topic"]["0"] == 1.0  # by the name's vector alone
    assert contenders["as_it_comes"]["topic"]["8"] < 0.6
    for contender in contenders.values():
        assert all(contender["sector"][rows] >= contender["topic"][rows] for rows in contender["topic"])
    gain = contenders["adapted"]["gain"]["as_it_comes"]["8"]
    assert gain["low"] <= gain["difference"] <= gain["high"]
    assert [goal.met for goal in targets(measured)] == [True, True]
    assert "| the encoder adapted on other regions |" in markdown(measured)
