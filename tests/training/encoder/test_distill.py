"""Distillation: what a student learns, what is registered, what a kill does not change, what is refused."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from data.complaints.files import read_complaints, write_complaints
from data.errors import BundleError, InputError
from data.settings import CHECKOUT
from models.classifier.bundle import encoder_folder, read_bundle
from models.classifier.labels import HEADS
from registry.client import open_registry
from registry.names import classifier_name
from tests.conftest import tsur
from tests.training.kills import kill_at
from tests.training.runs import client, run_of
from training.arguments import ClassifierTraining, Distillation
from training.classifier.job import Job
from training.classifier.splits import text_keys
from tsur.samples import SAMPLE_REGION

ROWS, WIDTH, LAYERS = 200, 32, 3
QUICK = ["--layers", "1", "--set", "epochs=3", "--set", "batch_size=8", "--set", "max_tokens=32"]

CLASSIFIER = classifier_name(SAMPLE_REGION)


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
    shutil.copytree(CHECKOUT / "configs", home / "configs")
    recipe = "max_tokens: 32\ncourtesy_augmentation: false\nngrams: false\nfrozen_layers: 0\nholdout: 0.2\n"
    (home / "configs" / "classifier.yaml").write_text(recipe, encoding="utf-8")
    wanted = ["--set", f"encoder={home / 'encoder'}"]
    tsur(home, "train", "classifier", str(home / "rows.jsonl"), *wanted, TSUR_CONFIGS=str(home / "configs"))
    return home


def command(home: Path) -> list[str]:
    return ["distill", str(home / "rows.jsonl"), "--unlabelled", str(home / "more.jsonl"), *QUICK]


@pytest.fixture(scope="module")
def distilled(teachers_home: Path) -> Path:
    """The home after a distillation that was killed once its first epoch was kept, and started again."""
    configs = {"TSUR_CONFIGS": str(teachers_home / "configs")}
    checkpoint = "training/*/student-*/checkpoints/checkpoint-*/trainer_state.json"
    kill_at(teachers_home, checkpoint, *command(teachers_home), **configs)
    assert not list(teachers_home.glob("students/*/*/fidelity.json"))
    resumed = tsur(teachers_home, *command(teachers_home), **configs)
    (teachers_home / "distilled.out").write_text(resumed.stdout, encoding="utf-8")
    return teachers_home


@pytest.fixture
def run(distilled, at_home):
    """The MLflow run of the distillation."""
    at_home(distilled)
    return run_of(CLASSIFIER, "challenger")


def student_of(home: Path) -> Path:
    (folder,) = home.glob("students/*/*")
    return folder


@pytest.fixture
def job(distilled, at_home):
    """What the distillation was told: the teacher's bundle, the job and the unlabelled rows."""
    from training.encoder.distill import teachers_job

    at_home(distilled)
    bundle = open_registry(SAMPLE_REGION).bundle(CLASSIFIER, 1)
    rows, registry = read_complaints(distilled / "rows.jsonl"), open_registry(SAMPLE_REGION)
    return teachers_job(rows, bundle, registry, CLASSIFIER, 1, ClassifierTraining())


def test_a_killed_distillation_goes_on_and_ends_with_the_same_student(distilled, job, tmp_path):
    from training.encoder.distill import taught_texts
    from training.encoder.distillation import distill_encoder
    from training.encoder.teacher import Teacher

    assert "continuing from checkpoint" in (distilled / "distilled.out").read_text(encoding="utf-8")
    rows, more = (read_complaints(distilled / name) for name in ("rows.jsonl", "more.jsonl"))
    teacher = Teacher.of_bundle(open_registry(SAMPLE_REGION).bundle(CLASSIFIER, 1))
    told: list[str] = []
    arguments = Distillation(layers=1, epochs=3, batch_size=8, max_tokens=32)
    folders = tmp_path / "work", tmp_path / "cache", tmp_path / "student"
    distill_encoder(taught_texts(rows, [more], job), teacher, arguments, *folders, told.append)
    assert not [line for line in told if "continuing" in line]
    whole, resumed = (folder / "model.safetensors" for folder in (tmp_path / "student", student_of(distilled)))
    assert whole.read_bytes() == resumed.read_bytes()


def test_the_student_is_an_encoder_that_the_auto_classes_load(distilled):
    from transformers import AutoModel, AutoTokenizer

    folder = student_of(distilled)
    encoder, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert encoder.config.num_hidden_layers == 1
    whole = AutoTokenizer.from_pretrained(distilled / "encoder")
    assert tokenizer("query: нет света").input_ids == whole("query: нет света").input_ids
    assert encoder(**tokenizer("нет света", return_tensors="pt")).last_hidden_state.shape[-1] == WIDTH


