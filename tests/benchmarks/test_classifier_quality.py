"""The classifier's benchmark: its corpora, its rivals, its figures from kept answers, its targets."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from benchmarks.classifier_quality.answers import Answers, answers_path, keep_answers, kept_answers, pooled
from benchmarks.classifier_quality.contenders import (
    HEADS_ONLY,
    LEXICAL,
    PLACED,
    PRODUCT,
    STRONGEST,
    STUDENT,
    contenders,
)
from benchmarks.classifier_quality.corpus import Fold, folds_of, load_corpus, recipe_hash
from benchmarks.classifier_quality.measured import Judged, corpus_figures, with_earlier
from benchmarks.classifier_quality.rivals import frozen_vectors, tfidf_frozen_svm, tfidf_svm
from benchmarks.classifier_quality.tables import markdown
from benchmarks.classifier_quality.targets import targets
from data.errors import ColumnsError, FileError
from models.classifier.labels import HEADS
from training.evaluate.metrics import expected_calibration_error


def test_every_row_and_every_label_is_there(corpus, folder):
    written = pd.read_csv(folder / "text" / "kursk.csv", dtype={"id": str}, keep_default_na=False)
    assert corpus.frame["id"].tolist() == written["id"].tolist()
    for head in HEADS:
        named = [corpus.labels.names[head][i] if i >= 0 else "" for i in corpus.targets[head]]
        assert named == written[head].tolist()


def test_folds_judge_every_row_once_and_the_rare_are_rare_in_training(corpus):
    folds = folds_of(corpus)
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(len(corpus.frame)))
    for fold in folds:
        assert not set(fold.train) & set(fold.test)
        train, test = fold.rows
        counts = test["topic"].map(train["topic"].value_counts()).fillna(0)
        assert_array_equal(fold.rare("topic"), counts < 5)


def test_petersburg_is_judged_by_moscow_time_and_its_district_can_stand_before_the_text(folder, tmp_path, at_home):
    at_home(tmp_path)
    corpus = load_corpus(folder / "text" / "petersburg.csv")
    (fold,) = folds_of(corpus)
    assert len(fold.train) == 72  # twelve hours at one in ten minutes, to midnight in Moscow
    assert len(fold.train) + len(fold.test) == len(corpus.frame) == 160
    plain, placed = fold.texts[1], fold.placed_texts[1]
    places = fold.rows[1]["municipality"]
    assert places.notna().any()
    expected = [f"{place} {text}" if place else text for place, text in zip(places, plain, strict=True)]
    assert placed == expected


def test_the_masked_text_of_an_import_is_what_all_contenders_read(folder, tmp_path, at_home):
    at_home(tmp_path)
    (tmp_path / "text").mkdir()
    rows = pd.DataFrame({"id": ["1"], "text": ["Звоните 8 910 555-12-34"], **{head: ["а"] for head in HEADS}})
    rows.to_csv(tmp_path / "text" / "kursk.csv", index=False)
    assert load_corpus(tmp_path / "text" / "kursk.csv").frame["text"].tolist() == ["Звоните [ТЕЛЕФОН]"]


@pytest.mark.parametrize("name", [LEXICAL, PLACED, STRONGEST])
def test_a_rival_beats_guessing_and_repeats_itself(name, corpus, small_encoder):
    fold = folds_of(corpus)[0]
    recipe = dict(contenders()[name].recipe)
    recipe |= {"encoder": str(small_encoder), "max_tokens": 32} if "encoder" in recipe else {}
    rival = tfidf_frozen_svm if name == STRONGEST else tfidf_svm
    scores, again = (rival(fold, recipe) for _ in range(2))
    for head in HEADS:
        assert scores[head].shape == (len(fold.test), len(corpus.labels.names[head]))
        assert np.isfinite(scores[head]).all()
        assert_array_equal(scores[head], again[head])
        unseen = np.setdiff1d(np.arange(scores[head].shape[1]), corpus.targets[head][fold.train])
        assert not np.isin(Answers.of_scores(scores).given[head], unseen).any()
    truth = corpus.targets["sector"][fold.test]
    most_frequent = np.bincount(truth).max() / len(truth)
    assert (Answers.of_scores(scores).given["sector"] == truth).mean() > most_frequent


def test_frozen_vectors_are_computed_once_for_an_encoder(corpus, small_encoder):
    recipe = {"encoder": str(small_encoder), "prefix": "query: ", "max_tokens": 16}
    vectors = frozen_vectors(corpus, recipe)
    assert vectors.shape == (len(corpus.frame), 384)
    (kept,) = corpus.work.glob("vectors-*.npy")
    written = kept.stat().st_mtime_ns
    assert_array_equal(frozen_vectors(corpus, recipe | {"c": 3}), vectors)
    assert kept.stat().st_mtime_ns == written
    assert not np.allclose(frozen_vectors(corpus, recipe | {"max_tokens": 8}), vectors)


def test_any_change_of_a_recipe_gives_it_another_hash():
    assert recipe_hash({"a": 1, "b": 2}) == recipe_hash({"b": 2, "a": 1})
    assert len({recipe_hash(recipe) for recipe in ({}, {"a": 1}, {"a": 2}, {"b": 1}, {"a": 1, "b": None})}) == 5
    plain, told = contenders(), contenders(["seed=1"])
    assert plain[LEXICAL].recipe == told[LEXICAL].recipe
    assert len({recipe_hash(c[name].recipe) for c in (plain, told) for name in (PRODUCT, HEADS_ONLY, STUDENT)}) == 6


def test_an_absent_corpus_or_column_is_named(tmp_path, at_home):
    at_home(tmp_path)
    with pytest.raises(FileError, match=r"text/kursk\.csv"):
        load_corpus(tmp_path / "text" / "kursk.csv")
    (tmp_path / "bare.csv").write_text("id,text,sector\n1,яма,дороги\n", encoding="utf-8")
    with pytest.raises(ColumnsError, match="column 'topic' is missing"):
        load_corpus(tmp_path / "bare.csv")


def said(fold: Fold, wrong: float, routed: bool = False) -> Answers:
    """The true labels, a share of the rows answered with the next label; the surest half is routed."""
    size, rng = len(fold.test), np.random.default_rng(fold.number)
    given, likeliest = {}, {}
    for head in HEADS:
        truth, labels = fold.corpus.targets[head][fold.test], len(fold.corpus.labels.names[head])
        given[head] = np.where(rng.random(size) < wrong, (truth + 1) % labels, np.maximum(truth, 0))
        likeliest[head] = np.column_stack([given[head], np.full(size, -1), np.full(size, -1)])
    promises = {0.95: np.arange(size) % 2 == 0} if routed else {}
    confidence = {head: np.full(size, 1 - wrong) for head in HEADS} if routed else {}
    sure = {"topic": np.arange(size) % 4 == 0} if routed else {}
    return Answers(given, likeliest, confidence, promises, sure, seconds=2.0, commit="c0ffee")


def test_kept_answers_come_back_as_they_were_and_not_for_another_split(corpus, tmp_path):
    fold, path = folds_of(corpus)[0], tmp_path / "some" / "fold.npz"
    answers = said(fold, 0.3, routed=True)
    keep_answers(path, fold, answers)
    again = kept_answers(path, fold)
    assert again is not None
    assert (again.seconds, again.commit) == (2.0, "c0ffee")
    assert_array_equal(again.routed[0.95], answers.routed[0.95])
    assert_array_equal(again.sure["topic"], answers.sure["topic"])
    for head in HEADS:
        assert_array_equal(again.given[head], answers.given[head])
        assert_array_equal(again.likeliest[head], answers.likeliest[head])
    assert kept_answers(path, Fold(corpus, 0, 5, fold.train[1:], fold.test)) is None
    assert kept_answers(tmp_path / "none.npz", fold) is None
    assert len(pooled([answers, again]).given["sector"]) == 2 * len(fold.test)


def test_answers_of_the_command_are_read_by_id_and_other_labels_are_wrong(corpus, tmp_path):
    names = {head: corpus.labels.names[head] for head in HEADS}
    table = pd.DataFrame({"id": ["b", "a"], "decision": ["route", "review"], "reasons": ["", "low_confidence"]})
    table["topic sure"] = [1, 0]
    for head in HEADS:
        table[f"{head} given"] = [names[head][1], "Прочее"]
        table[f"{head} confidence"] = [0.75, 0.5]
        for place, label in enumerate((names[head][1], names[head][0], ""), start=1):
            table[f"{head} {place}"] = label
    table["routed at 0.9"], table["routed at 0.95"] = [1, 1], [1, 0]
    table.to_csv(tmp_path / "answers.csv", sep=";", index=False, encoding="utf-8-sig")
    answers = Answers.of_file(tmp_path / "answers.csv", pd.Series(["a", "b"]), corpus.labels)
    assert answers.given["topic"].tolist() == [-1, 1]
    assert answers.likeliest["topic"].tolist() == [[1, 0, -1]] * 2
    assert answers.confidence["agency"].tolist() == [0.5, 0.75]
    assert answers.sure["topic"].tolist() == [False, True]
    assert {promise: routed.tolist() for promise, routed in answers.routed.items()} == {
        0.9: [True, True],
        0.95: [False, True],
    }
    with pytest.raises(KeyError):
        Answers.of_file(tmp_path / "answers.csv", pd.Series(["a", "c"]), corpus.labels)


@pytest.fixture
def measured(corpus):
    """Figures of the strongest rival, wrong in four of ten, and of the product, wrong in two of ten."""
    every, folds = contenders(), folds_of(corpus)
    for fold in folds:
        keep_answers(answers_path(STRONGEST, every[STRONGEST].recipe, fold), fold, said(fold, 0.4))
        keep_answers(answers_path(PRODUCT, every[PRODUCT].recipe, fold), fold, said(fold, 0.2, routed=True))
    return {"kursk": corpus_figures(folds, every)}


def test_figures_of_a_corpus_count_every_row_that_has_the_label(measured, corpus):
    figures = measured["kursk"]
    assert list(figures["contenders"]) == [STRONGEST, PRODUCT]
    ours = figures["contenders"][PRODUCT]
    assert (figures["rows"], figures["judged"]) == (130, 130)
    assert figures["heads"]["agency"]["rows"] == corpus.frame["agency"].notna().sum() < 130
    judged = Judged(folds_of(corpus), resamples=10)
    answers = pooled([said(fold, 0.2, routed=True) for fold in folds_of(corpus)])
    right = judged.right(answers, "topic")
    assert ours["heads"]["topic"]["accuracy"]["value"] == pytest.approx(right.mean())
    assert ours["heads"]["topic"]["rare"]["value"] == pytest.approx(right[judged.rare["topic"]].mean())
    ece = expected_calibration_error(np.full(130, 0.8), right)
    assert ours["heads"]["topic"]["ece"] == pytest.approx(ece)
    gain = ours["heads"]["topic"]["difference"]
    assert gain["rival"] == STRONGEST
    assert gain["accuracy"]["low"] > 0
    assert "difference" not in figures["contenders"][STRONGEST]["heads"]["topic"]
    assert ours["routing"]["0.95"]["coverage"]["value"] == pytest.approx(answers.routed[0.95].mean())
    assert sum(sector["rows"] for sector in ours["by_sector"]) == 130
    assert ours["seconds"] == 10.0


def test_targets_are_gains_and_promises_and_the_student_where_it_is_measured(measured):
    goals = {goal.name: goal for goal in targets(measured)}
    assert goals["kursk topic accuracy: gain on tfidf_frozen_svm"].met
    assert len(goals) == 6 + 1 + 3
    other = json.loads(json.dumps(measured["kursk"]))
    other["contenders"][STUDENT] = other["contenders"][STRONGEST]
    both = {goal.name: goal for goal in targets(measured | {"ryazan": other})}
    assert both["kursk and ryazan: gains whose interval excludes zero"].value == 12
    assert not both["ryazan topic accuracy: student on tsur"].met


def test_petersburgs_targets_are_the_gains_on_the_rival_with_the_district_for_the_agency():
    def block(accuracy: float, rival: str) -> dict[str, object]:
        return {
            "difference": {"rival": rival, **{k: {"value": accuracy, "low": 0.0} for k in ("accuracy", "macro_f1")}}
        }

    heads = {head: block(0.05, LEXICAL) for head in HEADS}
    routing = {"0.95": {"coverage": {"value": 0.4}, "agency": {"value": 0.94}}}
    figures = {"contenders": {PRODUCT: {"heads": heads, "routing": routing}}}
    goals = {goal.name: goal.met for goal in targets({"petersburg": figures})}
    assert goals["petersburg topic macro_f1: gain on tfidf_svm"]
    assert not goals["petersburg agency accuracy: gain on tfidf_svm_place"]  # six points are asked for
    assert goals["petersburg coverage at 0.95 promised"]
    assert goals["petersburg precision at 0.95 promised"]
    assert not goals["petersburg topic ECE"]
    unmeasured = targets({"petersburg": {"contenders": {}}})
    assert not any(goal.met for goal in unmeasured)


def test_the_table_has_a_line_a_contender_and_head_and_what_is_routed(measured):
    text = markdown(measured)
    assert "Kursk, 130 of 130 complaints judged" in text
    assert text.count("| TSUR |") == len(HEADS) + 1
    assert "| TSUR | 95% |" in text


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ({}, [STRONGEST, PRODUCT]),
        ({"data": "another"}, [STRONGEST]),
        ({"protocol": {"folds": 3}}, [STRONGEST]),
        ({"recipe": "another"}, [STRONGEST]),
    ],
    ids=["the same", "other rows", "another protocol", "another recipe"],
)
def test_earlier_figures_stand_only_for_the_same_rows_protocol_and_recipe(measured, tmp_path, changed, kept):
    before = json.loads(json.dumps(measured))
    del before["kursk"]["contenders"][STRONGEST]
    before["kursk"]["data"] = changed.get("data", before["kursk"]["data"])
    before["kursk"]["contenders"][PRODUCT]["recipe"] = changed.get(
        "recipe", before["kursk"]["contenders"][PRODUCT]["recipe"]
    )
    earlier = {"protocol": changed.get("protocol", {"folds": 5}), "corpora": before}
    (tmp_path / "earlier.json").write_text(json.dumps(earlier), encoding="utf-8")
    del measured["kursk"]["contenders"][PRODUCT]
    found = with_earlier(measured, tmp_path / "earlier.json", {"folds": 5}, contenders())
    assert list(found["kursk"]["contenders"]) == kept
    alone = with_earlier({}, tmp_path / "earlier.json", {"folds": 5}, contenders())
    assert list(alone) == ([] if "protocol" in changed else ["kursk"])
