"""A new region with a catalogue and up to eight labelled complaints a topic, or none: what training makes of them.

In: complaints and their vectors. Out: topic accuracy by rows a topic. All contenders are taught the same rows and the
topics' names, and judged on the same others. The product is `tsur train classifier` up to its heads: n-grams and the
frozen encoder, mixed as rows held out in turn choose; the topic's head answers, without joint decoding.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.adaptation.few_shot import ROWS_A_TOPIC, Draw, Ints, Labels, count_right, difference, draw
from benchmarks.adaptation.rivals import by_vectors
from benchmarks.learning.contrast import by_contrast
from benchmarks.results import console, resample_weights
from benchmarks.vector_classifier import Floats
from data.catalogue.draft import draft_catalogue
from data.catalogue.model import Catalogue
from models.classifier.labels import HEADS, learn_label_space
from models.text.model_input import model_input
from training.arguments import ClassifierTraining
from training.classifier.catalogue_rows import catalogue_rows
from training.classifier.frozen_heads import RowVectors, frozen_heads
from training.classifier.taught_rows import taught_rows
from training.long_step import quiet

PRODUCT, SVM, LOGISTIC = "TSUR", "TF-IDF + linear SVM", "TF-IDF + logistic regression"
PROTOTYPES, CONTRAST = "nearest prototype of the vectors", "contrastive map of the vectors"
PROPOSED = 5
"""Topics that an operator chooses from at a glance."""
RIVALS = (SVM, LOGISTIC, PROTOTYPES, CONTRAST)
SVM_C, LOGISTIC_C = 0.5, 10.0
"""As `training/evaluate/tfidf_svm.py` and `training/classifier/fit_ngrams.py` have them."""


@dataclass(frozen=True)
class Region:
    """A region's complaints and its catalogue's words.

    Attributes:
        frame: schema COMPLAINTS, all with a topic; `vectors` are of its rows.
        words: the rows of `catalogue_rows`, names and descriptions apart, and `of_words` their vectors.
        by_text: vectors of all the words that training may read of the catalogue.
        terms: TF-IDF of the complaints and, behind them, the topics' names, fitted on all of them.
    """

    frame: pd.DataFrame
    vectors: Floats
    catalogue: Catalogue
    words: pd.DataFrame
    of_words: Floats
    by_text: Mapping[str, Floats]
    terms: Any

    @property
    def topics(self) -> Labels:
        """Of the complaints, shape (n,)."""
        return np.array(self.frame["topic"], dtype=object)

    @property
    def names(self) -> tuple[Labels, Floats]:
        """The topics by their names, and the vectors of these."""
        of_topics = self.words["topic"].notna().to_numpy()
        return self.words["topic"].to_numpy(dtype=object)[of_topics], self.of_words[of_topics]


def region(
    frame: pd.DataFrame, read: Callable[[list[str]], Floats], descriptions: Mapping[str, str] | None = None
) -> Region:
    """A region of complaints; `read` gives texts' vectors, `descriptions` are of its topics."""
    from training.evaluate.tfidf_svm import lexical_features

    drafted = yaml.safe_load(draft_catalogue(frame, region=""))
    for topic in (topic for sector in drafted["sectors"] for topic in sector["topics"]):
        topic["description"] = (descriptions or {}).get(topic["name"], "")
    catalogue = Catalogue.model_validate(drafted)
    words = catalogue_rows(catalogue, catalogue.label_names["topic"])
    texts = [model_input(text, None) for text in [*frame["text"], *words["text"]]]
    joined = [model_input(text, None) for text in catalogue_rows(catalogue)["text"]]
    vectors, of_words = read(texts[: len(frame)]), read([*texts[len(frame) :], *joined])
    by_text = dict(zip([*texts[len(frame) :], *joined], of_words, strict=True))
    named = np.flatnonzero(words["topic"].notna()) + len(frame)
    terms = lexical_features().fit_transform([*texts[: len(frame)], *(texts[row] for row in named.tolist())])
    return Region(frame, vectors, catalogue, words, of_words[: len(words)], by_text, terms)


