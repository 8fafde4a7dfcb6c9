"""The lexical half of the classifier: TF-IDF of words and letters, one linear map a head.

In: normalised texts. Out: log-probabilities of each head, shape (n, labels of the head). What a
complaint says in so many words (a street, a company, «люк») the encoder blurs; this half remembers.
Stored as terms (JSON) and weights (safetensors, fp16), so that loading runs no foreign code.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from data.errors import BundleError
from models.classifier.labels import HEADS

Floats = npt.NDArray[np.floating]
TERMS = "ngrams.json"
WEIGHTS = "ngrams.safetensors"
_TOKEN, _LETTERS = re.compile(r"\b\w\w+\b"), (2, 6)
"""What scikit-learn takes for a word, and how many letters are looked at together."""
KNOWN_WORDS, LONGEST_KNOWN = 50_000, 40
"""Words whose letters' columns are kept, some 30 MB at most; then the memory begins anew."""
SPACES: dict[str, dict[str, Any]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2)},
    "letters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}
MIN_TEXTS = 2
"""An n-gram of one text only cannot be told from a typo."""


class NgramSpace:
    """TF-IDF of words (1–2) and of letters inside words (2–5), sublinear, each part of length 1.

    The numbers are those of scikit-learn's `TfidfVectorizer`, at a tenth of its time: the letters of a word
    are the same wherever it stands, so their columns are looked up once for all texts.

    Args:
        terms: terms of each part, in the order of its columns.
        rarity: inverse document frequency of each term.
    """

    def __init__(self, terms: Mapping[str, Sequence[str]], rarity: Mapping[str, Floats]) -> None:
        self.terms = {name: list(terms[name]) for name in SPACES}
        self.rarity = {name: np.asarray(rarity[name], dtype=np.float64) for name in SPACES}
        if any(len(self.terms[name]) != len(self.rarity[name]) for name in SPACES):
            raise ValueError("there are not as many terms as rarities")
        first = len(self.terms["words"])
        self._words = {term: column for column, term in enumerate(self.terms["words"])}
        self._letters = {term: first + column for column, term in enumerate(self.terms["letters"])}
        if len(self._words) + len(self._letters) != sum(map(len, self.terms.values())):
            raise ValueError("a term is given twice")
        self._rarity = np.concatenate([self.rarity[name] for name in SPACES])
        self._known: dict[str, list[int]] = {}

    @classmethod
    def fit(cls, texts: Iterable[str], most_terms: int | None = None) -> tuple["NgramSpace", Any]:
        """Learn the terms and how rare each one is; the space, and the texts in it as `transform` gives them.

        Where no term is in two texts, all terms are taken; of more than `most_terms`, half of them of each part, the
        commonest. `texts` are gone through once for each part at least.
        """
        from scipy.sparse import hstack
        from sklearn.feature_extraction.text import TfidfVectorizer

        fitted, parts = {}, []
        most = None if most_terms is None else max(1, most_terms // len(SPACES))
        for name, options in SPACES.items():
            try:
                vectorizer = TfidfVectorizer(**options, sublinear_tf=True, min_df=MIN_TEXTS, max_features=most)
                parts.append(vectorizer.fit_transform(texts))
            except ValueError:  # sklearn's word for: no terms remain
                vectorizer = TfidfVectorizer(**options, sublinear_tf=True, max_features=most)
                parts.append(vectorizer.fit_transform(texts))
            fitted[name] = vectorizer
        terms = {name: part.get_feature_names_out().tolist() for name, part in fitted.items()}
        space = cls(terms, {name: part.idf_ for name, part in fitted.items()})
        return space, hstack(parts).tocsr().astype(np.float32)

    def transform(self, texts: Sequence[str]) -> Any:
        """A sparse matrix, shape (n, terms), float32."""
        from scipy.sparse import csr_matrix

        columns: list[int] = []
        ends = np.zeros(len(texts) + 1, dtype=np.int64)
        for row, text in enumerate(texts):
            self._add_columns(text.lower(), columns)
            ends[row + 1] = len(columns)
        width = len(self._rarity)
        rows = np.repeat(np.arange(len(texts)), np.diff(ends))
        cells, counts = np.unique(rows * width + np.array(columns, dtype=np.int64), return_counts=True)
        rows, terms = np.divmod(cells, width)
        values = (1.0 + np.log(counts)) * self._rarity[terms]
        halves = 2 * rows + (terms >= len(self.terms["words"]))
        values /= np.sqrt(np.bincount(halves, weights=values**2, minlength=2 * len(texts)))[halves]
        starts = np.searchsorted(rows, np.arange(len(texts) + 1))
        return csr_matrix((values.astype(np.float32), terms, starts), shape=(len(texts), width))

    def _add_columns(self, text: str, columns: list[int]) -> None:
        """Append the column of each term of a text, as often as it occurs."""
        column_of, seen = self._words.get, self._known
        tokens = _TOKEN.findall(text)
        of_words = [*map(column_of, tokens), *map(column_of, map(" ".join, pairwise(tokens)))]
        columns += [column for column in of_words if column is not None]
        for word in text.split():
            of_word = seen.get(word)
            columns += self._learn(word) if of_word is None else of_word

    def _learn(self, word: str) -> list[int]:
        """The columns of a word's letters, kept for the next time."""
        padded, column_of = f" {word} ", self._letters.get
        pieces = (padded[i : i + size] for size in range(*_LETTERS) for i in range(len(padded) - size + 1))
        of_word = [column for column in map(column_of, pieces) if column is not None]
        if len(self._known) >= KNOWN_WORDS:
            self._known = {}
        if len(word) <= LONGEST_KNOWN:
            self._known[word] = of_word
        return of_word


@dataclass(frozen=True)
class NgramModel:
    """A fitted space with weights of shape (terms, labels) and a bias for each head.

    Loaded weights stay as short as they are stored: with many regions in one process they are most of what each takes.
    """

    space: NgramSpace
    weights: Mapping[str, Floats]
    bias: Mapping[str, Floats]

    def logits(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Log-probabilities of each head, shape (n, labels of the head)."""
        from scipy.sparse import csr_matrix

        values = self.space.transform(texts)
        terms, columns = np.unique(values.indices, return_inverse=True)
        of_terms = csr_matrix((values.data, columns, values.indptr), shape=(len(texts), len(terms)))
        used = np.concatenate([self.weights[head][terms] for head in HEADS], axis=1)
        scores = of_terms @ used.astype(np.float32)
        ends_of_heads = np.cumsum([self.weights[head].shape[1] for head in HEADS])
        of_heads = zip(HEADS, np.split(scores, ends_of_heads[:-1], axis=1), strict=True)
        return {head: log_softmax(of_head + self.bias[head], axis=1) for head, of_head in of_heads}

    def save(self, folder: Path) -> None:
        """Write the terms and the weights into `folder`."""
        from safetensors.numpy import save_file

        (folder / TERMS).write_text(json.dumps(self.space.terms, ensure_ascii=False), encoding="utf-8")
        arrays = {f"idf.{name}": values.astype(np.float32) for name, values in self.space.rarity.items()}
        for head in HEADS:
            arrays[f"weights.{head}"] = self.weights[head].astype(np.float16)
            arrays[f"bias.{head}"] = self.bias[head].astype(np.float32)
        save_file(arrays, folder / WEIGHTS)

    @classmethod
    def load(cls, folder: Path, label_counts: Mapping[str, int]) -> "NgramModel":
        """Read what `save` wrote.

        Raises:
            BundleError: a file is missing or broken, or made for other labels.
        """
        from safetensors.numpy import load_file

        try:
            terms = json.loads((folder / TERMS).read_text(encoding="utf-8"))
            arrays = load_file(folder / WEIGHTS)
            space = NgramSpace(terms, {name: arrays[f"idf.{name}"] for name in SPACES})
            model = cls(
                space,
                {head: arrays[f"weights.{head}"] for head in HEADS},
                {head: arrays[f"bias.{head}"] for head in HEADS},
            )
        except Exception as error:  # safetensors and json raise their own
            sentence = " ".join(str(error).split())[:200]
            raise BundleError(f"classifier bundle {folder.name}: {TERMS} or {WEIGHTS} is broken: {sentence}") from None
        columns = sum(len(terms[name]) for name in SPACES)
        for head in HEADS:
            if model.weights[head].shape != (columns, label_counts[head]):
                raise BundleError(f"classifier bundle {folder.name}: {WEIGHTS} does not fit {TERMS} and labels.json")
        return model
