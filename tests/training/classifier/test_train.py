"""Training the classifier: what a run tracks, registers and refuses, and what a kill does not change."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data.complaints.files import write_complaints
from data.complaints.masking import mask
from data.errors import InputError, LabelError
from data.settings import CHECKOUT, settings
from data.store.store import Store
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from registry.client import open_registry
from registry.connection import connected
from registry.names import classifier_name
from tests.conftest import tsur
from tests.training.kills import kill_at
from tests.training.runs import client, run_of
from training.arguments import ClassifierTraining
from training.classifier.splits import fingerprint, split_rows
from training.classifier.train import prepare
from tsur.samples import SAMPLE_REGION

CLASSIFIER = classifier_name(SAMPLE_REGION)


@pytest.fixture
def run(trained, at_home):
    """The MLflow run of the session's training."""
    at_home(trained)
    return run_of(CLASSIFIER)


def artifacts(run) -> set[str]:
    found, waiting = set(), [""]
    while waiting:
        for item in client().list_artifacts(run.info.run_id, waiting.pop()):
            waiting.append(item.path) if item.is_dir else found.add(item.path)
    return found


def test_small_model_learns_and_is_measured_beside_the_lexical_rival(run):
    majority = 283 / 2403
    assert run.data.metrics["test.sector.accuracy"] > 3 * majority
    for head in HEADS:
        for name in ("accuracy", "macro_f1", "weighted_f1", "top3"):
            assert 0 < run.data.metrics[f"test.{head}.{name}"] <= 1
            assert 0 < run.data.metrics[f"lexical.{head}.{name}"] <= 1


def test_run_tracks_parameters_epochs_fingerprint_commit_and_plots(run, sample):
    assert run.data.params["data_fingerprint"] == fingerprint(sample)
    assert set(ClassifierTraining.model_fields) <= set(run.data.params)
    assert run.data.tags["git_commit"]
    history = client().get_metric_history(run.info.run_id, "validation.sector.accuracy")
    assert [point.step for point in history] == [1, 2]
    found = artifacts(run)
    for head in HEADS:
        assert {
            f"report/labels-{head}.csv",
            f"report/confusion-{head}.csv",
            f"report/confusion-{head}.png",
        } <= found
    assert {"report/misread.csv", "splits.json"} <= found


def test_nothing_sent_to_mlflow_holds_personal_data(run, tmp_path):
    folder = Path(client().download_artifacts(run.info.run_id, "report", str(tmp_path)))
    misread = pd.read_csv(folder / "misread.csv", sep=";")
    assert len(misread) > 5
    assert [mask(text) for text in misread["text"]] == list(misread["text"])
    assert not misread["text"].str.contains(r"8-900-000|@example").any()


def test_a_trained_champion_was_promoted_on_its_figures(run, trained):
    (*_, promotion) = Store(settings().database_url, SAMPLE_REGION).promotions.of(SAMPLE_REGION, CLASSIFIER)
    assert promotion.promoted_by == "tsur train classifier"
    for head in HEADS:
        figures = promotion.evidence["test"][head]
        assert figures["accuracy"] == pytest.approx(run.data.metrics[f"test.{head}.accuracy"])


def test_champion_loads_as_a_pyfunc_and_agrees_with_the_bundle(run, trained):
    import mlflow

    mlflow.set_tracking_uri(settings().mlflow_uri)
    mlflow.set_registry_uri(settings().mlflow_uri)  # whatever an earlier test has set
    rows = pd.DataFrame(
        {"text": ["Не вывозят мусор на Садовой", "Нет горячей воды"], "municipality": ["Верхнереченск", None]}
    )
    answers = mlflow.pyfunc.load_model(f"models:/{CLASSIFIER}@champion").predict(rows)
    bundle, _ = open_registry(SAMPLE_REGION).champion_bundle(CLASSIFIER)
    direct = Classifier.load(bundle).classify(rows["text"].tolist(), ["verkhnerechensk", None])
    assert list(answers["agency"]) == [item.agency.label for item in direct]
    assert list(answers["decision"]) == [item.decision for item in direct]