def figures(region: Region, draws: int) -> dict[str, Any]:
    """Accuracy by contender and rows a topic."""
    topics = region.topics
    drawn = [draw(topics, seed) for seed in range(draws)]
    right, among_top, weights = {}, {}, resample_weights(len(topics))
    for rows in ROWS_A_TOPIC:
        proposed = [by_product(region, each.taught(rows), each) for each in drawn]
        said = {way: [_said(way, region, each, rows) for each in drawn] for way in RIVALS}
        said[PRODUCT] = [labels[:, 0] for labels in proposed]
        judged = [topics[each.judged, None] for each in drawn]
        among_top[rows] = np.concatenate(
            [(labels == true).any(axis=1) for labels, true in zip(proposed, judged, strict=True)]
        )
        right[rows] = {way: count_right(drawn, of_way, topics) for way, of_way in said.items()}
        console.print(
            f"{rows} rows a topic: " + ", ".join(f"{way} {each.share:.3f}" for way, each in right[rows].items())
        )
    return {
        "topics": len(set(region.names[0])),
        "complaints": len(topics),
        "draws": draws,
        "taught": {str(rows): float(np.mean([len(each.taught(rows)) for each in drawn])) for rows in ROWS_A_TOPIC},
        "accuracy": {way: {str(rows): right[rows][way].share for rows in ROWS_A_TOPIC} for way in (PRODUCT, *RIVALS)},
        "among_five": {str(rows): float(among.mean()) for rows, among in among_top.items()},
        "gain": {
            rival: {str(rows): difference(of_rows[PRODUCT], of_rows[rival], weights) for rows, of_rows in right.items()}
            for rival in RIVALS
        },
    }


def _said(way: str, region: Region, each: Draw, rows: int) -> Labels:
    """What a rival says of the judged rows."""
    taught, (names, of_names) = each.taught(rows), region.names
    topics = np.concatenate([region.topics[taught], names])
    vectors, judged = np.concatenate([region.vectors[taught], of_names]), region.vectors[each.judged]
    if way == PROTOTYPES:
        return by_vectors(vectors, topics, judged)
    if way == CONTRAST:
        return by_contrast(vectors, topics, judged)
    terms = np.concatenate([taught, np.arange(len(region.frame), region.terms.shape[0])])
    fit = by_svm if way == SVM else by_logistic_regression
    return fit(region.terms[terms], topics, region.terms[each.judged])


def by_product(region: Region, taught: Ints, each: Draw) -> Labels:
    """The likeliest topics of each judged row, shape (rows, 5), by what training fits.

    Below some thousands of rows it never tunes the encoder.
    """
    train = region.frame.iloc[taught].reset_index(drop=True)
    known = {head: train[head].where(train[head].notna(), None).tolist() for head in HEADS}
    labels = learn_label_space(known, catalogue=region.catalogue.label_names)
    arguments = ClassifierTraining(courtesy_augmentation=False)  # else each draw would have texts of its own to read
    rows = taught_rows(train, labels, region.catalogue, arguments)
    vectors = np.stack([*region.vectors[taught], *(region.by_text[text] for text in rows.texts[len(taught) :])])
    ngrams, heads = frozen_heads(rows, RowVectors(vectors, vectors), True, quiet).fit_all(quiet)
    texts = [model_input(text, None) for text in region.frame["text"].iloc[each.judged]]
    logits = ngrams.logits(texts)["topic"] + heads.logits(region.vectors[each.judged])["topic"]
    said: Labels = np.array(labels.names["topic"], dtype=object)[np.argsort(-logits, axis=1)[:, :PROPOSED]]
    return said


def by_svm(taught: Any, topics: Labels, judged: Any) -> Labels:
    """A linear SVM on TF-IDF."""
    from sklearn.svm import LinearSVC

    said: Labels = LinearSVC(C=SVM_C, random_state=0).fit(taught, topics).predict(judged)
    return said


def by_logistic_regression(taught: Any, topics: Labels, judged: Any) -> Labels:
    """A multinomial logistic regression on TF-IDF, solved in the span of the taught texts, which is exact."""
    from scipy.linalg import cholesky, solve_triangular

    from training.classifier.regression import fit_regression

    names, targets = np.unique(topics, return_inverse=True)
    root = cholesky((taught @ taught.T).toarray() + 1e-6 * np.eye(taught.shape[0]), lower=True)
    weights, bias = fit_regression(root, targets, len(names), 1 / LOGISTIC_C)
    asked = solve_triangular(root, (taught @ judged.T).toarray(), lower=True).T
    said: Labels = names[(asked @ weights + bias).argmax(axis=1)]
    return said
