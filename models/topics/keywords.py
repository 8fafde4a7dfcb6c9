"""Keywords: what do these texts speak of that others do not?

In: some texts and the others. Out: whole words and pairs of neighbours, the most telling first: class-based
TF-IDF (Grootendorst 2022, arXiv:2203.05794) over the beginnings of words, as Russian endings change; each is
shown in the form that is most frequent in the texts.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from models.classifier.out_of_vocabulary import MASK

WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
LETTERS = 5
"""Mostly a Russian word without its ending; fewer letters join strangers."""
SHORTEST = 3
"""Letters: shorter words are mostly prepositions and particles."""
LEAST_TEXTS = 2
"""A word of one text alone is no word of the group."""
LEAST_SHARE = 0.15
"""A word of fewer of the texts does not speak for them."""
PAIR_WORTH = 0.8
"""A pair is said instead of its words where it tells about as much as the better one of them."""
Term = tuple[str, ...]


def keywords(texts: Sequence[str], others: Sequence[str], count: int = 8) -> list[str]:
    """At most so many words and pairs of words that tell `texts` from `others`."""
    forms: dict[Term, Counter[str]] = defaultdict(Counter)
    inside: Counter[Term] = Counter()
    for text in texts:
        forms_in_text = dict(_terms(text))
        inside.update(forms_in_text.keys())
        for term, form in forms_in_text.items():
            forms[term][form] += 1
    outside = Counter(term for text in others for term in dict(_terms(text)) if term in inside)
    least = max(LEAST_TEXTS, LEAST_SHARE * len(texts))
    scores = {
        term: seen / len(texts) * float(np.log1p(len(others) / (1 + outside[term])))
        for term, seen in inside.items()
        if seen >= least and seen / len(texts) > (1 + outside[term]) / (1 + len(others))
    }
    return [_form(forms[term]) for term in _without_repeats(scores)[:count]]


def _terms(text: str) -> Iterator[tuple[Term, str]]:
    """Each word and each pair of neighbours: the beginnings, and how it is written."""
    for part in re.split(r"[.!?;:,()«»\"\n]", MASK.sub(".", text).lower().replace("ё", "е")):
        words = WORD.findall(part)
        for word in words:
            if len(word) >= SHORTEST:
                yield (word[:LETTERS],), word
        for left, right in pairwise(words):
            if min(len(left), len(right)) >= SHORTEST:
                yield (left[:LETTERS], right[:LETTERS]), f"{left} {right}"


def _without_repeats(scores: dict[Term, float]) -> list[Term]:
    """The best first; of a pair and its words, either the pair or the words."""
    order = sorted(scores, key=lambda term: (-scores[term], term))
    chosen: list[Term] = []
    for term in sorted(order, key=len, reverse=True):
        if len(term) == 1 and any(term[0] in pair for pair in chosen if len(pair) == 2):
            continue
        words = [scores.get((word,), 0.0) for word in term]
        taken = {word for pair in chosen for word in pair}
        if len(term) == 2 and (scores[term] < PAIR_WORTH * max(words) or taken & set(term)):
            continue
        chosen.append(term)
    return sorted(chosen, key=lambda term: (-scores[term], term))


def _form(forms: Counter[str]) -> str:
    return min(forms, key=lambda form: (-forms[form], form))
