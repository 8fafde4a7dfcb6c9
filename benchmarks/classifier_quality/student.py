"""The distilled student as a candidate: taught without a text of its corpus, then fitted as the product is.

In: a fold and the recipe. Out: calibrated probabilities of each head, as `product` gives them. One student for
each corpus learns from all texts but those of the corpus (the bundled sample, the other corpus, unlabelled
messages, thanks), so that no test row, nor its like, had a part in it; heads, n-grams and calibration learn from
the fold's training rows. The teacher is the packaged encoder, as in the winner. It has no heads before it is fitted
to a fold, so its logits are not imitated.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.classifier_quality.corpus import Corpus, Fold, Recipe, Scores, recipe_hash
from benchmarks.classifier_quality.product import product
from benchmarks.results import console, real_data
from data.settings import settings
from models.encoder.source import PACKAGED
from models.text.model_input import model_input
from training.arguments import ClassifierTraining, Distillation
from training.classifier.splits import text_keys
from training.encoder.distillation import distill_encoder
from training.encoder.teacher import Teacher
from tsur.samples import sample_complaints

FILES = ("kursk", "ryazan", "perm_unlabelled", "gratitude")


def student(fold: Fold, recipe: Recipe) -> Scores:
    """Fit and score as the product does, on the corpus' student; `explained` is its R² on texts held out."""
    encoder, explained = student_encoder(fold.corpus, recipe["distillation"])
    scores = product(fold, {"arguments": {**recipe["arguments"], "encoder": str(encoder)}})
    return scores | {"explained": np.array(explained)}


def student_encoder(corpus: Corpus, recipe: Recipe) -> tuple[Path, float]:
    """The folder of the corpus' student, and how much of the teacher's variance it explains; taught once."""
    home, folder = settings().home, corpus.work / f"student-{recipe_hash(recipe)}"
    teacher = Teacher.of_encoder(PACKAGED, ClassifierTraining().text_prefix, home / "encoders")
    fidelity = distill_encoder(
        other_texts(corpus),
        teacher,
        Distillation(**recipe),
        corpus.work / f"{folder.name}-work",
        home / "distillation",
        folder,
        console.print,
    )
    return folder, fidelity.explained


def other_texts(corpus: Corpus) -> list[str]:
    """What the models read of all texts there are but those of one corpus and their like."""
    files = [real_data() / "text" / f"{name}.csv" for name in FILES if name != corpus.name]
    read = [pd.read_csv(file, dtype="string")["text"].dropna() for file in files]
    texts = pd.concat([*read, sample_complaints()["text"]])
    return [model_input(text, None) for text in texts[~np.isin(text_keys(texts), text_keys(corpus.frame["text"]))]]