def test_it_is_registered_as_challenger_and_the_champion_stays(run, distilled):
    registry = open_registry(SAMPLE_REGION)
    challenger = registry.champion(CLASSIFIER, "challenger")
    assert registry.champion(CLASSIFIER) == 1
    assert challenger > 1
    assert run.data.params["teacher_version"] == "1"
    bundle = registry.bundle(CLASSIFIER, challenger)
    assert json.loads((encoder_folder(read_bundle(bundle)) / "config.json").read_text())["num_hidden_layers"] == 1


def test_its_losses_fall_and_its_figures_stand_beside_the_teachers(run, distilled):
    history = client().get_metric_history(run.info.run_id, "validation.loss")
    losses = [point.value for point in sorted(history, key=lambda point: point.step)]
    assert len(losses) == 3
    assert losses[-1] < 0.7 * losses[0]
    figures = run.data.metrics
    assert figures["fidelity.explained"] > 0.5
    for head in HEADS:
        assert 0 < figures[f"teacher.{head}.accuracy"] <= 1
        assert 0 < figures[f"test.{head}.accuracy"] <= 1
        assert figures[f"fidelity.{head}.divergence"] >= 0
        assert figures[f"distillation.{head}.divergence"] >= 0
        assert figures[f"distillation.{head}.agreement"] > 0.5
        assert head in (distilled / "distilled.out").read_text(encoding="utf-8")


def test_texts_of_the_test_rows_teach_nothing(distilled, job):
    from training.encoder.distill import taught_texts

    rows = read_complaints(distilled / "rows.jsonl")
    tested = job.frame["text"].iloc[job.splits.test]
    unlabelled = rows.assign(text=[f"{text} !" for text in rows["text"]])
    taught = taught_texts(rows, [unlabelled], job)
    assert 20 < len(tested) < 60
    assert len(taught) > 100
    assert not set(text_keys(tested)) & set(text_keys(pd.Series(taught)))


@pytest.fixture
def seen(job) -> pd.DataFrame:
    """The rows that the teacher was trained on."""
    return job.frame.iloc[job.splits.train].reset_index(drop=True)


def job_of(rows: pd.DataFrame, recipe: ClassifierTraining | None = None) -> Job:
    from training.encoder.distill import teachers_job

    registry = open_registry(SAMPLE_REGION)
    bundle = registry.bundle(CLASSIFIER, 1)
    return teachers_job(rows, bundle, registry, CLASSIFIER, 1, recipe or ClassifierTraining())


def test_tested_are_all_rows_that_the_teacher_has_not_seen(job, seen, sample):
    new = sample.iloc[2 * ROWS : 2 * ROWS + 30]
    both = job_of(pd.concat([seen, new], ignore_index=True))
    assert both.kept_back["id"].tolist() == new["id"].tolist()
    assert both.arguments.holdout == 0
    assert both.arguments.epochs == 0


def test_of_a_file_that_is_new_to_the_teacher_a_fifth_is_tested_and_no_row_that_it_has_seen(job, seen, sample):
    new = sample.iloc[2 * ROWS : 3 * ROWS]
    both = job_of(pd.concat([seen.head(40), new], ignore_index=True))
    assert set(both.kept_back["id"]) <= set(new["id"])
    assert len(both.kept_back) == pytest.approx(0.2 * len(new), abs=15)
    assert len(both.taught) + len(both.kept_back) == 40 + len(new)


def test_a_teacher_that_has_seen_every_row_is_refused_with_what_to_do(job, seen):
    with pytest.raises(InputError, match=r"version 1, the teacher, was fitted on all of these.* --set holdout=0\.2"):
        job_of(seen)


@pytest.fixture
def of_tuned(job, tmp_path):
    """The job of a teacher that says it was fine-tuned, on some complaints."""
    from training.encoder.distill import teachers_job

    registry = open_registry(SAMPLE_REGION)
    bundle = tmp_path / "version" / "bundle"
    shutil.copytree(registry.bundle(CLASSIFIER, 1), bundle)
    config = (bundle / "config.yaml").read_text(encoding="utf-8")
    assert "epochs: 0" in config
    (bundle / "config.yaml").write_text(config.replace("epochs: 0", "epochs: 2"), encoding="utf-8")
    recipe = ClassifierTraining(encoder=str(job.arguments.encoder), max_tokens=32, frozen_layers=0)
    return lambda rows: teachers_job(rows, bundle, registry, CLASSIFIER, 1, recipe)


