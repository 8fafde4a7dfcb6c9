"""Bundles: what is written is read back; a missing or broken file is named."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from data.errors import BundleError
from data.settings import CHECKOUT
from models.classifier.bundle import FORMAT, read_bundle, write_bundle
from models.classifier.classifier import Classifier
from models.classifier.heads import LinearHeads
from models.classifier.labels import HEADS
from models.classifier.ngrams import NgramModel, NgramSpace
from models.classifier.out_of_vocabulary import OutOfVocabulary
from models.classifier.topic_agency_pmi import TopicAgencyPmi
from models.encoder.artifact import ENCODERS
from tests.serving.tiny_encoder import HIDDEN

CATALOGUE = CHECKOUT / "configs" / "regions" / "verkhnerechye" / "catalogue.yaml"

NEEDED = [
    *("heads.safetensors", "labels.json", "calibration.json", "catalogue.yaml", "config.yaml"),
    *("topic_agency_pmi.json", "out_of_vocabulary.json", "ngrams.json", "ngrams.safetensors"),
]


@pytest.fixture()
def damaged(bundle: Path, tmp_path: Path) -> Path:
    """A copy of the tiny bundle that a test may spoil."""
    shutil.copytree(bundle.parent / ENCODERS, tmp_path / ENCODERS)
    return Path(shutil.copytree(bundle, tmp_path / "damaged"))


def change_yaml(path: Path, **changes: object) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(content | changes, allow_unicode=True), encoding="utf-8")


def change_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def drop_json(path: Path, key: str) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({name: value for name, value in content.items() if name != key}))


def other_ngrams(folder: Path) -> None:
    space, _ = NgramSpace.fit(["яма", "свет"])
    terms = sum(map(len, space.terms.values()))
    NgramModel(space, {h: np.zeros((terms, 2)) for h in HEADS}, {h: np.zeros(2) for h in HEADS}).save(folder)


def narrow_heads(folder: Path) -> None:
    heads = LinearHeads.load(folder)
    weights = {head: weight[:-1] for head, weight in heads.weights.items()}
    LinearHeads(weights, heads.bias, heads.mean[:-1], heads.deviation[:-1]).save(folder)


def test_parts_survive_writing_and_reading(bundle: Path, tmp_path: Path):
    parts = read_bundle(bundle)
    write_bundle(replace(parts, folder=tmp_path / "copy"), CATALOGUE.read_text(encoding="utf-8"))
    again = read_bundle(tmp_path / "copy")
    for name in ("config", "calibration", "catalogue", "topic_agency_pmi", "out_of_vocabulary"):
        assert getattr(again, name) == getattr(parts, name), name
    assert again.labels.names == parts.labels.names
    for head in HEADS:
        np.testing.assert_array_equal(again.heads.weights[head], parts.heads.weights[head])
        np.testing.assert_array_equal(again.heads.bias[head], parts.heads.bias[head])
    np.testing.assert_array_equal(
        again.heads.features(np.ones((1, HIDDEN))), parts.heads.features(np.ones((1, HIDDEN)))
    )


def test_topic_agency_pmi_and_vocabulary_survive_writing_and_reading(bundle: Path, tmp_path: Path):
    copy = Path(shutil.copytree(bundle, tmp_path / "copy"))
    topic_agency_pmi = TopicAgencyPmi(rows={"Не вывозят мусор": {"Региональный оператор": 7}})
    out_of_vocabulary = OutOfVocabulary(beginnings=frozenset({"мусор", "вывозя"}), usual=0.1, threshold=0.6)
    parts = replace(read_bundle(copy), topic_agency_pmi=topic_agency_pmi, out_of_vocabulary=out_of_vocabulary)
    write_bundle(parts, CATALOGUE.read_text(encoding="utf-8"))
    again = read_bundle(copy)
    assert (again.topic_agency_pmi, again.out_of_vocabulary) == (topic_agency_pmi, out_of_vocabulary)


def test_there_is_no_pickle_in_a_bundle(bundle: Path):
    assert not [path.name for path in bundle.rglob("*") if path.read_bytes()[:1] == b"\x80"]


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_file_is_named(damaged: Path, name: str):
    (damaged / name).unlink()
    with pytest.raises(BundleError, match=f"damaged: {name} is missing"):
        Classifier.load(damaged)


def test_a_folder_that_does_not_exist_is_a_broken_bundle(tmp_path: Path):
    with pytest.raises(BundleError, match="missing"):
        Classifier.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00broken", b"{]", b"[1, 2]"], ids=["empty", "binary", "cut", "list"]
)
@pytest.mark.parametrize("name", NEEDED)
def test_a_corrupted_file_is_named(damaged: Path, name: str, content: bytes):
    (damaged / name).write_bytes(content)
    with pytest.raises(BundleError, match=name) as caught:
        Classifier.load(damaged)
    assert caught.value.code == "bad_bundle"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NEEDED)
def test_a_file_cut_in_half_is_named(damaged: Path, name: str):
    whole = (damaged / name).read_bytes()
    (damaged / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BundleError, match=name):
        Classifier.load(damaged)


SPOILED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a config key is unknown": (lambda f: change_yaml(f / "config.yaml", colour="red"), "config.yaml.*colour"),
    "a config value is no number": (lambda f: change_yaml(f / "config.yaml", max_tokens="many"), "max_tokens"),
    "a head has no labels": (
        lambda f: (f / "labels.json").write_text('{"sector": [], "topic": []}'),
        "labels.json.*agency",
    ),
    "labels of other heads": (
        lambda f: change_json(f / "labels.json", sector=["ЖКХ"]),
        r"heads.safetensors is broken: the head sector is of shape .* asks for \(32, 1\)",
    ),
    "heads of another encoder": (narrow_heads, "its heads read 31 numbers a text, its encoder gives 32"),
    "an encoder that is nowhere": (
        lambda f: change_yaml(f / "config.yaml", encoder_hash="0" * 64),
        "encoder 000000000000 is missing: none of .* holds it",
    ),
    "an encoder's hash that is none": (lambda f: change_yaml(f / "config.yaml", encoder_hash="abc"), "'abc' is no SHA"),
    "labels are no list": (lambda f: change_json(f / "labels.json", sector=5), "labels.json"),
    "a head has no temperature": (
        lambda f: change_json(f / "calibration.json", temperatures={"sector": 1.0}),
        "calibration.json.*sector, topic, agency",
    ),
    "a threshold is no number": (lambda f: change_json(f / "calibration.json", threshold="high"), "threshold"),
    "a count is no number": (
        lambda f: change_json(f / "topic_agency_pmi.json", rows={"Мусор": {"Оператор": "many"}}),
        "pmi.json.*Оператор",
    ),
    "counts are not by agency": (
        lambda f: change_json(f / "topic_agency_pmi.json", rows={"Мусор": 7}),
        "pmi.json.*Мусор",
    ),
    "a key of the counts is unknown": (
        lambda f: change_json(f / "topic_agency_pmi.json", row={}),
        "pmi.json.*row",
    ),
    "the beginnings of words are no list": (
        lambda f: change_json(f / "out_of_vocabulary.json", beginnings=5),
        "out_of_vocabulary.json.*beginnings",
    ),
    "the vocabulary has no threshold": (
        lambda f: drop_json(f / "out_of_vocabulary.json", "threshold"),
        "out_of_vocabulary.json.*threshold",
    ),
    "n-grams have no letters": (lambda f: drop_json(f / "ngrams.json", "letters"), "ngrams.json.*letters"),
    "n-grams of another training": (
        lambda f: change_json(f / "ngrams.json", words=["мусор", "яма"]),
        "ngrams.json or ngrams.safetensors is broken",
    ),
    "n-grams for other labels": (lambda f: other_ngrams(f), "ngrams.safetensors does not fit"),
    "a catalogue contradicts itself": (
        lambda f: change_yaml(
            f / "catalogue.yaml",
            agencies=[{"id": "one", "name": "Один"}, {"id": "one", "name": "Два"}],
        ),
        "catalogue.yaml.*given twice",
    ),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_file_that_does_not_fit_is_named(damaged: Path, case: str):
    spoil, message = SPOILED[case]
    spoil(damaged)
    with pytest.raises(BundleError, match=message):
        Classifier.load(damaged)


@pytest.mark.parametrize("found", [FORMAT + 1, 0, None, "1", "new"])
def test_another_format_version_is_refused_with_both_versions(damaged: Path, found: object):
    change_yaml(damaged / "config.yaml", format=found)
    with pytest.raises(BundleError, match=f"format {found}, this version reads 3, 4 and {FORMAT}"):
        Classifier.load(damaged)


def test_the_names_of_all_heads_are_read(bundle: Path):
    assert set(read_bundle(bundle).labels.names) == set(HEADS)
