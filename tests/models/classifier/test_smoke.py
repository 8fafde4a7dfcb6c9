"""Smoke texts: a bundle that decides elsewhere as where it was made passes, one that was damaged does not."""

from pathlib import Path

import numpy as np
import pytest

from data.errors import BundleError
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from models.classifier.smoke import SMOKE, SmokeTexts, read_smoke, smoke_of, try_out
from tests.serving.bundles import write_classifier

TEXTS = [f"не вывозят мусор у дома {n}, яма на дороге {n * 7}, нет воды" for n in range(64)]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier.load(write_classifier(tmp_path_factory.mktemp("smoke") / "bundle"))


def test_a_bundle_decides_as_it_did(classifier: Classifier, tmp_path: Path) -> None:
    smoke = smoke_of(classifier, TEXTS)
    (tmp_path / SMOKE).write_text(smoke.model_dump_json(), encoding="utf-8")
    assert read_smoke(tmp_path) == smoke
    try_out(classifier, smoke)


@pytest.mark.parametrize("head", HEADS)
def test_two_texts_on_the_edge_pass_and_many_do_not(classifier: Classifier, head: str) -> None:
    smoke = smoke_of(classifier, TEXTS)

    def changed(count: int) -> SmokeTexts:
        return SmokeTexts(texts=TEXTS, labels=smoke.labels | {head: ["другое"] * count + smoke.labels[head][count:]})

    try_out(classifier, changed(2))
    with pytest.raises(BundleError, match=rf"56 of 64 smoke texts keep their {head}"):
        try_out(classifier, changed(8))


def test_weights_that_were_damaged_without_breaking_show(classifier: Classifier, tmp_path: Path) -> None:
    folder = write_classifier(tmp_path / "bundle")
    smoke = smoke_of(Classifier.load(folder), TEXTS)
    damaged = Classifier.load(folder)
    damaged.bundle.heads.weights["topic"][:] = np.roll(damaged.bundle.heads.weights["topic"], 1, axis=1)
    with pytest.raises(BundleError, match="decides otherwise here"):
        try_out(damaged, smoke)


def test_a_bundle_of_an_earlier_release_has_none_and_a_broken_file_is_told(tmp_path: Path) -> None:
    assert read_smoke(tmp_path) is None
    (tmp_path / SMOKE).write_text('{"texts": ["a"], "labels": {}}')
    with pytest.raises(BundleError, match=SMOKE):
        read_smoke(tmp_path)
