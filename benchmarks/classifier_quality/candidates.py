"""The candidates that are compared: the product, its student, and their rivals.

A candidate is a function of a `Fold` and a recipe that gives scores of each head, and an entry in `CANDIDATES`; results
are kept by recipe.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.classifier_quality.corpus import Fold, Recipe, Scores
from benchmarks.classifier_quality.rivals import fasttext, frozen_linear, tfidf_frozen_svm, tfidf_svm
from models.encoder.source import PACKAGED


@dataclass(frozen=True)
class Candidate:
    """A way to classify; `probabilities` says that its scores are calibrated or at least sum to one."""

    title: str
    fit_predict: Callable[[Fold, Recipe], Scores]
    recipe: Recipe = field(default_factory=dict)
    probabilities: bool = False


def product(fold: Fold, recipe: Recipe) -> Scores:
    """This project's classifier as `tsur train classifier` makes it, with the arguments of the recipe."""
    from benchmarks.classifier_quality.product import product

    return product(fold, recipe)


def student(fold: Fold, recipe: Recipe) -> Scores:
    """The product on a small encoder that was distilled without a text of the corpus."""
    from benchmarks.classifier_quality.student import student

    return student(fold, recipe)


_VECTORS = {"encoder": PACKAGED, "prefix": "query: ", "max_tokens": 384}

REFERENCE = "tfidf_frozen_svm"
"""The rival that differences are taken from."""
LEXICAL = "tfidf_svm"
"""The rival whose coverage is the measure of coverage."""
WINNER = "winner"
"""The candidate that the targets are for."""
STUDENT = "student"
"""The candidate that must come close to the winner."""

CANDIDATES: dict[str, Candidate] = {
    LEXICAL: Candidate("TF-IDF, SVM", tfidf_svm, {"c": 0.5}),
    "fasttext": Candidate(
        "fastText",
        fasttext,
        {"mode": "fasttext", "lr": 1.5, "epoch": 100, "dim": 20, "minn": 3, "maxn": 5, "bucket": 200_000},
        probabilities=True,
    ),
    "frozen_linear": Candidate("frozen encoder, linear", frozen_linear, {**_VECTORS, "c": 10.0}, probabilities=True),
    REFERENCE: Candidate("TF-IDF + frozen encoder, SVM", tfidf_frozen_svm, {**_VECTORS, "c": 0.5}),
    "fine_tuned": Candidate(
        "fine-tuned encoder alone",
        product,
        {"arguments": {"epochs": 3, "ngrams": False, "learning_rate": 1e-4, "head_learning_rate": 5e-4}, "code": 2},
        probabilities=True,
    ),
    WINNER: Candidate("TSUR", product, {"arguments": {"epochs": 0}, "code": 2}, probabilities=True),
    STUDENT: Candidate(
        "TSUR, student",
        student,
        {
            "distillation": {"layers": 3, "intermediate_share": 0.5, "epochs": 4, "augmented": 0.5},
            "arguments": {"epochs": 0, "frozen_layers": 0},
            "code": 1,
        },
        probabilities=True,
    ),
}
"""Name → candidate, in the order of the tables; `code` in a recipe goes up when what it runs changes."""
