"""Decoding: whatever the logits, a possible combination comes out, and every doubt has its reason."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalogue.checks import load_catalogue
from data.catalogue.model import Catalogue
from data.settings import CHECKOUT
from models.classifier.calibration import JointWeights
from models.classifier.decoding import Floats, JointDecoder
from models.classifier.labels import HEADS, OTHER, LabelSpace
from models.classifier.routing import ALTERNATIVES, Classification, decide, has_cyrillic
from models.classifier.topic_agency_pmi import TopicAgencyPmi

CATALOGUE = load_catalogue(CHECKOUT / "configs" / "regions" / "verkhnerechye" / "catalogue.yaml")
PLACES = [place.id for place in CATALOGUE.municipalities]
TEXT = "яма на дороге"


def every_label(catalogue: Catalogue) -> LabelSpace:
    triples = catalogue.triples()
    return LabelSpace({head: tuple(sorted({getattr(t, head) for t in triples})) for head in HEADS})


def labels_without(**dropped: str) -> LabelSpace:
    """The catalogue's labels, where an earlier recipe found one of a head too rare and made it «Прочее»."""
    names = dict(every_label(CATALOGUE).names)
    for head, name in dropped.items():
        names[head] = (*(known for known in names[head] if known != name), OTHER)
    return LabelSpace(names)


def random_logits(labels: LabelSpace, rows: int, scale: float, seed: int) -> dict[str, Floats]:
    rng = np.random.default_rng(seed)
    return {head: rng.normal(scale=scale, size=(rows, len(labels.names[head]))) for head in HEADS}


def sure_of(labels: LabelSpace, **chosen: str) -> dict[str, Floats]:
    """Logits of one complaint that leave no doubt."""
    logits = {head: np.zeros((1, len(labels.names[head]))) for head in HEADS}
    for head, name in chosen.items():
        logits[head][0, labels.names[head].index(name)] = 30.0
    return logits


FULL = every_label(CATALOGUE)
DECODER = JointDecoder(FULL, CATALOGUE)
POSSIBLE = {place: set(CATALOGUE.triples(place)) for place in (None, *PLACES)}
LIGHTING = {
    "sector": "Благоустройство",
    "topic": "Детская площадка",
    "agency": "Администрация города Новозаводска",
}


def decide_one(
    logits: Mapping[str, Floats],
    decoder: JointDecoder = DECODER,
    text: str = TEXT,
    place: str | None = None,
    threshold: float = 0.0,
) -> Classification:
    return decide(decoder, logits, [text], [place], threshold)[0]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([0.01, 1.0, 10.0, 1000.0]),
    place=st.sampled_from([None, *PLACES]),
)
def test_no_impossible_combination_ever_comes_out(seed: int, scale: float, place: str | None):
    for item in decide(DECODER, random_logits(FULL, 4, scale, seed), [TEXT] * 4, [place] * 4, 0.0):
        assert (item.sector.label, item.topic.label, item.agency.label) in POSSIBLE[place]


