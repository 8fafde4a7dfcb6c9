"""Calibration: known over-confidence is recovered, and the threshold keeps its promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data.catalogue.model import Agency, Catalogue, Municipality, Route, Sector, Topic
from models.classifier.calibration import (
    NEVER_ROUTE,
    Calibration,
    expected_calibration_error,
    fit_decoder,
    fit_scaling,
    fit_threshold,
)
from models.classifier.decoding import Floats, JointDecoder
from models.classifier.labels import HEADS, Ints, LabelSpace
from models.classifier.topic_agency_pmi import count_topic_agency

TRUTH = {"sector": 1.5, "topic": 3.0, "agency": 2.2}
ROWS = 4000


def small_catalogue() -> Catalogue:
    """Two places, three sectors of three topics, four agencies; routes overlap."""
    return Catalogue(
        region="Область",
        municipalities=[Municipality(id=f"m{n}", name=f"Город {n}") for n in range(2)],
        agencies=[Agency(id=f"a{n}", name=f"Орган {n}") for n in range(4)],
        sectors=[
            Sector(
                name=f"Блок {s}",
                topics=[
                    Topic(
                        name=f"Тема {s}{t}",
                        deadline_hours=24,
                        routes=[Route(agency=f"a{(s + t) % 4}"), Route(agency="a3", municipalities=["m1"])],
                    )
                    for t in range(3)
                ],
            )
            for s in range(3)
        ],
    )


def over_confident(catalogue: Catalogue) -> tuple[LabelSpace, dict[str, Floats], dict[str, Ints], list[str | None]]:
    """Logits whose labels were drawn from the joint distribution at the temperatures `TRUTH`."""
    rng = np.random.default_rng(0)
    triples = catalogue.triples()
    labels = LabelSpace({head: tuple(sorted({getattr(t, head) for t in triples})) for head in HEADS})
    logits = {head: rng.normal(scale=5.0, size=(ROWS, len(labels.names[head]))) for head in HEADS}
    places: list[str | None] = [(None, "m0", "m1")[n % 3] for n in range(ROWS)]
    joint = JointDecoder(labels, catalogue, TRUTH).joint(logits, places)
    drawn = (joint.cumsum(axis=1) > rng.random((ROWS, 1))).argmax(axis=1)
    combinations = labels.triples(triples)[drawn]
    return labels, logits, {head: combinations[:, n] for n, head in enumerate(HEADS)}, places


def negative_log_likelihood(
    decoder: JointDecoder, logits: dict[str, Floats], targets: dict[str, Ints], places: list[str | None]
) -> float:
    joint = decoder.joint(logits, places)
    rows = np.arange(len(places))
    return float(sum(-np.log(decoder.marginal(joint, head)[rows, targets[head]]).mean() for head in HEADS))


def test_temperatures_recover_a_known_over_confidence():
    catalogue = small_catalogue()
    labels, logits, targets, places = over_confident(catalogue)
    decoder = JointDecoder(labels, catalogue)
    fit_decoder(decoder, logits, targets, places)
    assert decoder.temperatures == {head: pytest.approx(truth, rel=0.15) for head, truth in TRUTH.items()}

    before = negative_log_likelihood(JointDecoder(labels, catalogue), logits, targets, places)
    after = negative_log_likelihood(decoder, logits, targets, places)
    assert after < before - 0.1


def test_rows_without_a_label_do_not_bend_the_temperatures():
    catalogue = small_catalogue()
    labels, logits, targets, places = over_confident(catalogue)
    half = {head: np.where(np.arange(ROWS) % 2, target, -100) for head, target in targets.items()}
    decoder = JointDecoder(labels, catalogue)
    fit_decoder(decoder, logits, half, places)
    assert decoder.temperatures == {head: pytest.approx(truth, rel=0.2) for head, truth in TRUTH.items()}


def topics_and_agencies(of_the_topic: float, rows_each: int) -> tuple[Catalogue, LabelSpace, dict[str, Ints]]:
    """Forty topics, any of four agencies; the share `of_the_topic` of a topic's rows went to one agency."""
    rng = np.random.default_rng(0)
    agencies = [Agency(id=f"a{n}", name=f"Орган {n}") for n in range(4)]
    routes = [Route(agency=agency.id) for agency in agencies]
    topics = [Topic(name=f"Тема {n:02}", deadline_hours=24, routes=routes) for n in range(40)]
    catalogue = Catalogue(region="Область", agencies=agencies, sectors=[Sector(name="Блок", topics=topics)])
    names = {"topic": tuple(t.name for t in topics), "agency": tuple(a.name for a in agencies)}
    topic = np.repeat(np.arange(40), rows_each)
    agency = np.where(rng.random(len(topic)) < of_the_topic, topic % 4, rng.integers(4, size=len(topic)))
    targets = {"sector": np.zeros(len(topic), dtype=np.int64), "topic": topic, "agency": agency}
    return catalogue, LabelSpace({"sector": ("Блок",), **names}), targets


def fitted_weight(of_the_topic: float, rows_each: int, counted: bool) -> float:
    """the weight of the PMI fitted on the rows it was counted on; the logits know the topic only."""
    catalogue, labels, targets = topics_and_agencies(of_the_topic, rows_each)
    rows = len(targets["topic"])
    logits: dict[str, Floats] = {head: np.zeros((rows, len(labels.names[head]))) for head in HEADS}
    logits["topic"][np.arange(rows), targets["topic"]] = 6.0
    decoder = JointDecoder(labels, catalogue, pmi=count_topic_agency(labels, targets))
    fit_decoder(decoder, logits, targets, [None] * rows, counted)
    return decoder.pmi_weight


