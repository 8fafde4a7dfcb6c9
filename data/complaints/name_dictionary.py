"""What is known of names: natasha's tagger of people and its dictionary, both loaded once a process.

In: texts, words. Out: spans of people; whether a word may be a name, a surname or a patronymic, and in which forms.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Literal

from data.complaints.masks import Span

Kind = Literal["Name", "Surn", "Patr"]
"""Grammemes of OpenCorpora: given name, surname, patronymic."""
SENTENCES = 4096
"""Sentences whose names are remembered."""


class PeopleTagger:
    """Finds people in texts, and remembers the sentences of the last ones.

    Args:
        sentences: of a text, with their first characters.
        people_in: spans of people in a sentence.
    """

    def __init__(
        self, sentences: Callable[[str], Iterable[tuple[int, str]]], people_in: Callable[[str], list[Span]]
    ) -> None:
        self._sentences = sentences
        self._people_in = lru_cache(maxsize=SENTENCES)(people_in)

    def __call__(self, text: str, perhaps: re.Pattern[str]) -> Iterator[Span]:
        """Spans of people in the sentences that `perhaps` finds something in."""
        for first, sentence in self._sentences(text):
            if perhaps.search(sentence):
                yield from ((first + start, first + stop) for start, stop in self._people_in(sentence))

    def forget(self) -> None:
        """Remember no sentence more."""
        self._people_in.cache_clear()


@lru_cache(maxsize=1)
def people_tagger() -> PeopleTagger:
    """The news NER of natasha (27 MB, about a second to load).

    It sees only a few words to each side, so sentences without what the pattern asks for are left out. A masked text
    is looked through once more, and mailings repeat themselves: sentences are remembered, in this process only.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from natasha import NewsEmbedding, NewsNERTagger, Segmenter
        from threadpoolctl import ThreadpoolController

        segmenter, ner = Segmenter(), NewsNERTagger(NewsEmbedding())
        threads = ThreadpoolController()

    def people_in(sentence: str) -> list[Span]:
        with threads.limit(limits=1, user_api="blas"):  # matrices this small lose time on many threads
            (markup,) = ner.map([sentence])
        return [(span.start, span.stop) for span in markup.spans if span.type == "PER"]

    def sentences(text: str) -> Iterator[tuple[int, str]]:
        return ((part.start, part.text) for part in segmenter.sentenize(text))

    return PeopleTagger(sentences, people_in)


def may_be(word: str, kind: Kind) -> bool:
    """Whether any reading of the word is a name of that kind."""
    return bool(agreeing_readings(word, kind))


def is_likeliest(word: str, kind: Kind) -> bool:
    """Whether the word is a name of that kind before it is anything else."""
    return kind in _readings(word)[0].tag


def may_be_surname(word: str) -> bool:
    """Whether the word may be a surname: one by a reading, or a word that the dictionary has never seen."""
    return may_be(word, "Surn") or not any(reading.is_known for reading in _readings(word))


def agreeing_readings(word: str, kind: Kind) -> frozenset[tuple[str, str]]:
    """Gender and case of every reading of the word as a name of that kind."""
    tags = [reading.tag for reading in _readings(word)]
    return frozenset((str(tag.gender), str(tag.case)) for tag in tags if kind in tag and "plur" not in tag)


@lru_cache(maxsize=10_000)
def _readings(word: str) -> list[Any]:
    """What the word may be, the likeliest first."""
    readings: list[Any] = _dictionary().parse(word.lower())
    return readings


@lru_cache(maxsize=1)
def _dictionary() -> Any:
    """The morphology of natasha, half a second to load."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from natasha import MorphVocab

        return MorphVocab()
