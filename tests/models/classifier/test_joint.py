"""Joint probabilities under a drafted catalogue: what was never seen is possible, improbable, and never enumerated."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from data.catalogue.model import Agency, Catalogue, Municipality, Route, Sector, Topic
from models.classifier.calibration import JointWeights
from models.classifier.decoding import Floats, JointDecoder
from models.classifier.joint import LEAST_PROBABILITY, Joint
from models.classifier.labels import HEADS, LabelSpace
from models.classifier.topic_agency_pmi import PmiTable, TopicAgencyPmi, count_topic_agency

LABELS = LabelSpace({"sector": ("Дороги", "ЖКХ"), "topic": ("Вода", "Свет", "Ямы"), "agency": ("А", "Б", "В", "Г")})
WATER, LIGHT, PITS = range(3)
A, B, C, D = range(4)
NORTH, SOUTH = "north", "south"
SEEN = [
    ("ЖКХ", "Вода", "А"),
    ("ЖКХ", "Вода", "Б"),
    ("ЖКХ", "Свет", "Б"),
    ("Дороги", "Свет", "А"),
    ("Дороги", "Ямы", "В"),
]
"""«Свет» is a topic of both sectors; nobody has seen «Г»."""


def catalogue(drafted: bool) -> Catalogue:
    topics: dict[str, dict[str, list[Route]]] = {}
    for sector, topic, agency in SEEN:
        topics.setdefault(sector, {}).setdefault(topic, []).append(Route(agency=agency))
    return Catalogue(
        region="",
        drafted=drafted,
        municipalities=[Municipality(id=place, name=place) for place in (NORTH, SOUTH)],
        agencies=[Agency(id=name, name=name) for name in LABELS.names["agency"]],
        sectors=[
            Sector(name=sector, topics=[Topic(name=t, deadline_hours=24, routes=routes) for t, routes in of.items()])
            for sector, of in topics.items()
        ],
    )


def counted(*rows: tuple[int, int, str | None]) -> TopicAgencyPmi:
    targets = {"topic": np.array([row[0] for row in rows]), "agency": np.array([row[1] for row in rows])}
    return count_topic_agency(LABELS, targets, [row[2] for row in rows])


ROWS = [(WATER, A, NORTH)] * 20 + [(WATER, B, SOUTH)] * 20 + [(LIGHT, B, NORTH)] * 3 + [(PITS, C, None)] * 9
COUNTS = counted(*ROWS)
WEIGHTS = JointWeights({"sector": 1.5, "topic": 1.0, "agency": 2.0}, pmi=0.8)


def logits_of(rows: int = 1, **sure: int) -> dict[str, Floats]:
    """Logits that say nothing, but for the heads whose label is given."""
    logits = {head: np.zeros((rows, len(LABELS.names[head]))) for head in HEADS}
    for head, label in sure.items():
        logits[head][:, label] = 20.0
    return logits


def agencies(place: str | None, drafted: bool = True, **sure: int) -> Floats:
    """Probabilities of the agencies of one complaint."""
    joint = JointDecoder(LABELS, catalogue(drafted), COUNTS, WEIGHTS).joint(logits_of(**sure), [place])
    return joint.marginal("agency")[0]


def enumerated(logits: dict[str, Floats], place: str | None, counts: TopicAgencyPmi, weights: JointWeights) -> Floats:
    """The same by the definition, pairs written out, shape (n, sectors, topics, agencies)."""
    pairs = np.array(list(product(range(3), range(4))))
    pmi = PmiTable(counts, LABELS, pairs).of(place).pairs.reshape(3, 4)
    sector, topic, agency = (log_softmax(logits[head], axis=1) / weights.temperatures[head] for head in HEADS)
    listed = np.zeros((2, 3), dtype=bool)
    for of_sector, of_topic, _ in SEEN:
        listed[LABELS.index("sector", of_sector), LABELS.index("topic", of_topic)] = True

    def joint(agency: Floats, pmi_weight: float) -> Floats:
        scores = sector[:, :, None, None] + topic[:, None, :, None] + agency[:, None, None, :] + pmi_weight * pmi
        probabilities: Floats = softmax(np.where(listed[None, :, :, None], scores, -np.inf), axis=(1, 2, 3))
        return probabilities

    rows_of = np.array([sum(counts.rows.get(t, {}).get(name, 0) for t in counts.rows) for name in "АБВГ"])
    share = (rows_of + 0.5) / (rows_of + 0.5).sum()
    by_topic = np.maximum(joint(np.log(share)[None, :], 1.0).sum(axis=(1, 2)), LEAST_PROBABILITY)
    return joint(agency + weights.agency_by_topic * np.log(by_topic), weights.pmi)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([0.1, 3.0, 300.0]),
    place=st.sampled_from([NORTH, SOUTH, None]),
    weight=st.sampled_from([0.0, 0.6, 2.0]),
    by_topic=st.sampled_from([0.0, 0.7, 2.0]),
)
def test_it_is_the_same_as_writing_every_pair_out(
    seed: int, scale: float, place: str | None, weight: float, by_topic: float
):
    rng = np.random.default_rng(seed)
    logits = {head: rng.normal(scale=scale, size=(4, len(LABELS.names[head]))) for head in HEADS}
    labelled = zip(rng.integers(3, size=9).tolist(), rng.integers(4, size=9).tolist(), strict=True)
    counts = counted(*((topic, agency, place) for topic, agency in labelled))
    weights = JointWeights(WEIGHTS.temperatures, weight, by_topic)
    joint = JointDecoder(LABELS, catalogue(drafted=True), counts, weights).joint(logits, [place] * 4)
    exact = enumerated(logits, place, counts, weights)
    for axis, head in enumerate(HEADS, start=1):
        others = tuple({1, 2, 3} - {axis})
        np.testing.assert_allclose(joint.marginal(head), exact.sum(axis=others), atol=1e-9)
    sectors, topics, agencies_chosen = joint.best().T  # the likeliest topic and the likeliest agency, each by itself
    rows, of_topics, of_agencies = np.arange(4), exact.sum(axis=3), exact.sum(axis=(1, 2))
    np.testing.assert_allclose(of_topics[rows, sectors, topics], of_topics.reshape(4, -1).max(axis=1), atol=1e-9)
    np.testing.assert_allclose(of_agencies[rows, agencies_chosen], of_agencies.max(axis=1), atol=1e-9)


@pytest.mark.parametrize("place", [NORTH, SOUTH, None, "nowhere"])
def test_an_unseen_agency_of_a_topic_is_possible_and_improbable(place: str | None):
    share = agencies(place, topic=WATER)[D]
    assert 0 < share < 0.1
    assert share < agencies(place, topic=WATER)[[A, B]].max() / 5


def test_the_better_a_topic_is_known_the_less_probable_is_an_unseen_agency():
    of_water, of_light = (agencies(None, topic=topic)[D] for topic in (WATER, LIGHT))
    assert of_water < of_light


def test_sure_logits_send_a_topic_to_an_agency_that_was_never_seen_with_it():
    decoder = JointDecoder(LABELS, catalogue(drafted=True), COUNTS, WEIGHTS)
    joint = decoder.joint(logits_of(topic=WATER, agency=D), [NORTH])
    assert joint.best().tolist() == [[LABELS.index("sector", "ЖКХ"), WATER, D]]
    assert decoder.deadlines(joint.best()) == [24]


def test_under_a_catalogue_that_was_checked_an_unseen_agency_is_impossible():
    assert agencies(None, drafted=False, topic=WATER, agency=D)[D] < 1e-12


def test_the_place_decides_between_two_agencies_of_a_topic():
    assert agencies(NORTH, topic=WATER).argmax() == A
    assert agencies(SOUTH, topic=WATER).argmax() == B


def test_topics_and_place_outvote_a_head_that_wavers_as_far_as_their_weight_goes():
    logits = logits_of(topic=WATER)
    logits["agency"][:, B] = 1.0
    shares = [
        JointDecoder(LABELS, catalogue(True), COUNTS, JointWeights(agency_by_topic=weight)).joint(logits, [NORTH])
        for weight in (0.0, 0.5, 1.0)
    ]
    of_a, of_b = (np.array([joint.marginal("agency")[0, agency] for joint in shares]) for agency in (A, B))
    assert of_a[0] < of_b[0]
    assert of_a[2] > of_b[2]
    assert np.all(np.diff(of_a) > 0)


@pytest.mark.parametrize("drafted", [True, False])
def test_without_a_known_place_all_places_are_asked(drafted: bool):
    nowhere, unnamed = (agencies(place, drafted, topic=WATER) for place in ("nowhere", None))
    np.testing.assert_array_equal(nowhere, unnamed)
    assert unnamed[A] == pytest.approx(unnamed[B], rel=0.25)


def test_pairs_that_were_counted_and_are_not_listed_have_their_counts():
    counts = counted(*ROWS, *[(PITS, D, NORTH)] * 20)
    decoder = JointDecoder(LABELS, catalogue(drafted=True), counts, WEIGHTS)
    assert decoder.joint(logits_of(topic=PITS), [NORTH]).best()[0].tolist() == [
        LABELS.index("sector", "Дороги"),
        PITS,
        D,
    ]


def test_thousands_of_labels_are_decoded_without_writing_their_pairs_out():
    """3,000 topics, 2,000 agencies, 64 complaints: every pair of every complaint would be 3 GB."""
    rng = np.random.default_rng(0)
    names = {"topic": tuple(f"Т{n}" for n in range(3000)), "agency": tuple(f"О{n}" for n in range(2000))}
    labels = LabelSpace({"sector": ("С",), **names})
    seen = np.unique(np.column_stack([np.arange(9000) % 3000, rng.integers(2000, size=9000)]), axis=0)
    routes: dict[int, list[Route]] = {}
    for topic, agency in seen.tolist():
        routes.setdefault(topic, []).append(Route(agency=names["agency"][agency]))
    topics = [Topic(name=names["topic"][topic], deadline_hours=1, routes=of) for topic, of in routes.items()]
    everything = Catalogue(
        region="",
        drafted=True,
        agencies=[Agency(id=name, name=name) for name in names["agency"]],
        sectors=[Sector(name="С", topics=topics)],
    )
    counts = count_topic_agency(labels, {"topic": seen[:, 0], "agency": seen[:, 1]})
    decoder = JointDecoder(labels, everything, counts, WEIGHTS)
    logits = {head: rng.normal(scale=3.0, size=(64, len(labels.names[head]))) for head in HEADS}
    tracemalloc.start()
    joint = decoder.joint(logits, [None] * 64)
    marginals = [joint.marginal(head) for head in HEADS]
    joint.best()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 2**20
    for marginal in marginals:
        np.testing.assert_allclose(marginal.sum(axis=1), 1.0, atol=1e-9)


def test_no_rows_no_probabilities():
    joint = JointDecoder(LABELS, catalogue(drafted=True), COUNTS, WEIGHTS).joint(logits_of(0), [])
    assert isinstance(joint, Joint)
    assert [joint.marginal(head).shape for head in HEADS] == [(0, len(LABELS.names[head])) for head in HEADS]
    assert joint.best().shape == (0, 3)
