"""Int8 serves where a region's decisions stay the same; elsewhere its bundle asks for the fp32 graph of its encoder."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from data.errors import BundleError
from models.classifier.bundle import ClassifierBundle, encoder_folder, read_bundle
from models.classifier.labels import HEADS
from models.encoder.artifact import GRAPHS
from models.encoder.onnx_runtime import Encoders
from tests.serving.bundles import write_classifier
from training.classifier import agreement
from training.classifier.agreement import checked_precision

TEXTS = ["не вывозят мусор", "яма на дороге", "нет горячей воды", "автобус не приходит", "спасибо за сквер"]
PLACES: list[str | None] = [None] * len(TEXTS)


@pytest.fixture
def bundle(tmp_path: Path) -> ClassifierBundle:
    """A tiny bundle whose encoder's graphs are equal."""
    return read_bundle(write_classifier(tmp_path / "bundle"))


def spoil_int8(bundle: ClassifierBundle) -> None:
    """Turn the word vectors of the int8 graph round."""
    path = encoder_folder(bundle) / GRAPHS["int8"]
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.name == "words":
            tensor.CopyFrom(onnx.numpy_helper.from_array(-onnx.numpy_helper.to_array(tensor), tensor.name))
    onnx.save(model, str(path))


def test_an_int8_graph_that_decides_the_same_serves(bundle: ClassifierBundle):
    checked = checked_precision(bundle, Encoders(), TEXTS, PLACES, "auto", print)
    assert checked.precision == "int8"
    assert checked.agreement == dict.fromkeys(HEADS, 1.0)


def test_an_int8_graph_that_decides_otherwise_gives_way_to_fp32_or_is_refused(bundle: ClassifierBundle):
    spoil_int8(bundle)
    with pytest.raises(BundleError, match=r"int8 gives .*% of 5 texts the same .* train with precision: fp32"):
        checked_precision(bundle, Encoders(), TEXTS, PLACES, "int8", print)
    told: list[str] = []
    checked = checked_precision(bundle, Encoders(), TEXTS, PLACES, "auto", told.append)
    assert (checked.precision, checked.agreement) == ("fp32", dict.fromkeys(HEADS, 1.0))
    assert "the bundle asks for fp32" in told[-1]


def test_the_texts_of_the_region_decide_not_those_of_another(bundle: ClassifierBundle):
    """Two regions with one encoder: the heads of one do not mind what int8 changes, those of the other do."""
    spoil_int8(bundle)
    deaf = {head: np.zeros_like(weight) for head, weight in bundle.heads.weights.items()}
    heads = type(bundle.heads)(deaf, bundle.heads.bias, bundle.heads.mean, bundle.heads.deviation)
    careless = type(bundle)(**{**vars(bundle), "heads": heads})
    encoders = Encoders()
    assert checked_precision(careless, encoders, TEXTS, PLACES, "auto", print).precision == "int8"
    assert checked_precision(bundle, encoders, TEXTS, PLACES, "auto", print).precision == "fp32"


def test_no_share_is_needed_of_fp32(bundle: ClassifierBundle):
    spoil_int8(bundle)
    assert checked_precision(bundle, Encoders(), TEXTS, PLACES, "fp32", print).precision == "fp32"
    assert agreement.AGREEMENT >= 0.99
