"""Example words: whole, readable, of these texts and not of the others."""

import pytest

from models.topics.keywords import keywords

OTHERS = [
    "просим вывезти мусор у дома",
    "у дома яма на дороге, просим заделать",
    "нет горячей воды в доме, просим помочь",
    "автобус не приходит по расписанию",
] * 10


def test_words_of_the_texts_come_before_words_of_all():
    texts = ["электросамокаты бросают у дома", "самокаты лежат на тротуаре", "просим убрать самокаты с тротуара"]
    words = keywords(texts, OTHERS)
    assert set(words[:2]) == {"самокаты", "тротуара"}
    assert not {"дома", "просим"} & set(words)


def test_a_word_is_shown_in_its_most_frequent_form():
    texts = ["самокаты мешают", "самокаты везде", "самокатам не место"]
    assert keywords(texts, OTHERS)[0] == "самокаты"


def test_neighbours_that_go_together_are_said_as_a_pair():
    texts = [f"прокатные самокаты {end}" for end in ("мешают", "лежат", "бросают", "стоят")]
    assert keywords(texts, OTHERS)[0] == "прокатные самокаты"


def test_words_of_a_single_text_are_no_examples():
    texts = ["самокаты у Васильковой горы", "самокаты во дворе", "самокаты на тротуаре", "самокаты в парке"]
    assert keywords(texts, OTHERS) == ["самокаты"]


def test_marks_of_masking_are_no_words():
    texts = ["[ИМЯ] просит убрать самокаты, [ТЕЛЕФОН]", "[ИМЯ]: самокаты мешают, [ТЕЛЕФОН]"]
    assert keywords(texts, OTHERS) == ["самокаты"]


@pytest.mark.parametrize(("texts", "others"), [([], OTHERS), ([], []), (["12345", "!!!"], OTHERS), (OTHERS, OTHERS)])
def test_texts_without_anything_of_their_own_have_no_words(texts: list[str], others: list[str]):
    assert keywords(texts, others) == []


def test_no_more_than_asked_for():
    texts = [". ".join(f"{letter * 2}слово" for letter in "абвгдежзик")] * 3
    assert len(keywords(texts, OTHERS, count=4)) == 4
