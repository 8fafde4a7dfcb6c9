"""Topic–agency PMI: whom a topic usually goes to and where, counted from rows, and without a row's own count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classifier.labels import Ints, LabelSpace
from models.classifier.topic_agency_pmi import (
    LOCAL_PRIOR_ROWS,
    PRIOR_ROWS,
    Pmi,
    PmiTable,
    TopicAgencyPmi,
    count_topic_agency,
)

LABELS = LabelSpace({"sector": ("ЖКХ",), "topic": ("Вода", "Свет", "Ямы"), "agency": ("А", "Б", "В")})
WATER, LIGHT, PITS = range(3)
A, B, C = range(3)
NORTH, SOUTH = "north", "south"
ALL_PAIRS = np.array([(topic, agency) for topic in range(3) for agency in range(3)], dtype=np.int64)
Row = tuple[int, int] | tuple[int, int, str | None]
rows_anywhere = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([NORTH, SOUTH, None])), min_size=1, max_size=30
)


def targets(rows: list[Row]) -> dict[str, Ints]:
    """Labels of rows given as (topic, agency) or (topic, agency, municipality)."""
    topics, agencies = (np.array([row[n] for row in rows], dtype=np.int64) for n in (0, 1))
    return {"sector": np.zeros(len(rows), dtype=np.int64), "topic": topics, "agency": agencies}


def counted(*rows: Row) -> TopicAgencyPmi:
    return count_topic_agency(LABELS, targets(list(rows)), [row[2] if len(row) > 2 else None for row in rows])


def pmi(of: TopicAgencyPmi, municipality: str | None = None) -> Pmi:
    return PmiTable(of, LABELS, ALL_PAIRS).of(municipality)


def matrix(of: TopicAgencyPmi, municipality: str | None = None) -> np.ndarray:
    """Information of all topics and agencies, shape (topics, agencies)."""
    return pmi(of, municipality).pairs.reshape(3, 3)


def test_rows_are_counted_by_topic_and_agency_and_those_without_either_are_not():
    counts = counted((WATER, A, NORTH), (WATER, A), (WATER, B), (PITS, C, SOUTH), (-100, A, NORTH), (LIGHT, -100))
    assert counts.rows == {"Вода": {"А": 2, "Б": 1}, "Ямы": {"В": 1}}
    assert counts.municipalities == {NORTH: {"Вода": {"А": 1}}, SOUTH: {"Ямы": {"В": 1}}}


def test_without_rows_nothing_is_usual():
    for place in (None, NORTH):
        np.testing.assert_allclose(matrix(counted(), place), 0.0, atol=1e-12)


def test_information_is_positive_for_the_usual_agency_and_negative_for_the_others():
    information = matrix(counted(*[(WATER, A)] * 10, *[(PITS, B)] * 10))
    assert information[WATER, A] > 0 > information[WATER, B]
    assert information[PITS, B] > 0 > information[PITS, A]


def test_a_topic_without_rows_prefers_no_agency():
    information = matrix(counted(*[(WATER, A)] * 10, *[(PITS, B)] * 10))
    np.testing.assert_allclose(information[LIGHT], 0.0, atol=1e-12)


def test_information_in_all_municipalities_by_hand():
    """P(А) = (8 + ½) / (10 + 1½), P(А | Вода) = (6 + 5 P(А)) / (7 + 5)."""
    information = matrix(counted(*[(WATER, A)] * 6, (WATER, B), *[(PITS, A)] * 2, (PITS, C)))
    overall = 8.5 / 11.5
    assert information[WATER, A] == pytest.approx(np.log((6 + PRIOR_ROWS * overall) / (7 + PRIOR_ROWS) / overall))


def test_information_in_one_municipality_by_hand():
    """Water: 6 rows to А in the north, 4 to Б in the south; pits: 2 to В in the north."""
    counts = counted(*[(WATER, A, NORTH)] * 6, *[(WATER, B, SOUTH)] * 4, *[(PITS, C, NORTH)] * 2)
    overall = np.array([6.5, 4.5, 2.5]) / 13.5
    of_water = (np.array([6, 4, 0]) + 5 * overall) / (10 + 5)
    in_the_north = (np.array([6, 0, 2]) + 5 * overall) / (8 + 5)
    level_above = of_water * in_the_north / overall
    level_above /= level_above.sum()
    of_water_in_the_north = (np.array([6, 0, 0]) + 10 * level_above) / (6 + 10)
    assert (PRIOR_ROWS, LOCAL_PRIOR_ROWS) == (5, 10)
    np.testing.assert_allclose(matrix(counts, NORTH)[WATER], np.log(of_water_in_the_north / overall))


def test_the_municipality_decides_between_two_agencies_of_a_topic():
    counts = counted(*[(WATER, A, NORTH)] * 9, *[(WATER, B, SOUTH)] * 9, *[(PITS, C)] * 9)
    assert matrix(counts)[WATER, A] == pytest.approx(matrix(counts)[WATER, B])
    assert matrix(counts, NORTH)[WATER].argmax() == A
    assert matrix(counts, SOUTH)[WATER].argmax() == B


def test_a_topic_that_is_new_in_a_municipality_goes_to_whom_others_go_there():
    """Light was only seen in the south, where А and Б answer for it; in the north Б answers for nothing."""
    counts = counted(
        *[(WATER, A, NORTH)] * 20, *[(WATER, B, SOUTH)] * 20, *[(LIGHT, A, SOUTH)] * 4, *[(LIGHT, B, SOUTH)] * 4
    )
    assert matrix(counts)[LIGHT, A] == pytest.approx(matrix(counts)[LIGHT, B], abs=0.2)
    assert matrix(counts, NORTH)[LIGHT, A] > matrix(counts, NORTH)[LIGHT, B] + 1


@pytest.mark.parametrize("place", ["nowhere", None])
def test_a_municipality_without_rows_is_as_good_as_none(place: str | None):
    counts = counted(*[(WATER, A, NORTH)] * 9, *[(WATER, B, SOUTH)] * 3)
    everywhere = counted(*[(WATER, A)] * 9, *[(WATER, B)] * 3)
    np.testing.assert_allclose(matrix(counts, place), matrix(everywhere))


def test_more_rows_say_the_same_more_surely():
    few, many = (matrix(counted(*[(WATER, A), (PITS, B)] * rows))[WATER] for rows in (1, 50))
    assert 0 < few[A] < many[A]
    assert 0 > few[B] > many[B]


@settings(max_examples=50, deadline=None)
@given(rows=rows_anywhere, place=st.sampled_from([NORTH, SOUTH, None]))
def test_the_shares_of_each_topic_sum_to_one(rows: list[Row], place: str | None):
    shares = (np.bincount([row[1] for row in rows], minlength=3) + 0.5) / (len(rows) + 1.5)
    np.testing.assert_allclose(np.exp(matrix(counted(*rows), place)) @ shares, 1.0)


@settings(max_examples=50, deadline=None)
@given(rows=rows_anywhere, place=st.sampled_from([NORTH, SOUTH, None]))
def test_an_uncounted_pair_has_the_sum_of_its_topics_and_its_agencys_part(rows: list[Row], place: str | None):
    """And a counted one has no less."""
    of = pmi(counted(*rows), place)
    parts = of.topics[:, None] + of.agencies
    seen = np.zeros((3, 3), dtype=bool)
    seen[[row[0] for row in rows], [row[1] for row in rows]] = True
    np.testing.assert_allclose(of.pairs.reshape(3, 3)[~seen], parts[~seen], atol=1e-9)
    assert (of.pairs.reshape(3, 3) >= parts - 1e-9).all()


def test_only_the_pairs_that_are_asked_for_come_back_and_all_are_counted():
    counts = counted(*[(WATER, A, NORTH)] * 6, *[(WATER, B, SOUTH)] * 4, *[(PITS, C, NORTH)] * 2)
    asked = PmiTable(counts, LABELS, np.array([(PITS, C), (WATER, A)])).of(NORTH).pairs
    np.testing.assert_allclose(asked, matrix(counts, NORTH)[[PITS, WATER], [C, A]])


def test_names_that_the_labels_do_not_hold_say_nothing():
    known = counted((WATER, A), (PITS, B, NORTH))
    more = TopicAgencyPmi(
        rows={**known.rows, "Связь": {"А": 9}, "Вода": {"А": 1, "Я": 9}},
        municipalities={NORTH: {**known.municipalities[NORTH], "Связь": {"А": 9}}},
    )
    for place in (None, NORTH):
        np.testing.assert_array_equal(matrix(more, place), matrix(known, place))


def test_it_is_stored_as_json_and_comes_back_the_same():
    counts = counted((WATER, A, NORTH), (WATER, B), (PITS, C, SOUTH))
    assert TopicAgencyPmi.model_validate_json(counts.model_dump_json()) == counts


def test_counts_of_earlier_bundles_know_no_municipalities():
    earlier = TopicAgencyPmi.model_validate_json('{"rows": {"Вода": {"А": 9}, "Ямы": {"Б": 3}}}')
    np.testing.assert_array_equal(matrix(earlier, NORTH), matrix(earlier))
