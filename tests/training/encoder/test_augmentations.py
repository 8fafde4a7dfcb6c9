"""Augmentations: new texts out of old words, the same ones from the same seed."""

import re

import pytest

from models.text.normalisation import normalised
from training.classifier.courtesy_augmentation import BEHIND, FRONT
from training.encoder.augmentations import augmented

TEXTS = [
    "нет света во дворе уже неделю. звонили в администрацию города. ответа нет.",
    "яма на дороге у школы, машины объезжают по тротуару. дети ходят по проезжей части.",
    "не вывозят мусор с площадки. контейнеры переполнены. крысы бегают.",
]


@pytest.fixture(scope="module")
def made() -> list[str]:
    return augmented(TEXTS, 200, seed=1)


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def test_as_many_as_asked_for_and_the_same_from_the_same_seed(made):
    assert len(made) == 200
    assert augmented(TEXTS, 200, seed=1) == made
    assert augmented(TEXTS, 200, seed=2) != made
    assert len(set(made)) > 100


def test_they_are_read_as_the_models_read(made):
    assert [normalised(text) for text in made] == made


def test_some_are_shorter_than_any_text_and_some_mix_several(made):
    first_words = [words(text) for text in TEXTS]
    assert min(map(len, made)) < min(map(len, TEXTS))
    assert any(sum(len(words(text) & known) > 3 for known in first_words) > 1 for text in made)


def test_most_words_are_those_of_the_texts_or_the_courtesies_and_some_are_mistyped(made):
    known = words(" ".join([*TEXTS, *(normalised(each) for each in (*FRONT, *BEHIND))]))
    odd = [bool(words(text) - known) for text in made]
    assert 0.05 < sum(odd) / len(odd) < 0.4


def test_one_short_text_is_enough():
    assert all("яма" in text or "я" in text for text in augmented(["яма"], 20, seed=0))