@st.composite
def any_decoder(draw: st.DrawFn) -> JointDecoder:
    """Temperatures and a weight far outside of what fitting finds; counts for combinations of any kind."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows: dict[str, dict[str, int]] = {}
    for topic, agency in zip(rng.choice(FULL.names["topic"], 50), rng.choice(FULL.names["agency"], 50), strict=True):
        rows.setdefault(topic, {})[agency] = int(rng.integers(1, 10_000))
    temperatures = {head: draw(st.sampled_from([0.05, 0.7, 1.0, 3.0, 50.0])) for head in HEADS}
    weights = JointWeights(temperatures, *(draw(st.sampled_from([0.0, 0.5, 2.0, 50.0])) for _ in range(2)))
    return JointDecoder(FULL, CATALOGUE, TopicAgencyPmi(rows=rows), weights)


def test_a_pair_that_only_rows_know_is_possible_where_the_catalogue_was_drafted_from_rows():
    sector, topic, _ = next(iter(sorted(POSSIBLE[None])))
    strange = next(agency for agency in FULL.names["agency"] if (sector, topic, agency) not in POSSIBLE[None])
    counted = TopicAgencyPmi(rows={topic: {strange: 5}})
    names = tuple(FULL.names[head].index(name) for head, name in zip(HEADS, (sector, topic, strange), strict=True))
    for drafted in (True, False):
        catalogue = CATALOGUE.model_copy(update={"drafted": drafted})
        listed = JointDecoder(FULL, catalogue, counted).combinations.listed.tolist()
        assert (list(names) in listed) is drafted


@settings(max_examples=25, deadline=None)
@given(
    decoder=any_decoder(),
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([0.0, 1.0, 30.0, 1000.0]),
    places=st.lists(st.sampled_from([None, "nowhere", *PLACES]), min_size=1, max_size=4),
)
def test_no_calibration_makes_an_impossible_combination_possible(
    decoder: JointDecoder, seed: int, scale: float, places: list[str | None]
):
    logits = random_logits(FULL, len(places), scale, seed)
    joint = decoder.joint(logits, places)
    np.testing.assert_allclose(joint.listed().sum(axis=1), 1.0, atol=1e-9)
    for place, chosen in zip(places, decoder.best(joint), strict=True):
        names = tuple(FULL.names[head][label] for head, label in zip(HEADS, chosen, strict=True))
        assert names in POSSIBLE[place if place in POSSIBLE else None]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), place=st.sampled_from(PLACES))
def test_in_a_known_place_the_agency_is_one_that_the_routes_name_there(seed: int, place: str):
    item = decide_one(random_logits(FULL, 1, 5.0, seed), place=place)
    assert item.agency.label in CATALOGUE.agencies_for(item.sector.label, item.topic.label, place)


def test_logits_that_insist_on_an_impossible_combination_are_overruled():
    insisting = sure_of(FULL, sector="ЖКХ", topic="Детская площадка", agency="Администрация города Новозаводска")
    item = decide_one(insisting)
    assert (item.sector.label, item.topic.label, item.agency.label) in POSSIBLE[None]


def test_the_same_logits_name_another_administration_in_another_place():
    logits = {head: np.zeros((1, len(FULL.names[head]))) for head in HEADS}
    logits |= {h: v for h, v in sure_of(FULL, **LIGHTING).items() if h != "agency"}
    for place in ("novozavodsk", "almazovsky"):
        item = decide_one(logits, place=place)
        assert [item.agency.label] == CATALOGUE.agencies_for(LIGHTING["sector"], LIGHTING["topic"], place)
        assert item.agency.confidence == pytest.approx(1.0, abs=1e-6)


def test_a_place_outside_the_catalogue_is_as_good_as_none():
    logits = random_logits(FULL, 5, 3.0, seed=7)
    nowhere, unnamed = (DECODER.joint(logits, [place] * 5) for place in ("nowhere", None))
    np.testing.assert_array_equal(nowhere.listed(), unnamed.listed())


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([0.1, 3.0, 100.0]),
    place=st.sampled_from([None, *PLACES]),
    temperature=st.sampled_from([0.3, 1.0, 5.0]),
)
def test_marginals_are_probabilities(seed: int, scale: float, place: str | None, temperature: float):
    decoder = JointDecoder(FULL, CATALOGUE, weights=JointWeights(dict.fromkeys(HEADS, temperature)))
    joint = decoder.joint(random_logits(FULL, 3, scale, seed), [place] * 3)
    np.testing.assert_allclose(joint.listed().sum(axis=1), 1.0, atol=1e-9)
    for head in HEADS:
        marginal = decoder.marginal(joint, head)
        assert marginal.min() >= 0
        np.testing.assert_allclose(marginal.sum(axis=1), 1.0, atol=1e-9)


def test_a_higher_temperature_makes_less_sure():
    logits = random_logits(FULL, 1, 3.0, seed=1)
    decoders = (JointDecoder(FULL, CATALOGUE, weights=JointWeights(dict.fromkeys(HEADS, t))) for t in (0.5, 5.0))
    sure, unsure = (decide_one(logits, decoder).sector.confidence for decoder in decoders)
    assert sure > unsure


PLAYGROUND_ROWS = {"Детская площадка": {"Администрация города Новозаводска": 40}}


def playground(pmi_weight: float) -> dict[str, float]:
    """Probabilities of the agencies of a playground, where the logits know the topic only."""
    logits = {head: np.zeros((1, len(FULL.names[head]))) for head in HEADS}
    logits |= {h: v for h, v in sure_of(FULL, **LIGHTING).items() if h != "agency"}
    rows = PLAYGROUND_ROWS | {"Ямы на дороге": {CATALOGUE.agencies_for("Дороги", "Ямы на дороге")[0]: 40}}
    decoder = JointDecoder(FULL, CATALOGUE, TopicAgencyPmi(rows=rows), JointWeights(pmi=pmi_weight))
    agency = decoder.marginal(decoder.joint(logits, [None]), "agency")[0]
    return dict(zip(FULL.names["agency"], agency.tolist(), strict=True))


def test_the_pmi_moves_the_agency_by_its_weight():
    usual = LIGHTING["agency"]
    shares = [playground(weight)[usual] for weight in (0.0, 0.5, 1.0, 2.0)]
    assert shares == sorted(set(shares))
    assert shares[0] == pytest.approx(1 / len(CATALOGUE.agencies_for(LIGHTING["sector"], LIGHTING["topic"])), abs=1e-6)
    others = {name: share for name, share in playground(1.0).items() if name != usual}
    assert playground(1.0)[usual] > max(others.values())


def test_sure_logits_overrule_the_pmi():
    another = CATALOGUE.agencies_for(LIGHTING["sector"], LIGHTING["topic"])[0]
    assert another != LIGHTING["agency"]
    decoder = JointDecoder(FULL, CATALOGUE, TopicAgencyPmi(rows=PLAYGROUND_ROWS), JointWeights(pmi=1.0))
    assert decide_one(sure_of(FULL, **{**LIGHTING, "agency": another}), decoder).agency.label == another


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_alternatives_are_the_likeliest_labels_first(seed: int):
    logits = random_logits(FULL, 1, 3.0, seed)
    item = decide_one(logits)
    joint = DECODER.joint(logits, [None])
    for head in HEADS:
        given_out = [proposal.confidence for proposal in item.alternatives[head]]
        assert given_out == sorted(DECODER.marginal(joint, head)[0], reverse=True)[:ALTERNATIVES]
        assert len({proposal.label for proposal in item.alternatives[head]}) == ALTERNATIVES


def test_a_head_with_fewer_labels_than_alternatives_gives_all_it_has():
    labels = LabelSpace({**FULL.names, "sector": ("ЖКХ", OTHER)})
    item = decide_one(random_logits(labels, 1, 1.0, seed=0), JointDecoder(labels, CATALOGUE))
    assert {proposal.label for proposal in item.alternatives["sector"]} == {"ЖКХ", OTHER}


RARE_TOPIC = labels_without(topic="Детская площадка")
RARE_AGENCY = labels_without(agency="Администрация города Новозаводска")


def labels_with_rows(**few: str) -> LabelSpace:
    """The catalogue's labels, five rows each, but those of few have one less."""
    rows = {head: tuple(5 - (name == few.get(head)) for name in FULL.names[head]) for head in HEADS}
    return LabelSpace(FULL.names, rows)


