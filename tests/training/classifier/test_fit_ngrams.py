"""Fitting n-grams: what they say of a row never comes from the row's own label."""

import numpy as np
import pytest
from scipy.special import log_softmax

from models.classifier.labels import HEADS, Ints
from models.classifier.ngrams import NgramModel

pytest.importorskip("torch")

from training.classifier import fit_ngrams as module
from training.classifier.fit_ngrams import PENALTY, UNSEEN, draw_folds, fit_maps, scores_out_of_fold, silent

SUBJECTS = ["не вывозят мусор", "яма на дороге", "нет горячей воды"]
WHERE = ["у дома", "во дворе", "у школы", "на площади", "в посёлке", "за гаражами", "у рынка", "в деревне"]
TEXTS = [f"{what} {where}" for what in SUBJECTS for where in WHERE]
TARGETS = np.repeat(np.arange(3), len(WHERE))
UNIQUE = "верните библиотеку читателям"
COUNTS = dict.fromkeys(HEADS, 4)


def out_of_fold(texts, targets, counts, folds):
    """Scores of every row without its fold, as it taught."""
    return scores_out_of_fold(texts, [texts], targets, counts, folds, np.unique(folds).tolist())[0]


def every_head(targets: Ints) -> dict[str, Ints]:
    return dict.fromkeys(HEADS, np.asarray(targets, dtype=np.int64))


def fit_ngrams(texts: list[str], targets: dict[str, Ints], label_counts: dict[str, int] = COUNTS) -> NgramModel:
    return fit_maps(texts, targets, label_counts).ngrams


def test_texts_get_the_label_of_their_subject_seen_or_not():
    model = fit_ngrams(TEXTS, every_head(TARGETS))
    for head in HEADS:
        assert (model.logits(TEXTS)[head].argmax(axis=1) == TARGETS).all()
        assert model.logits(["мусор не вывозят у вокзала", "на дороге ямы"])[head].argmax(axis=1).tolist() == [0, 1]


def test_each_head_learns_its_own_labels_from_the_rows_that_have_one():
    some = np.where(np.arange(len(TEXTS)) % 2, TARGETS, -100)
    targets = every_head(TARGETS) | {"topic": some, "agency": 2 - TARGETS}
    logits = fit_ngrams(TEXTS, targets, {"sector": 3, "topic": 4, "agency": 3}).logits(TEXTS)
    assert {head: scores.shape[1] for head, scores in logits.items()} == {"sector": 3, "topic": 4, "agency": 3}
    assert (logits["topic"].argmax(axis=1) == TARGETS).all()
    assert (logits["agency"].argmax(axis=1) == 2 - TARGETS).all()


def test_the_answer_is_that_of_a_regression_on_the_n_grams_and_features_themselves():
    from scipy.sparse import hstack
    from sklearn.linear_model import LogisticRegression

    features = np.random.default_rng(0).normal(size=(len(TEXTS), 3)) + TARGETS[:, None]
    weight = np.linspace(0.5, 2.0, len(TEXTS))
    targets, counts = every_head(TARGETS), dict.fromkeys(HEADS, 3)
    maps = fit_maps(TEXTS, targets, counts, features, dict.fromkeys(HEADS, weight))
    whole = hstack([maps.ngrams.space.transform(TEXTS), features]).tocsr()
    theirs = LogisticRegression(C=1 / PENALTY, tol=1e-8, max_iter=5000).fit(whole, TARGETS, weight)
    for head in HEADS:
        ours = log_softmax(maps.ngrams.logits(TEXTS)[head] + features @ maps.dense[head], axis=-1)
        np.testing.assert_allclose(np.exp(ours), theirs.predict_proba(whole), atol=0.02)


def test_without_features_there_are_no_weights_on_them():
    maps = fit_maps(TEXTS, every_head(TARGETS), COUNTS)
    assert {dense.shape for dense in maps.dense.values()} == {(0, 4)}


def test_features_that_tell_the_label_are_heeded_where_the_words_are_new():
    telling = 3.0 * np.eye(3)[TARGETS]
    dense = fit_maps(TEXTS, every_head(TARGETS), COUNTS, telling).dense["topic"]
    assert (dense.argmax(axis=1) == np.arange(3)).all()


