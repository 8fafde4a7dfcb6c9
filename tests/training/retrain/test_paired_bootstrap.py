"""Paired bootstrap: intervals that hold the truth, and figures that are those of scikit-learn."""

import numpy as np
import pytest

from training.evaluate.metrics import expected_calibration_error
from training.retrain.paired_bootstrap import (
    Resamples,
    calibration_difference,
    macro_f1_difference,
    mean_difference,
    no_loss_by_signs,
    worse_after_holm,
)


def test_an_interval_is_the_one_of_theory_and_pairs_cancel_what_is_hard_for_both():
    rng = np.random.default_rng(0)
    hard = rng.normal(0, 5, 2000)
    champion, challenger = hard + rng.normal(0, 1, 2000), hard + rng.normal(0.2, 1, 2000)
    found = Resamples(2000, resamples=1000).compare(mean_difference(challenger, champion))
    standard_error = (challenger - champion).std() / np.sqrt(2000)
    assert found.difference == pytest.approx((challenger - champion).mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * standard_error, rel=0.1)
    assert found.low > 0
    assert found.p_no_loss > 0.99
    assert not found.is_worse


def test_no_difference_is_no_loss_and_a_loss_is_told():
    same = np.ones(300)
    assert Resamples(300, resamples=200).compare(mean_difference(same, same)).p_no_loss == 1.0
    found = Resamples(300, resamples=500).compare(mean_difference(same - (np.arange(300) % 3 == 0), same))
    assert found.is_worse
    assert found.p_no_loss == pytest.approx(1 / 501)
    assert str(found).startswith("-33.3 (-3")


def test_a_slice_is_compared_within_the_resamples_of_all_rows():
    gain = np.where(np.arange(400) < 100, -1.0, 1.0)
    resamples, slice_ = Resamples(400, resamples=300), np.arange(100)
    assert resamples.compare(mean_difference(gain[slice_], 0 * gain[slice_]), slice_).is_worse
    assert resamples.compare(mean_difference(gain, 0 * gain)).low > 0


def test_it_is_the_same_every_time():
    gain = np.random.default_rng(0).normal(size=200)
    first, again = (Resamples(200, resamples=300).compare(mean_difference(gain, 0 * gain)) for _ in range(2))
    assert first == again


def test_macro_f1_is_that_of_scikit_learn_over_the_labels_of_the_truth():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(1)
    truth, one, other = (rng.integers(0, 5, 400) for _ in range(3))
    one[:300] = truth[:300]
    other[other == 4] = -1
    difference = float(macro_f1_difference(truth, one, other)(np.ones((1, 400)))[0])
    scores = [f1_score(truth, said, labels=np.unique(truth), average="macro", zero_division=0) for said in (one, other)]
    assert difference == pytest.approx(scores[0] - scores[1])


def test_calibration_is_the_error_of_the_reports():
    rng = np.random.default_rng(2)
    confidences = [rng.random(600) for _ in range(2)]
    rights = [
        (rng.random(600) < confidence**power).astype(float)
        for confidence, power in zip(confidences, (1, 3), strict=True)
    ]
    pairs = list(zip(confidences, rights, strict=True))
    errors = [expected_calibration_error(confidence, right == 1) for confidence, right in pairs]
    difference = float(calibration_difference(*pairs)(np.ones((1, 600)))[0])
    assert difference == pytest.approx(errors[1] - errors[0])


def test_holm_stops_at_the_first_that_chance_explains():
    assert worse_after_holm([0.2, 0.01, 0.001], 0.05) == [2, 1]
    assert worse_after_holm([0.03, 0.03], 0.05) == []
    assert worse_after_holm([], 0.05) == []


@pytest.mark.parametrize("lost", [3, 5, 8])
def test_of_few_rows_that_all_lost_the_p_by_signs_is_that_of_coins(lost: int):
    champion = np.ones(60)
    challenger = np.where(np.arange(60) < lost, 0.0, 1.0)
    assert no_loss_by_signs(challenger, champion) == pytest.approx(0.5**lost, rel=0.5)
    assert no_loss_by_signs(champion, challenger) > 0.9
    assert no_loss_by_signs(champion, champion) == 1.0
