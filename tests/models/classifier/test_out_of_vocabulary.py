"""Out of vocabulary: texts of another language or about nothing a citizen writes of stand out; complaints do not."""

import numpy as np
import pandas as pd
import pytest

from data.settings import CHECKOUT
from models.classifier.out_of_vocabulary import OutOfVocabulary, fit_out_of_vocabulary
from tests.behaviour.out_of_domain import OUT_OF_DOMAIN

WATER = ["Нет горячей воды в доме", "Горячая вода в доме пропала", "В доме нет воды"]


@pytest.fixture(scope="module")
def shuffled() -> list[str]:
    """The bundled complaints, each text once, in random order."""
    texts = pd.read_csv(CHECKOUT / "data" / "samples" / "complaints.csv")["text"]
    return list(texts.drop_duplicates().sample(frac=1, random_state=0))


@pytest.fixture(scope="module")
def out_of_vocabulary(shuffled: list[str]) -> OutOfVocabulary:
    """Fitted on four fifths of the bundled complaints, a quarter of them for the threshold."""
    fifth = len(shuffled) // 5
    return fit_out_of_vocabulary(shuffled[: 3 * fifth], shuffled[3 * fifth : 4 * fifth])


@pytest.mark.parametrize(
    ("kind", "least"),
    [("latin", 1.0), ("cyrillic_foreign", 0.9), ("gibberish", 0.95), ("machine", 0.8), ("other_russian", 0.5)],
)
def test_texts_from_elsewhere_are_found(out_of_vocabulary: OutOfVocabulary, kind: str, least: float) -> None:
    assert out_of_vocabulary.unlike_training(OUT_OF_DOMAIN[kind]).mean() >= least


def test_complaints_never_seen_are_left_alone(out_of_vocabulary: OutOfVocabulary, shuffled: list[str]) -> None:
    unseen = shuffled[4 * (len(shuffled) // 5) :]
    assert out_of_vocabulary.unlike_training(unseen).mean() <= 0.03


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Нет горячей воды в доме", "НЕТ ГОРЯЧЕЙ ВОДЫ В ДОМЕ!!!"),
        ("Нет горячей воды в доме", "<b>Нет</b> горячей воды&nbsp;в доме"),
        ("Идёт горячая вода", "Идет горячая вода"),
        ("Нет горячей воды в доме 5", "Нет горячей воды в доме 17"),
        ("Нет воды, звоните", "Нет воды, звоните [ТЕЛЕФОН]"),
        ("Нет горячей воды", "Нет горячею воды"),
    ],
)
def test_the_writing_of_the_same_words_does_not_matter(text: str, same: str) -> None:
    out_of_vocabulary = fit_out_of_vocabulary(WATER, WATER)
    assert out_of_vocabulary.scores([text]) == out_of_vocabulary.scores([same])


def test_each_unknown_word_raises_the_score() -> None:
    out_of_vocabulary = fit_out_of_vocabulary(WATER, WATER)
    scores = out_of_vocabulary.scores(
        ["нет воды в доме", "нет воды в кратере", "нет квазара в кратере", "пуст квазар у кратера"]
    )
    assert list(scores) == sorted(set(scores))


@pytest.mark.parametrize("text", ["", "   ", "12345", "😀😀😀", "?!", "[ТЕЛЕФОН]"])
def test_a_text_without_a_word_is_unlike_training(out_of_vocabulary: OutOfVocabulary, text: str) -> None:
    assert out_of_vocabulary.unlike_training([text]).all()


@pytest.mark.parametrize("text", ["спасибо", "Спасибо большое!", "нет воды", "когда?", "уберите мусор"])
def test_a_few_everyday_words_are_not(out_of_vocabulary: OutOfVocabulary, text: str) -> None:
    assert not out_of_vocabulary.unlike_training([text]).any()


def test_a_word_of_one_complaint_only_is_not_kept() -> None:
    out_of_vocabulary = fit_out_of_vocabulary([*WATER, "В доме нет воды, Пантелеймонова"], WATER)
    assert "пантел" not in out_of_vocabulary.beginnings
    assert "горяче" in fit_out_of_vocabulary([*WATER, "горячей"], WATER).beginnings


def test_no_more_held_out_complaints_pass_the_threshold_than_allowed(shuffled: list[str]) -> None:
    for share in (0.0, 0.01, 0.05, 0.2):
        held_out = shuffled[1000:1500]
        fitted = fit_out_of_vocabulary(shuffled[:1000], held_out, false_alarms=share)
        assert fitted.unlike_training(held_out).mean() <= share


def test_it_is_stored_as_small_json_and_comes_back_the_same(out_of_vocabulary: OutOfVocabulary) -> None:
    stored = out_of_vocabulary.model_dump_json()
    again = OutOfVocabulary.model_validate_json(stored)
    assert again == out_of_vocabulary
    assert again.model_dump_json() == stored
    assert len(stored.encode()) < 200_000


def test_no_text_gives_no_answer(out_of_vocabulary: OutOfVocabulary) -> None:
    assert out_of_vocabulary.scores([]).shape == (0,)
    assert out_of_vocabulary.unlike_training([]).dtype == np.bool_
