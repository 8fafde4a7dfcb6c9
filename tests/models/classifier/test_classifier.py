"""The classifier as served: batches, order, long and odd texts, places; and no torch."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax

from data.settings import CHECKOUT
from models.classifier.bundle import read_bundle
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from models.classifier.ngrams import NgramModel
from models.classifier.routing import Classification
from models.encoder.onnx_runtime import (
    MAX_WINDOWS,
    TOKENS_PER_BATCH,
    Encoders,
    even_batches,
    mean_of_windows,
    split_windows,
)
from models.text.model_input import model_input
from tests.serving.bundles import write_classifier
from tests.serving.tiny_encoder import HIDDEN

TEXTS = [
    "яма",
    "не вывозят мусор у дома третью неделю, контейнеры переполнены, запах стоит страшный",
    "Нет горячей воды!!!",
    "<p>автобус &laquo;12&raquo; не приходит по расписанию</p>",
    "спасибо",
    "вода " * 4000,
    "",
    "pothole",
    "не вывозят мусор у дома третью неделю",
]
PLACES = [None, "novozavodsk", None, "verkhnerechensk", "almazovsky", None, "polyansky", None, "novozavodsk"]


def confidences(item: Classification) -> list[float]:
    return [proposal.confidence for proposal in (item.sector, item.topic, item.agency)]


def test_a_batch_gives_what_single_calls_give_in_the_order_given(classifier: Classifier):
    together = classifier.classify(TEXTS, PLACES)
    alone = [classifier.classify([text], [place])[0] for text, place in zip(TEXTS, PLACES, strict=True)]
    for one, other in zip(together, alone, strict=True):
        assert (one.sector.label, one.topic.label, one.agency.label) == (
            other.sector.label,
            other.topic.label,
            other.agency.label,
        )
        assert (one.decision, one.reasons, one.truncated) == (other.decision, other.reasons, other.truncated)
        np.testing.assert_allclose(confidences(one), confidences(other), atol=1e-5)


def test_answers_turn_with_the_order_of_the_texts(classifier: Classifier):
    forward, backward = classifier.classify(TEXTS), classifier.classify(TEXTS[::-1])
    for one, other in zip(forward, backward[::-1], strict=True):
        np.testing.assert_allclose(confidences(one), confidences(other), atol=1e-5)


def test_more_texts_than_one_batch_holds(classifier: Classifier):
    many = classifier.classify(TEXTS * 40)
    assert len(many) == 40 * len(TEXTS)
    for n, item in enumerate(many):
        np.testing.assert_allclose(confidences(item), confidences(many[n % len(TEXTS)]), atol=1e-5)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_traced_graph_that_reads_a_mask_answers_the_same_on_any_number_of_threads(
    classifier: Classifier, tmp_path: Path, threads: int
):
    masked = Classifier.load(write_classifier(tmp_path / "bundle", masked=True), Encoders(threads))
    for one, other in zip(masked.classify(TEXTS * 9), classifier.classify(TEXTS * 9), strict=True):
        np.testing.assert_allclose(confidences(one), confidences(other), atol=1e-5)


def test_an_error_while_the_network_reads_leaves_no_batch_waiting(bundle: Path, monkeypatch: pytest.MonkeyPatch):
    classifier = Classifier.load(bundle, Encoders(threads=1, cached=0))
    run = classifier._encoder._run
    begun: list[int] = []

    def slow(windows: list[list[int]]) -> object:
        begun.append(len(windows))
        time.sleep(0.05)
        return run(windows)

    monkeypatch.setattr(classifier._encoder, "_run", slow)
    with monkeypatch.context() as broken:
        broken.setattr(NgramModel, "logits", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            classifier.classify([f"вода {'не ' * number}идёт" for number in range(40)])
    assert classifier.classify(["нет воды"])
    assert len(begun) < 10


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([1, 1, 1], [1.0, 3.0, 5.0]), ([1, 2], [1.0, 3.5]), ([3], [2.2]), ([2, 1], [1.5, 5.0])],
)
def test_a_text_is_the_mean_of_its_windows_by_their_lengths(counts: list[int], expected: list[float]):
    read = np.array([[1.0], [3.0], [5.0]], dtype=np.float32)
    lengths = np.array([30, 10, 10] if counts == [3] or counts == [2, 1] else [30, 30, 10])
    np.testing.assert_allclose(mean_of_windows(read, lengths, counts)[:, 0], expected, rtol=1e-6)


def test_nothing_in_nothing_out(classifier: Classifier):
    assert classifier.classify([]) == []
    assert classifier.classify([], []) == []


def test_a_long_text_is_read_to_its_end_in_windows_and_a_very_long_one_says_that_it_was_cut(classifier: Classifier):
    short, long, too_long = classifier.classify(["нет воды", "нет воды " * 100, "нет воды " * 10_000])
    assert (short.truncated, long.truncated, too_long.truncated) == (False, False, True)
    assert len(too_long.alternatives["sector"]) == 3


def test_the_end_of_a_long_text_counts(classifier: Classifier):
    long = "нет воды " * 100
    one, other = classifier.logits([long, long + "автобус не приходит по расписанию " * 20], [None, None])[0]["sector"]
    assert np.abs(one - other).max() > 0.01


@pytest.mark.parametrize(("length", "windows"), [(2, 1), (48, 1), (49, 2), (94, 2), (95, 3), (20_000, MAX_WINDOWS)])
def test_windows_are_of_like_size_and_lose_no_token(length: int, windows: int):
    ids = [0, *range(10, 8 + length), 2]
    found = split_windows(ids, 48)
    assert len(found) == windows
    assert {window[0] for window in found} == {0}
    assert {window[-1] for window in found} == {2}
    assert max(map(len, found)) <= 48
    assert max(map(len, found)) - min(map(len, found)) <= 1
    read = [token for window in found for token in window[1:-1]]
    assert read == ids[1:-1][: MAX_WINDOWS * 46]


@pytest.mark.parametrize("text", ["я" * 100_000, "нет воды " * 11_112, "<b>" * 33_334, "\n" * 100_000])
def test_a_hundred_thousand_characters_are_answered(classifier: Classifier, text: str):
    item = classifier.classify([text])[0]
    assert np.isfinite(confidences(item)).all()


@pytest.mark.parametrize("text", ["", " \n\t", "🙂", "\x00", "\u200b", "<br>", "&nbsp;", "\ud800", "中文", "a" * 50])
def test_odd_texts_go_to_an_operator(classifier: Classifier, text: str):
    item = classifier.classify([text])[0]
    assert item.decision == "review"
    assert "no_cyrillic" in item.reasons


def test_what_is_cut_does_not_change_the_answer(classifier: Classifier):
    long = "нет воды " * 10_000
    one, other = classifier.classify([long, long + "нет воды " * 10])
    np.testing.assert_allclose(confidences(one), confidences(other), atol=1e-5)


def test_the_place_is_read_and_bounds_the_agency(classifier: Classifier):
    for place in classifier.catalogue.municipalities:
        item = classifier.classify(["не вывозят мусор"], [place.id])[0]
        assert item.agency.label in classifier.catalogue.agencies_for(item.sector.label, item.topic.label, place.id)


def test_a_place_outside_the_catalogue_is_as_good_as_none(classifier: Classifier):
    unknown, none = classifier.classify(["не вывозят мусор"] * 2, ["nowhere", None])
    assert unknown == none


@pytest.mark.parametrize(
    ("place", "read"), [(None, "яма ещё".replace("ё", "е")), ("Алмазовский район", "алмазовский район. яма еще")]
)
def test_both_halves_read_the_place_and_the_normalised_text(place: str | None, read: str):
    assert model_input("ЯМА  ещё", place) == read


@pytest.mark.parametrize(
    "lengths", [[], [5], [192] * 100, [3, 190, 4, 191, 5] * 60, [10_000, 1], [0, 3, 0], list(range(1, 193))]
)
def test_batches_hold_every_row_once_with_rows_of_one_length_within_the_budget(lengths: list[int]):
    sizes = np.array(lengths, dtype=np.int64)
    batches = list(even_batches(sizes, TOKENS_PER_BATCH))
    assert sorted(row for rows in batches for row in rows) == list(range(len(lengths)))
    for rows in batches:
        assert len(set(sizes[rows])) == 1
        assert len(rows) == 1 or sizes[rows].sum() <= TOKENS_PER_BATCH
    assert [sizes[rows[0]] for rows in batches] == sorted((sizes[rows[0]] for rows in batches), reverse=True)


def test_threads_share_one_classifier(classifier: Classifier):
    from concurrent.futures import ThreadPoolExecutor

    expected = [confidences(item) for item in classifier.classify(TEXTS, PLACES)]
    with ThreadPoolExecutor(8) as pool:
        for answers in pool.map(lambda _: classifier.classify(TEXTS, PLACES), range(16)):
            np.testing.assert_allclose([confidences(item) for item in answers], expected, atol=1e-5)


def test_serving_needs_no_torch(bundle: Path):
    code = (
        "import sys; from pathlib import Path; from models.classifier.classifier import Classifier\n"
        f"Classifier.load(Path({str(bundle)!r})).classify(['не вывозят мусор'])\n"
        "print({'torch', 'transformers', 'mlflow'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True)
    assert run.stdout.strip() == "set()", run.stderr


def test_logits_have_a_row_a_text_and_a_column_a_label(classifier: Classifier):
    logits, truncated = classifier.logits(TEXTS, PLACES)
    names = classifier.bundle.labels.names
    assert {head: logits[head].shape for head in HEADS} == {head: (len(TEXTS), len(names[head])) for head in HEADS}
    assert (truncated[0], truncated[5]) == (False, True)


def test_features_are_what_the_heads_are_linear_on_in_long_texts_too(classifier: Classifier, bundle: Path):
    read = classifier.read(TEXTS, PLACES)
    heads = read_bundle(bundle).heads
    for head in HEADS:  # its n-grams say the same of every label
        ours = log_softmax(read.features @ heads.weights[head] + heads.bias[head], axis=-1)
        np.testing.assert_allclose(ours, log_softmax(read.logits[head], axis=-1), atol=1e-4)
    np.testing.assert_array_equal(classifier.features(TEXTS, PLACES), read.features)


def test_a_classification_carries_the_features_of_its_text(classifier: Classifier):
    features = classifier.features(TEXTS, PLACES)
    for row, item in zip(features, classifier.classify(TEXTS, PLACES), strict=True):
        assert item.features is not None
        np.testing.assert_array_equal(item.features, row)


def test_nothing_has_no_features_but_their_width(classifier: Classifier):
    assert classifier.features([], []).shape == (0, HIDDEN)
