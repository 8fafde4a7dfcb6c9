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
from benchmarks.classifier_quality.benchmark import AIMS, add_earlier, targets
from benchmarks.classifier_quality.candidates import CANDIDATES
from benchmarks.classifier_quality.corpus import Fold, load_corpus, recipe_hash
from benchmarks.classifier_quality.rivals import frozen_vectors
from benchmarks.results import Target, interval, markdown_table, resample_weights, write_results
from data.errors import ColumnsError, FileError
from data.settings import CHECKOUT
from models.classifier.labels import HEADS
from training.classifier.calibrate import fit_threshold
from training.classifier.splits import cross_validation_folds, text_keys
from training.evaluate.metrics import head_metrics


@pytest.fixture
def answers():
    """Truth and scores of 300 rows, ten labels of falling frequency, right more often than not."""
    rng = np.random.default_rng(3)
    truth = rng.choice(10, size=300, p=np.arange(10, 0, -1) / 55)
    return truth, rng.normal(size=(300, 10)) + 2 * np.eye(10)[truth]


CHEAP = [name for name, candidate in CANDIDATES.items() if "arguments" not in candidate.recipe]
"""Those that take seconds; the others train the product, which tests/training does."""


def test_figures_are_those_of_training_metrics(answers):
    truth, scores = answers
    ours = quality.estimates(truth, scores, resample_weights(len(truth), 50))
    theirs = head_metrics(truth, scores)
    assert {key: ours[key].value for key in quality.FIGURES} == pytest.approx(
        {key: getattr(theirs, key) for key in quality.FIGURES}, abs=1e-6
    )


def test_each_resample_is_the_figure_of_the_rows_drawn(answers):
    truth, scores = answers
    weights = resample_weights(len(truth), 5)
    resampled = quality.weighted_figures(truth, scores, weights)
    for i, weight in enumerate(weights):
        drawn = np.repeat(np.arange(len(truth)), weight.astype(int))
        assert len(drawn) == len(truth)
        theirs = head_metrics(truth[drawn], scores[drawn])
        for key in quality.FIGURES:
            assert resampled[key][i] == pytest.approx(getattr(theirs, key), abs=1e-6)


def test_the_interval_of_accuracy_is_that_of_scipy(answers):
    from scipy.stats import bootstrap

    truth, scores = answers
    ours = quality.estimates(truth, scores, resample_weights(len(truth), 4000))["accuracy"]
    correct = (scores.argmax(axis=1) == truth).astype(float)
    theirs = bootstrap((correct,), np.mean, n_resamples=4000, method="percentile", rng=0).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert ours.low < ours.value < ours.high


def test_a_paired_difference_is_narrower_than_an_unpaired_one(answers):
    truth, scores = answers
    better = scores + 0.3 * np.eye(10)[truth]
    weights, others = resample_weights(len(truth)), resample_weights(len(truth), seed=1)
    ours = quality.estimates(truth, better, weights)["accuracy"]
    paired = quality.difference(ours, quality.estimates(truth, scores, weights)["accuracy"])
    unpaired = quality.difference(ours, quality.estimates(truth, scores, others)["accuracy"])
    assert paired.low > 0
    assert paired.high - paired.low < (unpaired.high - unpaired.low) / 2


@pytest.mark.parametrize(
    ("scores", "probabilities", "confidence"),
    [([[0.7, 0.2, 0.1]], True, 0.7), ([[-1.0, 0.5, 2.0]], False, 1.5), ([[0.4]], False, 0.4)],
)
def test_confidence_is_a_probability_or_a_lead(scores, probabilities, confidence):
    assert quality.confidences(np.array(scores), probabilities)[0] == pytest.approx(confidence)


def test_calibration_error_is_small_for_honest_confidences_and_large_for_boasts():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1, 5000)
    correct = rng.uniform(size=5000) < confidence
    honest, boast = (quality.calibration_figures(c, correct) for c in (confidence, confidence**0.2))
    assert honest["ece"] < 0.03 < 0.2 < boast["ece"]
    assert honest["brier"] < boast["brier"]
    assert [part["rows"] for part in honest["reliability"]] == [334] * 5 + [333] * 10


def test_thresholds_are_fitted_on_the_other_folds_only():
    rng = np.random.default_rng(0)
    confidence, folds = rng.uniform(size=3000), np.arange(3000) % 5
    correct = rng.uniform(size=3000) < confidence**0.3
    promise = quality.coverage_at_precision(confidence, correct, folds, 0.9)
    routed = [
        confidence[folds == fold] >= fit_threshold(confidence[folds != fold], correct[folds != fold], 0.9).value
        for fold in range(5)
    ]
    assert promise.rows == sum(part.sum() for part in routed)
    assert promise.coverage == pytest.approx(promise.rows / 3000)
    assert promise.precision == pytest.approx(0.9, abs=0.02)