def test_equal_texts_are_fitted_as_others_are():
    logits = fit_ngrams(TEXTS * 3, every_head(np.tile(TARGETS, 3))).logits(TEXTS)
    assert (logits["topic"].argmax(axis=1) == TARGETS).all()


def test_more_texts_than_there_are_words_are_fitted_too():
    rng = np.random.default_rng(0)
    said = rng.integers(2, size=(200, len(WHERE)))
    texts = [" ".join(word for word, is_said in zip(WHERE, line, strict=True) if is_said) for line in said]
    logits = fit_maps(texts, every_head(said[:, 0]), COUNTS, rng.normal(size=(200, 16))).ngrams.logits(texts)
    assert (logits["topic"].argmax(axis=1) == said[:, 0]).all()


def test_the_same_rows_give_the_same_weights():
    first, second = (fit_maps(TEXTS, every_head(TARGETS), COUNTS).ngrams for _ in range(2))
    for head in HEADS:
        np.testing.assert_array_equal(first.weights[head], second.weights[head])


def test_a_text_with_a_label_of_its_own_is_known_by_heart_but_not_out_of_fold():
    texts, targets = [*TEXTS, UNIQUE], every_head(np.append(TARGETS, 3))
    folds = np.arange(len(texts)) % 5
    by_heart = fit_ngrams(texts, targets).logits([UNIQUE])
    unseen = out_of_fold(texts, targets, COUNTS, folds)
    for head in HEADS:
        assert by_heart[head][0].argmax() == 3
        assert unseen[head][-1].argmax() != 3
        assert np.exp(unseen[head][-1, 3]) < 0.05


def test_a_rows_own_label_and_its_folds_change_nothing_of_what_is_said_of_it():
    folds = np.arange(len(TEXTS)) % 4
    other = np.where(folds == 1, (TARGETS + 1) % 3, TARGETS)
    before, after = (out_of_fold(TEXTS, every_head(t), COUNTS, folds) for t in (TARGETS, other))
    for head in HEADS:
        np.testing.assert_array_equal(before[head][folds == 1], after[head][folds == 1])
        assert np.abs(before[head][folds != 1] - after[head][folds != 1]).max() > 0.1


def test_every_row_gets_log_probabilities_out_of_fold():
    said = out_of_fold(TEXTS, every_head(TARGETS), COUNTS, np.arange(len(TEXTS)) % 3)
    for scores in said.values():
        assert scores.shape == (len(TEXTS), 4)
        np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1.0, atol=1e-5)
        assert (scores.argmax(axis=1) == TARGETS).mean() > 0.9


