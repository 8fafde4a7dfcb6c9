"""The script of the classifier's benchmark: goes on where it was stopped, judges what the command leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from benchmarks.classifier_quality.contenders import (
    LEXICAL,
    PRODUCT,
)
from benchmarks.classifier_quality.corpus import folds_of
from data.settings import CHECKOUT
from tests.benchmarks.scripts import environment


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
