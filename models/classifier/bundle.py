"""The classifier's bundle: one folder that holds what a region's classifier adds to an encoder, and no pickle.

| file | what |
|---|---|
| `config.yaml` | format version, the encoder's name and hash, text limits, precision, data fingerprint |
| `heads.safetensors` | mean and deviation of the encoder's vectors, weights and bias a head |
| `labels.json` | names of each head's labels, in the order of the logits; how many rows taught each, and what is rare |
| `ngrams.json`, `ngrams.safetensors` | the lexical half: terms, and weights a head |
| `topic_agency_pmi.json` | how often each agency answered for each topic in training, in all and in each municipality |
| `out_of_vocabulary.json` | the beginnings of words that training knew |
| `calibration.json` | temperatures, routing threshold, the promised precision |
| `catalogue.yaml` | the catalogue it was trained for |
| `smoke.json` | texts, and the labels that fp32 gave them where the bundle was made (`models/classifier/smoke.py`) |
| `MODEL_CARD.md` | the generated model card |

The encoder is an artifact of its own (`models/encoder/artifact.py`), which the config names by the hash of its content.
Bundles of formats 3 and 4 hold their encoder and its graph themselves, with the heads in it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError, model_validator

from data.catalogue.checks import load_catalogue
from data.catalogue.model import Catalogue
from data.config import Config
from data.errors import BundleError, ConfigError
from data.settings import settings
from models.classifier.calibration import Calibration
from models.classifier.heads import HEADS_FILE, NETWORK_FILE, LinearHeads
from models.classifier.labels import HEADS, RARE_ROWS, LabelSpace
from models.classifier.ngrams import TERMS, NgramModel
from models.classifier.ngrams import WEIGHTS as NGRAM_WEIGHTS
from models.classifier.out_of_vocabulary import OutOfVocabulary
from models.classifier.topic_agency_pmi import TopicAgencyPmi
from models.encoder.artifact import (
    ENCODERS,
    TOKENIZER,
    EncoderFiles,
    Precision,
    encoder_files,
    file_hash,
    find_encoder,
    is_address,
)

FORMAT = 5
READABLE = (3, 4, 5)
"""Formats 3 and 4 hold their own encoder; graphs of format 3 read a mask, which the ONNX runtime then gives."""
GRAPH = "model.onnx"
FEATURES = "features"
"""Of formats 3 and 4: the graph, and its output that the heads read, standardised already."""
CONFIG = "config.yaml"
LABELS = "labels.json"
ROWS, MIN_ROWS = "rows", "min_rows"
"""Keys of `labels.json` beside the heads; earlier recipes counted no rows."""
CALIBRATION = "calibration.json"
CATALOGUE = "catalogue.yaml"
CARD = "MODEL_CARD.md"
PMI, OUT_OF_VOCABULARY = "topic_agency_pmi.json", "out_of_vocabulary.json"
EARLIER_NAMES = {PMI: "affinity.json", OUT_OF_VOCABULARY: "novelty.json"}
"""What files were called in formats 3 and 4."""
ALWAYS = (LABELS, CALIBRATION, CATALOGUE, TERMS, NGRAM_WEIGHTS)


class BundleConfig(Config):
    """What `config.yaml` of a bundle says."""

    format: int = FORMAT
    encoder: str
    encoder_hash: str | None = None
    """Of the encoder's artifact; formats 3 and 4 have none."""
    text_prefix: str
    max_tokens: int
    pad_token_id: int | None = None
    """Of formats 3 and 4; since then the encoder's artifact says it."""
    epochs: int | None = None
    """That the encoder was fine-tuned on the region's rows; earlier recipes do not say."""
    chosen: str | None = None
    """Why so: the sentence that training told."""
    data_fingerprint: str
    precision: Precision = "fp32"
    agreement: dict[str, float] = {}
    """Share of real texts to which the serving graph gives the same label as fp32, for each head."""

    @model_validator(mode="after")
    def names_its_encoder(self) -> "BundleConfig":
        """A hash from format 5 on."""
        if self.format == FORMAT and not is_address(self.encoder_hash or ""):
            raise ValueError(f"encoder_hash {self.encoder_hash!r} is no SHA-256 of an encoder's content")
        return self


@dataclass(frozen=True)
class ClassifierBundle:
    """A bundle as it was read and checked, all but the encoder; `folder` is where it lies or will lie."""

    folder: Path
    config: BundleConfig
    labels: LabelSpace
    calibration: Calibration
    catalogue: Catalogue
    topic_agency_pmi: TopicAgencyPmi
    out_of_vocabulary: OutOfVocabulary
    heads: LinearHeads
    ngrams: NgramModel


def write_bundle(bundle: ClassifierBundle, catalogue_yaml: str) -> None:
    """Write a bundle into its folder; the catalogue as it was given, comments and all."""
    folder = bundle.folder
    folder.mkdir(parents=True, exist_ok=True)
    labels: dict[str, object] = {head: list(bundle.labels.names[head]) for head in HEADS}
    labels |= {ROWS: {head: list(rows) for head, rows in bundle.labels.rows.items()}, MIN_ROWS: bundle.labels.min_rows}
    (folder / LABELS).write_text(json.dumps(labels, ensure_ascii=False, indent=1), encoding="utf-8")
    for name, part in (
        (CALIBRATION, bundle.calibration),
        (PMI, bundle.topic_agency_pmi),
        (OUT_OF_VOCABULARY, bundle.out_of_vocabulary),
    ):
        (folder / name).write_text(part.model_dump_json(indent=1), encoding="utf-8")
    (folder / CATALOGUE).write_text(catalogue_yaml, encoding="utf-8")
    bundle.heads.save(folder)
    bundle.ngrams.save(folder)
    config = bundle.config.model_dump(exclude_none=True)
    (folder / CONFIG).write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), encoding="utf-8")


