"""The words that carried a decision are those whose removal changes it."""

import pytest

from models.classifier.classifier import Classifier
from models.classifier.explanation import MAX_VARIANTS, deletion_test, explain, without, word_groups
from tests.models.classifier.taught import BUS, PIT, RUBBISH, TAUGHT, WATER, write_taught


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier.load(write_taught(tmp_path_factory.mktemp("taught") / "bundle"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("не вывозят мусор", ["не вывозят", "мусор"]),
        ("В подъезде № 5 у нас темно!", ["В подъезде", "5", "у нас темно"]),
        ("Звонил [ИМЯ], тел. [ТЕЛЕФОН]: нет воды", ["Звонил", "тел", "нет воды"]),
        ("где? мусор", ["мусор"]),  # a sign parts them
        ("кто-нибудь, почините из-за ямы", ["кто-нибудь", "почините", "из-за", "ямы"]),
        ("и не в", []),
        ("", []),
    ],
)
def test_stop_words_stand_with_the_word_that_they_lean_on(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in word_groups(text)] == words


@pytest.mark.parametrize(
    ("spans", "left"), [([(0, 10)], "мусор у дома"), ([(0, 10), (11, 16)], "у дома"), ([], "не вывозят мусор у дома")]
)
def test_what_is_removed_leaves_one_space(spans: list[tuple[int, int]], left: str) -> None:
    assert without("не вывозят мусор у дома", spans) == left


@pytest.mark.parametrize("text", [RUBBISH, PIT, f"{WATER}. {BUS}", "мусор", "", "[ИМЯ]", "the bin"])
def test_every_word_is_weighed_in_the_order_of_the_text(taught: Classifier, text: str) -> None:
    found = explain(taught, text, None)
    assert [(word.start, word.end) for word in found.words] == word_groups(text)
    assert all(word.word == text[word.start : word.end] for word in found.words)
    assert found == explain(taught, text, None)


def test_it_explains_what_was_decided(taught: Classifier) -> None:
    found = explain(taught, RUBBISH, None)
    assert found.topic == TAUGHT[RUBBISH][1]
    assert max(word.weight for word in found.words) > 0
    assert {word.head for word in found.words} <= {"topic", "agency"}


def test_the_heaviest_words_alone_on_request(taught: Classifier) -> None:
    every = explain(taught, RUBBISH, None).words
    heaviest = sorted(every, key=lambda word: -word.weight)[:2]
    assert set(explain(taught, RUBBISH, None, words=2).words) == set(heaviest)


def test_a_long_text_costs_a_bounded_number_of_classifications(taught: Classifier) -> None:
    text = ". ".join([RUBBISH, *[f"{WATER} {number}" for number in range(60)]])
    found = explain(taught, text, None)
    assert 0 < len(found.words) < MAX_VARIANTS
    assert [word.start for word in found.words] == sorted(word.start for word in found.words)


def test_removing_the_heaviest_words_lowers_the_confidence_more_than_removing_others(taught: Classifier) -> None:
    texts = [RUBBISH, PIT, WATER, BUS, "мусор"]  # the last is too short to tell
    tested = deletion_test(taught, texts, [None] * len(texts), k=2)
    assert tested.top > tested.random
    assert tested.texts == 4
    assert tested == deletion_test(taught, texts, [None] * len(texts), k=2)


def test_no_text_long_enough_is_no_test(taught: Classifier) -> None:
    assert deletion_test(taught, ["мусор"], [None]).texts == 0
