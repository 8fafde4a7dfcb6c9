"""Several problems in one message are told apart, and one problem stays one."""

from itertools import pairwise

import pytest

from models.classifier import segments
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from models.classifier.routing import Classification, Proposal
from models.classifier.segments import (
    MAX_UNITS,
    SegmentProposal,
    classify_with_proposals,
    proposals,
    units,
    with_several,
)
from tests.models.classifier.taught import BUS, PIT, RUBBISH, TAUGHT, THANKS, WATER, write_taught


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier.load(write_taught(tmp_path_factory.mktemp("taught") / "bundle"))


def problems(classifier: Classifier, text: str) -> list[SegmentProposal]:
    found = classifier.classify([text], [None])
    return proposals(classifier, [text], [None], found)[0]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Во дворе яма, и ещё не горят фонари.", ["Во дворе яма,", "и ещё не горят фонари."]),
        ("Не горят фонари. Также не вывозят мусор.", ["Не горят фонари.", "Также не вывозят мусор."]),
        ("Не вывозят мусор а также не горят фонари", ["Не вывозят мусор", "а также не горят фонари"]),
        ("Нет света; кроме того, нет воды", ["Нет света;", "кроме того, нет воды"]),
        ("1) заделать яму 2) починить фонарь", ["1) заделать яму", "2) починить фонарь"]),
        (
            "Прошу помочь: 1. Заделать яму. 2. Починить фонарь.",
            ["Прошу помочь:", "1. Заделать яму.", "2. Починить фонарь."],
        ),
        ("Во-первых, нет воды, во-вторых, нет света", ["Во-первых, нет воды,", "во-вторых, нет света"]),
        ("Первая строка\nвторая строка", ["Первая строка", "вторая строка"]),
    ],
)
def test_a_text_is_cut_where_something_is_added(text: str, pieces: list[str]) -> None:
    assert [text[start:end] for start, end in units(text)] == pieces


@pytest.mark.parametrize(
    "text",
    [
        "",
        "мусор",
        "Яма на ул. Ленина, д. 5, кв. 12 у подъезда",
        "Мусор во дворе не вывозят третью неделю",
        "Ещё не вывезли мусор",
        "Эй! Да? Нет света в доме.",
        "Автобус 2) не ходит к дому 5",
        "!!! ... ???",
    ],
)
def test_a_text_that_adds_nothing_is_one_unit(text: str) -> None:
    assert len(units(text)) <= 1


@pytest.mark.parametrize("text", ["Яма на дороге. " * 1300, "а. " * 6600, "мусор; " * 2800, "Также. " * 2800])
def test_the_longest_texts_have_few_units_in_order(text: str) -> None:
    spans = units(text)
    assert len(spans) <= MAX_UNITS
    assert all(left[1] <= right[0] for left, right in pairwise(spans))


SEVERAL: list[tuple[str, list[str]]] = [
    (f"{RUBBISH}; {PIT}", [RUBBISH, PIT]),
    (f"{RUBBISH}\n{BUS}", [RUBBISH, BUS]),
    (f"{RUBBISH}; также {PIT}; {PIT}", [RUBBISH, PIT]),
    (f"{RUBBISH}; {PIT}; {WATER}", [RUBBISH, PIT, WATER]),
]


@pytest.mark.parametrize(("text", "told"), SEVERAL)
def test_each_problem_is_proposed_with_its_span_and_labels(taught: Classifier, text: str, told: list[str]) -> None:
    found = problems(taught, text)
    assert [(part.sector.label, part.topic.label) for part in found] == [TAUGHT[sentence] for sentence in told]
    assert (found[0].start, found[-1].end) == (0, len(text))
    for part, sentence in zip(found, told, strict=True):
        assert sentence in text[part.start : part.end]
        hours = taught.catalogue.topic(part.sector.label, part.topic.label).deadline_hours
        assert part.deadline_hours == hours
        assert part.agency.label in taught.catalogue.agencies_for(part.sector.label, part.topic.label)


