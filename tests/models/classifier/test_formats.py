"""Bundles of earlier formats serve, and decide as the same classifier in today's does."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from data.errors import BundleError
from models.classifier.bundle import read_bundle
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from models.encoder.onnx_runtime import Encoders
from tests.serving.tiny_encoder import write_earlier

TEXTS = ["не вывозят мусор", "Яма на дороге!", "вода " * 400, "", "автобус №12 не приходит по расписанию"]
PLACES = [None, "novozavodsk", None, None, "verkhnerechensk"]
FORMATS = (3, 4)


@pytest.fixture(scope="module", params=FORMATS)
def earlier(request: pytest.FixtureRequest, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny bundle as format 3 (its graph reads a mask) or 4 stored it, alone in its folder."""
    return write_earlier(bundle, tmp_path_factory.mktemp("earlier") / "bundle", request.param)


def test_logits_and_features_are_those_of_the_graph_with_heads_in_it(earlier: Path, classifier: Classifier):
    old, new = Classifier.load(earlier).read(TEXTS, PLACES), classifier.read(TEXTS, PLACES)
    np.testing.assert_allclose(old.features, new.features, atol=1e-5)
    assert old.truncated == new.truncated
    for head in HEADS:
        np.testing.assert_allclose(old.logits[head], new.logits[head], atol=1e-4)


def test_the_numbers_are_the_graphs_own(earlier: Path):
    import onnxruntime as ort
    from tokenizers import Tokenizer

    classifier = Classifier.load(earlier)
    session = ort.InferenceSession(str(earlier / "model.onnx"), providers=["CPUExecutionProvider"])
    ids = np.array([Tokenizer.from_file(str(earlier / "tokenizer.json")).encode("query: яма на дороге").ids])
    feeds = {each.name: ids if each.name == "input_ids" else np.ones_like(ids) for each in session.get_inputs()}
    read, lexical = classifier.read(["яма на дороге"], [None]), classifier.bundle.ngrams.logits(["яма на дороге"])
    for head in HEADS:
        np.testing.assert_allclose(read.logits[head] - lexical[head], session.run([head], feeds)[0], atol=1e-4)


def test_decisions_are_the_same(earlier: Path, classifier: Classifier):
    old, new = Classifier.load(earlier).classify(TEXTS, PLACES), classifier.classify(TEXTS, PLACES)
    for one, other in zip(old, new, strict=True):
        assert (one.decision, one.reasons, one.agency.label) == (other.decision, other.reasons, other.agency.label)


def test_two_earlier_bundles_with_the_same_graph_share_it(earlier: Path, tmp_path: Path):
    encoders = Encoders()
    pair = [Classifier.load(folder, encoders) for folder in (earlier, shutil.copytree(earlier, tmp_path / "other"))]
    assert encoders.loaded == 1
    assert pair[0].classify(TEXTS[:1]) == pair[1].classify(TEXTS[:1])


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "model.safetensors", "affinity.json", "novelty.json"])
def test_a_missing_or_broken_file_of_an_earlier_bundle_is_named(earlier: Path, tmp_path: Path, name: str):
    damaged = Path(shutil.copytree(earlier, tmp_path / "damaged"))
    (damaged / name).write_bytes(b"broken")
    with pytest.raises(BundleError, match=name):
        Classifier.load(damaged)
    (damaged / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        read_bundle(damaged)
