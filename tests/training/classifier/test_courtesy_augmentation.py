"""Trimmings: put around a text, never into it; as often as said; none of what the behaviour tests ask."""

import ast
import re
from collections.abc import Iterator

import pytest

from data.settings import CHECKOUT
from training.classifier.courtesy_augmentation import (
    BEHIND,
    FRONT,
    SHARE_BEHIND,
    SHARE_FRONT,
    SHARE_SECOND,
    with_courtesy,
)

TEXTS = [f"Не вывозят мусор у дома {n}, баки полные" for n in range(2000)]
EVERYBODY_WRITES = 2
"""So many words («Добрый день!», «Заранее спасибо») stand in too many complaints to be of one test."""


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower().replace("ё", "е")))


def behaviour_texts() -> Iterator[str]:
    """Everything that the behaviour tests put between quotation marks."""
    for path in sorted((CHECKOUT / "tests" / "behaviour").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield words(node.value)


def test_the_seed_decides():
    assert with_courtesy(TEXTS, seed=0) == with_courtesy(TEXTS, seed=0)
    assert with_courtesy(TEXTS, seed=0) != with_courtesy(TEXTS, seed=1)


def test_each_text_stands_whole_in_what_comes_out_and_only_courtesies_around_it():
    longer_texts = with_courtesy(TEXTS, seed=0)
    assert len(longer_texts) == len(TEXTS)
    after = {"", *BEHIND, *(f"{one} {two}" for one in BEHIND for two in BEHIND)}
    for text, longer in zip(TEXTS, longer_texts, strict=True):
        front, between, behind = longer.partition(text)
        assert between == text
        assert front == "" or front.removesuffix(" ") in FRONT
        assert behind.removeprefix(" ") in after


def test_as_many_get_something_in_front_and_behind_as_said():
    pairs = list(zip(TEXTS, with_courtesy(TEXTS, seed=0), strict=True))
    front = sum(not longer.startswith(text) for text, longer in pairs) / len(pairs)
    behind = sum(not longer.endswith(text) for text, longer in pairs) / len(pairs)
    plain = sum(text == longer for text, longer in pairs) / len(pairs)
    assert front == pytest.approx(SHARE_FRONT, abs=0.04)
    assert 1 - behind == pytest.approx((1 - SHARE_BEHIND) * (1 - SHARE_SECOND), abs=0.04)
    assert plain == pytest.approx((1 - SHARE_FRONT) * (1 - SHARE_BEHIND) * (1 - SHARE_SECOND), abs=0.04)


def test_every_courtesy_is_used():
    longer_texts = with_courtesy([""] * 5000, seed=0)
    assert {phrase for phrase in FRONT if any(text.startswith(phrase) for text in longer_texts)} == set(FRONT)
    assert {phrase for phrase in BEHIND if any(text.endswith(phrase) for text in longer_texts)} == set(BEHIND)


def test_no_texts_no_courtesies():
    assert with_courtesy([], seed=0) == []


@pytest.mark.parametrize("phrase", [p for p in [*FRONT, *BEHIND] if len(words(p).split()) > EVERYBODY_WRITES])
def test_no_courtesy_stands_in_a_behaviour_test(phrase: str):
    found = [text for text in behaviour_texts() if f" {words(phrase)} " in f" {text} "]
    assert found == []