@pytest.mark.parametrize(
    "text",
    [
        RUBBISH,
        f"{RUBBISH}; {RUBBISH}",
        f"{RUBBISH}; {THANKS}",  # thanks are no problem
        f"{RUBBISH}; {PIT}; {RUBBISH}",  # it comes back: what lay between was a digression
        "",
        "the bin is full; it smells",
    ],
)
def test_one_problem_spans_the_whole_text_and_is_what_the_whole_was_classified_as(
    taught: Classifier, text: str
) -> None:
    (found,) = problems(taught, text)
    (whole,) = taught.classify([text], [None])
    assert (found.start, found.end) == (0, len(text))
    assert (found.sector, found.topic, found.agency) == (whole.sector, whole.topic, whole.agency)


def unit(sector: str, confidence: float) -> Classification:
    """A unit that is of one of two sectors."""
    (other,) = {"Дороги", "Вывоз мусора"} - {sector}
    sectors = [Proposal(sector, confidence), Proposal(other, 1 - confidence)]
    topic, agency = Proposal("Тема", 1.0), Proposal("Орган", 1.0)
    return Classification("route", [], sectors[0], topic, agency, {"sector": sectors}, None)


@pytest.mark.parametrize(
    ("price", "path"),
    [(segments.ADDED_PRICE, ["Дороги", "Вывоз мусора"]), (segments.SWITCH_PRICE, ["Дороги", "Дороги"])],
    ids=["added", "not added"],
)
def test_odds_of_fifty_to_one_are_a_problem_of_their_own_only_where_the_writer_says_that_he_adds_one(
    price: float, path: list[str]
) -> None:
    items = [unit("Дороги", 0.9999), unit("Вывоз мусора", 50 / 51)]
    assert segments._path(items, [0.0, price], frozenset({"Дороги", "Вывоз мусора"}), 2) == path


@pytest.mark.parametrize(("added", "several"), [("также ", True), ("", False)])
def test_an_added_clause_needs_less_evidence_than_a_mere_change_of_subject(
    taught: Classifier, monkeypatch: pytest.MonkeyPatch, added: str, several: bool
) -> None:
    """The same two problems, at a price between which lies what the sector of the second is worth."""
    monkeypatch.setattr(segments, "SWITCH_PRICE", 1000.0)
    assert (len(problems(taught, f"{RUBBISH}; {added}{PIT}")) > 1) is several


def test_texts_do_not_mix(taught: Classifier) -> None:
    texts = [text for text, _ in SEVERAL] + [RUBBISH, PIT]
    places = [None] * len(texts)
    together = proposals(taught, texts, places, taught.classify(texts, places))
    for parts, text in zip(together, texts, strict=True):
        assert [(p.start, p.end, p.topic.label) for p in parts] == [
            (p.start, p.end, p.topic.label) for p in problems(taught, text)
        ]


def test_the_place_decides_the_agency_of_each_problem(taught: Classifier) -> None:
    text = f"{RUBBISH}; {PIT}"
    found = taught.classify([text], ["novozavodsk"])
    for part in proposals(taught, [text], ["novozavodsk"], found)[0]:
        assert part.agency.label in taught.catalogue.agencies_for(part.sector.label, part.topic.label, "novozavodsk")


def test_a_message_with_several_problems_is_an_operators(taught: Classifier) -> None:
    for text, several in ((f"{RUBBISH}; {PIT}", True), (RUBBISH, False)):
        (whole,) = taught.classify([text], [None])
        decided = with_several(whole, problems(taught, text))
        assert ("several_problems" in decided.reasons) is several
        assert decided.decision == "review" if several else decided == whole


def test_reading_both_together_says_the_same_as_one_after_the_other(taught: Classifier):
    texts = [f"{RUBBISH}. Также {PIT}.", WATER, f"{THANKS}. {BUS}. {PIT}."]
    places: list[str | None] = [None, "novozavodsk", None]
    wholes, together = classify_with_proposals(taught, texts, places)
    for together_said, alone_said in zip(wholes, taught.classify(texts, places), strict=True):
        assert (together_said.decision, together_said.reasons) == (alone_said.decision, alone_said.reasons)
        for head in HEADS:  # sums over batches of other sizes differ in their last digits
            mine, other = getattr(together_said, head), getattr(alone_said, head)
            assert mine.label == other.label
            assert mine.confidence == pytest.approx(other.confidence, abs=1e-9)
    assert together == proposals(taught, texts, places, wholes)
