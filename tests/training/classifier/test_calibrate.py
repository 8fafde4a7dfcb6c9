"""Calibration: known over-confidence is recovered, and the threshold keeps its promise for what is routed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import binomtest

from data.catalogue.model import Agency, Catalogue, Municipality, Route, Sector, Topic
from models.classifier.bundle import read_bundle
from models.classifier.calibration import NEVER_ROUTE, PROMISES, UNSCALED, JointWeights, PlattScaling
from models.classifier.classifier import Classifier
from models.classifier.decoding import Floats, JointDecoder
from models.classifier.joint import Joint
from models.classifier.labels import HEADS, Ints, LabelSpace
from models.classifier.out_of_vocabulary import OutOfVocabulary
from models.classifier.topic_agency_pmi import count_topic_agency
from models.encoder.onnx_runtime import Encoders
from tests.serving.bundles import write_classifier

pytest.importorskip("torch")

from training.classifier.calibrate import (
    ASSURANCE,
    DecodedRows,
    RoutingThreshold,
    calibrate,
    fit_scaling,
    fit_threshold,
    fit_weights,
)
from training.classifier.held_out_rows import UnseenRows

TRUTH = JointWeights({"sector": 1.5, "topic": 3.0, "agency": 2.2})
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
    joint = JointDecoder(labels, catalogue).evidence(logits, places).joint(TRUTH).listed()
    drawn = (joint.cumsum(axis=1) > rng.random((ROWS, 1))).argmax(axis=1)
    combinations = labels.triples(triples)[drawn]
    return labels, logits, {head: combinations[:, n] for n, head in enumerate(HEADS)}, places


def negative_log_likelihood(decoder: JointDecoder, joint: Joint, targets: dict[str, Ints]) -> float:
    rows = np.arange(len(targets["topic"]))
    return float(sum(-np.log(decoder.marginal(joint, head)[rows, targets[head]]).mean() for head in HEADS))


def test_temperatures_recover_a_known_over_confidence():
    catalogue = small_catalogue()
    labels, logits, targets, places = over_confident(catalogue)
    decoder = JointDecoder(labels, catalogue)
    weights = fit_weights([DecodedRows(decoder, logits, places, targets)])
    assert weights.temperatures == {head: pytest.approx(t, rel=0.15) for head, t in TRUTH.temperatures.items()}

    evidence = decoder.evidence(logits, places)
    before = negative_log_likelihood(decoder, evidence.joint(JointWeights()), targets)
    after = negative_log_likelihood(decoder, evidence.joint(weights), targets)
    assert after < before - 0.1


def test_rows_without_a_label_do_not_bend_the_temperatures():
    catalogue = small_catalogue()
    labels, logits, targets, places = over_confident(catalogue)
    half = {head: np.where(np.arange(ROWS) % 2, target, -100) for head, target in targets.items()}
    decoder = JointDecoder(labels, catalogue)
    weights = fit_weights([DecodedRows(decoder, logits, places, half)])
    assert weights.temperatures == {head: pytest.approx(t, rel=0.2) for head, t in TRUTH.temperatures.items()}


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


def fitted_weight(of_the_topic: float, rows_each: int, without_own: bool) -> float:
    """The weight of what topics say of agencies, counted on every other row, or on the very rows that it is fitted on.

    The logits know the topic only.
    """
    catalogue, labels, targets = topics_and_agencies(of_the_topic, rows_each)
    parts = []
    for half in (0, 1):
        rows, others = (np.arange(half if own else 1 - half, len(targets["topic"]), 2) for own in (True, False))
        counted = others if without_own else rows
        pmi = count_topic_agency(labels, {head: of_head[counted] for head, of_head in targets.items()})
        logits: dict[str, Floats] = {head: np.zeros((len(rows), len(labels.names[head]))) for head in HEADS}
        logits["topic"][np.arange(len(rows)), targets["topic"][rows]] = 6.0
        of_rows = {head: of_head[rows] for head, of_head in targets.items()}
        parts.append(DecodedRows(JointDecoder(labels, catalogue, pmi), logits, [None] * len(rows), of_rows))
    weights = fit_weights(parts)
    return weights.pmi + weights.agency_by_topic


def test_what_topics_say_by_chance_gets_no_weight_from_rows_that_were_not_counted():
    assert fitted_weight(of_the_topic=0.0, rows_each=20, without_own=True) < 0.3
    assert fitted_weight(of_the_topic=0.0, rows_each=20, without_own=False) > 1.0, "counted, rows vote for themselves"


def test_an_agencys_head_that_knows_all_there_is_keeps_its_own_temperature():
    """Topics know nothing here: a second opinion that says nothing must not silence the first."""
    catalogue, labels, targets = topics_and_agencies(of_the_topic=0.0, rows_each=20)
    rng, rows = np.random.default_rng(1), len(targets["topic"])
    logits: dict[str, Floats] = {head: rng.normal(size=(rows, len(labels.names[head]))) for head in HEADS}
    logits["agency"] *= 3.0
    chance = softmax(logits["agency"] / 2.0, axis=1)
    drawn = (chance.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    pmi = count_topic_agency(labels, targets)
    weights = fit_weights(
        [DecodedRows(JointDecoder(labels, catalogue, pmi), logits, [None] * rows, {**targets, "agency": drawn})]
    )
    assert weights.temperatures["agency"] == pytest.approx(2.0, rel=0.2)
    assert weights.pmi == pytest.approx(0.0, abs=0.1)


def test_what_topics_truly_say_keeps_its_weight():
    assert fitted_weight(of_the_topic=0.9, rows_each=15, without_own=True) > 0.5


def lower_bound(hits: int, rows: int) -> float:
    """Of the precision, as scipy has it."""
    interval = binomtest(hits, rows, alternative="greater").proportion_ci(ASSURANCE, method="exact")
    return float(interval.low)


confidences = st.lists(
    st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.5000001, 0.7, 0.9, 1.0]), st.booleans()), max_size=80
)


@settings(max_examples=200, deadline=None)
@given(rows=confidences, precision=st.sampled_from([0.5, 0.6, 0.75, 0.9, 0.95]))
def test_the_threshold_is_the_lowest_whose_exact_bound_keeps_the_promise(
    rows: list[tuple[float, bool]], precision: float
):
    confidence = np.array([c for c, _ in rows], dtype=np.float64)
    correct = np.array([right for _, right in rows], dtype=bool)
    threshold = fit_threshold(confidence, correct, precision)
    keeping = []
    for value in sorted(set(confidence.tolist())):
        routed = confidence >= value
        if lower_bound(int(correct[routed].sum()), int(routed.sum())) >= precision:
            keeping.append(value)
    assert threshold.value == (keeping[0] if keeping else NEVER_ROUTE)
    assert threshold.coverage == pytest.approx((confidence >= threshold.value).mean() if len(rows) else 0.0)


@pytest.mark.parametrize(
    ("confidence", "correct"),
    [([], []), ([0.9, 0.8], [True, True]), ([0.99] * 40, [False] * 40), ([0.5] * 100, [True, False] * 50)],
    ids=["no rows", "a lucky handful", "all wrong", "half wrong and equally sure"],
)
def test_nothing_is_routed_where_no_threshold_keeps_the_promise(confidence: list[float], correct: list[bool]):
    threshold = fit_threshold(np.array(confidence), np.array(correct, dtype=bool), 0.95)
    assert threshold == RoutingThreshold(NEVER_ROUTE, 0.0)
    assert NEVER_ROUTE > 1


def test_one_early_mistake_does_not_hide_the_threshold_below_it():
    confidence = np.linspace(1.0, 0.5, 200)
    correct = np.ones(200, dtype=bool)
    correct[0] = False
    assert fit_threshold(confidence, correct, 0.95) == RoutingThreshold(0.5, 1.0)


@pytest.mark.parametrize("rows", [100, 400, 1600])
def test_the_promise_is_kept_on_rows_that_fitted_nothing(rows: int):
    """On complaints whose precision falls with confidence, and more surely the more rows there are to fit on."""
    rng = np.random.default_rng(0)
    unseen = rng.uniform(size=20_000)
    right_unseen = rng.random(20_000) < unseen**0.15
    kept = []
    for _ in range(100):
        confidence = rng.uniform(size=rows)
        threshold = fit_threshold(confidence, rng.random(rows) < confidence**0.15, 0.95)
        routed = unseen >= threshold.value
        kept.append(right_unseen[routed].mean() if routed.any() else 1.0)
    assert np.mean(np.array(kept) >= 0.95) >= ASSURANCE - 0.15, "the lowest of many bounds is a little too low"
    assert np.quantile(kept, 0.1) >= 0.93


LATIN, STRANGE, USUAL = "the pothole is deep", "квазар у кратера", "яма на дороге"


@pytest.mark.parametrize("unroutable", [LATIN, STRANGE], ids=["no Cyrillic", "out of vocabulary"])
@pytest.mark.parametrize("right", [True, False], ids=["what is routed is right", "what is routed is wrong"])
def test_rows_that_go_to_an_operator_anyway_have_no_say_in_the_threshold(tmp_path: Path, unroutable: str, right: bool):
    vocabulary = OutOfVocabulary(beginnings=frozenset({"яма", "на", "дороге"}), usual=0.0, threshold=0.5)
    bundle = replace(read_bundle(write_classifier(tmp_path / "bundle")), out_of_vocabulary=vocabulary)
    classifier = Classifier(bundle, Encoders(threads=1))
    rng = np.random.default_rng(0)
    count = 120
    possible = classifier.decoder.combinations.listed
    true = possible[rng.integers(len(possible), size=count)]
    routable = np.arange(count) % 2 == 0
    said = np.where((routable == right)[:, None], true, np.roll(true, 1, axis=0))
    logits = {}
    for head, labels in zip(HEADS, said.T, strict=True):
        logits[head] = np.zeros((count, len(bundle.labels.names[head])))
        logits[head][np.arange(count), labels] = rng.uniform(3.0, 9.0, size=count)
    names = {head: [bundle.labels.names[head][label] for label in true[:, n]] for n, head in enumerate(HEADS)}
    texts = np.where(routable, USUAL, unroutable)
    rows = pd.DataFrame({"text": texts, "municipality": None, **names})
    pmi, every = bundle.topic_agency_pmi, np.arange(count)
    calibration = calibrate(classifier, [UnseenRows(rows, every, logits, pmi, every)], 0.95)
    nobody_knows = rows.assign(text=USUAL, agency=rows["agency"].where(routable, None))
    of_the_known = calibrate(classifier, [UnseenRows(nobody_knows, every, logits, pmi, every)], 0.95)
    assert set(calibration.thresholds) == set(PROMISES)
    assert calibration.thresholds[0.95] == calibration.threshold
    if right:
        assert calibration.coverage == pytest.approx(0.5)
        assert calibration.threshold < 1
        assert calibration.thresholds[0.9] <= calibration.threshold < calibration.thresholds[0.98] == NEVER_ROUTE
        assert of_the_known.coverage > 0
    else:
        assert (calibration.threshold, calibration.coverage) == (NEVER_ROUTE, 0.0)
        assert (of_the_known.threshold, of_the_known.coverage) == (NEVER_ROUTE, 0.0)


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
    assert fit_scaling(np.array(confidence), np.array(correct, dtype=bool)) == UNSCALED


def test_scaling_changes_what_is_said_of_a_label_and_not_which_one_is_said():
    catalogue = small_catalogue()
    labels, logits, _, places = over_confident(catalogue)
    plain = JointDecoder(labels, catalogue)
    scaled = JointDecoder(labels, catalogue, scaling=dict.fromkeys(HEADS, PlattScaling(-0.5, 0.4)))
    joint = plain.joint(logits, places)
    for head in HEADS:
        before, after = plain.confidences(joint, head), scaled.confidences(joint, head)
        assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
        assert np.abs(before - after).max() > 0.1
        assert ((after > 0) & (after < 1)).all()
