"""The lexical rival: TF-IDF of words and character n-grams with a linear SVM, one a head.

Stands beside every figure of the neural classifier, on the same rows. Settings as in Joachims
1998 and common practice for short Russian texts: word 1–2-grams, character 2–5-grams, C 0.5.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.classifier.labels import HEADS, Ints, LabelSpace

Floats = npt.NDArray[np.floating]


def lexical_features() -> Any:
    """TF-IDF of words and of letters side by side, to be fitted."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion

    return FeatureUnion(
        [
            ("words", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)),
            ("letters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)),
        ]
    )


class LexicalClassifier:
    """One shared TF-IDF space and a linear SVM for each head."""

    def __init__(self, labels: LabelSpace, c: float = 0.5) -> None:
        self.labels = labels
        self._c = c
        self._features = lexical_features()
        self._machines: dict[str, tuple[Ints, Any]] = {}
        """Of each head: the labels seen, and the machine that tells them apart; None for fewer than two."""

    def fit(self, texts: Sequence[str], targets: Mapping[str, Ints]) -> "LexicalClassifier":
        """Fit on texts and label indices; rows with index -100 do not teach that head."""
        from sklearn.svm import LinearSVC

        vectors = self._features.fit_transform(texts)
        for head in HEADS:
            labelled = np.flatnonzero(targets[head] >= 0)
            present = np.unique(targets[head][labelled])
            machine = (
                LinearSVC(C=self._c, random_state=0).fit(vectors[labelled], targets[head][labelled])
                if len(present) > 1
                else None
            )
            self._machines[head] = (present, machine)
        return self

    def scores(self, texts: Sequence[str]) -> dict[str, Floats]:
        """Decision values of each head, shape (n, labels); labels never seen get the lowest."""
        vectors = self._features.transform(texts)
        out: dict[str, Floats] = {}
        for head in HEADS:
            seen, machine = self._machines[head]
            values = machine.decision_function(vectors) if machine else np.zeros((len(texts), len(seen)))
            if values.ndim == 1:
                values = np.stack([-values, values], axis=1)
            full = np.full((len(texts), len(self.labels.names[head])), values.min(initial=0.0) - 1.0)
            full[:, seen] = values
            out[head] = full
        return out
