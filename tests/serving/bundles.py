"""Tiny bundles of the real formats: weights are random, everything else is as in production."""

from pathlib import Path

import numpy as np
import pandas as pd

from data.catalogue.checks import load_catalogue
from data.settings import CHECKOUT
from data.store.store import Store
from models.classifier.bundle import BundleConfig, ClassifierBundle, write_bundle
from models.classifier.calibration import Calibration
from models.classifier.heads import LinearHeads
from models.classifier.labels import HEADS, LabelSpace
from models.classifier.ngrams import NgramModel, NgramSpace
from models.classifier.out_of_vocabulary import OutOfVocabulary
from models.classifier.topic_agency_pmi import TopicAgencyPmi
from models.encoder.artifact import ENCODERS
from models.forecasting.bundle import Forecasts
from models.forecasting.config import ForecasterConfig, LearnedExceedance
from registry.client import Registry
from registry.names import classifier_name, forecaster_name
from tests.serving.tiny_encoder import HIDDEN, SENTENCES, write_encoder
from training.forecaster.backtest import backtest
from training.forecaster.fitting import fit_forecasts
from training.tracker import Tracker

REGION = "verkhnerechye"
CLASSIFIER, FORECASTER = classifier_name(REGION), forecaster_name(REGION)
CATALOGUE = CHECKOUT / "configs" / "regions" / REGION / "catalogue.yaml"
MAX_TOKENS = 48
EVERYTHING_IS_USUAL = OutOfVocabulary(beginnings=frozenset(), usual=0.0, threshold=1.0)
LAST_DAY = "2026-11-15"
DAYS = 199
SURGE_DAYS = 5
SURGE_PLACE, SURGE_SECTOR = "Верхнереченск", "ЖКХ"
CALM_PLACE, CALM_SECTOR = "Каменный Брод", "Дороги"
BY_OUTLOOK = LearnedExceedance(intercept=-19.5, slopes=[30.0, -30.0, 0.0, 0.0], weeks=1000, skill=0.1)
"""A week is a surge if its forecast is about twice the week before."""


def write_classifier(
    folder: Path, threshold: float = 0.0, seed: int = 0, masked: bool = False, catalogue_file: Path = CATALOGUE
) -> Path:
    """A classifier bundle with random heads, its encoder beside it; threshold 0 routes all that may be routed."""
    catalogue = load_catalogue(catalogue_file)
    triples = catalogue.triples()
    labels = LabelSpace({head: tuple(sorted({getattr(t, head) for t in triples})) for head in HEADS})
    config = BundleConfig(
        encoder="random",
        encoder_hash=write_encoder(folder.parent / ENCODERS, masked=masked),
        text_prefix="query: ",
        max_tokens=MAX_TOKENS,
        data_fingerprint="none",
    )
    calibration = Calibration(
        temperatures=dict.fromkeys(HEADS, 1.0), threshold=threshold, promised_precision=0.9, coverage=1.0
    )
    bundle = ClassifierBundle(
        folder, config, labels, calibration, catalogue, TopicAgencyPmi(), EVERYTHING_IS_USUAL,
        random_heads(labels, seed), silent_ngrams(labels),
    )  # fmt: skip
    write_bundle(bundle, catalogue_file.read_text(encoding="utf-8"))
    return folder


def random_heads(labels: LabelSpace, seed: int) -> LinearHeads:
    """Heads that say something else of every text."""
    rng = np.random.default_rng(seed)
    weights = {h: rng.normal(size=(HIDDEN, n)).astype(np.float32) for h, n in labels.counts.items()}
    bias = {h: rng.normal(size=n).astype(np.float32) for h, n in labels.counts.items()}
    mean = rng.normal(scale=0.1, size=HIDDEN).astype(np.float32)
    return LinearHeads(weights, bias, mean, rng.uniform(0.5, 2.0, HIDDEN).astype(np.float32))


def silent_ngrams(labels: LabelSpace) -> NgramModel:
    """Real n-grams of the sentences that say nothing: the decisions are the heads'."""
    space, _ = NgramSpace.fit(SENTENCES)
    terms = sum(len(part) for part in space.terms.values())
    weights = {head: np.zeros((terms, count), dtype=np.float32) for head, count in labels.counts.items()}
    return NgramModel(space, weights, {head: np.zeros(count) for head, count in labels.counts.items()})


QUICK = ForecasterConfig(
    forecasters=["seasonal_naive", "weekday_mean"], windows=2, max_horizon=60, processes=1, calendar="none"
)


def write_forecaster(folder: Path) -> Path:
    """A forecaster bundle over two places and two sectors; one series surges in its last five days."""
    counts = small_counts()
    fit_forecasts(counts, QUICK, backtest(counts, QUICK)).save(folder)
    return folder


def write_surging_forecaster(folder: Path, last_day: str = LAST_DAY) -> Path:
    """The same places and sectors with a surge in each: one goes on, one is over, one is sure to come, one may come."""
    counts = small_counts(last_day)
    ago = (counts["date"].max() - counts["date"]).dt.days
    over = (counts["municipality"] == CALM_PLACE) & (counts["sector"] == CALM_SECTOR) & ago.between(9, 13)
    counts.loc[over, "count"] *= 4
    fitted = fit_forecasts(counts, QUICK, backtest(counts, QUICK))
    means = fitted.means.copy()
    means.loc[means.index[:14], (SURGE_PLACE, CALM_SECTOR)] *= 3
    means.loc[means.index[:14], (CALM_PLACE, SURGE_SECTOR)] *= 1.8
    surges = fitted.config.surges.model_copy(update={"exceedance": BY_OUTLOOK, "min_ratio": 1.1})
    config = fitted.config.model_copy(update={"surges": surges})
    Forecasts(config, fitted.origin, fitted.series, means, fitted.tail, fitted.past_means).save(folder)
    return folder


def small_counts(last_day: str = LAST_DAY) -> pd.DataFrame:
    """Daily counts, Poisson with a weekly season; the surge is fourfold."""
    days = pd.date_range(end=last_day, periods=DAYS, freq="D")
    rng = np.random.default_rng(0)
    parts = []
    for place in (SURGE_PLACE, CALM_PLACE):
        for sector, level in ((SURGE_SECTOR, 20.0), (CALM_SECTOR, 8.0)):
            mean = np.where(days.dayofweek < 5, level, level / 2)
            if (place, sector) == (SURGE_PLACE, SURGE_SECTOR):
                mean = np.where(days >= days[-SURGE_DAYS], 4 * mean, mean)
            columns = {"date": days, "municipality": place, "sector": sector, "count": rng.poisson(mean)}
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def registry_in(home: Path) -> Registry:
    """The registry of a home, promotions kept in its store."""
    store = Store(f"sqlite:///{home}/store.db", REGION)
    return Registry(f"sqlite:///{home}/mlflow/mlflow.db", home, store.promotions)


def register(home: Path, name: str, bundle: Path) -> str:
    """Register a bundle and make it champion; returns the version."""
    registry = registry_in(home)
    with Tracker(registry.uri, home / "mlflow" / "artifacts").run("service-tests", "test", {}) as run:
        version = registry.register(name, bundle, run.id, {})
    registry.promote(name, version, {}, "test")
    return str(version)
