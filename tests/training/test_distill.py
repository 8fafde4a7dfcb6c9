"""Distillation: what a student learns, what is registered, what a kill does not change, what is refused."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data.importing import write_complaints
from data.settings import CHECKOUT
from models.labels import HEADS
from tests.conftest import tsur

ROWS, WIDTH, LAYERS = 240, 32, 3
QUICK = ["--layers", "1", "--set", "epochs=3", "--set", "batch_size=8", "--set", "max_tokens=32"]


@pytest.fixture(scope="module")
def teachers_home(tmp_path_factory, sample, small_encoder) -> Path:
    """A home whose champion is a small classifier on a random encoder of three layers; its rows are in it too."""
    from transformers import AutoTokenizer, BertConfig, BertModel, set_seed

    home = tmp_path_factory.mktemp("teacher")
    tokenizer = AutoTokenizer.from_pretrained(small_encoder)
    set_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=2,
        intermediate_size=64, pad_token_id=1, max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(home / "encoder")
    tokenizer.save_pretrained(home / "encoder")
    write_complaints(sample.head(ROWS), home / "rows.jsonl")
    write_complaints(sample.iloc[ROWS : 2 * ROWS].assign(sector=None, topic=None, agency=None), home / "more.jsonl")
    overrides = [f"encoder={home / 'encoder'}", "max_tokens=32", "trimmings=false", "frozen_layers=0"]
    tsur(home, "train", "classifier", str(home / "rows.jsonl"), *[a for o in overrides for a in ("--set", o)])
    return home


def command(home: Path) -> list[str]:
    return ["distill", str(home / "rows.jsonl"), "--unlabelled", str(home / "more.jsonl"), *QUICK]


@pytest.fixture(scope="module")
def distilled(teachers_home: Path) -> Path:
    """The home after a distillation that was killed once its first epoch was kept, and started again."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tsur", *command(teachers_home)],
        cwd=CHECKOUT,
        env={**os.environ, "TSUR_HOME": str(teachers_home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 300
    while not list(teachers_home.glob("training/student-*/checkpoints/checkpoint-*/trainer_state.json")):
        assert process.poll() is None, "the run ended before its first checkpoint"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not list(teachers_home.glob("students/*/fidelity.json"))
    resumed = tsur(teachers_home, *command(teachers_home))
    (teachers_home / "distilled.out").write_text(resumed.stdout, encoding="utf-8")
    return teachers_home


@pytest.fixture
def run(distilled, at_home):
    """The MLflow run of the distillation."""
    import mlflow

    from training.tracking import CLASSIFIER, connect

    at_home(distilled)
    connect(CLASSIFIER)
    version = mlflow.MlflowClient().get_model_version_by_alias(CLASSIFIER, "challenger")
    return mlflow.get_run(version.run_id)


def student_of(home: Path) -> Path:
    (folder,) = home.glob("students/*")
    return folder


def test_a_killed_distillation_goes_on_and_ends_with_the_same_student(distilled, tmp_path):
    assert "continuing from checkpoint" in (distilled / "distilled.out").read_text(encoding="utf-8")
    resumed = (student_of(distilled) / "model.safetensors").read_bytes()
    kept = tmp_path / "kept"
    shutil.copytree(student_of(distilled), kept)
    whole = tsur(distilled, *command(distilled), "--fresh")
    assert "continuing" not in whole.stdout
    assert (student_of(distilled) / "model.safetensors").read_bytes() == resumed


def test_the_student_is_an_encoder_that_the_auto_classes_load(distilled):
    from transformers import AutoModel, AutoTokenizer

    folder = student_of(distilled)
    encoder, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert encoder.config.num_hidden_layers == 1
    whole = AutoTokenizer.from_pretrained(distilled / "encoder")
    assert tokenizer("query: нет света").input_ids == whole("query: нет света").input_ids
    assert encoder(**tokenizer("нет света", return_tensors="pt")).last_hidden_state.shape[-1] == WIDTH


def test_it_is_registered_as_challenger_and_the_champion_stays(run, distilled):
    import mlflow

    from training.tracking import CLASSIFIER, champion_version, version_bundle

    challenger = mlflow.MlflowClient().get_model_version_by_alias(CLASSIFIER, "challenger")
    assert champion_version(CLASSIFIER) == 1
    assert int(challenger.version) > 1
    assert run.data.params["teacher_version"] == "1"
    bundle = version_bundle(CLASSIFIER, int(challenger.version))
    assert json.loads((bundle / "encoder" / "config.json").read_text())["num_hidden_layers"] == 1


def test_its_losses_fall_and_its_figures_stand_beside_the_teachers(run, distilled):
    import mlflow

    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "validation.loss")
    losses = [point.value for point in sorted(history, key=lambda point: point.step)]
    assert len(losses) == 3
    assert losses[-1] < 0.7 * losses[0]
    figures = run.data.metrics
    assert figures["fidelity.explained"] > 0.5
    for head in HEADS:
        assert 0 < figures[f"teacher.{head}.accuracy"] <= 1
        assert 0 < figures[f"test.{head}.accuracy"] <= 1
        assert figures[f"fidelity.{head}.divergence"] >= 0
        assert figures[f"likeness.{head}.divergence"] >= 0
        assert figures[f"likeness.{head}.agreement"] > 0.5
        assert head in (distilled / "distilled.out").read_text(encoding="utf-8")


def test_texts_of_the_test_rows_teach_nothing(distilled, at_home, sample):
    from data.importing import read_complaints
    from training.arguments import ClassifierTraining
    from training.distill import _job, _texts
    from training.splits import text_keys
    from training.tracking import CLASSIFIER, version_bundle

    at_home(distilled)
    rows = read_complaints(distilled / "rows.jsonl")
    job = _job(rows, version_bundle(CLASSIFIER, 1), 1, ClassifierTraining())
    tested = job.frame["text"].iloc[job.splits.test]
    unlabelled = rows.assign(text=[f"{text} !" for text in rows["text"]])
    taught = _texts(rows, [unlabelled], job)
    import pandas as pd

    assert len(tested) > 20
    assert not set(text_keys(tested)) & set(text_keys(pd.Series(taught)))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (["--layers", "3"], "a student of 3 layers is not smaller than its teacher of 3"),
        (["--layers", "0"], "layers"),
        (["--set", "layer=2"], "did you mean 'layers'"),
        (["--set", "teacher=77"], "version 77"),
        (["--set", "teacher=best"], "teacher"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(teachers_home, wrong, sentence):
    refused = tsur(teachers_home, "distill", str(teachers_home / "rows.jsonl"), *wrong, check=False)
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr


def test_without_a_champion_there_is_no_teacher(teachers_home, tmp_path):
    refused = tsur(tmp_path, "distill", str(teachers_home / "rows.jsonl"), check=False)
    assert refused.returncode == 2
    assert "error (no_champion)" in refused.stderr