@pytest.fixture
def one_against_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were too many texts to be solved in their span."""
    monkeypatch.setattr(module, "MOST_TEXTS", 10)


@pytest.mark.usefixtures("one_against_rest")
def test_many_texts_are_told_apart_one_label_against_the_rest_and_a_label_without_a_row_is_never_the_best():
    some = np.where(np.arange(len(TEXTS)) % 2, TARGETS, -100)
    targets = every_head(TARGETS) | {"topic": some, "agency": np.where(TARGETS == 2, 3, TARGETS)}
    model = fit_ngrams(TEXTS, targets)
    unseen = ["мусор не вывозят у вокзала", "на дороге ямы", "горячей воды нет", "абракадабра", ""]
    logits = model.logits([*TEXTS, *unseen])
    for head, without in (("sector", 3), ("topic", 3), ("agency", 2)):
        best = logits[head].argmax(axis=1)
        assert without not in best
        assert best[: len(TEXTS)].tolist() == np.asarray(targets[head] if head == "agency" else TARGETS).tolist()
        assert best[len(TEXTS) : len(TEXTS) + 2].tolist() == [0, 1]
        assert model.bias[head][without] == UNSEEN
        assert not model.weights[head][:, without].any()


@pytest.mark.usefixtures("one_against_rest")
def test_many_texts_give_the_same_weights_every_time_though_heads_are_fitted_side_by_side():
    rng = np.random.default_rng(0)
    words = [f"слово{n}" for n in range(300)]
    texts = [" ".join(rng.choice(words, 8)) for _ in range(600)]
    targets = {head: rng.integers(0, 20, len(texts)) for head in HEADS}
    first, second = (fit_maps(texts, targets, dict.fromkeys(HEADS, 20)).ngrams for _ in range(2))
    for head in HEADS:
        np.testing.assert_array_equal(first.weights[head], second.weights[head])


@pytest.mark.usefixtures("one_against_rest")
def test_two_labels_and_a_single_one_among_many_texts():
    two, one = (TARGETS == 1).astype(np.int64) * 2, np.full(len(TEXTS), 3)
    logits = fit_ngrams(TEXTS, {"sector": two, "topic": one, "agency": np.full(len(TEXTS), -100)}).logits(TEXTS)
    assert (logits["sector"].argmax(axis=1) == two).all()
    assert (logits["topic"].argmax(axis=1) == 3).all()
    np.testing.assert_allclose(logits["agency"], -np.log(4), atol=1e-6)


@pytest.mark.usefixtures("one_against_rest")
def test_among_many_texts_a_heavier_row_is_fitted_closer_and_features_have_their_say():
    contested = [*TEXTS, "спор"]
    both = every_head(np.append(TARGETS, 2))
    margins = []
    for heavy in (0.01, 100.0):
        weight = dict.fromkeys(HEADS, np.append(np.ones(len(TEXTS)), heavy))
        logits = fit_maps(contested, both, COUNTS, row_weights=weight).ngrams.logits(["спор"])["topic"][0]
        margins.append(logits[2] - logits[:2].max())
    assert margins[1] > margins[0] + 0.2
    maps = fit_maps(TEXTS, every_head(TARGETS), COUNTS, 3.0 * np.eye(3)[TARGETS])
    for head in HEADS:
        assert maps.dense[head].shape == (3, 4)
        assert (maps.dense[head][:, :3].argmax(axis=1) == np.arange(3)).all()


def test_with_more_labels_the_n_grams_of_the_fewest_texts_are_left_out(monkeypatch: pytest.MonkeyPatch):
    whole = fit_ngrams(TEXTS, every_head(TARGETS)).space.terms
    monkeypatch.setattr(module, "MOST_WEIGHTS", 12 * 40)
    model = fit_ngrams(TEXTS, every_head(TARGETS))
    assert {name: len(terms) for name, terms in model.space.terms.items()} == {"words": 20, "letters": 20}
    assert min(map(len, whole.values())) > 20
    assert sum(weight.size for weight in model.weights.values()) <= 12 * 40
    assert {"не вывозят", "на дороге", "горячей"} <= set(model.space.terms["words"])
    assert (model.logits(TEXTS)["topic"].argmax(axis=1) == TARGETS).all()


def test_five_thousand_labels_are_learned_in_bounded_memory(monkeypatch: pytest.MonkeyPatch):
    """A label a row, most of them; all that is held is weights, of which there is a most."""
    labels, most = 5000, 500_000
    monkeypatch.setattr(module, "MOST_WEIGHTS", most)
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("абвгдежзиклмнопрст"), 7)) for _ in range(200)]
    texts = [f"{words[n % 200]} {words[n // 200]}" for n in range(labels)]
    targets = {"sector": np.arange(labels) % 3, "topic": np.arange(labels), "agency": np.arange(labels) % 2}
    counts = {"sector": 3, "topic": labels, "agency": 2}
    model = fit_ngrams(texts, targets, counts)
    assert sum(weight.size for weight in model.weights.values()) <= most
    logits = model.logits(texts[:50])
    assert logits["topic"].shape == (50, labels)
    assert np.isfinite(logits["topic"]).all()


def test_silent_n_grams_favour_no_label():
    model = silent(fit_ngrams(TEXTS, every_head(TARGETS)))
    for scores in model.logits([*TEXTS, UNIQUE]).values():
        np.testing.assert_allclose(scores, -np.log(4), atol=1e-6)


def test_rows_of_a_group_share_a_fold_and_the_folds_are_of_like_size():
    groups = np.array([f"text {n % 40}" for n in range(100)])
    folds = draw_folds(groups, seed=0)
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))
    assert sorted(set(folds)) == list(range(module.FOLDS))
    assert np.bincount(folds).max() <= 2 * np.bincount(folds).min()


def test_the_seed_draws_the_folds():
    groups = np.arange(100)
    np.testing.assert_array_equal(draw_folds(groups, seed=1), draw_folds(groups, seed=1))
    assert (draw_folds(groups, seed=1) != draw_folds(groups, seed=2)).any()
