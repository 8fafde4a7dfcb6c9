"""What the models read: the same string in training and in serving, the municipality before it."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data.catalogue.model import Catalogue
from models.classifier.classifier import Classifier
from models.classifier.ngrams import NgramModel
from models.encoder.onnx_runtime import OnnxEncoder
from models.text.model_input import model_input
from training.classifier.taught_rows import model_inputs

COMPLAINTS = [
    ("ЯМА  ещё с зимы!!!", "Алмазовский район", "алмазовский район. яма еще с зимы!"),
    ("<p>Не вывозят&nbsp;мусор</p>", "Верхнереченск", "верхнереченск. не вывозят мусор"),
    ("Нет воды", "Париж", "нет воды"),
    ("Нет  воды", None, "нет воды"),
    ("", "Верхнереченск", "верхнереченск. "),
]


@pytest.mark.parametrize(("text", "municipality", "read"), [COMPLAINTS[0], COMPLAINTS[1], COMPLAINTS[3]])
def test_the_normalised_text_stands_behind_its_municipality(text: str, municipality: str | None, read: str):
    assert model_input(text, municipality) == read


def noted(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> list[list[str]]:
    """The texts that a method is given from now on; it does its work as before."""
    real, texts = getattr(owner, name), []

    def note(self: Any, given: list[str], *more: Any) -> Any:
        texts.append(list(given))
        return real(self, given, *more)

    monkeypatch.setattr(owner, name, note)
    return texts


def test_training_and_serving_feed_encoder_and_ngrams_the_very_same_text(
    bundle: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
):
    rows = pd.DataFrame(COMPLAINTS, columns=["text", "municipality", "read"])
    trained_on = model_inputs(rows, catalogue)
    assert trained_on == rows["read"].tolist()
    encoded, counted = noted(monkeypatch, OnnxEncoder, "reading"), noted(monkeypatch, NgramModel, "logits")
    classifier = Classifier.load(bundle)
    classifier.classify(rows["text"].tolist(), classifier.catalogue.municipality_ids(rows["municipality"]))
    assert counted == [trained_on]
    assert encoded == [[classifier.bundle.config.text_prefix + text for text in trained_on]]
