"""The distilled student as a contender: taught without a word of the test rows, then fitted as the product is.

In: a fold and the recipe. Out: calibrated probabilities of each head, as `tuned` gives them. A base student
of each corpus learns from all texts but that corpus' own (the bundled sample, the other corpus, unlabelled
messages, thanks); for each fold it goes on with the texts of the fold's training rows. The teacher is the
packaged encoder, as in the winner; it has no heads before it is fitted to a fold, so logits are not imitated.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.results import console, real_data
from benchmarks.tuned import tuned
from data.settings import settings
from models.classifier import read_text
from models.decoding import Floats
from models.encoder import PACKAGED
from training.arguments import ClassifierTraining, Distillation
from training.distill_encoder import distill_encoder
from training.splits import text_keys
from training.teacher import Teacher
from tsur.samples import sample_complaints

FILES = ("kursk", "ryazan", "perm_unlabelled", "gratitude")


def student(fold: Any, recipe: Mapping[str, Any]) -> dict[str, Floats]:
    """Distil for the fold, fit and score as the product does; `explained` is the R² on texts held out."""
    encoder, explained = student_encoder(fold, recipe)
    scores = tuned(fold, {**recipe["arguments"], "encoder": str(encoder)})
    return scores | {"explained": np.array(explained)}


def student_encoder(fold: Any, recipe: Mapping[str, Any]) -> tuple[Path, float]:
    """The folder of the fold's student, and how much of the teacher's variance it explains; taught once."""
    from benchmarks.contenders import recipe_hash

    work = fold.corpus.work / f"student-{recipe_hash(recipe)}"
    work.mkdir(exist_ok=True)
    teacher = Teacher.of_encoder(PACKAGED, ClassifierTraining().text_prefix, settings().home / "encoders")
    cache = settings().home / "distillation"
    base, mine = work / "base", work / f"fold-{fold.number}"
    given = teacher, Distillation(layers=recipe["layers"], **recipe["base"])
    distill_encoder(other_texts(fold.corpus), *given, work / "base-work", cache, base, console.print)
    given = teacher, Distillation(layers=recipe["layers"], **recipe["fold"])
    texts = [read_text(text, None) for text in fold.texts[0]]
    found = distill_encoder(texts, *given, work / f"{mine.name}-work", cache, mine, console.print, start=base)
    return mine, found.explained


def other_texts(corpus: Any) -> list[str]:
    """What the models read of all texts there are but those of one corpus and their like."""
    files = [real_data() / "text" / f"{name}.csv" for name in FILES if name != corpus.name]
    read = [pd.read_csv(file, dtype="string")["text"].dropna() for file in files]
    texts = pd.concat([*read, sample_complaints()["text"]])
    return [read_text(text, None) for text in texts[~np.isin(text_keys(texts), text_keys(corpus.frame["text"]))]]