def read_bundle(folder: Path) -> ClassifierBundle:
    """Read and check a bundle.

    Raises:
        BundleError: a file is missing or malformed, or the format is another version's.
    """
    config = read_config(folder)
    names = {name: name for name in (PMI, OUT_OF_VOCABULARY)} if config.format == FORMAT else EARLIER_NAMES
    own = (HEADS_FILE,) if config.format == FORMAT else (GRAPH, TOKENIZER, NETWORK_FILE)
    _check_files(folder, (*ALWAYS, *names.values(), *own))
    name = LABELS
    try:
        raw = json.loads((folder / name).read_text(encoding="utf-8"))
        labels = _label_space(raw)
        name = CALIBRATION
        calibration = Calibration.model_validate_json((folder / name).read_text("utf-8"))
        name = names[PMI]
        pmi = TopicAgencyPmi.model_validate_json((folder / name).read_text("utf-8"))
        name = names[OUT_OF_VOCABULARY]
        vocabulary = OutOfVocabulary.model_validate_json((folder / name).read_text("utf-8"))
        name = CATALOGUE
        catalogue = load_catalogue(folder / name)
    except (ValidationError, ConfigError, yaml.YAMLError, ValueError, KeyError, TypeError) as error:
        raise _broken(folder, name, error) from None
    heads = LinearHeads.load(folder) if config.format == FORMAT else LinearHeads.of_network(folder)
    _check_heads(folder, own[-1], heads, labels.counts)
    ngrams = NgramModel.load(folder, labels.counts)
    return ClassifierBundle(folder, config, labels, calibration, catalogue, pmi, vocabulary, heads, ngrams)


def _label_space(raw: dict[str, Any]) -> LabelSpace:
    """What `labels.json` says."""
    names = {head: tuple(raw[head]) for head in HEADS}
    rows = {head: tuple(map(int, counted)) for head, counted in raw.get(ROWS, {}).items()}
    if any(len(counted) != len(names[head]) for head, counted in rows.items()):
        raise ValueError("there are not as many counts of rows as labels")
    return LabelSpace(names, rows, int(raw.get(MIN_ROWS, RARE_ROWS)))


def read_config(folder: Path) -> BundleConfig:
    """The `config.yaml` of a bundle.

    Raises:
        BundleError: it is missing or malformed, or the format is another version's.
    """
    _check_files(folder, (CONFIG,))
    try:
        content = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
        found = content.get("format") if isinstance(content, dict) else None
        if found not in READABLE:
            known = f"{', '.join(map(str, READABLE[:-1]))} and {READABLE[-1]}"
            raise BundleError(
                f"classifier bundle {folder.name}: {CONFIG} has format {found}, this version reads {known}"
            )
        return BundleConfig.model_validate(content)
    except (ValidationError, yaml.YAMLError, ValueError) as error:
        raise _broken(folder, CONFIG, error) from None


def encoder_folder(bundle: ClassifierBundle, encoders: Path | None = None) -> Path:
    """Where the encoder lies that a bundle of format 5 names: beside it, or among `encoders` (default: the home's).

    Raises:
        BundleError: it is in neither place.
    """
    places = (bundle.folder.parent / ENCODERS, encoders or settings().home / ENCODERS)
    return find_encoder(bundle.config.encoder_hash or "", places)


def served_files(bundle: ClassifierBundle, encoders: Path, precision: Precision | None = None) -> EncoderFiles:
    """The encoder's files that serve, in the precision that the bundle asks for, or in another.

    Bundles of formats 3 and 4 hold one graph with the heads in it; only the vectors that these read are asked for.

    Raises:
        BundleError: the encoder is not there, or a file is missing.
    """
    if bundle.config.format == FORMAT:
        return encoder_files(encoder_folder(bundle, encoders), precision or bundle.config.precision)
    graph, tokenizer = bundle.folder / GRAPH, bundle.folder / TOKENIZER
    address = f"{file_hash(graph)}/{file_hash(tokenizer)}"
    return EncoderFiles(f"classifier bundle {bundle.folder.name}", graph, tokenizer, FEATURES, address)


def _check_files(folder: Path, names: tuple[str, ...]) -> None:
    for name in names:
        if not (folder / name).is_file():
            raise BundleError(f"classifier bundle {folder.name}: {name} is missing; train or restore it")


def _check_heads(folder: Path, name: str, heads: LinearHeads, label_counts: dict[str, int]) -> None:
    """Whether the heads fit the labels and each other."""
    hidden = len(heads.mean)
    for head, count in label_counts.items():
        shape, expected = heads.weights[head].shape, (hidden, count)
        if shape != expected or heads.bias[head].shape != (count,):
            raise _broken(folder, name, f"the head {head} is of shape {shape}, labels.json asks for {expected}")


def _broken(folder: Path, name: str, reason: object) -> BundleError:
    sentence = " ".join(str(reason).split())[:200]
    return BundleError(f"classifier bundle {folder.name}: {name} is broken: {sentence}")