def test_bundle_holds_no_pickle_and_a_card_in_two_languages(run, at_home):
    bundle, _ = open_registry(SAMPLE_REGION).champion_bundle(CLASSIFIER)
    names = {path.name for path in bundle.rglob("*") if path.is_file()}
    assert {"heads.safetensors", "ngrams.safetensors", "labels.json", "calibration.json"} <= names
    assert {"config.yaml", "catalogue.yaml", "MODEL_CARD.md"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".pt", ".bin"))]
    card = (bundle / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Ограничения" in card
    assert "Limits" in card


def test_the_encoder_is_a_registered_model_of_its_own_and_is_not_uploaded_twice(run, trained):
    from models.classifier.bundle import read_config
    from registry.encoders import ENCODER, HASH, register_encoder_of

    bundle, _ = open_registry(SAMPLE_REGION).champion_bundle(CLASSIFIER)
    address = read_config(bundle).encoder_hash
    (version,) = client().search_model_versions(f"name = '{ENCODER}'")
    assert version.tags[HASH] == address
    before = sum(1 for _ in trained.rglob("model.int8.onnx"))
    assert register_encoder_of(client(), bundle, trained / "encoders", run.info.run_id) == int(version.version)
    assert sum(1 for _ in trained.rglob("model.int8.onnx")) == before
    (file,) = (trained / "encoders").glob("*/model.int8.onnx")
    assert file.stat().st_nlink == 2  # the registry's own file, on a machine that holds both


def test_evaluate_on_the_training_file_measures_the_test_rows_only(run, trained, at_home):
    from training.evaluate.evaluate import evaluate_champion
    from tsur.samples import sample_complaints

    measured = evaluate_champion(sample_complaints(), SAMPLE_REGION, open_registry(SAMPLE_REGION))
    assert len(measured.rows) == int(run.data.params["rows.test"])
    assert "left out" in measured.note
    accuracy = measured.evaluation.heads["sector"].accuracy
    assert accuracy == pytest.approx(run.data.metrics["test.sector.accuracy"])


def test_the_evaluate_command_writes_the_report(run, trained, tmp_path):
    done = tsur(trained, "evaluate", "--report", str(tmp_path / "report"))
    assert f"report on {run.data.params['rows.test']} rows" in done.stdout
    assert (tmp_path / "report" / "confusion-sector.png").stat().st_size > 1000


def test_rows_trained_on_are_left_out_of_an_evaluation_whatever_file_they_come_in(run, sample):
    from training.evaluate.evaluate import evaluate_champion

    other = sample.iloc[::-1].tail(2000)
    measured = evaluate_champion(other.reset_index(drop=True), SAMPLE_REGION, open_registry(SAMPLE_REGION))
    assert len(measured.rows) <= int(run.data.params["rows.test"])
    assert f"{2000 - len(measured.rows)} more are left out" in measured.note


@pytest.fixture
def tiny_encoder(tmp_path) -> Path:
    """A randomly initialised one-layer BERT with the packaged tokenizer: for what needs no knowledge."""
    from transformers import AutoTokenizer, BertConfig, BertModel

    from models.encoder.packaged import packaged_file, read_container, write_encoder

    whole = tmp_path / "whole"
    from dataclasses import replace

    write_encoder(replace(read_container(packaged_file()), layers=1), whole)
    tokenizer = AutoTokenizer.from_pretrained(whole)
    folder = tmp_path / "tiny"
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=64, pad_token_id=1, max_position_embeddings=128,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_killed_training_ends_with_the_same_metrics_as_one_that_was_not(sample, tiny_encoder, tmp_path):
    rows = tmp_path / "rows.jsonl"
    write_complaints(sample.head(400), rows)
    arguments = ["train", "classifier", str(rows), "--set", f"encoder={tiny_encoder}", "--set", "epochs=8"]
    arguments += ["--set", "batch_size=8", "--set", "max_tokens=48", "--set", "patience=1", "--set", "frozen_layers=0"]
    tsur(tmp_path / "whole-home", *arguments)
    killed = tmp_path / "killed-home"
    kill_at(killed, "training/*/*/checkpoints/checkpoint-*/trainer_state.json", *arguments)
    resumed = tsur(killed, *arguments)
    assert "continuing after epoch" in resumed.stdout
    assert metrics_of(killed) == metrics_of(tmp_path / "whole-home")
    assert runs_of(killed) == 1


@pytest.mark.parametrize(("architecture", "most"), [("Bert", 40), ("Roberta", 38)])
def test_no_more_tokens_are_read_than_the_encoder_has_positions(architecture: str, most: int):
    from tests.training.tiny import tiny_network
    from training.encoder.pretrained import token_limit

    torch = pytest.importorskip("torch")
    network = tiny_network(architecture)
    limit = token_limit(64, network.encoder.config)
    assert limit == most
    ids = torch.full((1, limit), 5)
    assert network.pooled(ids, torch.ones_like(ids)).isfinite().all()
    assert token_limit(16, network.encoder.config) == 16


def test_checkpoint_left_half_written_by_a_kill_is_passed_over(tmp_path):
    from training.encoder.trainer import last_checkpoint

    assert last_checkpoint(tmp_path) is None
    for step, content in ((9, '{"epoch": 1.0}'), (18, '{"epoch": 2.0}'), (27, '{"epoch"')):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(content)
    (tmp_path / "checkpoint-36").mkdir()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-18"
    assert not (tmp_path / "checkpoint-36").exists()


def test_another_architecture_trains_and_long_texts_fit_its_positions(sample, tiny_encoder, tmp_path, at_home):
    from transformers import AutoTokenizer, DistilBertConfig, DistilBertModel

    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder)
    config = DistilBertConfig(
        vocab_size=len(tokenizer), dim=32, n_layers=2, n_heads=2, hidden_dim=64, max_position_embeddings=48,
        pad_token_id=1,
    )  # fmt: skip
    folder, rows, home = tmp_path / "distilbert", tmp_path / "rows.jsonl", tmp_path / "home"
    DistilBertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_complaints(sample.head(200), rows)
    wanted = [f"encoder={folder}", "epochs=1", "frozen_layers=1", "max_tokens=192"]
    tsur(home, "train", "classifier", str(rows), *[part for item in wanted for part in ("--set", item)])
    at_home(home)
    bundle, _ = open_registry(SAMPLE_REGION).champion_bundle(CLASSIFIER)
    (answer,) = Classifier.load(bundle).classify(["Не вывозят мусор со двора " * 250])
    assert answer.truncated


