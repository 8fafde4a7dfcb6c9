"""What the speed benchmark compares: one bundle in each precision, and its rivals' files.

In: a classifier's bundle. Out: bundles that differ in their precision alone, a transformers model with the same
encoder for `pipeline`, and the arithmetic that a network needs for given texts.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import console
from data.settings import settings
from models.classifier.bundle import (
    CATALOGUE,
    FORMAT,
    ClassifierBundle,
    encoder_folder,
    read_bundle,
    served_files,
    write_bundle,
)
from models.encoder.artifact import ARCHITECTURE, ENCODERS, Precision
from models.encoder.onnx_runtime import open_tokenizer, split_windows
from models.text.model_input import model_input

WRITTEN = "written"
"""A file that is there when both precisions are."""


@dataclass(frozen=True)
class Sizes:
    """Of an encoder: numbers of a token's state, numbers inside the feed-forward part, layers."""

    hidden: int
    inner: int
    layers: int


def cut_network(bundle: ClassifierBundle, layers: int | None) -> tuple[Any, Any]:
    """The bundle's network in torch and its tokenizer; with `layers`, its lowest ones only."""
    from training.encoder.pretrained import network_of

    network, tokenizer = network_of(bundle)
    encoder: Any = network.encoder
    if layers is not None:
        del network.stack[layers:]
        encoder.config.num_hidden_layers = layers
    return network, tokenizer


def write_precisions(folder_of_bundle: Path, folder: Path, layers: int | None = None) -> dict[Precision, Path]:
    """Bundles that differ in their precision alone, their encoder written anew from its weights beside them."""
    from training.encoder.export import export_encoder

    out: dict[Precision, Path] = {"fp32": folder / "fp32", "int8": folder / "int8"}
    if (folder / WRITTEN).exists():
        return out
    bundle = read_bundle(folder_of_bundle)
    network, tokenizer = cut_network(bundle, layers)
    address = export_encoder(network.encoder, tokenizer, folder / ENCODERS, console.print)
    for precision, copy in out.items():
        facts = {"format": FORMAT, "encoder_hash": address, "pad_token_id": None, "precision": precision}
        config = bundle.config.model_copy(update=facts)
        write_bundle(replace(bundle, folder=copy, config=config), (folder_of_bundle / CATALOGUE).read_text("utf-8"))
    (folder / WRITTEN).touch()
    return out


def write_pipeline(folder_of_bundle: Path, folder: Path) -> Path:
    """The bundle's encoder under a classification head, as transformers' `pipeline` loads it."""
    from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

    if (folder / "config.json").exists():
        return folder
    network, tokenizer = cut_network(read_bundle(folder_of_bundle), None)
    config = network.encoder.config
    config.num_labels = network.heads["sector"].out_features
    model = AutoModelForSequenceClassification.from_config(config)
    model.base_model.load_state_dict(network.encoder.state_dict(), strict=False)
    tokens = {"bos_token": "<s>", "cls_token": "<s>", "sep_token": "</s>", "eos_token": "</s>", "pad_token": "<pad>"}
    own = PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer, unk_token="<unk>", **tokens)
    own.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def sizes_of(folder_of_bundle: Path) -> Sizes:
    """The sizes of a bundle's encoder."""
    config = json.loads((encoder_folder(read_bundle(folder_of_bundle)) / ARCHITECTURE).read_text(encoding="utf-8"))
    return Sizes(config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"])


def write_products(folder: Path, sizes: Sizes, kind: str) -> Path:
    """What the ceiling is measured with: the products of one layer, in a file for the worker."""
    folder.mkdir(parents=True, exist_ok=True)
    shapes = [[sizes.hidden, sizes.hidden]] * 4 + [[sizes.hidden, sizes.inner], [sizes.inner, sizes.hidden]]
    (folder / "products.json").write_text(json.dumps({"kind": kind, "shapes": shapes}))
    return folder


def windows_of(folder_of_bundle: Path, texts: Sequence[str]) -> list[list[int]]:
    """The token ids that the network reads of the texts."""
    bundle = read_bundle(folder_of_bundle)
    tokenizer = open_tokenizer(served_files(bundle, settings().home / ENCODERS))
    encoded = tokenizer.encode_batch_fast([bundle.config.text_prefix + model_input(text, None) for text in texts])
    return [window for encoding in encoded for window in split_windows(encoding.ids, bundle.config.max_tokens)]


def operations(sizes: Sizes, windows: Sequence[Sequence[int]]) -> float:
    """Multiplications and additions in the matrix products for these windows, padding left out."""
    lengths = np.array([len(window) for window in windows], dtype=np.float64)
    linear = _of_a_token(sizes) * lengths.sum()
    attention = 4 * sizes.hidden * (lengths**2).sum()
    return float(sizes.layers * (linear + attention))


def layer_operations(sizes: Sizes, rows: int) -> float:
    """Operations in one layer's products with `rows` tokens."""
    return float(rows * _of_a_token(sizes))


def _of_a_token(sizes: Sizes) -> int:
    """Operations of one layer's products on one token: four square matrices, and both of the feed-forward part."""
    return 2 * (4 * sizes.hidden**2 + 2 * sizes.hidden * sizes.inner)