def test_a_pmi_that_is_chance_gets_no_weight_when_rows_are_taken_out_of_their_own_count():
    assert fitted_weight(of_the_topic=0.0, rows_each=10, counted=True) < 0.3
    assert fitted_weight(of_the_topic=0.0, rows_each=10, counted=False) > 1.0, "left in, rows vote for themselves"


def test_a_true_pmi_keeps_its_weight_when_rows_are_taken_out_of_their_own_count():
    assert fitted_weight(of_the_topic=0.9, rows_each=15, counted=True) > 0.5


confidences = st.lists(
    st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.5000001, 0.7, 0.9, 1.0]), st.booleans()), max_size=80
)


@settings(max_examples=300, deadline=None)
@given(rows=confidences, precision=st.sampled_from([0.5, 0.6, 0.75, 0.9, 0.95]))
def test_the_threshold_keeps_its_promise_on_the_rows_it_was_fitted_on(rows: list[tuple[float, bool]], precision: float):
    confidence = np.array([c for c, _ in rows], dtype=np.float64)
    correct = np.array([right for _, right in rows], dtype=bool)
    threshold, coverage = fit_threshold(confidence, correct, precision)
    routed = confidence >= threshold
    assert coverage == pytest.approx(routed.mean() if len(rows) else 0.0)
    assert correct[routed].sum() >= precision * routed.sum()


@settings(max_examples=200, deadline=None)
@given(rows=confidences)
def test_no_lower_threshold_would_have_kept_it(rows: list[tuple[float, bool]]):
    confidence = np.array([c for c, _ in rows], dtype=np.float64)
    correct = np.array([right for _, right in rows], dtype=bool)
    threshold, _ = fit_threshold(confidence, correct, 0.8)
    for lower in {c for c in confidence if c < threshold}:
        routed = confidence >= lower
        assert (correct[routed].sum() + 1) / (routed.sum() + 2) < 0.8


@pytest.mark.parametrize(
    ("confidence", "correct"),
    [([], []), ([0.9, 0.8], [True, True]), ([0.99] * 40, [False] * 40), ([0.5] * 100, [True, False] * 50)],
    ids=["no rows", "a lucky handful", "all wrong", "half wrong and equally sure"],
)
def test_nothing_is_routed_where_no_threshold_keeps_the_promise(confidence: list[float], correct: list[bool]):
    found = fit_threshold(np.array(confidence), np.array(correct, dtype=bool), 0.95)
    assert found == (NEVER_ROUTE, 0.0)
    assert NEVER_ROUTE > 1


def test_one_early_mistake_does_not_hide_the_threshold_below_it():
    confidence = np.linspace(1.0, 0.5, 200)
    correct = np.ones(200, dtype=bool)
    correct[0] = False
    assert fit_threshold(confidence, correct, 0.95) == (0.5, 1.0)


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
def test_calibration_error_by_hand(confidence: list[float], correct: list[bool], error: float):
    found = expected_calibration_error(np.array(confidence), np.array(correct, dtype=bool))
    assert found == pytest.approx(error)


@pytest.mark.parametrize(
    "temperatures",
    [{}, {"sector": 1.0, "topic": 1.0}, dict.fromkeys(HEADS, 0.0), dict.fromkeys((*HEADS, "mood"), 1.0)],
    ids=["none", "a head lacks", "zero", "a head too many"],
)
def test_a_calibration_has_a_temperature_for_each_head(temperatures: dict[str, float]):
    with pytest.raises(ValidationError, match="sector, topic, agency"):
        Calibration(temperatures=temperatures, threshold=0.5, promised_precision=0.9, coverage=0.5)


def test_scaling_makes_confidences_as_high_as_the_share_of_right_answers():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 0.999, size=20_000)
    chances = 1 / (1 + np.exp(0.4 - 0.6 * np.log(confidence / (1 - confidence))))
    correct = rng.random(20_000) < chances
    assert fit_scaling(confidence, correct) == pytest.approx((-0.4, 0.6), abs=0.06)


@pytest.mark.parametrize(
    ("confidence", "correct"),
    [([0.2, 0.9], [True] * 2), ([0.2, 0.9], [False] * 2), ([], []), ([0.1, 0.2, 0.8, 0.9], [True, True, False, False])],
    ids=["all right", "all wrong", "nothing", "order turned round"],
)  # fmt: skip
def test_scaling_changes_nothing_where_nothing_can_be_learnt(confidence: list[float], correct: list[bool]):
    assert fit_scaling(np.array(confidence), np.array(correct, dtype=bool)) == (0.0, 1.0)


def test_scaling_changes_what_is_said_of_a_label_and_not_which_one_is_said():
    catalogue = small_catalogue()
    labels, logits, _, places = over_confident(catalogue)
    plain = JointDecoder(labels, catalogue)
    scaled = JointDecoder(labels, catalogue, scaling=dict.fromkeys(HEADS, (-0.5, 0.4)))
    joint = plain.joint(logits, places)
    for head in HEADS:
        before, after = plain.confidences(joint, head), scaled.confidences(joint, head)
        assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
        assert np.abs(before - after).max() > 0.1
        assert ((after > 0) & (after < 1)).all()
