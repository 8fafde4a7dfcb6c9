"""Topic–agency PMI: whom a topic usually goes to, counted from rows, and without a row's own count."""

import numpy as np
import pytest

from models.classifier.labels import Ints, LabelSpace
from models.classifier.topic_agency_pmi import PRIOR_ROWS, TopicAgencyPmi, count_topic_agency

LABELS = LabelSpace({"sector": ("ЖКХ",), "topic": ("Вода", "Свет", "Ямы"), "agency": ("А", "Б", "В")})
WATER, LIGHT, PITS = range(3)
A, B, C = range(3)


def targets(*pairs: tuple[int, int]) -> dict[str, Ints]:
    """Labels of rows given as (topic, agency)."""
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return {"sector": np.zeros(len(rows), dtype=np.int64), "topic": rows[:, 0], "agency": rows[:, 1]}


def counted(*pairs: tuple[int, int]) -> TopicAgencyPmi:
    return count_topic_agency(LABELS, targets(*pairs))


def test_rows_are_counted_by_topic_and_agency_and_those_without_either_are_not():
    pmi = counted((WATER, A), (WATER, A), (WATER, B), (PITS, C), (-100, A), (LIGHT, -100))
    assert pmi.rows == {"Вода": {"А": 2, "Б": 1}, "Ямы": {"В": 1}}


def test_without_rows_nothing_is_usual():
    np.testing.assert_allclose(TopicAgencyPmi().matrix(LABELS), 0.0, atol=1e-12)
    np.testing.assert_allclose(counted().matrix(LABELS), 0.0, atol=1e-12)


def test_information_is_positive_for_the_usual_agency_and_negative_for_the_others():
    matrix = counted(*[(WATER, A)] * 10, *[(PITS, B)] * 10).matrix(LABELS)
    assert matrix.shape == (3, 3)
    assert matrix[WATER, A] > 0 > matrix[WATER, B]
    assert matrix[PITS, B] > 0 > matrix[PITS, A]


def test_a_topic_without_rows_prefers_no_agency():
    matrix = counted(*[(WATER, A)] * 10, *[(PITS, B)] * 10).matrix(LABELS)
    np.testing.assert_allclose(matrix[LIGHT], 0.0, atol=1e-12)


def test_information_by_hand():
    """P(А) = (8 + ½) / (10 + 1½), P(А | Вода) = (6 + 5 P(А)) / (7 + 5)."""
    matrix = counted(*[(WATER, A)] * 6, (WATER, B), *[(PITS, A)] * 2, (PITS, C)).matrix(LABELS)
    overall = 8.5 / 11.5
    assert matrix[WATER, A] == pytest.approx(np.log((6 + PRIOR_ROWS * overall) / (7 + PRIOR_ROWS) / overall))


def test_more_rows_say_the_same_more_surely():
    few, many = (counted(*[(WATER, A), (PITS, B)] * rows).matrix(LABELS)[WATER] for rows in (1, 50))
    assert 0 < few[A] < many[A]
    assert 0 > few[B] > many[B]


@pytest.mark.parametrize("seed", range(5))
def test_the_shares_of_each_topic_sum_to_one(seed: int):
    rng = np.random.default_rng(seed)
    pairs = [(int(t), int(a)) for t, a in rng.integers(3, size=(30, 2))]
    shares = (np.bincount([a for _, a in pairs], minlength=3) + 0.5) / (30 + 1.5)
    np.testing.assert_allclose(np.exp(counted(*pairs).matrix(LABELS)) @ shares, 1.0)


def test_a_topics_only_row_taken_out_leaves_no_preference():
    pmi = counted((WATER, A), *[(PITS, B)] * 20, *[(LIGHT, C)] * 20)
    rest = pmi.matrix(LABELS)[WATER] + np.array([pmi.own_count(LABELS)[WATER, A], 0, 0])
    np.testing.assert_allclose(rest, rest[0])


def test_a_row_taken_out_leaves_the_preferences_of_the_other_rows():
    """Compared inside the topic; the row's part in the agency's share of all rows is left in."""
    rows = [(WATER, A)] * 4 + [(WATER, B)] * 3 + [(PITS, B)] * 200 + [(LIGHT, A)] * 200
    pmi, without = counted(*rows), counted(*rows[1:])
    left, exact = pmi.matrix(LABELS)[WATER], without.matrix(LABELS)[WATER]
    left[A] += pmi.own_count(LABELS)[WATER, A]
    assert left[A] - left[B] == pytest.approx(exact[A] - exact[B], abs=0.01)


def test_taking_out_lowers_what_was_counted_and_nothing_else():
    own = counted((WATER, A), (WATER, A), (PITS, B)).own_count(LABELS)
    assert own[WATER, A] < 0
    assert own[PITS, B] < 0
    assert np.count_nonzero(own) == 2


def test_names_that_the_labels_do_not_hold_say_nothing():
    known = counted((WATER, A), (PITS, B))
    more = TopicAgencyPmi(rows={**known.rows, "Связь": {"А": 9}, "Вода": {"А": 1, "Я": 9}})
    np.testing.assert_array_equal(more.matrix(LABELS), known.matrix(LABELS))


def test_it_is_stored_as_json_and_comes_back_the_same():
    pmi = counted((WATER, A), (WATER, B), (PITS, C))
    assert TopicAgencyPmi.model_validate_json(pmi.model_dump_json()) == pmi
