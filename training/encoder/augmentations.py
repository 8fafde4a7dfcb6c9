"""Augmentations: more texts for a student to imitate its teacher on; no label is needed, for the teacher answers.

In: texts as the models read them. Out: texts made of them, drawn by seed: a run of one text's sentences, or
sentences of several texts mixed; some with courtesies around them as in training, some with typing errors. Crops
teach what the teacher says of short texts and of the middle of long ones, mixtures that words mean the same elsewhere
(data augmentation for distillation; Jiao et al. 2020, TinyBERT, arXiv:1909.10351).
"""

import re
from collections.abc import Sequence

import numpy as np

from models.text.model_input import model_input
from training.classifier.courtesy_augmentation import with_courtesy

MIXED = 0.5
"""Share of texts made of sentences of several texts; the others are runs of one text's sentences."""
MOST_MIXED = 3
"""Texts whose sentences are mixed."""
MISTYPED, SLIPS = 0.25, 0.15
"""Share of texts with typing errors, and of their long words that have one."""
LONG_WORD = 5
_END = re.compile(r"(?<=[.!?;])\s+|\n+")
"""Between two sentences, or behind an abbreviation: no harm is done if one is cut there."""
_WORDS = re.compile(r"(\W+)")


def augmented(texts: Sequence[str], count: int, seed: int) -> list[str]:
    """`count` new texts; the same texts and seed give the same ones."""
    draw = np.random.default_rng(seed)
    cut = [_sentences(text) for text in texts]
    made = [_mixture(cut, draw) if draw.random() < MIXED else _run(cut, draw) for _ in range(count)]
    made = [_mistyped(text, draw) if draw.random() < MISTYPED else text for text in made]
    return [model_input(text, None) for text in with_courtesy(made, seed)]


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in _END.split(text) if sentence] or [text]


def _run(cut: Sequence[Sequence[str]], draw: np.random.Generator) -> str:
    """Neighbouring sentences of one text, half of them on average."""
    sentences = cut[int(draw.integers(len(cut)))]
    length = int(draw.integers(1, len(sentences) + 1))
    start = int(draw.integers(len(sentences) - length + 1))
    return " ".join(sentences[start : start + length])


def _mixture(cut: Sequence[Sequence[str]], draw: np.random.Generator) -> str:
    """Sentences of two or three texts in a drawn order, a run of each."""
    runs = [_run(cut, draw) for _ in range(int(draw.integers(2, MOST_MIXED + 1)))]
    sentences = [sentence for run in runs for sentence in _sentences(run)]
    return " ".join(sentences[i] for i in draw.permutation(len(sentences)))


def _mistyped(text: str, draw: np.random.Generator) -> str:
    """A letter lost, doubled or swapped with the next in some of the long words; the first one is never wrong."""
    words = _WORDS.split(text)
    for place, word in enumerate(words):
        if len(word) < LONG_WORD or draw.random() >= SLIPS:
            continue
        at, kind = int(draw.integers(1, len(word) - 1)), int(draw.integers(3))
        slip = ("", word[at] * 2, word[at + 1] + word[at])[kind]
        words[place] = word[:at] + slip + word[at + (2 if kind == 2 else 1) :]
    return "".join(words)
