"""Figures of confidence: risk–coverage, reliability, slices, worst labels."""

import numpy as np
import pandas as pd
import pytest

from training.evaluate.metrics import (
    area_under_risk,
    brier,
    confused_pairs,
    confusions,
    coverage_at_precision,
    expected_calibration_error,
    label_report,
    reliability,
    risk_coverage,
    slice_figures,
    worst_labels,
)

SURE_FIRST = np.array([0.9, 0.8, 0.7, 0.6])


@pytest.mark.parametrize(
    ("correct", "precision", "area"),
    [
        ([True, True, True, True], [1, 1, 1, 1], 0),
        ([True, True, False, False], [1, 1, 2 / 3, 1 / 2], (1 / 3 + 1 / 2) / 4),
        ([False, False, True, True], [0, 0, 1 / 3, 1 / 2], (1 + 1 + 2 / 3 + 1 / 2) / 4),
    ],
)
def test_risk_coverage_answers_the_surest_rows_first(correct, precision, area):
    shuffled = np.array([2, 0, 3, 1])
    curve = risk_coverage(SURE_FIRST[shuffled], np.array(correct)[shuffled])
    assert list(curve["coverage"]) == [0.25, 0.5, 0.75, 1]
    assert list(curve["precision"]) == pytest.approx(precision)
    assert area_under_risk(curve) == pytest.approx(area)


def test_rows_of_equal_confidence_are_answered_together():
    confidence = np.array([0.9, 0.5, 0.5])
    for correct in ([True, True, False], [True, False, True]):
        curve = risk_coverage(confidence, np.array(correct))
        assert list(curve["coverage"]) == pytest.approx([1 / 3, 1])
        assert list(curve["precision"]) == pytest.approx([1, 2 / 3])


@pytest.mark.parametrize(("precision", "coverage"), [(1.0, 0.5), (0.6, 0.75), (0.5, 1.0)])
def test_coverage_at_a_precision_is_the_largest_that_keeps_it(precision, coverage):
    curve = risk_coverage(SURE_FIRST, np.array([True, True, False, False]))
    assert coverage_at_precision(curve, precision) == coverage


def test_coverage_is_none_where_even_the_surest_row_is_wrong():
    assert coverage_at_precision(risk_coverage(SURE_FIRST, np.zeros(4, dtype=bool)), 0.5) == 0


def test_reliability_bins_give_the_expected_calibration_error():
    rng = np.random.default_rng(0)
    confidence = rng.random(200)
    correct = rng.random(200) < confidence**2
    bins = reliability(confidence, correct)
    assert len(bins) == 15
    assert bins["rows"].sum() == 200
    gaps = (bins["confidence"] - bins["accuracy"]).abs() * bins["rows"]
    assert gaps.sum() / 200 == pytest.approx(expected_calibration_error(confidence, correct))


def test_a_calibrated_sample_has_no_calibration_error_and_an_over_confident_one_its_gap():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1.0, size=50_000)
    calibrated = rng.random(50_000) < confidence
    over_confident = rng.random(50_000) < confidence - 0.2
    assert expected_calibration_error(confidence, calibrated) < 0.01
    assert expected_calibration_error(confidence, over_confident) == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize(
    ("confidence", "correct", "error"),
    [([], [], 0.0), ([1.0], [True], 0.0), ([1.0], [False], 1.0), ([0.75] * 4, [True, True, True, False], 0.375)],
    ids=["no rows", "right", "wrong", "fewer rows than bins: each row its own"],
)
def test_calibration_error_by_hand(confidence, correct, error):
    found = expected_calibration_error(np.array(confidence), np.array(correct, dtype=bool))
    assert found == pytest.approx(error)


def test_fewer_rows_than_bins_give_a_bin_a_row():
    assert len(reliability(SURE_FIRST, np.ones(4, dtype=bool))) == 4


def test_brier_is_the_squared_distance_from_what_came_true():
    assert brier(np.array([1.0, 0.5]), np.array([True, False])) == pytest.approx(0.125)


def test_slices_count_accuracy_coverage_and_what_is_routed_rightly():
    keys = pd.Series(["дороги", "дороги", "ЖКХ", "дороги"], name="sector", index=[7, 5, 3, 1])
    agency = np.array([True, False, True, True])
    figures = slice_figures(keys, {"agency": agency}, routed=np.array([True, True, False, False]))
    assert list(figures["sector"]) == ["дороги", "ЖКХ"]
    assert list(figures["rows"]) == [3, 1]
    assert list(figures["agency accuracy"]) == pytest.approx([2 / 3, 1])
    assert list(figures["coverage"]) == pytest.approx([2 / 3, 0])
    assert figures["routed precision"][0] == 0.5
    assert np.isnan(figures["routed precision"][1])


def test_slices_of_an_ordered_key_keep_their_order():
    keys = pd.Series(pd.Categorical(["b", "b", "a"], categories=["a", "b"], ordered=True), name="length")
    figures = slice_figures(keys, {"agency": np.ones(3, dtype=bool)}, routed=np.ones(3, dtype=bool))
    assert list(figures["length"]) == ["a", "b"]


def test_worst_labels_say_what_they_are_taken_for_and_rare_ones_are_left_out():
    names = ["ямы", "снег", "люки"]
    targets = np.array([0] * 6 + [1] * 6 + [2])
    predicted = np.array([0] * 6 + [0] * 4 + [2] * 2 + [0])
    pairs = confused_pairs(confusions(names, targets, predicted))
    assert pairs.iloc[0].to_dict() == {"true": "снег", "predicted": "ямы", "rows": 4, "share": pytest.approx(2 / 3)}
    worst = worst_labels(label_report(names, targets, predicted), pairs)
    assert list(worst["label"]) == ["снег", "ямы"]
    assert list(worst["taken for"]) == ["ямы (4)", ""]
