"""Homes with a small registered champion each, for all tests of retraining; tests write into copies of them."""

from pathlib import Path

import pandas as pd
import pytest

from data.regions.region import load_region
from tests.serving.bundles import registry_in
from tests.training.retrain.forecasts import CONFIG, last_days, older
from tests.training.runs import tracker_in
from tests.training.tiny import write_tiny_encoder
from training.arguments import ClassifierTraining, DatasetBuild
from training.classifier.train import train_job
from training.forecaster.train import train_forecaster
from training.retrain.build import Sources, build_version
from training.retrain.challenger import job_on, tags_of
from training.retrain.versions import DatasetVersion
from tsur.samples import SAMPLE_REGION

TOPICS = 4


def frozen(home: Path, frame: pd.DataFrame, adding: bool = False) -> DatasetVersion:
    """The next dataset version of a home."""
    path = home / "rows.jsonl"
    path.write_text("", encoding="utf-8")
    region = load_region(SAMPLE_REGION)
    arguments = DatasetBuild(wrong_labels=False, test_share=0.3)
    sources = Sources([(path, frame)], None, adding)
    folder = home / "datasets" / SAMPLE_REGION
    return build_version(folder, region, None, sources, arguments, lambda line: None).version


@pytest.fixture(scope="session")
def classifier_home(tmp_path_factory: pytest.TempPathFactory, sample: pd.DataFrame) -> Path:
    """A home with two dataset versions and a champion, of a tiny encoder, that was taught the first."""
    home = tmp_path_factory.mktemp("classifier-home")
    rows = sample[sample["topic"].isin(sample["topic"].value_counts().index[:TOPICS])]
    rows = rows.sample(frac=1, random_state=0).reset_index(drop=True)
    first = frozen(home, rows.iloc[:160])
    frozen(home, rows.iloc[160:], adding=True)
    encoder = write_tiny_encoder(home / "tiny")
    arguments = ClassifierTraining(
        encoder=str(encoder), max_tokens=32, courtesy_augmentation=False, precision="fp32", epochs=0, ngrams=False
    )
    job = job_on(first, None, arguments)
    train_job(
        job, SAMPLE_REGION, home, print, promoted_by="test", tags=tags_of(job, first),
        tracker=tracker_in(home), registry=registry_in(home),
    )  # fmt: skip
    return home


@pytest.fixture(scope="session")
def forecaster_home(tmp_path_factory: pytest.TempPathFactory, small_counts: Path) -> Path:
    """A home with a champion of older counts, and files of these and of all."""
    home = tmp_path_factory.mktemp("forecaster-home")
    counts = last_days(small_counts)
    counts.to_csv(home / "counts.csv", index=False)
    older(counts).to_csv(home / "older.csv", index=False)
    registry = registry_in(home)
    train_forecaster(older(counts), CONFIG, SAMPLE_REGION, home, tracker=tracker_in(home), registry=registry)
    return home
