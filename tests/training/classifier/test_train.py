"""Training the classifier: what a run tracks, registers and refuses, and what a kill does not change."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data.complaints.files import write_complaints
from data.complaints.masking import mask
from data.errors import InputError, LabelError
from data.settings import CHECKOUT, settings
from data.store.store import Store
from models.classifier.bundle import read_bundle, read_config
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from registry.client import open_registry
from registry.connection import connected
from registry.names import classifier_name
from tests.conftest import tsur
from tests.training.kills import kill_at
from tests.training.runs import client, run_of
from tests.training.tiny import write_tiny_encoder
from training.arguments import ClassifierTraining
from training.classifier.job import prepare
from training.classifier.splits import fingerprint, split_rows
from tsur.samples import SAMPLE_REGION

CLASSIFIER = classifier_name(SAMPLE_REGION)
CATALOGUE = CHECKOUT / "configs" / "regions" / SAMPLE_REGION / "catalogue.yaml"


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


def test_run_tracks_parameters_fingerprint_commit_and_plots(run, sample):
    assert run.data.params["data_fingerprint"] == fingerprint(sample)
    assert set(ClassifierTraining.model_fields) <= set(run.data.params)
    assert run.data.tags["git_commit"]
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


def test_evaluate_on_the_training_file_measures_the_rows_kept_back_only(run, trained, at_home):
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


@pytest.fixture(scope="module")
def tiny_encoder(tmp_path_factory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


@pytest.fixture(scope="module")
def rows_file(sample, tmp_path_factory) -> Path:
    """300 complaints of the sample."""
    rows = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    write_complaints(sample.head(300), rows)
    return rows


@pytest.mark.reliability  # two minutes; its short form is `test_a_tuned_fit_that_was_interrupted…` in test_recipe.py
def test_killed_fine_tuning_ends_with_the_same_weights_as_one_that_was_not(rows_file, tiny_encoder, tmp_path, at_home):
    arguments = ["train", "classifier", str(rows_file), "--set", f"encoder={tiny_encoder}", "--set", "epochs=5"]
    arguments += ["--set", "batch_size=8", "--set", "max_tokens=48", "--set", "frozen_layers=0"]
    whole, killed = tmp_path / "whole-home", tmp_path / "killed-home"
    told = tsur(whole, *arguments).stdout
    kill_at(killed, "training/*/*/checkpoints-*/checkpoint-*/trainer_state.json", *arguments)
    resumed = tsur(killed, *arguments).stdout
    assert "continuing after epoch" in resumed
    assert metrics_of(killed) == metrics_of(whole)
    assert runs_of(killed) == 1
    bundles = []
    for home in (whole, killed):
        at_home(home)
        bundles.append(open_registry(SAMPLE_REGION).champion_bundle(CLASSIFIER)[0])
    configs = [read_config(bundle) for bundle in bundles]
    assert configs[0].encoder_hash == configs[1].encoder_hash
    for name in ("heads.safetensors", "ngrams.safetensors", "labels.json"):
        assert (bundles[0] / name).read_bytes() == (bundles[1] / name).read_bytes(), name
    chosen = configs[0].chosen or ""
    assert re.search(r"chosen: .*; \d+ rows held out, accuracy and macro-F1, mean of the heads: 0\.\d{3} with", chosen)
    assert chosen in " ".join(told.split())
    assert configs[0].epochs == (5 if chosen.startswith("chosen: the fine-tuned encoder") else 0)


def test_without_epochs_nothing_is_fine_tuned_and_the_bundle_says_why(run):
    bundle, _ = open_registry(SAMPLE_REGION).champion_bundle(CLASSIFIER)
    config = read_config(bundle)
    assert config.epochs == 0
    assert config.chosen == (
        "chosen: heads on the encoder as it is; below 4000 complaints they answer at least as well as a tuned encoder "
        "(epochs: 6 tries it)"
    )


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
    return {name: value for name, value in run.data.metrics.items() if name.startswith(("test.", "loss"))}


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
    splits = split_rows(doubled, 0.2, seed=0)
    taught, kept_back = (set(doubled["text"].iloc[part]) for part in (splits.train, splits.test))
    assert not taught & kept_back
    assert len(splits.train) + len(splits.test) == len(doubled)
    assert len(splits.test) == pytest.approx(0.2 * len(doubled), abs=30)


def test_same_rows_and_seed_give_the_same_splits_and_fingerprint(sample):
    first, second, other = (split_rows(sample, 0.2, seed) for seed in (3, 3, 4))
    assert first.test.tolist() == second.test.tolist()
    assert first.test.tolist() != other.test.tolist()
    assert fingerprint(sample) != fingerprint(sample.iloc[::-1])


def test_without_a_holdout_every_row_teaches(sample):
    splits = split_rows(sample, 0.0, seed=0)
    assert splits.train.tolist() == list(range(len(sample)))
    assert len(splits.test) == 0


def test_rows_that_lack_some_labels_are_taught_and_those_that_lack_all_are_not(sample):
    some = sample.head(100).assign(agency=[None] * 60 + sample["agency"].head(100).tolist()[60:])
    some.loc[:9, ["sector", "topic"]] = None
    job = prepare(some, None, ClassifierTraining())
    assert len(job.taught) == 90
    assert job.taught["agency"].notna().sum() == 40
    assert job.taught["topic"].notna().sum() == 90


def test_too_few_rows_are_refused_with_their_number(sample):
    with pytest.raises(InputError, match="at least 50 labelled complaints, there are 20"):
        prepare(sample.head(20), None, ClassifierTraining())
    with pytest.raises(InputError, match="at least 50 labelled complaints, there are 20"):
        prepare(sample.head(20), CATALOGUE, ClassifierTraining(holdout=0.2))


def test_without_a_single_complaint_the_catalogue_teaches_and_an_operator_decides(small_encoder, tmp_path, at_home):
    done = tsur(tmp_path, "train", "classifier", "--no-complaints", "--set", f"encoder={small_encoder}")
    assert "an operator decides all" in done.stdout
    at_home(tmp_path)
    bundle, version = open_registry(SAMPLE_REGION).champion_bundle(CLASSIFIER)
    (answer,) = Classifier.load(bundle).classify(["Во дворе переполнены контейнеры, мусор не вывозят неделю"])
    assert (version, answer.decision) == (1, "review")
    assert any("мусор" in each.label.casefold() for each in answer.alternatives["topic"])
    parts = read_bundle(bundle)
    assert set(parts.labels.names["topic"]) == set(parts.catalogue.label_names["topic"])


def test_a_handful_of_complaints_teaches_beside_the_catalogue(sample, tiny_encoder, tmp_path, at_home):
    rows = tmp_path / "rows.jsonl"
    write_complaints(sample.head(7), rows)
    tsur(tmp_path / "home", "train", "classifier", str(rows), "--set", f"encoder={tiny_encoder}")
    at_home(tmp_path / "home")
    bundle, _ = open_registry(SAMPLE_REGION).champion_bundle(CLASSIFIER)
    answers = Classifier.load(bundle).classify(sample["text"].head(7).tolist())
    assert {answer.decision for answer in answers} == {"review"}
    assert sum(answer.topic.label == topic for answer, topic in zip(answers, sample["topic"], strict=False)) >= 5


def test_label_outside_the_catalogue_is_refused_with_the_known_ones(sample):
    odd = sample.head(100).copy()
    odd.loc[5, "sector"] = "Космос"
    with pytest.raises(LabelError, match=r"sector 'Космос' is not in the catalogue: known are ЖКХ"):
        prepare(odd, CATALOGUE, ClassifierTraining())


def test_catalogue_drafted_without_one_knows_only_the_training_rows(sample):
    job = prepare(sample, None, ClassifierTraining())
    seen = set(sample.iloc[job.splits.train][list(HEADS)].itertuples(index=False, name=None))
    assert {tuple(triple) for triple in job.catalogue.triples()} == seen