@pytest.mark.parametrize(
    ("labels", "chosen", "text", "threshold", "reasons"),
    [
        (FULL, LIGHTING, TEXT, 0.9, []),
        (FULL, {}, TEXT, 0.9, ["low_confidence"]),
        (FULL, LIGHTING, TEXT, 1.01, ["low_confidence"]),
        (labels_with_rows(), LIGHTING, TEXT, 0.9, []),
        (labels_with_rows(sector=LIGHTING["sector"]), LIGHTING, TEXT, 0.9, ["rare_label"]),
        (labels_with_rows(topic=LIGHTING["topic"]), LIGHTING, TEXT, 0.9, ["rare_label"]),
        (labels_with_rows(agency=LIGHTING["agency"]), LIGHTING, TEXT, 0.9, ["rare_label"]),
        (labels_with_rows(topic="Ямы на дороге"), LIGHTING, TEXT, 0.9, []),
        (RARE_TOPIC, {**LIGHTING, "topic": OTHER}, TEXT, 0.9, ["rare_label"]),
        (RARE_AGENCY, {**LIGHTING, "agency": OTHER}, TEXT, 0.9, ["rare_label"]),
        (FULL, LIGHTING, "Playground is broken!!! 12", 0.9, ["no_cyrillic"]),
        (FULL, LIGHTING, "", 0.9, ["no_cyrillic"]),
        (RARE_AGENCY, {"agency": OTHER}, "???", 1.01, ["low_confidence", "rare_label", "no_cyrillic"]),
    ],
    ids=[
        *("sure", "unsure", "nothing is ever routed", "five rows each", "sector of few rows", "topic of few rows"),
        *("agency of few rows", "another topic of few rows", "topic «Прочее»", "agency «Прочее»", "Latin", "empty"),
        "all",
    ],
)
def test_every_reason_for_review_is_named(
    labels: LabelSpace, chosen: dict[str, str], text: str, threshold: float, reasons: list[str]
):
    item = decide_one(sure_of(labels, **chosen), JointDecoder(labels, CATALOGUE), text, None, threshold)
    assert item.reasons == reasons
    assert item.decision == ("review" if reasons else "route")


def test_a_confidence_at_the_threshold_is_routed_and_one_below_is_not():
    logits = random_logits(FULL, 1, 3.0, seed=3)
    confidence = decide_one(logits).agency.confidence
    assert decide_one(logits, threshold=confidence).decision == "route"
    assert decide_one(logits, threshold=np.nextafter(confidence, 2.0)).decision == "review"


def test_the_deadline_is_the_catalogues():
    for sector in CATALOGUE.sectors:
        for topic in sector.topics:
            agency = CATALOGUE.agencies_for(sector.name, topic.name)[0]
            chosen = {"sector": sector.name, "topic": topic.name, "agency": agency}
            assert decide_one(sure_of(FULL, **chosen)).deadline_hours == topic.deadline_hours


def test_other_has_no_deadline():
    logits = sure_of(RARE_TOPIC, **{**LIGHTING, "topic": OTHER})
    assert decide_one(logits, JointDecoder(RARE_TOPIC, CATALOGUE)).deadline_hours is None


def test_no_rows_no_decisions():
    assert decide(DECODER, random_logits(FULL, 0, 1.0, seed=0), [], [], 0.5) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("яма", True),
        ("Ёж", True),
        ("pothole я", True),
        ("pothole", False),
        ("12 !?", False),
        ("", False),
        ("日本", False),
    ],
)
def test_cyrillic_is_found(text: str, found: bool):
    assert has_cyrillic(text) is found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Нет воды", True),
        ("No water", False),
        ("Call [ТЕЛЕФОН], [ИМЯ]", False),
        ("[ТЕЛЕФОН] нет воды", True),
        ("", False),
    ],
)
def test_marks_of_masking_are_no_russian_text(text: str, expected: bool):
    assert has_cyrillic(text) is expected
