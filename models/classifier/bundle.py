"""The classifier's bundle: one folder that holds all that serving needs, and no pickle.

| file | what |
|---|---|
| `model.onnx` | the network for serving, int8 or fp32 |
| `model.safetensors` | the same weights for training on |
| `tokenizer.json` | the Rust tokenizer |
| `labels.json` | names of each head's labels, in the order of the logits |
| `ngrams.json`, `ngrams.safetensors` | the lexical half: terms, and weights a head |
| `affinity.json` | how often each agency answered for each topic in training |
| `novelty.json` | the beginnings of words that training knew |
| `calibration.json` | temperatures, routing threshold, the promised precision |
| `catalogue.yaml` | the catalogue it was trained for |
| `config.yaml` | format version, encoder, text limits, data fingerprint |
| `encoder/config.json` | the encoder's architecture |
| `MODEL_CARD.md` | the generated model card |
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import ValidationError

from data.catalogue.checks import load_catalogue
from data.catalogue.model import Catalogue
from data.config import Config
from data.errors import BundleError, ConfigError
from models.classifier.calibration import Calibration
from models.classifier.labels import HEADS, LabelSpace
from models.classifier.ngrams import TERMS
from models.classifier.ngrams import WEIGHTS as NGRAM_WEIGHTS
from models.classifier.out_of_vocabulary import OutOfVocabulary
from models.classifier.topic_agency_pmi import TopicAgencyPmi

FORMAT = 4
READABLE = (3, 4)
"""Bundles that can be served: format 3 has graphs that read a mask, which an engine for format 3 always gives."""
ONNX = "model.onnx"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
CARD = "MODEL_CARD.md"
IDS, MASK = "input_ids", "attention_mask"
"""The graph's inputs, shape (batch, tokens); only traced ones read a mask."""
FEATURES = "features"
"""The graph's output beside the logits of the heads: what the heads read, shape (batch, hidden)."""
SMALL_FILES = ("config.yaml", "labels.json", "calibration.json", "affinity.json", "novelty.json", "catalogue.yaml")


class BundleConfig(Config):
    """What `config.yaml` of a bundle says."""

    format: int = FORMAT
    encoder: str
    text_prefix: str
    max_tokens: int
    pad_token_id: int
    data_fingerprint: str
    precision: Literal["int8", "fp32"] = "fp32"
    agreement: dict[str, float] = {}
    """Share of real texts to which the serving graph gives the same label as fp32, for each head."""


@dataclass(frozen=True)
class ClassifierBundle:
    """The small files of a bundle, read and checked; the weights stay on disk."""

    folder: Path
    config: BundleConfig
    labels: LabelSpace
    calibration: Calibration
    catalogue: Catalogue
    topic_agency_pmi: TopicAgencyPmi
    out_of_vocabulary: OutOfVocabulary


def write_bundle(folder: Path, parts: ClassifierBundle, catalogue_yaml: str) -> None:
    """Write the small files of a bundle into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = {head: list(parts.labels.names[head]) for head in HEADS}
    (folder / "labels.json").write_text(json.dumps(labels, ensure_ascii=False, indent=1), encoding="utf-8")
    for name, part in (
        ("calibration.json", parts.calibration),
        ("affinity.json", parts.topic_agency_pmi),
        ("novelty.json", parts.out_of_vocabulary),
    ):  # fmt: skip
        (folder / name).write_text(part.model_dump_json(indent=1), encoding="utf-8")
    (folder / "catalogue.yaml").write_text(catalogue_yaml, encoding="utf-8")
    config = yaml.safe_dump(parts.config.model_dump(), allow_unicode=True, sort_keys=False)
    (folder / "config.yaml").write_text(config, encoding="utf-8")


def read_bundle(folder: Path) -> ClassifierBundle:
    """Read and check the small files of a bundle.

    Raises:
        BundleError: a file is missing or malformed, or the format is another version's.
    """
    for name in (ONNX, TOKENIZER, TERMS, NGRAM_WEIGHTS, *SMALL_FILES):
        if not (folder / name).is_file():
            raise BundleError(f"classifier bundle {folder.name}: {name} is missing; train or restore it")
    name = "config.yaml"
    try:
        content = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
        found = content.get("format") if isinstance(content, dict) else None
        if found not in READABLE:
            raise BundleError(
                f"classifier bundle {folder.name}: config.yaml has format {found}, "
                f"this version reads {READABLE[0]} and {READABLE[1]}"
            )
        config = BundleConfig.model_validate(content)
        name = "labels.json"
        raw = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        labels = LabelSpace({head: tuple(raw[head]) for head in HEADS})
        name = "calibration.json"
        calibration = Calibration.model_validate_json((folder / "calibration.json").read_text("utf-8"))
        name = "affinity.json"
        topic_agency_pmi = TopicAgencyPmi.model_validate_json((folder / name).read_text("utf-8"))
        name = "novelty.json"
        out_of_vocabulary = OutOfVocabulary.model_validate_json((folder / name).read_text("utf-8"))
        name = "catalogue.yaml"
        catalogue = load_catalogue(folder / "catalogue.yaml")
    except (ValidationError, ConfigError, yaml.YAMLError, ValueError, KeyError, TypeError) as error:
        sentence = " ".join(str(error).split())[:200]
        raise BundleError(f"classifier bundle {folder.name}: {name} is broken: {sentence}") from None
    return ClassifierBundle(folder, config, labels, calibration, catalogue, topic_agency_pmi, out_of_vocabulary)
