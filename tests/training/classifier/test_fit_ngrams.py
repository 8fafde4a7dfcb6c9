"""Fitting n-grams: what they say of a row never comes from the row's own label."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax

from data.settings import CHECKOUT
from models.classifier.labels import HEADS, Ints
from models.classifier.ngrams import NgramModel

pytest.importorskip("torch")

from training.classifier import fit_ngrams as module
from training.classifier.fit_ngrams import PENALTY, draw_folds, fit_maps, out_of_fold, silent

SUBJECTS = ["не вывозят мусор", "яма на дороге", "нет горячей воды"]
WHERE = ["у дома", "во дворе", "у школы", "на площади", "в посёлке", "за гаражами", "у рынка", "в деревне"]
TEXTS = [f"{what} {where}" for what in SUBJECTS for where in WHERE]
TARGETS = np.repeat(np.arange(3), len(WHERE))
UNIQUE = "верните библиотеку читателям"
COUNTS = dict.fromkeys(HEADS, 4)
SEED = 0


def every_head(targets: Ints) -> dict[str, Ints]:
    return dict.fromkeys(HEADS, np.asarray(targets, dtype=np.int64))


def fit_ngrams(texts: list[str], targets: dict[str, Ints], label_counts: dict[str, int] = COUNTS) -> NgramModel:
    return fit_maps(texts, targets, label_counts, SEED).ngrams


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
    maps = fit_maps(TEXTS, targets, counts, SEED, features, dict.fromkeys(HEADS, weight))
    whole = hstack([maps.ngrams.space.transform(TEXTS), features]).tocsr()
    theirs = LogisticRegression(C=1 / PENALTY, tol=1e-8, max_iter=5000).fit(whole, TARGETS, weight)
    for head in HEADS:
        ours = log_softmax(maps.ngrams.logits(TEXTS)[head] + features @ maps.dense[head], axis=-1)
        np.testing.assert_allclose(np.exp(ours), theirs.predict_proba(whole), atol=0.02)


def test_without_features_there_are_no_weights_on_them():
    maps = fit_maps(TEXTS, every_head(TARGETS), COUNTS, SEED)
    assert {dense.shape for dense in maps.dense.values()} == {(0, 4)}


def test_features_that_tell_the_label_are_heeded_where_the_words_are_new():
    telling = 3.0 * np.eye(3)[TARGETS]
    dense = fit_maps(TEXTS, every_head(TARGETS), COUNTS, SEED, telling).dense["topic"]
    assert (dense.argmax(axis=1) == np.arange(3)).all()


def test_equal_texts_are_fitted_as_others_are():
    logits = fit_ngrams(TEXTS * 3, every_head(np.tile(TARGETS, 3))).logits(TEXTS)
    assert (logits["topic"].argmax(axis=1) == TARGETS).all()


def test_more_texts_than_there_are_words_are_fitted_too():
    rng = np.random.default_rng(0)
    said = rng.integers(2, size=(200, len(WHERE)))
    texts = [" ".join(word for word, is_said in zip(WHERE, line, strict=True) if is_said) for line in said]
    logits = fit_maps(texts, every_head(said[:, 0]), COUNTS, SEED, rng.normal(size=(200, 16))).ngrams.logits(texts)
    assert (logits["topic"].argmax(axis=1) == said[:, 0]).all()


def test_the_same_seed_gives_the_same_weights():
    first, second = (fit_maps(TEXTS, every_head(TARGETS), COUNTS, 3).ngrams for _ in range(2))
    for head in HEADS:
        np.testing.assert_array_equal(first.weights[head], second.weights[head])


def test_a_text_with_a_label_of_its_own_is_known_by_heart_but_not_out_of_fold():
    texts, targets = [*TEXTS, UNIQUE], every_head(np.append(TARGETS, 3))
    folds = np.arange(len(texts)) % 5
    by_heart = fit_ngrams(texts, targets).logits([UNIQUE])
    unseen = out_of_fold(texts, targets, COUNTS, 0, folds)
    for head in HEADS:
        assert by_heart[head][0].argmax() == 3
        assert unseen[head][-1].argmax() != 3
        assert np.exp(unseen[head][-1, 3]) < 0.05


def test_a_rows_own_label_and_its_folds_change_nothing_of_what_is_said_of_it():
    folds = np.arange(len(TEXTS)) % 4
    other = np.where(folds == 1, (TARGETS + 1) % 3, TARGETS)
    before, after = (out_of_fold(TEXTS, every_head(t), COUNTS, 0, folds) for t in (TARGETS, other))
    for head in HEADS:
        np.testing.assert_array_equal(before[head][folds == 1], after[head][folds == 1])
        assert np.abs(before[head][folds != 1] - after[head][folds != 1]).max() > 0.1


def test_every_row_gets_log_probabilities_out_of_fold():
    said = out_of_fold(TEXTS, every_head(TARGETS), COUNTS, 0, np.arange(len(TEXTS)) % 3)
    for scores in said.values():
        assert scores.shape == (len(TEXTS), 4)
        np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1.0, atol=1e-5)
        assert (scores.argmax(axis=1) == TARGETS).mean() > 0.9


def test_the_span_of_some_texts_answers_nearly_as_that_of_all(monkeypatch: pytest.MonkeyPatch):
    sample = pd.read_csv(CHECKOUT / "data" / "samples" / "complaints.csv")
    rows = sample.dropna(subset=["sector"]).sample(frac=1, random_state=0)
    rows = rows[rows["sector"].isin(rows["sector"].value_counts().index[:5])].drop_duplicates("text").head(500)
    sectors = pd.factorize(rows["sector"], sort=True)[0].astype(np.int64)
    texts, unseen = rows["text"].tolist()[:400], rows["text"].tolist()[400:]
    targets, counts = every_head(sectors[:400]), dict.fromkeys(HEADS, 5)
    whole = fit_ngrams(texts, targets, counts).logits(unseen)["sector"]
    monkeypatch.setattr(module, "MOST_TEXTS", 300)
    part = fit_ngrams(texts, targets, counts).logits(unseen)["sector"]
    assert (whole.argmax(axis=1) == part.argmax(axis=1)).mean() >= 0.8
    accuracies = [(scores.argmax(axis=1) == sectors[400:]).mean() for scores in (whole, part)]
    assert accuracies[0] > 0.6
    assert accuracies[1] >= accuracies[0] - 0.05


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