def metrics_of(home: Path) -> dict[str, float]:
    (run,) = runs_in(home)
    return {name: value for name, value in run.data.metrics.items() if name.startswith(("test.", "validation."))}


def runs_of(home: Path) -> int:
    return len(runs_in(home))


def runs_in(home: Path) -> list[Any]:
    its = connected(f"sqlite:///{home}/mlflow/mlflow.db")
    return list(its.search_runs([experiment.experiment_id for experiment in its.search_experiments()]))


def test_rubert_tiny2_architecture_trains_through_the_same_code(sample, real_data, tmp_path):
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    source = real_data / "rubert-tiny2"
    folder = tmp_path / "rubert-tiny2"
    AutoModel.from_config(AutoConfig.from_pretrained(source)).save_pretrained(folder)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    rows = tmp_path / "rows.jsonl"
    write_complaints(sample.head(200), rows)
    done = tsur(
        tmp_path / "home", "train", "classifier", str(rows), "--set", f"encoder={folder}",
        "--set", "epochs=1", "--set", "max_tokens=32", "--set", "text_prefix=''", "--set", "frozen_layers=1",
    )  # fmt: skip
    assert "version 1" in done.stdout


def test_equal_texts_never_stand_on_two_sides(sample):
    doubled = pd.concat(
        [sample.head(300), sample.head(300).assign(id=[f"copy-{i}" for i in range(300)])], ignore_index=True
    )
    splits = split_rows(doubled, 0.1, 0.2, seed=0)
    texts = [set(doubled["text"].iloc[part]) for part in (splits.train, splits.validation, splits.test)]
    assert not texts[0] & texts[1]
    assert not texts[0] & texts[2]
    assert not texts[1] & texts[2]
    assert sum(map(len, (splits.train, splits.validation, splits.test))) == len(doubled)


def test_same_rows_and_seed_give_the_same_splits_and_fingerprint(sample):
    first, second = split_rows(sample, 0.1, 0.2, seed=3), split_rows(sample, 0.1, 0.2, seed=3)
    assert json.dumps(first.test.tolist()) == json.dumps(second.test.tolist())
    assert fingerprint(sample) != fingerprint(sample.iloc[::-1])


def test_too_few_rows_are_refused_with_their_number(sample):
    with pytest.raises(InputError, match="at least 50 labelled complaints, there are 20"):
        prepare(sample.head(20), None, ClassifierTraining())


def test_label_outside_the_catalogue_is_refused_with_the_known_ones(sample):
    odd = sample.head(100).copy()
    odd.loc[5, "sector"] = "Космос"
    with pytest.raises(LabelError, match=r"sector 'Космос' is not in the catalogue: known are ЖКХ"):
        prepare(odd, CHECKOUT / "configs" / "regions" / "verkhnerechye" / "catalogue.yaml", ClassifierTraining())


def test_catalogue_drafted_without_one_knows_only_the_training_rows(sample):
    job = prepare(sample, None, ClassifierTraining())
    seen = set(sample.iloc[job.splits.train][list(HEADS)].itertuples(index=False, name=None))
    assert {tuple(triple) for triple in job.catalogue.triples()} == seen
