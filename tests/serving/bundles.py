"""Tiny bundles of the real formats: weights are random, everything else is as in production."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto, helper, numpy_helper

from data.catalogue.checks import load_catalogue
from data.settings import CHECKOUT
from data.store.store import Store
from models.classifier.bundle import FEATURES, BundleConfig, ClassifierBundle, read_bundle, write_bundle
from models.classifier.calibration import Calibration
from models.classifier.labels import HEADS, LabelSpace
from models.classifier.ngrams import NgramModel, NgramSpace
from models.classifier.out_of_vocabulary import OutOfVocabulary
from models.classifier.topic_agency_pmi import TopicAgencyPmi
from models.forecasting.bundle import Forecasts
from models.forecasting.config import ForecasterConfig
from registry.client import Registry
from registry.names import classifier_name, forecaster_name
from training.forecaster.backtest import backtest
from training.forecaster.fitting import fit_forecasts
from training.tracker import Tracker

REGION = "verkhnerechye"
CLASSIFIER, FORECASTER = classifier_name(REGION), forecaster_name(REGION)
CATALOGUE = CHECKOUT / "configs" / "regions" / REGION / "catalogue.yaml"
SENTENCES = [
    "не вывозят мусор у дома третью неделю",
    "яма на дороге после зимы не заделана",
    "нет горячей воды и отопления в квартире",
    "автобус не приходит по расписанию утром",
    "спасибо за новый сквер у школы",
]
MAX_TOKENS = 48
EVERYTHING_IS_USUAL = OutOfVocabulary(beginnings=frozenset(), usual=0.0, threshold=1.0)
HIDDEN = 32
FIRST_DAY = "2026-05-01"
LAST_DAY = "2026-11-15"
SURGE_DAYS = 5
SURGE_PLACE, SURGE_SECTOR = "Верхнереченск", "ЖКХ"
CALM_PLACE, CALM_SECTOR = "Каменный Брод", "Дороги"


def write_classifier(folder: Path, threshold: float = 0.0, seed: int = 0, catalogue_file: Path = CATALOGUE) -> Path:
    """A classifier bundle with a random one-layer network; threshold 0 routes everything that may be routed."""
    catalogue = load_catalogue(catalogue_file)
    triples = catalogue.triples()
    labels = LabelSpace({head: tuple(sorted({getattr(t, head) for t in triples})) for head in HEADS})
    config = BundleConfig(
        encoder="random", text_prefix="query: ", max_tokens=MAX_TOKENS, pad_token_id=1, data_fingerprint="none"
    )
    calibration = Calibration(
        temperatures=dict.fromkeys(HEADS, 1.0), threshold=threshold, promised_precision=0.9, coverage=1.0
    )
    parts = ClassifierBundle(folder, config, labels, calibration, catalogue, TopicAgencyPmi(), EVERYTHING_IS_USUAL)
    write_bundle(folder, parts, catalogue_file.read_text(encoding="utf-8"))
    _write_ngrams(folder, {head: len(labels.names[head]) for head in HEADS})
    vocabulary = _write_tokenizer(folder / "tokenizer.json")
    _write_network(folder / "model.onnx", vocabulary, {head: len(labels.names[head]) for head in HEADS}, seed)
    return folder


def masked_copy(bundle: Path, folder: Path) -> Path:
    """The same classifier with a graph that reads a mask, as traced ones do."""
    from tokenizers import Tokenizer

    shutil.copytree(bundle, folder)
    names = read_bundle(bundle).labels.names
    vocabulary = Tokenizer.from_file(str(bundle / "tokenizer.json")).get_vocab_size()
    _write_network(folder / "model.onnx", vocabulary, {head: len(names[head]) for head in HEADS}, 0, masked=True)
    return folder


def _write_ngrams(folder: Path, label_counts: dict[str, int]) -> None:
    """Real n-grams of the sentences that say nothing: the decisions are the network's."""
    space, _ = NgramSpace.fit(SENTENCES)
    terms = sum(len(part) for part in space.terms.values())
    weights = {head: np.zeros((terms, count), dtype=np.float32) for head, count in label_counts.items()}
    NgramModel(space, weights, {head: np.zeros(count) for head, count in label_counts.items()}).save(folder)


