"""Benchmarks: figures that hold against their definitions, and a script that goes on where it was stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from benchmarks.classifier_quality import figures as quality
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
from benchmarks.classifier_quality.corpus import Corpus, Fold, folds_of, load_corpus, recipe_hash
from benchmarks.classifier_quality.measured import Judged, corpus_figures, with_earlier
from benchmarks.classifier_quality.rivals import frozen_vectors, tfidf_frozen_svm, tfidf_svm
from benchmarks.classifier_quality.tables import markdown
from benchmarks.classifier_quality.targets import targets
from benchmarks.results import Target, interval, markdown_table, resample_weights, write_results
from data.errors import ColumnsError, FileError
from data.settings import CHECKOUT
from models.classifier.labels import HEADS
from training.evaluate.metrics import expected_calibration_error, head_metrics

LABELS = 10


@pytest.fixture
def answers():
    """Truth, labels given and the three likeliest of 300 rows, ten labels of falling frequency, often right."""
    rng = np.random.default_rng(3)
    truth = rng.choice(LABELS, size=300, p=np.arange(LABELS, 0, -1) / 55)
    scores = rng.normal(size=(300, LABELS)) + 2 * np.eye(LABELS)[truth]
    return truth, *best(scores), scores


def best(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    falling = np.argsort(-scores, axis=1, kind="stable")
    return falling[:, 0], falling[:, :3]


def test_figures_are_those_of_training_metrics(answers):
    truth, given, likeliest, scores = answers
    ours = quality.estimates(truth, given, likeliest, LABELS, resample_weights(len(truth), 50))
    theirs = head_metrics(truth, scores)
    assert {key: ours[key].value for key in quality.FIGURES} == pytest.approx(
        {key: getattr(theirs, key) for key in quality.FIGURES}, abs=1e-6
    )


def test_each_resample_is_the_figure_of_the_rows_drawn(answers):
    truth, given, likeliest, scores = answers
    weights = resample_weights(len(truth), 5)
    resampled = quality.weighted_figures(truth, given, likeliest, LABELS, weights)
    for i, weight in enumerate(weights):
        drawn = np.repeat(np.arange(len(truth)), weight.astype(int))
        assert len(drawn) == len(truth)
        theirs = head_metrics(truth[drawn], scores[drawn])
        for key in quality.FIGURES:
            assert resampled[key][i] == pytest.approx(getattr(theirs, key), abs=1e-6)


def test_an_answer_that_is_no_label_is_wrong_and_spoils_no_other_label():
    truth, likeliest = np.array([0, 0, 1]), np.full((3, 3), -1)
    ours = quality.estimates(truth, np.array([0, -1, 1]), likeliest, 2, resample_weights(3, 4))
    assert ours["accuracy"].value == pytest.approx(2 / 3)
    assert ours["macro_f1"].value == pytest.approx((2 / 3 + 1) / 2)  # of the first label: recall 1/2, precision 1
    assert ours["top3"].value == 0


def test_the_interval_of_accuracy_is_that_of_scipy(answers):
    from scipy.stats import bootstrap

    truth, given, likeliest, _ = answers
    ours = quality.estimates(truth, given, likeliest, LABELS, resample_weights(len(truth), 4000))["accuracy"]
    correct = (given == truth).astype(float)
    theirs = bootstrap((correct,), np.mean, n_resamples=4000, method="percentile", rng=0).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert ours.low < ours.value < ours.high


def test_a_paired_difference_is_narrower_than_an_unpaired_one(answers):
    truth, given, likeliest, scores = answers
    better = best(scores + 0.3 * np.eye(LABELS)[truth])
    weights, others = resample_weights(len(truth)), resample_weights(len(truth), seed=1)
    ours = quality.estimates(truth, *better, LABELS, weights)["accuracy"]
    paired = quality.difference(ours, quality.estimates(truth, given, likeliest, LABELS, weights)["accuracy"])
    unpaired = quality.difference(ours, quality.estimates(truth, given, likeliest, LABELS, others)["accuracy"])
    assert paired.low > 0
    assert paired.high - paired.low < (unpaired.high - unpaired.low) / 2


def test_what_is_routed_is_counted_over_the_rows_whose_labels_are_known():
    def bools(marks: str) -> np.ndarray:
        return np.array([mark == "x" for mark in marks])

    right = {"agency": bools("x.x.x"), "topic": bools("xx...")}
    labelled = {"agency": bools("xxxx."), "topic": bools("xxxxx")}
    routed = bools("xxx.x")
    found = quality.routed_estimates(routed, bools("x..xx"), right, labelled, resample_weights(5, 10))
    values = {key: estimate.value for key, estimate in found.items() if estimate is not None}
    expected = {"coverage": 4 / 5, "agency": 2 / 3, "topic": 2 / 4, "both": 1 / 3, "sure": 2 / 4, "sure_topic": 1 / 2}
    assert values == pytest.approx(expected)
    assert quality.share(bools("....."), routed, resample_weights(5, 3)) is None


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target.at_least("accuracy", 0.8, 0.8), True),
        (Target.at_least("accuracy", 0.79, 0.8), False),
        (Target.at_most("ECE", 0.04, 0.04), True),
        (Target.at_most("ECE", 0.05, 0.04), False),
        (Target.above("gain", 0.001, 0.0), True),
        (Target.above("gain", 0.0, 0.0), False),
        (Target.at_least("coverage", None, 0.0), False),
    ],
)
def test_a_target_is_met_from_its_value_on_and_never_unmeasured(target, met):
    assert target.met == met


def test_results_say_what_was_run_and_hold_no_path(tmp_path):
    path = tmp_path / "results" / "some.json"
    write_results(path, {"kursk": "0123"}, ["numpy"], {"figures": (1 / 3, [2])}, [Target.above("x", 0.5, 0)])
    content = json.loads(path.read_text(encoding="utf-8"))
    assert list(content) == ["commit", "data", "machine", "versions", "figures", "targets"]
    assert content["figures"] == [0.3333, [2]]
    assert content["targets"] == [{"name": "x", "value": 0.5, "target": 0, "met": True}]
    assert content["machine"]["cores"] >= 1
    assert str(CHECKOUT) not in path.read_text(encoding="utf-8")


def test_resamples_are_the_same_for_the_same_rows():
    assert_array_equal(resample_weights(40, 3), resample_weights(40, 3))
    assert (resample_weights(40, 3).sum(axis=1) == 40).all()
    assert interval(np.arange(1001.0)) == (25.0, 975.0)
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


def rows_of(sample: pd.DataFrame, part: slice) -> pd.DataFrame:
    """Some complaints of three sectors; of the topics some are rare, of the agencies some lack."""
    frequent = sample["sector"].isin(sample["sector"].value_counts().index[:3])
    chosen = sample[frequent].iloc[part].reset_index(drop=True)
    return chosen.assign(agency=chosen["agency"].where(chosen.index % 10 > 0, None))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, sample):
    """A folder laid out as that of the real data, of the bundled sample's texts."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "text").mkdir()
    columns = ["id", "text", *HEADS]
    for name, part in (("kursk", slice(0, 130)), ("ryazan", slice(130, 240))):
        rows_of(sample, part)[columns].to_csv(folder / "text" / f"{name}.csv", index=False)
    days = pd.date_range("2021-02-14 12:00", periods=160, freq="10min").strftime("%Y-%m-%d %H:%M:%S")
    timed = rows_of(sample, slice(240, 400)).assign(created_at=days)
    timed[["id", "created_at", "text", "municipality", *HEADS]].to_csv(folder / "text" / "petersburg.csv", index=False)
    return folder


