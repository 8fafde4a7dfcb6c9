"""Out of vocabulary: is a text unlike everything the classifier was trained on?

In: texts. Out: a score each, and whether it passes the threshold fitted at training. The score is
the share of words whose beginnings no two training complaints had: other languages, gibberish and
talk of other things have many. No vector is needed: distances between those of e5 found no more
at as few false alarms in a region not trained on, and the entropy of the heads found next to none.
"""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import field_serializer

from data.complaints.cleaning import clean_text
from data.config import Config

LETTERS = 6
"""A word's beginning: Russian endings change, so whole words would look new too often."""
COMPLAINTS = 2
"""A beginning is known from so many complaints; fewer may be a name or a typing error."""
PRIOR_WORDS = 2.0
"""Words of the usual kind that each text is thought to have besides, so that one odd word is no verdict."""
FALSE_ALARMS = 0.01
WORD = re.compile(r"[^\W\d_]+")
MASK = re.compile(r"\[[А-ЯЁ]+\]")
"""What masking leaves in place of a name or number: says nothing of the text around it."""


class OutOfVocabulary(Config):
    """What was fitted: the known beginnings of words and the threshold; stored as one JSON file.

    Attributes:
        beginnings: first letters of words that at least two training complaints had.
        usual: share of unknown words in complaints that were not trained on.
        threshold: texts with a higher score are unlike training.
    """

    beginnings: frozenset[str]
    usual: float
    threshold: float

    @field_serializer("beginnings")
    def _in_order(self, beginnings: frozenset[str]) -> list[str]:
        return sorted(beginnings)

    def scores(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Share of unknown words, drawn to the usual share in short texts; 1 for a text without a word."""
        return np.array([_score(text, self.beginnings, self.usual) for text in texts], dtype=np.float64)

    def unlike_training(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Which texts an operator must see because the classifier never saw their like."""
        above: npt.NDArray[np.bool_] = self.scores(texts) > self.threshold
        return above


def fit_out_of_vocabulary(
    train: Sequence[str], validation: Sequence[str], false_alarms: float = FALSE_ALARMS
) -> OutOfVocabulary:
    """Learn the words of `train`; set the threshold that `false_alarms` of `validation` pass.

    Args:
        train: texts the classifier is trained on.
        validation: complaints held out from training, at least one.
        false_alarms: the share of ordinary complaints that may be called unlike training.
    """
    known = known_beginnings(train)
    words = [beginning for text in validation for beginning in _beginnings(text)]
    usual = float(np.mean([word not in known for word in words])) if words else 0.0
    scores = [_score(text, known, usual) for text in validation]
    threshold = float(np.quantile(scores, 1 - false_alarms, method="higher"))
    return OutOfVocabulary(beginnings=known, usual=usual, threshold=threshold)


def known_beginnings(texts: Sequence[str]) -> frozenset[str]:
    """First letters of words that at least two of the texts have."""
    counts = Counter(beginning for text in texts for beginning in set(_beginnings(text)))
    return frozenset(beginning for beginning, complaints in counts.items() if complaints >= COMPLAINTS)


def _beginnings(text: str) -> list[str]:
    plain = MASK.sub(" ", clean_text(text)).lower().replace("ё", "е")
    return [word[:LETTERS] for word in WORD.findall(plain)]


def _score(text: str, known: frozenset[str], usual: float) -> float:
    words = _beginnings(text)
    if not words:
        return 1.0
    unknown = sum(word not in known for word in words)
    return (unknown + PRIOR_WORDS * usual) / (len(words) + PRIOR_WORDS)
