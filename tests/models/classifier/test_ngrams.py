"""N-grams: what is saved comes back and says the same; what was never seen says nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from data.errors import BundleError
from models.classifier.labels import HEADS
from models.classifier.ngrams import SPACES, TERMS, WEIGHTS, NgramModel, NgramSpace

TEXTS = [
    "не вывозят мусор у дома",
    "мусор у дома лежит неделю",
    "яма на дороге",
    "на дороге яма и лужа",
    "фонарь не горит",
]
LABELS = {"sector": 3, "topic": 5, "agency": 4}


@pytest.fixture(scope="module")
def model() -> NgramModel:
    """Real n-grams, random weights of the size that training finds."""
    rng = np.random.default_rng(0)
    space, _ = NgramSpace.fit(TEXTS)
    terms = sum(map(len, space.terms.values()))
    weights = {head: rng.normal(scale=0.5, size=(terms, n)).astype(np.float32) for head, n in LABELS.items()}
    return NgramModel(space, weights, {head: rng.normal(size=n).astype(np.float32) for head, n in LABELS.items()})


@pytest.fixture
def folder(model: NgramModel, tmp_path: Path) -> Path:
    """A folder into which the model was saved."""
    path = tmp_path / "bundle"
    path.mkdir()
    model.save(path)
    return path


@pytest.mark.parametrize(
    ("part", "term", "known"),
    [
        ("words", "мусор", True),
        ("words", "мусор дома", True),
        ("words", "фонарь", False),
        ("words", "дома лежит", False),
        ("letters", "мус", True),
        ("letters", " яма ", True),
        ("letters", "фон", False),
    ],
)
def test_terms_of_two_texts_are_known_and_those_of_one_are_not(part: str, term: str, known: bool):
    assert (term in NgramSpace.fit(TEXTS)[0].terms[part]) == known


def test_where_no_two_texts_share_a_term_all_terms_are_known():
    assert NgramSpace.fit(["яма", "свет"])[0].terms["words"] == ["свет", "яма"]


def test_a_rarer_term_weighs_more():
    space, _ = NgramSpace.fit([*TEXTS, "мусор"])
    rarity = dict(zip(space.terms["words"], space.rarity["words"], strict=True))
    assert rarity["дороге"] > rarity["мусор"]


def test_each_part_of_a_vector_has_length_one_however_long_the_text():
    space, _ = NgramSpace.fit(TEXTS)
    vectors = space.transform(["мусор", " ".join(TEXTS)]).toarray()
    words = len(space.terms["words"])
    for part in (vectors[:, :words], vectors[:, words:]):
        np.testing.assert_allclose(np.linalg.norm(part, axis=1), 1.0, atol=1e-6)
    assert vectors.dtype == np.float32


def test_log_probabilities_of_each_head_come_out(model: NgramModel):
    logits = model.logits(TEXTS)
    assert {head: scores.shape for head, scores in logits.items()} == {h: (len(TEXTS), n) for h, n in LABELS.items()}
    for scores in logits.values():
        np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("text", ["", "xyz qwerty", "123"])
def test_a_text_of_unseen_terms_gets_what_the_bias_says(model: NgramModel, text: str):
    for head, scores in model.logits([text]).items():
        shares = np.exp(model.bias[head])
        np.testing.assert_allclose(np.exp(scores[0]), shares / shares.sum(), rtol=1e-5)


def test_unseen_words_change_nothing_beside_known_ones(model: NgramModel):
    known, mixed = model.logits(["мусор у дома"]), model.logits(["мусор у дома xyz"])
    for head in HEADS:
        np.testing.assert_allclose(known[head], mixed[head], atol=1e-5)


def test_no_texts_no_rows(model: NgramModel, folder: Path):
    for one in (model, NgramModel.load(folder, LABELS)):
        assert {head: scores.shape for head, scores in one.logits([]).items()} == {h: (0, n) for h, n in LABELS.items()}


def test_a_restored_space_is_the_same(model: NgramModel):
    space = NgramSpace(model.space.terms, model.space.rarity)
    assert space.terms == model.space.terms
    assert (space.transform([*TEXTS, "яма у дома"]) != model.space.transform([*TEXTS, "яма у дома"])).nnz == 0


def test_what_is_saved_comes_back_and_says_the_same(model: NgramModel, folder: Path):
    again = NgramModel.load(folder, LABELS)
    texts = [*TEXTS, "яма у дома", "совсем другое", ""]
    for head, scores in again.logits(texts).items():
        np.testing.assert_allclose(scores, model.logits(texts)[head], atol=1e-3)


def test_saved_and_loaded_twice_it_is_the_same_to_the_bit(folder: Path, tmp_path: Path):
    copy = tmp_path / "copy"
    copy.mkdir()
    NgramModel.load(folder, LABELS).save(copy)
    assert {path.name for path in copy.iterdir()} == {TERMS, WEIGHTS}
    for name in (TERMS, WEIGHTS):
        assert (copy / name).read_bytes() == (folder / name).read_bytes()


def without_an_array(folder: Path, name: str) -> None:
    arrays = {key: value for key, value in load_file(folder / WEIGHTS).items() if key != name}
    save_file(arrays, folder / WEIGHTS)


def with_terms(folder: Path, change: Callable[[dict[str, list[str]]], object]) -> None:
    terms = json.loads((folder / TERMS).read_text(encoding="utf-8"))
    (folder / TERMS).write_text(json.dumps(change(terms)), encoding="utf-8")


SPOILED: dict[str, Callable[[Path], object]] = {
    "no terms": lambda f: (f / TERMS).unlink(),
    "no weights": lambda f: (f / WEIGHTS).unlink(),
    "terms are cut": lambda f: (f / TERMS).write_bytes((f / TERMS).read_bytes()[:-9]),
    "weights are cut": lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes()[:-9]),
    "terms are not UTF-8": lambda f: (f / TERMS).write_bytes(b"\xff\xfe"),
    "weights are empty": lambda f: (f / WEIGHTS).write_bytes(b""),
    "terms are a list": lambda f: with_terms(f, list),
    "a part of the terms lacks": lambda f: with_terms(f, lambda terms: {"words": terms["words"]}),
    "a term lacks": lambda f: with_terms(f, lambda terms: terms | {"words": terms["words"][:-1]}),
    "a term is given twice": lambda f: with_terms(f, lambda t: t | {"words": [*t["words"][:-1], t["words"][0]]}),
    "a head lacks": lambda f: without_an_array(f, "weights.agency"),
    "a bias lacks": lambda f: without_an_array(f, "bias.topic"),
    "a rarity lacks": lambda f: without_an_array(f, "idf.letters"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_broken_files_are_named_in_one_sentence(folder: Path, case: str):
    SPOILED[case](folder)
    with pytest.raises(BundleError, match=f"bundle: {TERMS} or {WEIGHTS} is broken: .+") as caught:
        NgramModel.load(folder, LABELS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("head", HEADS)
def test_weights_for_other_labels_are_refused(folder: Path, head: str):
    with pytest.raises(BundleError, match=f"bundle: {WEIGHTS} does not fit {TERMS} and labels.json"):
        NgramModel.load(folder, LABELS | {head: 17})


def test_the_parts_are_words_and_letters():
    assert list(NgramSpace.fit(TEXTS)[0].terms) == list(SPACES)


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS,
        [
            *TEXTS,
            "",
            " ",
            "я",
            "a b",
            "дом дом дом дом",
            "«дом», (дом)! дом-дом _x_",
            "ДОМ\tу\n\nдома",
            "[ТЕЛЕФОН] у дома",
        ],
        ["не вывозят мусор у дома " * 40, "İstanbul ŉ ǆ ß", "x" * 300, "дом\u00a0у\u2003дома"],
    ],
)
def test_vectors_are_those_of_scikit_learn(texts: list[str]):
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    space, fitted = NgramSpace.fit(TEXTS)
    rivals = []
    for name, options in SPACES.items():
        vocabulary = {term: column for column, term in enumerate(space.terms[name])}
        rivals.append(TfidfVectorizer(**options, sublinear_tf=True, vocabulary=vocabulary))
        rivals[-1].idf_ = space.rarity[name]
    expected = hstack([rival.transform(texts) for rival in rivals]).tocsr().astype(np.float32)
    np.testing.assert_allclose(space.transform(texts).toarray(), expected.toarray(), rtol=1e-6)
    np.testing.assert_allclose(space.transform(TEXTS).toarray(), fitted.toarray(), rtol=1e-6)


def test_words_that_were_met_before_do_not_change_a_vector():
    from models.classifier import ngrams

    space, _ = NgramSpace.fit(TEXTS)
    fresh = space.transform(TEXTS).toarray()
    for start in range(3):
        space.transform([f"слово{start}{i}" for i in range(ngrams.KNOWN_WORDS // 2)])
    np.testing.assert_array_equal(space.transform(TEXTS).toarray(), fresh)
