"""What the speed benchmark compares: one bundle with the graphs of each precision, and its rivals' files.

In: a classifier's bundle. Out: folders that differ in their graph alone, a transformers model with the same
encoder for `pipeline`, and the arithmetic that a network needs for given texts.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.classifier.bundle import ONNX, TOKENIZER, WEIGHTS, read_bundle
from models.classifier.labels import HEADS
from models.encoder.onnx_runtime import open_tokenizer, split_windows
from models.text.model_input import model_input

CALIBRATING = 32
"""Texts that show which channels must stay fp32."""


def network_of(bundle: Path, layers: int | None = None) -> Any:
    """The bundle's network in torch; with `layers`, its lowest ones only."""
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel

    from models.encoder.architecture import ComplaintNetwork

    config = AutoConfig.from_pretrained(bundle / "encoder")
    config.num_hidden_layers = layers or config.num_hidden_layers
    names = read_bundle(bundle).labels.names
    encoder = AutoModel.from_config(config, add_pooling_layer=False)
    network = ComplaintNetwork(encoder, config.hidden_size, {head: len(names[head]) for head in HEADS})
    network.load_state_dict(load_file(bundle / WEIGHTS), strict=layers is None)
    return network.eval()


def write_precisions(bundle: Path, folder: Path, texts: Sequence[str], layers: int | None = None) -> tuple[Path, Path]:
    """Copies of the bundle with an fp32 and an int8 graph, written anew from its weights."""
    import torch

    from training.encoder.export import export_onnx
    from training.encoder.quantise import write_int8

    plain, small = folder / "fp32", folder / "int8"
    if (small / ONNX).exists():
        return plain, small
    network, parts = network_of(bundle, layers), read_bundle(bundle)
    for copy in (plain, small):
        shutil.copytree(bundle, copy, ignore=shutil.ignore_patterns(ONNX, WEIGHTS), dirs_exist_ok=True)
        config = copy / "encoder" / "config.json"
        config.write_text(json.dumps(network.encoder.config.to_dict(), default=str))  # a cut one has fewer layers
    export_onnx(network, plain / ONNX, [torch.tensor([ids]) for ids in windows_of(bundle, texts[:CALIBRATING])])
    write_int8(plain / ONNX, small / f"{ONNX}.new")
    (small / f"{ONNX}.new").rename(small / ONNX)
    assert parts.config == read_bundle(small).config
    return plain, small


def write_pipeline(bundle: Path, folder: Path) -> Path:
    """The bundle's encoder under a classification head, as transformers' `pipeline` loads it."""
    from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedTokenizerFast

    if (folder / "config.json").exists():
        return folder
    network = network_of(bundle)
    config = AutoConfig.from_pretrained(bundle / "encoder")
    config.num_labels = network.heads["sector"].out_features
    model = AutoModelForSequenceClassification.from_config(config)
    model.base_model.load_state_dict(network.encoder.state_dict(), strict=False)
    tokens = {"bos_token": "<s>", "cls_token": "<s>", "sep_token": "</s>", "eos_token": "</s>", "pad_token": "<pad>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(bundle / TOKENIZER), unk_token="<unk>", **tokens)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    return folder


def write_products(folder: Path, bundle: Path, layers: int, kind: str) -> Path:
    """What the ceiling is measured with: the products of one layer, in a file for the worker."""
    config = json.loads((bundle / "encoder" / "config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    folder.mkdir(parents=True, exist_ok=True)
    shapes = [[hidden, hidden]] * 4 + [[hidden, inner], [inner, hidden]]
    (folder / "products.json").write_text(json.dumps({"kind": kind, "shapes": shapes, "layers": layers}))
    return folder


def windows_of(bundle: Path, texts: Sequence[str]) -> list[list[int]]:
    """The token ids that the network reads of the texts."""
    parts = read_bundle(bundle)
    encoded = open_tokenizer(parts).encode_batch_fast([parts.config.text_prefix + model_input(t, None) for t in texts])
    return [window for encoding in encoded for window in split_windows(encoding.ids, parts.config.max_tokens)]


def operations(bundle: Path, windows: Sequence[Sequence[int]], layers: int) -> float:
    """Multiplications and additions in the matrix products for these windows, padding left out."""
    config = json.loads((bundle / "encoder" / "config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    lengths = np.array([len(window) for window in windows], dtype=np.float64)
    linear = 2 * (4 * hidden**2 + 2 * hidden * inner) * lengths.sum()
    attention = 4 * hidden * (lengths**2).sum()
    return float(layers * (linear + attention))


def layer_operations(bundle: Path, rows: int) -> float:
    """Operations in one layer's products with `rows` tokens."""
    config = json.loads((bundle / "encoder" / "config.json").read_text())
    return float(2 * rows * (4 * config["hidden_size"] ** 2 + 2 * config["hidden_size"] * config["intermediate_size"]))
