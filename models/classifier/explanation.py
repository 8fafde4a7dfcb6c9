"""Why a text was classified so: the words whose removal lowers the confidence most.

In: a text as the classifier reads it, and its place. Out: an `Explanation`: words with their spans
in the order of the text, each weighted by the fall of the log-odds of the decided topic and agency
when it alone is left out. A stop word is never removed alone but with the word that it leans on
(«не вывозят»). Deterministic; at most `MAX_VARIANTS` variants of a text are classified.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.classifier.calibration import Floats, log_odds
from models.classifier.classifier import Classifier
from models.classifier.routing import Classification
from models.classifier.segments import Span, probability, units

Head = Literal["topic", "agency"]
EXPLAINED: tuple[Head, Head] = ("topic", "agency")
MAX_VARIANTS = 48
"""Classifications that one explanation costs at most."""
RANDOM_DRAWS = 5
"""Random removals that a deletion test averages for each text."""

_WORD = re.compile(r"\[[А-ЯЁ]+\]|\w+(?:-\w+)*")
"""A word, or a mark of masking, which is none."""
_STOP_WORDS = """
а без бы в вам вас ваш во вот все всё вы где да даже для до его ее её ему если есть ещё еще ж же за здесь и из или
им их к как ко когда кто ли либо лишь мне мой мы на над нам нами нас наш не него нее неё ней нет ни них но ну о об он
она они от перед по под при про с себя со так такой там то тоже только тот ту тут ты у уж уже хотя чем что чтобы эта
эти это этот я
"""
_STOP = frozenset(_STOP_WORDS.split())


@dataclass(frozen=True)
class WordWeight:
    """A word and what its absence costs; `head` is the one that it costs more.

    Attributes:
        weight: mean fall of the log-odds of topic and agency; negative where the word spoke against them.
    """

    word: str
    start: int
    end: int
    weight: float
    head: Head


@dataclass(frozen=True)
class Explanation:
    """What was decided, and the words that carried it, in the order of the text."""

    topic: str
    agency: str
    words: list[WordWeight]


@dataclass(frozen=True)
class DeletionTest:
    """Mean fall of the confidence in the decided topic and agency when words are removed."""

    top: float
    random: float
    texts: int


def explain(classifier: Classifier, text: str, municipality: str | None, words: int | None = None) -> Explanation:
    """The words that carried the decision; with `words`, only the heaviest so many."""
    (decided,) = classifier.classify([text], [municipality])
    groups = word_groups(text)
    if len(groups) > MAX_VARIANTS:
        groups = _in_telling_sentences(classifier, text, municipality, decided, groups)
    falls = _falls(classifier, [without(text, [group]) for group in groups], municipality, decided)
    weighed = [
        WordWeight(text[start:end], start, end, float(fall.mean()), EXPLAINED[int(fall.argmax())])
        for (start, end), fall in zip(groups, falls, strict=True)
    ]
    heaviest = sorted(weighed, key=lambda word: (-word.weight, word.start))[:words]
    return Explanation(decided.topic.label, decided.agency.label, sorted(heaviest, key=lambda word: word.start))


def deletion_test(
    classifier: Classifier, texts: Sequence[str], places: Sequence[str | None], k: int = 3, seed: int = 0
) -> DeletionTest:
    """Remove the `k` heaviest words of each text, or as many random ones; texts with fewer than 2k are left out."""
    rng = np.random.default_rng(seed)
    top, random = [], []
    for text, place in zip(texts, places, strict=True):
        groups = word_groups(text)
        if len(groups) < 2 * k:
            continue
        heaviest = [(word.start, word.end) for word in explain(classifier, text, place, words=k).words]
        draws = [sorted(rng.choice(len(groups), size=k, replace=False)) for _ in range(RANDOM_DRAWS)]
        cut = [heaviest, *([groups[index] for index in draw] for draw in draws)]
        variants = [text, *(without(text, spans) for spans in cut)]
        whole, *less = classifier.classify(variants, [place] * len(variants))
        falls = [_confidences(classifier, whole, whole) - _confidences(classifier, item, whole) for item in less]
        top.append(float(falls[0].mean()))
        random.append(float(np.mean(falls[1:])))
    if not top:
        return DeletionTest(0.0, 0.0, 0)
    return DeletionTest(float(np.mean(top)), float(np.mean(random)), len(top))


def word_groups(text: str) -> list[Span]:
    """Spans of words, each with the stop words that lean on it; marks of masking are no words."""
    groups: list[Span] = []
    pending: int | None = None
    previous_end = 0
    for match in _WORD.finditer(text):
        if text[previous_end : match.start()].strip():  # a sign parts stop words from what follows
            pending = None
        previous_end = match.end()
        if match[0].startswith("["):
            pending = None
        elif match[0].casefold() in _STOP:
            pending = match.start() if pending is None else pending
        else:
            groups.append((match.start() if pending is None else pending, match.end()))
            pending = None
    return groups


def without(text: str, spans: Sequence[Span]) -> str:
    """The text without these spans (in order, not overlapping)."""
    pieces, end_of_last = [], 0
    for start, end in spans:
        pieces.append(text[end_of_last:start])
        end_of_last = end
    return " ".join("".join([*pieces, text[end_of_last:]]).split())


def _in_telling_sentences(
    classifier: Classifier, text: str, place: str | None, decided: Classification, groups: Sequence[Span]
) -> list[Span]:
    """As many words as the budget leaves, from the sentences whose removal costs most."""
    sentences = units(text)
    falls = _falls(classifier, [without(text, [span]) for span in sentences], place, decided).mean(axis=1)
    chosen: list[Span] = []
    for index in np.argsort(-falls, kind="stable"):
        start, end = sentences[index]
        chosen += [group for group in groups if start <= group[0] < end]
    return sorted(chosen[: MAX_VARIANTS - len(sentences) - 1])


def _falls(classifier: Classifier, variants: Sequence[str], place: str | None, decided: Classification) -> Floats:
    """By how much each variant's log-odds of the decided topic and agency are lower, shape (n, 2)."""
    if not variants:
        return np.zeros((0, len(EXPLAINED)))
    items = classifier.classify(list(variants), [place] * len(variants))
    rows = np.array([_confidences(classifier, item, decided) for item in [decided, *items]])
    odds = log_odds(rows)
    falls: Floats = odds[0] - odds[1:]
    return falls


def _confidences(classifier: Classifier, item: Classification, decided: Classification) -> Floats:
    """Probabilities that an item gives to the topic and the agency that were decided, shape (2,)."""
    names = classifier.bundle.labels.names
    return np.array([probability(item, head, getattr(decided, head).label, len(names[head])) for head in EXPLAINED])