def test_a_model_that_cannot_keep_the_promise_routes_nothing():
    promise = quality.coverage_at_precision(np.linspace(0, 1, 100), np.arange(100) % 2 == 0, np.arange(100) % 5)
    assert (promise.precision, promise.coverage, promise.rows) == (None, 0.0, 0)


def test_risk_falls_with_coverage_when_confidence_means_something():
    confidence = np.linspace(0, 1, 200)
    curve = quality.risk_coverage(confidence, confidence > 0.25, 10)
    assert [point["coverage"] for point in curve] == pytest.approx(np.linspace(0.1, 1, 10))
    assert [point["risk"] for point in curve][:7] == [0.0] * 7
    assert curve[-1]["risk"] == pytest.approx(0.25, abs=0.01)


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


@pytest.fixture(scope="module")
def folder(tmp_path_factory, sample):
    """A folder laid out as that of the real data, of the bundled sample's texts."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "text").mkdir()
    columns = ["id", "text", "sector", "topic", "agency"]
    frequent = sample["sector"].isin(sample["sector"].value_counts().index[:3])
    for name, part in (("kursk", slice(0, 130)), ("ryazan", slice(130, 240))):
        sample[frequent].iloc[part][columns].to_csv(folder / "text" / f"{name}.csv", index=False)
    return folder


@pytest.fixture
def corpus(folder, tmp_path, at_home):
    at_home(tmp_path)
    return load_corpus(folder / "text" / "kursk.csv")


def test_labels_with_fewer_than_five_rows_are_neither_taught_nor_scored(corpus):
    for head in HEADS:
        rows = corpus.frame[head].map(corpus.frame[head].value_counts())
        assert_array_equal(corpus.targets[head] >= 0, rows >= 5)
        named = [corpus.labels.names[head][i] for i in corpus.targets[head] if i >= 0]
        assert named == corpus.frame[head][rows >= 5].tolist()


@pytest.mark.parametrize("name", CHEAP)
def test_a_candidate_beats_guessing_and_repeats_itself(name, corpus, small_encoder):
    fold = Fold(corpus, 0, *cross_validation_folds(corpus.frame, 3)[0])
    recipe = dict(CANDIDATES[name].recipe)
    quick = {"encoder": str(small_encoder), "max_tokens": 32, "epoch": 40}
    recipe |= {key: value for key, value in quick.items() if key in recipe}
    scores, again = (CANDIDATES[name].fit_predict(fold, recipe) for _ in range(2))
    for head in HEADS:
        assert scores[head].shape == (len(fold.test), len(corpus.labels.names[head]))
        assert np.isfinite(scores[head]).all()
        assert_array_equal(scores[head], again[head])
        if CANDIDATES[name].probabilities:
            assert scores[head].sum(axis=1) == pytest.approx(1, abs=0.01)
    truth = corpus.targets["sector"][fold.test]
    most_frequent = np.bincount(truth).max() / len(truth)
    assert (scores["sector"].argmax(axis=1) == truth).mean() > most_frequent


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


def test_an_absent_corpus_or_column_is_named(tmp_path, at_home):
    at_home(tmp_path)
    with pytest.raises(FileError, match=r"text/kursk\.csv"):
        load_corpus(tmp_path / "text" / "kursk.csv")
    (tmp_path / "bare.csv").write_text("id,text,sector\n1,яма,дороги\n", encoding="utf-8")
    with pytest.raises(ColumnsError, match="column 'topic' is missing"):
        load_corpus(tmp_path / "bare.csv")


def test_a_students_base_reads_no_text_of_its_corpus_nor_one_like_it(corpus, folder, monkeypatch):
    from benchmarks.classifier_quality import student

    texts = corpus.frame["text"].tolist()
    pd.DataFrame({"text": ["спасибо за тепло", f"{texts[0].upper()} !!"]}).to_csv(folder / "text" / "gratitude.csv")
    pd.DataFrame({"text": ["опять яма у дома", None]}).to_csv(folder / "text" / "perm_unlabelled.csv")
    monkeypatch.setattr(student, "real_data", lambda: folder)
    taught = student.other_texts(corpus)
    assert {"спасибо за тепло", "опять яма у дома"} <= set(taught)
    assert len(taught) > 2000
    assert not set(text_keys(pd.Series(taught))) & set(text_keys(corpus.frame["text"]))


def test_the_student_is_held_against_the_winner_and_the_lexical_rival():
    def figures(accuracy: float, macro_f1: float) -> dict[str, dict[str, float]]:
        return {"accuracy": {"value": accuracy}, "macro_f1": {"value": macro_f1}}

    candidates = {"winner": figures(0.82, 0.55), "student": figures(0.81, 0.47), "tfidf_svm": figures(0.79, 0.48)}
    measured = {"kursk": {"rows": 100, "heads": {head: {"candidates": candidates} for head in HEADS}}}
    goals = {goal.name: goal.met for goal in targets(measured) if "student" in goal.name}
    assert goals["kursk topic accuracy: student on winner"]
    assert goals["kursk topic accuracy: student on tfidf_svm"]
    assert not goals["kursk topic macro_f1: student on tfidf_svm"]


def test_without_a_winner_every_target_is_there_and_unmet():
    measured = {name: {"rows": 100, "heads": {head: {"candidates": {}} for head in HEADS}} for name in AIMS}
    goals = targets(measured)
    assert len(goals) == len({goal.name for goal in goals}) == 2 * (3 * (8 + 3) + 1)
    assert not any(goal.met for goal in goals)


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ({}, ["tfidf_svm", "winner"]),
        ({"data": {"kursk": "another"}}, ["tfidf_svm"]),
        ({"protocol": {"folds": 3}}, ["tfidf_svm"]),
        ({"candidates": {"winner": {"recipe": {"arguments": {"epochs": 9}}}}}, ["tfidf_svm"]),
    ],
)
def test_earlier_figures_stand_only_for_the_same_data_folds_and_recipe(tmp_path, changed, kept):
    def figures(name, value):
        heads = {head: {"candidates": {name: {"accuracy": {"value": value}}}} for head in HEADS}
        return {"kursk": {"seconds": {name: 1.0}, "deletion": {}, "heads": heads}}

    data, protocol = {"kursk": "abc"}, {"folds": 5}
    recipes = {"winner": {"recipe": dict(CANDIDATES["winner"].recipe)}}
    earlier = {"commit": "c0ffee", "data": data, "protocol": protocol, "candidates": recipes}
    path = tmp_path / "earlier.json"
    path.write_text(json.dumps(earlier | {"corpora": figures("winner", 0.5)} | changed), encoding="utf-8")
    measured = figures("tfidf_svm", 0.4)
    add_earlier(measured, path, data, protocol)
    assert list(measured["kursk"]["heads"]["sector"]["candidates"]) == kept
    assert measured["kursk"].get("earlier", {}) == ({"winner": "c0ffee"} if "winner" in kept else {})


def environment(home: Path, folder: Path | None) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "TSUR_REAL_DATA"}
    real = {"TSUR_REAL_DATA": str(folder)} if folder else {}
    return kept | {"TSUR_HOME": str(home), "COLUMNS": "200", "OMP_NUM_THREADS": "1"} | real


def script(*options: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "benchmarks.classifier_quality",
        "--candidates",
        "tfidf_svm",
        "--folds",
        "2",
        *options,
    ]


def test_the_script_goes_on_after_a_kill_and_writes_its_results(tmp_path, folder):
    out, table, env = tmp_path / "out.json", tmp_path / "table.md", environment(tmp_path / "home", folder)
    killed = subprocess.Popen(script("--out", str(out)), cwd=CHECKOUT, env=env, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (kept := list(tmp_path.glob("home/benchmarks/*/*/*/fold-?-of-2.npz"))) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    before = {path: path.stat().st_mtime_ns for path in kept}
    command = script("--out", str(out), "--table", str(table))
    done = subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=True)
    assert "kursk, tfidf_svm, fold 0: computed before" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    assert len(list(tmp_path.glob("home/benchmarks/*/*/*/fold-?-of-2.npz"))) == 4
    content = json.loads(out.read_text(encoding="utf-8"))
    assert set(content["data"]) == {"kursk", "ryazan"}
    figures = content["corpora"]["kursk"]["heads"]["sector"]["candidates"]["tfidf_svm"]
    assert figures["accuracy"]["low"] <= figures["accuracy"]["value"] <= figures["accuracy"]["high"]
    assert len(content["targets"]) == 68
    assert str(tmp_path) not in out.read_text(encoding="utf-8")
    assert "| TF-IDF, SVM |" in table.read_text(encoding="utf-8")
    assert table.read_text(encoding="utf-8") in done.stdout


def test_one_fold_is_an_exploration_and_writes_no_results(tmp_path, folder):
    out = tmp_path / "out.json"
    command = script("--fold", "1", "--corpora", "ryazan", "--out", str(out))
    env = environment(tmp_path / "home", folder)
    done = subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=True)
    assert "fold 1 only: an exploration" in done.stdout
    assert "Kursk" not in done.stdout
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "set TSUR_REAL_DATA to their folder"),
        (["--candidates", "oracle"], "no candidate 'oracle': known are tfidf_svm"),
        (["--fold", "2"], "fold 2 is not one of 0 to 1"),
    ],
)
def test_what_cannot_be_run_ends_with_one_sentence_and_status_2(tmp_path, options, sentence):
    command, env = script(*options), environment(tmp_path, None)
    done = subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