def test_half_of_what_a_tuned_teacher_has_not_seen_calibrates_its_student_and_teaches_the_encoder_nothing(
    of_tuned, seen, sample
):
    from training.encoder.distill import taught_texts

    new = sample.iloc[2 * ROWS : 3 * ROWS]
    both = of_tuned(pd.concat([seen, new], ignore_index=True))
    calibrating = both.taught.iloc[both.judged]
    assert len(calibrating) == pytest.approx(len(new) / 2, abs=10)
    assert set(calibrating["id"]) | set(both.kept_back["id"]) == set(new["id"])
    assert len(both.taught) == len(seen) + len(calibrating)
    read = set(text_keys(pd.Series(taught_texts(both.frame, [], both))))
    assert not read & set(text_keys(new["text"]))


def test_only_these_rows_are_judged_when_heads_are_fitted_on_the_student(of_tuned, distilled, seen, sample, tmp_path):
    from training.classifier.train import fit_bundle

    both = of_tuned(pd.concat([seen, sample.iloc[2 * ROWS : 3 * ROWS]], ignore_index=True))
    both = replace(both, arguments=both.arguments.model_copy(update={"encoder": str(distilled / "encoder")}))
    labels = read_bundle(open_registry(SAMPLE_REGION).bundle(CLASSIFIER, 1)).labels
    fitted = fit_bundle(both, labels, tmp_path, tmp_path, print)
    assert fitted.held_out.rows.tolist() == both.judged.tolist()


def test_a_tuned_teacher_without_a_hundred_unseen_complaints_is_refused_with_what_to_do(of_tuned, seen, sample):
    new = sample.iloc[2 * ROWS : 2 * ROWS + 99]
    with pytest.raises(
        InputError, match=r"learnt labels.*100 are needed, there are 99; add new ones, or .*holdout=0\.2"
    ):
        of_tuned(pd.concat([seen, new], ignore_index=True))


def test_a_tuned_teacher_and_a_file_new_to_it_tests_a_fifth_as_any(of_tuned, sample):
    job = of_tuned(sample.iloc[2 * ROWS : 3 * ROWS])
    assert job.judged is None
    assert len(job.kept_back) == pytest.approx(0.2 * ROWS, abs=15)


@pytest.mark.parametrize(
    ("texts", "share", "made"), [(2000, "auto", 4000), (25_000, "auto", 5000), (40_000, "auto", 0), (300, 0.5, 150)]
)
def test_fewer_texts_are_made_where_there_are_many(texts, share, made):
    from training.encoder.distillation import made_of

    assert made_of(texts, share) == made


def test_the_student_is_half_as_wide_inside_as_its_teacher(distilled):
    (config,) = distilled.glob("students/*/*/config.json")
    assert json.loads(config.read_text())["intermediate_size"] == 32


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (["--layers", "3"], "a student of 3 layers is not smaller than its teacher of 3"),
        (["--layers", "0"], "layers"),
        (["--set", "layer=2"], "layers"),
        (["--set", "teacher=77"], "version 77"),
        (["--set", "teacher=best"], "teacher"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(teachers_home, at_home, monkeypatch, capsys, wrong, sentence):
    at_home(teachers_home)
    assert sentence in refusal(monkeypatch, capsys, "distill", str(teachers_home / "rows.jsonl"), *wrong)


def test_a_teacher_without_its_network_is_refused(teachers_home, at_home, tmp_path):
    from training.encoder.teacher import Teacher

    at_home(teachers_home)
    broken = shutil.copytree(open_registry(SAMPLE_REGION).bundle(CLASSIFIER, 1), tmp_path / "bundle")
    assert Teacher.of_bundle(broken).layers == LAYERS
    encoder = encoder_folder(read_bundle(Path(broken)))
    shutil.copytree(encoder, tmp_path / "encoders" / encoder.name)
    (tmp_path / "encoders" / encoder.name / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(BundleError, match="its network cannot be read"):
        Teacher.of_bundle(broken)


def test_without_a_champion_there_is_no_teacher(teachers_home, tmp_path, at_home, monkeypatch, capsys):
    at_home(tmp_path)
    assert "error (no_champion)" in refusal(monkeypatch, capsys, "distill", str(teachers_home / "rows.jsonl"))


def refusal(monkeypatch, capsys, *arguments: str) -> str:
    from tsur.cli import main

    monkeypatch.setattr(sys, "argv", ["tsur", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    return str(capsys.readouterr().err)