@pytest.fixture
def corpus(folder, tmp_path, at_home) -> Corpus:
    at_home(tmp_path)
    return load_corpus(folder / "text" / "kursk.csv")


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


def environment(home: Path, folder: Path | None) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "TSUR_REAL_DATA"}
    real = {"TSUR_REAL_DATA": str(folder)} if folder else {}
    return kept | {"TSUR_HOME": str(home), "COLUMNS": "200", "OMP_NUM_THREADS": "1"} | real


def script(*options: str, contender: str = LEXICAL) -> list[str]:
    return [sys.executable, "-m", "benchmarks.classifier_quality", "--contenders", contender, *options]


def test_the_script_goes_on_after_a_kill_and_writes_its_results(tmp_path, folder):
    out, table, env = tmp_path / "out.json", tmp_path / "table.md", environment(tmp_path / "home", folder)
    killed = subprocess.Popen(script("--out", str(out)), cwd=CHECKOUT, env=env, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (kept := list(tmp_path.glob("home/benchmarks/*/*/*/fold-?-of-5.npz"))) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    before = {path: path.stat().st_mtime_ns for path in kept}
    command = script("--out", str(out), "--table", str(table))
    done = subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=True)
    assert "kursk, tfidf_svm, fold 0: computed before" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    assert len(list(tmp_path.glob("home/benchmarks/*/*/*/fold-?-of-?.npz"))) == 11
    content = json.loads(out.read_text(encoding="utf-8"))
    assert set(content["data"]) == {"kursk", "ryazan", "petersburg"}
    figures = content["corpora"]["kursk"]["contenders"]["tfidf_svm"]["heads"]["sector"]
    assert figures["accuracy"]["low"] <= figures["accuracy"]["value"] <= figures["accuracy"]["high"]
    assert not any(goal["met"] for goal in content["targets"])
    assert str(tmp_path) not in out.read_text(encoding="utf-8")
    assert "| TF-IDF, SVM |" in table.read_text(encoding="utf-8")
    assert table.read_text(encoding="utf-8") in done.stdout


