"""The encoder's artifact: addressed by its content, loaded once for all who read with it, broken files named."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml

from data.errors import BundleError
from data.settings import settings
from models.classifier.bundle import read_bundle
from models.classifier.classifier import Classifier
from models.encoder.artifact import ENCODERS, FILES, GRAPHS, content_hash, store_encoder
from models.encoder.fastest import multiplies_int8
from models.encoder.onnx_runtime import Encoders
from tests.serving.bundles import random_heads, write_classifier
from tests.serving.tiny_encoder import write_encoder

TEXTS = ["не вывозят мусор", "яма на дороге"]


@pytest.fixture
def two_regions(tmp_path: Path) -> list[Path]:
    """Bundles of two regions that read with one encoder."""
    return [write_classifier(tmp_path / name, seed=seed) for seed, name in enumerate(("north", "south"))]


def encoder_of(bundle: Path) -> Path:
    return bundle.parent / ENCODERS / str(read_bundle(bundle).config.encoder_hash)


def test_two_regions_share_one_encoder_on_disk_and_in_memory(two_regions: list[Path]):
    assert len(list((two_regions[0].parent / ENCODERS).iterdir())) == 1
    encoders = Encoders()
    north, south = (Classifier.load(bundle, encoders) for bundle in two_regions)
    assert encoders.loaded == 1
    assert north._encoder is south._encoder
    assert not np.allclose(north.features(TEXTS, [None] * 2), south.features(TEXTS, [None] * 2))


def test_what_one_region_sent_is_not_read_again_for_another(two_regions: list[Path], monkeypatch: pytest.MonkeyPatch):
    encoders = Encoders()
    north, south = (Classifier.load(bundle, encoders) for bundle in two_regions)
    alone = Classifier.load(two_regions[1]).logits(TEXTS, [None] * 2)[0]
    north.classify(TEXTS)
    assert (encoders.cache.hits, encoders.cache.misses) == (0, 2)
    monkeypatch.setattr(type(south._encoder), "_run", lambda *_: 1 / 0)
    together = south.logits(TEXTS, [None] * 2)[0]
    assert (encoders.cache.hits, encoders.cache.misses) == (2, 2)
    for head, logits in together.items():
        np.testing.assert_allclose(logits, alone[head], atol=1e-5)


def test_vectors_of_windows_of_another_length_are_others(two_regions: list[Path]):
    encoders = Encoders()
    bundle = read_bundle(two_regions[0])
    shorter = replace(bundle, config=bundle.config.model_copy(update={"max_tokens": 8}))
    long = "не вывозят мусор у дома третью неделю " * 3
    read = [Classifier(each, encoders).features([long], [None]) for each in (bundle, shorter)]
    assert encoders.cache.misses == 2
    assert not np.array_equal(*read)


def test_an_encoder_that_nobody_reads_with_leaves_the_memory(two_regions: list[Path]):
    encoders = Encoders()
    classifier = Classifier.load(two_regions[0], encoders)
    assert encoders.loaded == 1
    del classifier
    assert encoders.loaded == 0


def test_a_bundle_asks_for_a_precision_of_its_encoder(two_regions: list[Path]):
    bundle = read_bundle(two_regions[0])
    assert Classifier(bundle, Encoders())._encoder._files.graph.name == GRAPHS["fp32"]
    small = replace(bundle, config=bundle.config.model_copy(update={"precision": "int8"}))
    served = Classifier(small, Encoders())._encoder._files.graph.name
    assert served == GRAPHS["int8"] or not multiplies_int8()  # elsewhere what is the faster there
    assert Classifier(small, Encoders(), "fp32")._encoder._files.graph.name == GRAPHS["fp32"]


def test_encoders_lie_in_the_home_once_a_bundle_has_left_its_training(two_regions: list[Path], tmp_path: Path):
    alone = Path(shutil.copytree(two_regions[0], tmp_path / "elsewhere" / "bundle"))
    with pytest.raises(BundleError, match=f"none of .*elsewhere/encoders, {settings().home / ENCODERS} holds it"):
        Classifier.load(alone)
    assert Classifier.load(alone, Encoders(folder=tmp_path / ENCODERS)).classify(TEXTS)


def test_the_address_is_of_the_content_and_of_nothing_else(tmp_path: Path):
    address = write_encoder(tmp_path / "one")
    assert write_encoder(tmp_path / "two") == address == content_hash(tmp_path / "two" / address)
    assert write_encoder(tmp_path / "two", seed=1) != address
    for name in FILES:
        changed = Path(shutil.copytree(tmp_path / "one" / address, tmp_path / f"changed-{name}"))
        with (changed / name).open("ab") as file:
            file.write(b"\n")
        assert content_hash(changed) != address, name


def test_an_encoder_that_is_there_already_is_not_stored_twice(tmp_path: Path):
    address = write_encoder(tmp_path)
    inode = (tmp_path / address / GRAPHS["fp32"]).stat().st_ino
    again = Path(shutil.copytree(tmp_path / address, tmp_path / "again"))
    assert store_encoder(again, tmp_path) == address
    assert [path.name for path in tmp_path.iterdir()] == [address]
    assert (tmp_path / address / GRAPHS["fp32"]).stat().st_ino == inode


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00broken", b"{]"], ids=["empty", "binary", "cut"])
def test_a_broken_file_of_an_encoder_is_named(two_regions: list[Path], name: str, content: bytes):
    (encoder_of(two_regions[0]) / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"encoder [0-9a-f]{{12}}: {name} is broken") as caught:
        Classifier.load(two_regions[0])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_missing_file_of_an_encoder_is_named(two_regions: list[Path], name: str):
    (encoder_of(two_regions[0]) / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        Classifier.load(two_regions[0])


def test_a_graph_without_vectors_or_with_other_inputs_is_refused(two_regions: list[Path]):
    path = encoder_of(two_regions[0]) / GRAPHS["fp32"]
    model = onnx.load(path)
    model.graph.output[0].name = model.graph.node[-1].output[0] = "features"
    onnx.save(model, str(path))
    with pytest.raises(BundleError, match="no output 'pooled'"):
        Classifier.load(two_regions[0])
    model.graph.input[0].name = model.graph.node[0].input[1] = "tokens"
    onnx.save(model, str(path))
    with pytest.raises(BundleError, match="it reads tokens instead of input_ids"):
        Classifier.load(two_regions[0])


def test_heads_are_the_regions_own(two_regions: list[Path]):
    bundles = [read_bundle(bundle) for bundle in two_regions]
    assert bundles[0].config.encoder_hash == bundles[1].config.encoder_hash
    expected = random_heads(bundles[0].labels, 0).weights["topic"]
    np.testing.assert_array_equal(bundles[0].heads.weights["topic"], expected)
    assert not np.array_equal(bundles[1].heads.weights["topic"], expected)
    assert yaml.safe_load((two_regions[0] / "config.yaml").read_text())["format"] == 5
