"""The contenders that are compared: the product as its command leaves it behind, its student, and their rivals.

A contender is a function of a `Fold` and a recipe that gives `Answers`, and an entry in `contenders`; answers are kept
by recipe.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.classifier_quality.answers import Answers, answers_path, keep_answers, kept_answers
from benchmarks.classifier_quality.command import trained_by_command
from benchmarks.classifier_quality.corpus import Fold, Recipe, Scores
from benchmarks.classifier_quality.rivals import tfidf_frozen_svm, tfidf_svm
from benchmarks.results import commit
from models.encoder.source import PACKAGED

FOLDED, BY_TIME = ("kursk", "ryazan"), ("petersburg",)
FROZEN = {"encoder": PACKAGED, "prefix": "query: ", "max_tokens": 384}
"""How the pretrained encoder reads where nothing of it is trained."""
CODE = 3
"""Goes up when what the commands do has changed: what they answered before is not what they answer now."""


@dataclass(frozen=True)
class Contender:
    """A way to classify, and the corpora that it is measured on."""

    title: str
    answer: Callable[[Fold, Recipe], Answers]
    recipe: Recipe
    corpora: Sequence[str] = (*FOLDED, *BY_TIME)


def _scored(scores: Callable[[Fold, Recipe], Scores]) -> Callable[[Fold, Recipe], Answers]:
    """A rival's scores as answers, with the time they took."""

    def answer(fold: Fold, recipe: Recipe) -> Answers:
        started = time.perf_counter()
        said = Answers.of_scores(scores(fold, recipe))
        return replace(said, seconds=time.perf_counter() - started, commit=commit() or "")

    return answer


LEXICAL, PLACED, STRONGEST = "tfidf_svm", "tfidf_svm_place", "tfidf_frozen_svm"
PRODUCT, HEADS_ONLY, STUDENT = "tsur", "tsur_heads", "student"
RIVAL: Mapping[str, Mapping[str, str]] = {
    **{corpus: dict.fromkeys(("sector", "topic", "agency"), STRONGEST) for corpus in FOLDED},
    "petersburg": {"sector": LEXICAL, "topic": LEXICAL, "agency": PLACED},
}
"""Corpus → head → the rival that differences are taken from: the best of the cheap ones."""
DEFAULT = (LEXICAL, PLACED, STRONGEST, HEADS_ONLY, PRODUCT)
"""The student's training comes on top of the product's: it is computed where it is asked for."""


def contenders(overrides: Sequence[str] = ()) -> dict[str, Contender]:
    """Name → contender, in the order of the tables; `overrides` are `--set` of the training command."""
    sets = {PRODUCT: [*overrides], HEADS_ONLY: [*overrides, "epochs=0"], STUDENT: [*overrides]}

    def product(name: str, title: str) -> Contender:
        recipe = {"set": sets[name], "student": name == STUDENT, "config": _defaults(), "code": CODE}
        return Contender(title, trained_by_command, recipe)

    return {
        LEXICAL: Contender("TF-IDF, SVM", _scored(tfidf_svm), {"c": 0.5, "place": False}),
        PLACED: Contender("TF-IDF with the district, SVM", _scored(tfidf_svm), {"c": 0.5, "place": True}, BY_TIME),
        STRONGEST: Contender("TF-IDF + frozen encoder, SVM", _scored(tfidf_frozen_svm), {**FROZEN, "c": 0.5}, FOLDED),
        HEADS_ONLY: product(HEADS_ONLY, "TSUR, heads only"),
        PRODUCT: product(PRODUCT, "TSUR"),
        STUDENT: product(STUDENT, "TSUR, student"),
    }


def answers_of(name: str, contender: Contender, fold: Fold) -> Answers:
    """The contender's answers to the fold's test rows, computed unless they are kept."""
    path = answers_path(name, contender.recipe, fold)
    kept = kept_answers(path, fold)
    if kept is not None:
        return kept
    answers = contender.answer(fold, contender.recipe)
    keep_answers(path, fold, answers)
    return answers


def _defaults() -> dict[str, object]:
    """What the training command does by default: another config is another recipe."""
    from data.config import load_config
    from data.settings import settings
    from training.arguments import ClassifierTraining

    return load_config(settings().configs / "classifier.yaml", ClassifierTraining).model_dump(mode="json")
