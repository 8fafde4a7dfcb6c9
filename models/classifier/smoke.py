"""Smoke texts: by which a bundle shows, wherever it is loaded, that it decides there as where it was made.

In: a classifier and the smoke texts of its bundle, each with the labels that fp32 gave it when it was trained. Out:
nothing, or an error that names the head. Weights that were damaged without breaking, an encoder that is not the
bundle's, and processors whose int8 saturates all show here. The texts are the project's own
(`data/samples/quantisation.txt`).
"""

from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import model_validator

from data.config import Config
from data.errors import BundleError
from models.classifier.labels import HEADS

if TYPE_CHECKING:
    from models.classifier.classifier import Classifier

SMOKE = "smoke.json"
UNSTATED = 0.99
"""The agreement of a bundle that states none: what training asks for."""
LEEWAY = 0.03
"""Texts beside those that the stated agreement costs: two of 64 stand on the edge on any processor."""
SPREAD = 3.0
"""Standard deviations by which so few texts may differ from the share of many."""


class SmokeTexts(Config):
    """Texts and, for each head, the label of each."""

    texts: list[str]
    labels: dict[str, list[str]]

    @model_validator(mode="after")
    def complete(self) -> "SmokeTexts":
        """A label of each head for each text."""
        if set(self.labels) != set(HEADS) or any(len(part) != len(self.texts) for part in self.labels.values()):
            raise ValueError("there is not one label of each head for each text")
        return self


def smoke_of(classifier: "Classifier", texts: list[str]) -> SmokeTexts:
    """What a classifier says of these texts, to be kept in its bundle."""
    decided = classifier.classify(texts)
    return SmokeTexts(texts=texts, labels={head: [getattr(each, head).label for each in decided] for head in HEADS})


def read_smoke(folder: Path) -> SmokeTexts | None:
    """The smoke texts of a bundle; None where it is of an earlier release.

    Raises:
        BundleError: they are broken.
    """
    path = folder / SMOKE
    if not path.is_file():
        return None
    try:
        return SmokeTexts.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BundleError(f"classifier bundle {folder.name}: {SMOKE} is broken: {str(error)[:160]}") from None


def try_out(classifier: "Classifier", smoke: SmokeTexts) -> None:
    """Let it decide the smoke texts here.

    Raises:
        BundleError: it decides more of them otherwise than its stated agreement with fp32 allows.
    """
    again = smoke_of(classifier, smoke.texts)
    count = len(smoke.texts)
    for head in HEADS:
        stated = classifier.bundle.config.agreement.get(head, UNSTATED)
        least = stated - max(LEEWAY, SPREAD * sqrt(stated * (1 - stated) / max(count, 1)))
        same = sum(one == other for one, other in zip(smoke.labels[head], again.labels[head], strict=True))
        if same < least * count:
            raise BundleError(
                f"classifier bundle {classifier.bundle.folder.name} decides otherwise here than where it was made: "
                f"{same} of {count} smoke texts keep their {head}, {least:.0%} have to; train it again, "
                "or with precision: fp32"
            )