def _write_tokenizer(path: Path) -> int:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=special, unk_token="<unk>")
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(path))
    return int(tokenizer.get_vocab_size())


def _write_network(path: Path, vocabulary: int, label_counts: dict[str, int], seed: int, masked: bool = False) -> None:
    """Random word vectors, their mean, one random linear head a target: a graph with the real names."""
    rng = np.random.default_rng(seed)
    weights = {"words": rng.normal(size=(vocabulary, HIDDEN)).astype(np.float32), "last": np.array([2])}
    weights |= {f"w_{h}": rng.normal(size=(HIDDEN, n)).astype(np.float32) for h, n in label_counts.items()}
    nodes = [helper.make_node("Gather", ["words", "input_ids"], ["vectors"])]
    if masked:
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["real"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["real", "last"], ["mask"]),
            helper.make_node("Mul", ["vectors", "mask"], ["masked"]),
            helper.make_node("ReduceSum", ["masked", "one"], ["summed"], keepdims=0),
            helper.make_node("ReduceSum", ["mask", "one"], ["tokens"], keepdims=0),
            helper.make_node("Div", ["summed", "tokens"], [FEATURES]),
        ]
    else:
        nodes.append(helper.make_node("ReduceMean", ["vectors"], [FEATURES], axes=[1], keepdims=0))
    nodes += [helper.make_node("MatMul", [FEATURES, f"w_{head}"], [head]) for head in HEADS]
    weights["one"] = np.array([1])
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "tokens"])
        for name in ("input_ids", "attention_mask")[: 1 + masked]
    ]
    widths = label_counts | {FEATURES: HIDDEN}
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", n]) for name, n in widths.items()]
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


QUICK = ForecasterConfig(
    forecasters=["seasonal_naive", "weekday_mean"], windows=2, max_horizon=60, processes=1, calendar="none"
)


def write_forecaster(folder: Path) -> Path:
    """A forecaster bundle over two places and two sectors; one series surges in its last five days."""
    counts = small_counts()
    fit_forecasts(counts, QUICK, backtest(counts, QUICK)).save(folder)
    return folder


def write_surging_forecaster(folder: Path) -> Path:
    """The same places and sectors with a surge in each: one goes on, one is over, one is sure to come, one may come."""
    counts = small_counts()
    ago = (counts["date"].max() - counts["date"]).dt.days
    over = (counts["municipality"] == CALM_PLACE) & (counts["sector"] == CALM_SECTOR) & ago.between(9, 13)
    counts.loc[over, "count"] *= 4
    fitted = fit_forecasts(counts, QUICK, backtest(counts, QUICK))
    means = fitted.means.copy()
    means.loc[means.index[:14], (SURGE_PLACE, CALM_SECTOR)] *= 3
    means.loc[means.index[:14], (CALM_PLACE, SURGE_SECTOR)] *= 1.35
    Forecasts(fitted.config, fitted.origin, fitted.series, means, fitted.tail, fitted.past_means).save(folder)
    return folder


def small_counts() -> pd.DataFrame:
    """Daily counts, Poisson with a weekly season; the surge is fourfold."""
    days = pd.date_range(FIRST_DAY, LAST_DAY, freq="D")
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
    return Registry(f"sqlite:///{home}/mlflow/mlflow.db", home / "champions", store.promotions)


def register(home: Path, name: str, bundle: Path) -> str:
    """Register a bundle and make it champion; returns the version."""
    registry = registry_in(home)
    with Tracker(registry.uri, home / "mlflow" / "artifacts").run("service-tests", "test", {}) as run:
        version = registry.register(name, bundle, run.id, {})
    registry.promote(name, version, {}, "test")
    return str(version)
