"""The lexical half of the classifier: TF-IDF of words and letters, one linear map a head.

In: normalised texts. Out: log-probabilities of each head, shape (n, labels of the head). What a
complaint says in so many words (a street, a company, «люк») the encoder blurs; this half remembers.
Stored as terms (JSON) and weights (safetensors, fp16), so that loading runs no foreign code.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data.errors import BundleError
from models.decoding import log_softmax
from models.labels import HEADS

Floats = npt.NDArray[np.floating]
TERMS = "ngrams.json"
WEIGHTS = "ngrams.safetensors"
SPACES: dict[str, dict[str, Any]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2)},
    "letters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}
MIN_TEXTS = 2
"""An n-gram of one text only cannot be told from a typo."""


class NgramSpace:
    """TF-IDF of words (1–2) and of letters inside words (2–5), sublinear, each part of length 1."""

    def __init__(self, vectorizers: Mapping[str, Any]) -> None:
        self._vectorizers = vectorizers

    @classmethod
    def fit(cls, texts: Sequence[str]) -> tuple["NgramSpace", Any]:
        """Learn the terms and how rare each one is; the space, and the texts in it as `transform` gives them.

        Where no term is in two texts, all terms are taken.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer

        fitted, parts = {}, []
        for name, options in SPACES.items():
            try:
                vectorizer = TfidfVectorizer(**options, sublinear_tf=True, min_df=MIN_TEXTS)
                parts.append(vectorizer.fit_transform(texts))
            except ValueError:  # sklearn's word for: no terms remain
                vectorizer = TfidfVectorizer(**options, sublinear_tf=True)
                parts.append(vectorizer.fit_transform(texts))
            fitted[name] = vectorizer
        return cls(fitted), _beside(parts)

    @classmethod
    def restore(cls, terms: Mapping[str, Sequence[str]], rarity: Mapping[str, Floats]) -> "NgramSpace":
        """The space as it was saved."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        restored = {}
        for name, options in SPACES.items():
            vocabulary = {term: column for column, term in enumerate(terms[name])}
            restored[name] = TfidfVectorizer(**options, sublinear_tf=True, vocabulary=vocabulary)
            restored[name].idf_ = rarity[name].astype(np.float64)
        return cls(restored)

    @property
    def terms(self) -> dict[str, list[str]]:
        """Terms of each part, in the order of its columns."""
        return {name: list(part.get_feature_names_out()) for name, part in self._vectorizers.items()}

    @property
    def rarity(self) -> dict[str, Floats]:
        """Inverse document frequency of each term."""
        return {name: part.idf_ for name, part in self._vectorizers.items()}

    def transform(self, texts: Sequence[str]) -> Any:
        """A sparse matrix, shape (n, terms), float32."""
        from scipy.sparse import csr_matrix

        if not texts:
            return csr_matrix((0, sum(len(part.vocabulary_) for part in self._vectorizers.values())), dtype=np.float32)
        return _beside([part.transform(texts) for part in self._vectorizers.values()])


def _beside(parts: Sequence[Any]) -> Any:
    from scipy.sparse import hstack

    return hstack(parts).tocsr().astype(np.float32)


@dataclass(frozen=True)
class NgramModel:
    """A fitted space with weights of shape (terms, labels) and a bias for each head."""

    space: NgramSpace
    weights: Mapping[str, Floats]
    bias: Mapping[str, Floats]

    def logits(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Log-probabilities of each head, shape (n, labels of the head)."""
        vectors = self.space.transform(texts)
        return {head: log_softmax(vectors @ self.weights[head] + self.bias[head]) for head in HEADS}

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
            space = NgramSpace.restore(terms, {name: arrays[f"idf.{name}"] for name in SPACES})
            model = cls(
                space,
                {head: arrays[f"weights.{head}"].astype(np.float32) for head in HEADS},
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