def test_what_the_command_leaves_behind_is_what_is_judged(tmp_path, folder, small_encoder):
    """One fold, an exploration: training and evaluation in processes of their own, answers kept, home gone."""
    out, env = tmp_path / "out.json", environment(tmp_path / "home", folder)
    quick = [f"encoder={small_encoder}", "max_tokens=32", "epochs=0", "frozen_layers=0"]
    sets = [part for item in quick for part in ("--set", item)]
    command = script("--folds", "1", "--corpora", "kursk", "--out", str(out), *sets, contender=PRODUCT)
    done = subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=True)
    assert "champion: benchmark.complaint-classifier version 1" in done.stdout
    assert "not all folds: an exploration" in done.stdout
    (kept,) = tmp_path.glob("home/benchmarks/classifier_quality/kursk-*/tsur-*/fold-0-of-5.npz")
    with np.load(kept) as arrays:
        assert len(arrays["given.topic"]) == len(arrays["test"])
        assert (arrays["given.topic"] >= 0).any()
        assert "routed.0.95" in arrays.files
    assert not list(tmp_path.glob("home/benchmarks/classifier_quality/kursk-*/command-*"))
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "set TSUR_REAL_DATA to their folder"),
        (["--contenders", "oracle"], "no contender 'oracle': known are tfidf_svm"),
        (["--corpora", "omsk"], "no corpus 'omsk': known are kursk, ryazan, petersburg"),
    ],
)
def test_what_cannot_be_run_ends_with_one_sentence_and_status_2(tmp_path, options, sentence):
    command, env = script(*options), environment(tmp_path, None)
    done = subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_a_command_that_fails_says_what_it_printed_last(corpus):
    from benchmarks.classifier_quality.command import trained_by_command
    from data.errors import InputError

    recipe = {"set": ["holy=1"], "student": False}
    with pytest.raises(InputError, match=r"(?s)tsur train classifier in .* ended with 2:.*holy"):
        trained_by_command(folds_of(corpus)[0], recipe)
