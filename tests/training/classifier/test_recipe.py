"""The recipe, on a tiny encoder: every row teaches, rare labels go to an operator, a tuned fit is resumed whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from models.classifier.classifier import Classifier
from models.classifier.heads import HEADS_FILE
from models.classifier.labels import HEADS, learn_label_space
from models.classifier.out_of_vocabulary import fit_out_of_vocabulary, known_beginnings
from tests.serving.bundles import registry_in
from training.arguments import ClassifierTraining
from training.classifier.splits import contradictions

pytest.importorskip("torch")

from tests.training.tiny import write_tiny_encoder
from training.classifier import fit_network as module
from training.classifier.fit_network import FittedNetwork
from training.classifier.job import Job, prepare
from training.classifier.train import FittedBundle, fit_bundle, train_job
from training.evaluate.held_out import evaluate_held_out
from training.tracker import Tracker

SNOW = "Следы неизвестного зверя на снегу у памятника первому космонавту"
SETTLED = {"max_tokens": 32, "frozen_layers": 0, "courtesy_augmentation": False, "precision": "fp32"}


@pytest.fixture(scope="module")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


@pytest.fixture(scope="module")
def rows(sample: pd.DataFrame) -> pd.DataFrame:
    """Complaints of which every other lacks its agency, with a topic and an agency that only one row has."""
    frame = sample.groupby("sector").head(12).reset_index(drop=True)
    frame.loc[frame.index[1::2], "agency"] = None
    frame.loc[0, ["text", "topic", "agency"]] = [SNOW, "Следы на снегу", "Музей"]
    return frame


def fitted(
    rows: pd.DataFrame, encoder: Path, work: Path, told: list[str], **changed: object
) -> tuple[Job, FittedBundle]:
    work.mkdir(exist_ok=True)
    job = prepare(rows, None, ClassifierTraining(encoder=str(encoder), **SETTLED | changed))
    labels = learn_label_space({head: job.taught[head].tolist() for head in HEADS})
    return job, fit_bundle(job, labels, work, work / "home", told.append)


@pytest.fixture(scope="module")
def every_row(rows: pd.DataFrame, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory):
    told: list[str] = []
    job, bundle = fitted(rows, tiny_encoder, tmp_path_factory.mktemp("recipe") / "work", told)
    return job, bundle, Classifier.load(bundle.folder), told


def test_a_label_that_one_row_has_can_be_proposed_and_an_operator_decides(every_row):
    job, _, classifier, _ = every_row
    assert "Следы на снегу" in classifier.bundle.labels.names["topic"]
    certain = classifier.bundle.calibration.model_copy(update={"threshold": 0.0})
    confident = Classifier(replace(classifier.bundle, calibration=certain), classifier.encoders)
    (answer,) = confident.classify([SNOW], job.catalogue.municipality_ids(job.taught["municipality"].head(1)))
    assert answer.topic.label == "Следы на снегу"
    assert answer.decision == "review"
    assert "rare_label" in answer.reasons


def test_rows_that_lack_the_agency_teach_the_other_heads(every_row, rows):
    job, bundle, classifier, _ = every_row
    assert len(job.taught) == len(rows)
    assert bundle.held_out.rows.tolist() == list(range(len(rows)))
    without = rows[rows["agency"].isna()]
    only_there = set(without["topic"]) - set(rows.dropna(subset=["agency"])["topic"])
    assert only_there <= set(classifier.bundle.labels.names["topic"])
    assert sum(classifier.bundle.labels.rows["agency"]) == rows["agency"].notna().sum()
    assert sum(classifier.bundle.labels.rows["topic"]) == len(rows)


def test_what_is_unlike_training_is_judged_by_the_words_of_all_rows_and_a_threshold_of_rows_held_out(every_row):
    job, bundle, classifier, _ = every_row
    texts, fold = job.taught["text"], bundle.held_out.folds == 0
    unseen = fit_out_of_vocabulary(texts[~fold].tolist(), texts[fold].tolist())
    served = classifier.bundle.out_of_vocabulary
    assert (served.usual, served.threshold) == (unseen.usual, unseen.threshold)
    assert served.beginnings == known_beginnings(texts.tolist())
    assert served.beginnings > unseen.beginnings


def test_few_rows_are_not_fine_tuned_and_the_bundle_says_why(every_row):
    _, _, classifier, told = every_row
    config = classifier.bundle.config
    assert config.epochs == 0
    assert "below 4000 complaints" in (config.chosen or "")
    assert config.chosen in told


def test_labels_drawn_by_chance_are_told_by_chance_however_well_the_bundle_knows_its_rows(rows, tiny_encoder, tmp_path):
    rng = np.random.default_rng(0)
    drawn = {head: [f"{head} {n}" for n in rng.integers(4, size=len(rows))] for head in HEADS}
    halves = rng.integers(2, size=len(rows)).tolist()
    drawn["topic"] = [f"{sector}, topic {half}" for sector, half in zip(drawn["sector"], halves, strict=True)]
    chance = rows.assign(**drawn)
    job, bundle = fitted(chance, tiny_encoder, tmp_path / "work", [])
    classifier = Classifier.load(bundle.folder)
    evaluation = evaluate_held_out(classifier, job.taught, bundle.held_out)
    by_heart = classifier.classify(job.taught["text"].tolist())
    assert np.mean([a.agency.label == b for a, b in zip(by_heart, job.taught["agency"], strict=True)]) > 0.6
    for head, expected in (("sector", 0.25), ("topic", 0.125), ("agency", 0.25)):
        assert evaluation.heads[head].accuracy == pytest.approx(expected, abs=0.11)
    assert evaluation.coverage == 0


def test_rows_that_are_kept_back_teach_nothing(rows, tiny_encoder, tmp_path):
    job, bundle = fitted(rows, tiny_encoder, tmp_path / "work", [], holdout=0.2)
    assert len(job.taught) + len(job.kept_back) == len(rows)
    assert len(job.kept_back) == pytest.approx(0.2 * len(rows), abs=15)
    labels = Classifier.load(bundle.folder).bundle.labels
    assert sum(labels.rows["topic"]) == len(job.taught)
    assert set(labels.names["topic"]) == set(job.taught["topic"])


def test_a_tuned_fit_that_was_interrupted_ends_as_one_that_was_not(rows, tiny_encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_pays", lambda frozen, tuned, say: (True, "chosen: as the test says"))
    _, whole = fitted(rows, tiny_encoder, tmp_path / "whole", [], epochs=1)
    config = Classifier.load(whole.folder).bundle.config
    assert (config.epochs, config.chosen) == (1, "chosen: as the test says")

    class KilledError(Exception):
        """Stands for a kill."""

    def killed(*given: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(FittedNetwork, "save", killed)
        with pytest.raises(KilledError):
            fitted(rows, tiny_encoder, tmp_path / "killed", [], epochs=1)
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "killed").glob("tuned-*.npz")}
    assert len(written) == 5
    _, resumed = fitted(rows, tiny_encoder, tmp_path / "killed", [], epochs=1)
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert (whole.folder / HEADS_FILE).read_bytes() == (resumed.folder / HEADS_FILE).read_bytes()
    assert Classifier.load(resumed.folder).bundle.config.encoder_hash == config.encoder_hash
    for head in HEADS:
        np.testing.assert_array_equal(whole.held_out.logits[head], resumed.held_out.logits[head])


def test_a_tuned_bundle_serves_another_encoder_than_the_frozen_one(
    every_row, rows, tiny_encoder, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "_pays", lambda frozen, tuned, say: (True, "chosen"))
    _, tuned = fitted(rows, tiny_encoder, tmp_path / "work", [], epochs=1, ngrams=False)
    classifier, frozen = Classifier.load(tuned.folder), every_row[2]
    assert classifier.bundle.config.encoder_hash != frozen.bundle.config.encoder_hash
    network = FittedNetwork.load(tmp_path / "work" / "network", classifier.bundle.labels)
    assert not any(weights.any() for weights in network.ngrams.weights.values())
    assert all(np.isfinite(logits).all() for logits in network.held_out.logits.values())


@pytest.mark.parametrize("head", HEADS)
def test_rows_of_one_label_are_refused_in_a_sentence(head, rows, tmp_path):
    alike = rows.assign(**{head: "Один"})
    registry = registry_in(tmp_path)
    tracker = Tracker(registry.uri, tmp_path / "mlflow" / "artifacts")
    with pytest.raises(
        InputError, match=f"at least two labels as {head}, the rows have 1: there is nothing to tell apart"
    ):
        job = prepare(alike, None, ClassifierTraining())
        train_job(job, "verkhnerechye", tmp_path, print, tracker=tracker, registry=registry)


def test_contradictions_are_counted_by_head_text_and_place():
    frame = pd.DataFrame(
        {
            "text": ["Яма!", "яма", "ЯМА", "яма", "свет", "свет"],
            "municipality": ["Город", "Город", "Город", "Село", None, None],
            "sector": ["Дороги", "ЖКХ", "Дороги", "Связь", "ЖКХ", "ЖКХ"],
            "topic": ["Ямы", "Ямы", None, "Иное", "Свет", "Свет"],
            "agency": ["А", None, "А", "А", "А", "Б"],
        }
    )
    assert contradictions(frame) == {"sector": (3, 1), "agency": (2, 1)}
    assert contradictions(frame.iloc[3:5]) == {}
