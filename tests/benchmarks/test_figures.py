"""Figures of the benchmarks hold against their definitions; targets, and the JSON of results."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from benchmarks.classifier_quality import figures as quality
from benchmarks.results import Target, interval, markdown_table, resample_weights, write_results
from data.settings import CHECKOUT
from training.evaluate.metrics import head_metrics

LABELS = 10


@pytest.fixture
def answers():
    """Truth, labels given and the three likeliest of 300 rows, ten labels of falling frequency, often right."""
    rng = np.random.default_rng(3)
    truth = rng.choice(LABELS, size=300, p=np.arange(LABELS, 0, -1) / 55)
    scores = rng.normal(size=(300, LABELS)) + 2 * np.eye(LABELS)[truth]
    return truth, *best(scores), scores


def best(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    falling = np.argsort(-scores, axis=1, kind="stable")
    return falling[:, 0], falling[:, :3]


def test_figures_are_those_of_training_metrics(answers):
    truth, given, likeliest, scores = answers
    ours = quality.estimates(truth, given, likeliest, LABELS, resample_weights(len(truth), 50))
    theirs = head_metrics(truth, scores)
    assert {key: ours[key].value for key in quality.FIGURES} == pytest.approx(
        {key: getattr(theirs, key) for key in quality.FIGURES}, abs=1e-6
    )


def test_each_resample_is_the_figure_of_the_rows_drawn(answers):
    truth, given, likeliest, scores = answers
    weights = resample_weights(len(truth), 5)
    resampled = quality.weighted_figures(truth, given, likeliest, LABELS, weights)
    for i, weight in enumerate(weights):
        drawn = np.repeat(np.arange(len(truth)), weight.astype(int))
        assert len(drawn) == len(truth)
        theirs = head_metrics(truth[drawn], scores[drawn])
        for key in quality.FIGURES:
            assert resampled[key][i] == pytest.approx(getattr(theirs, key), abs=1e-6)


def test_an_answer_that_is_no_label_is_wrong_and_spoils_no_other_label():
    truth, likeliest = np.array([0, 0, 1]), np.full((3, 3), -1)
    ours = quality.estimates(truth, np.array([0, -1, 1]), likeliest, 2, resample_weights(3, 4))
    assert ours["accuracy"].value == pytest.approx(2 / 3)
    assert ours["macro_f1"].value == pytest.approx((2 / 3 + 1) / 2)  # of the first label: recall 1/2, precision 1
    assert ours["top3"].value == 0


def test_the_interval_of_accuracy_is_that_of_scipy(answers):
    from scipy.stats import bootstrap

    truth, given, likeliest, _ = answers
    ours = quality.estimates(truth, given, likeliest, LABELS, resample_weights(len(truth), 4000))["accuracy"]
    correct = (given == truth).astype(float)
    theirs = bootstrap((correct,), np.mean, n_resamples=4000, method="percentile", rng=0).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert ours.low < ours.value < ours.high


def test_a_paired_difference_is_narrower_than_an_unpaired_one(answers):
    truth, given, likeliest, scores = answers
    better = best(scores + 0.3 * np.eye(LABELS)[truth])
    weights, others = resample_weights(len(truth)), resample_weights(len(truth), seed=1)
    ours = quality.estimates(truth, *better, LABELS, weights)["accuracy"]
    paired = quality.difference(ours, quality.estimates(truth, given, likeliest, LABELS, weights)["accuracy"])
    unpaired = quality.difference(ours, quality.estimates(truth, given, likeliest, LABELS, others)["accuracy"])
    assert paired.low > 0
    assert paired.high - paired.low < (unpaired.high - unpaired.low) / 2


def test_what_is_routed_is_counted_over_the_rows_whose_labels_are_known():
    def bools(marks: str) -> np.ndarray:
        return np.array([mark == "x" for mark in marks])

    right = {"agency": bools("x.x.x"), "topic": bools("xx...")}
    labelled = {"agency": bools("xxxx."), "topic": bools("xxxxx")}
    routed = bools("xxx.x")
    found = quality.routed_estimates(routed, bools("x..xx"), right, labelled, resample_weights(5, 10))
    values = {key: estimate.value for key, estimate in found.items() if estimate is not None}
    expected = {"coverage": 4 / 5, "agency": 2 / 3, "topic": 2 / 4, "both": 1 / 3, "sure": 2 / 4, "sure_topic": 1 / 2}
    assert values == pytest.approx(expected)
    assert quality.share(bools("....."), routed, resample_weights(5, 3)) is None


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target.at_least("accuracy", 0.8, 0.8), True),
        (Target.at_least("accuracy", 0.79, 0.8), False),
        (Target.at_most("ECE", 0.04, 0.04), True),
        (Target.at_most("ECE", 0.05, 0.04), False),
        (Target.above("gain", 0.001, 0.0), True),
        (Target.above("gain", 0.0, 0.0), False),
        (Target.at_least("coverage", None, 0.0), False),
    ],
)
def test_a_target_is_met_from_its_value_on_and_never_unmeasured(target, met):
    assert target.met == met


def test_results_say_what_was_run_and_hold_no_path(tmp_path):
    path = tmp_path / "results" / "some.json"
    write_results(path, {"kursk": "0123"}, ["numpy"], {"figures": (1 / 3, [2])}, [Target.above("x", 0.5, 0)])
    content = json.loads(path.read_text(encoding="utf-8"))
    assert list(content) == ["commit", "data", "machine", "versions", "figures", "targets"]
    assert content["figures"] == [0.3333, [2]]
    assert content["targets"] == [{"name": "x", "value": 0.5, "target": 0, "met": True}]
    assert content["machine"]["cores"] >= 1
    assert str(CHECKOUT) not in path.read_text(encoding="utf-8")


def test_resamples_are_the_same_for_the_same_rows():
    assert_array_equal(resample_weights(40, 3), resample_weights(40, 3))
    assert (resample_weights(40, 3).sum(axis=1) == 40).all()
    assert interval(np.arange(1001.0)) == (25.0, 975.0)
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"
