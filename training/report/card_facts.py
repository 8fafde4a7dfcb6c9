"""What the sections of a model card are made of: the bundle, its rows and what was measured on them."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from models.classifier.bundle import ClassifierBundle
from training.arguments import ClassifierTraining
from training.evaluate.evaluate import Evaluation

TITLES = {"sector": "группа тем / sector", "topic": "тема / topic", "agency": "исполнитель / agency"}


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that the sections of the card tell of."""

    bundle: ClassifierBundle
    frame: pd.DataFrame
    arguments: ClassifierTraining | None

    @property
    def encoder(self) -> str:
        """The encoder's name; of a local folder only the last part, for paths are nobody's business."""
        name = self.bundle.config.encoder
        return Path(name).name if Path(name).is_absolute() else name


@dataclass(frozen=True, kw_only=True)
class MeasuredFacts(Facts):
    """And the figures.

    `rows` are those of the evaluation, in its order; `kept_back` says whether the bundle itself was measured on them,
    or fits without them in its place.
    """

    evaluation: Evaluation
    lexical: Evaluation
    rows: pd.DataFrame | None
    kept_back: bool = False
