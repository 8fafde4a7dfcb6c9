"""From a trained network to a bundle: weights, ONNX graph, tokenizer, the small files.

A BERT is written as a graph directly, other encoders as torch traces them. Before a bundle is finished its graph
must agree with the network on real texts. `rows` are such texts: token ids, shape (1, tokens), without padding.
"""

import json
import logging
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from data.errors import BundleError
from models.classifier.bundle import FEATURES, IDS, MASK, ONNX, TOKENIZER, WEIGHTS
from models.classifier.labels import HEADS
from models.encoder.architecture import ComplaintNetwork, watch
from training.encoder.graph import Ranges, bert_graph, can_write

AGREEMENT = 1e-3
"""Largest allowed difference of a logit or a feature between torch and ONNX Runtime, both fp32."""
OUTPUTS = (*HEADS, FEATURES)


class _OutputsInOrder(torch.nn.Module):
    """The network with a tuple of logits and features as its output, which is what ONNX wants."""

    def __init__(self, network: ComplaintNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        network = self.network
        features = network.standardised(network.pooled(input_ids, attention_mask))
        return *(network.heads[head](features) for head in HEADS), features


def export_weights(network: ComplaintNetwork, tokenizer: Any, folder: Path, rows: Sequence[torch.Tensor] = ()) -> None:
    """Write safetensors, the encoder's config, the tokenizer and the ONNX graph into `folder`.

    `rows` show what int8 has to cover.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    network = network.eval()
    encoder: Any = network.encoder
    encoder.set_attn_implementation("eager")  # a plain graph, which ONNX Runtime fuses best
    (folder / "encoder").mkdir(exist_ok=True)
    (folder / "encoder" / "config.json").write_text(json.dumps(encoder.config.to_dict(), indent=1, default=str))
    save_file({name: t.contiguous() for name, t in network.state_dict().items()}, str(folder / WEIGHTS))
    tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    export_onnx(network, folder / ONNX, rows)


def export_onnx(network: ComplaintNetwork, path: Path, rows: Sequence[torch.Tensor] = ()) -> None:
    """Write the fp32 graph with dynamic batch and length."""
    import onnx

    if can_write(network):
        onnx.save(bert_graph(network, activation_ranges(network, rows)), str(path))
    else:
        _trace(network, path)


def activation_ranges(network: ComplaintNetwork, rows: Sequence[torch.Tensor]) -> list[Ranges]:
    """The largest activations of each layer's channels on real texts; none without texts."""
    if not rows:
        return []
    largest: dict[tuple[int, str], torch.Tensor] = {}

    def note(layer: int, name: str, values: torch.Tensor) -> None:
        seen = values.abs().amax(dim=(0, 1))
        largest[layer, name] = torch.maximum(largest.get((layer, name), seen), seen)

    stack: Any = network.stack
    watched = []
    for number, layer in enumerate(stack):
        query, raised = layer.attention.self.query, layer.intermediate
        watched.append(query.register_forward_hook(lambda _, given, __, n=number: note(n, "states", given[0])))
        watched.append(raised.register_forward_hook(lambda _, given, __, n=number: note(n, "middle", given[0])))
        watched.append(raised.register_forward_hook(lambda _, __, answer, n=number: note(n, "hidden", answer)))
    watch(network.encoder, rows, watched)
    names = ("states", "middle", "hidden")
    return [Ranges(*(largest[number, name].numpy() for name in names)) for number in range(len(stack))]


def _trace(network: ComplaintNetwork, path: Path) -> None:
    ids = torch.ones((2, 8), dtype=torch.int64)
    batch, length = torch.export.Dim("batch", min=1, max=65536), torch.export.Dim("length", min=2, max=512)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _OutputsInOrder(network),
            (ids, torch.ones_like(ids)),
            str(path),
            input_names=[IDS, MASK],
            output_names=list(OUTPUTS),
            dynamic_shapes=({0: batch, 1: length}, {0: batch, 1: length}),
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def check_agreement(network: ComplaintNetwork, rows: Sequence[torch.Tensor], folder: Path) -> float:
    """Largest difference of a logit or a feature between torch and the exported graph over real texts.

    Each text shares a batch with its mirror image: a graph that mixes rows differs too.

    Raises:
        BundleError: they differ by more than `AGREEMENT`.
    """
    import onnxruntime as ort

    session = ort.InferenceSession(str(folder / ONNX), providers=["CPUExecutionProvider"])
    inputs = [each.name for each in session.get_inputs()]
    worst = 0.0
    network = network.eval()
    for row in rows:
        ids = torch.cat([row, row.flip(1)])
        mask = torch.ones_like(ids)
        with torch.no_grad():
            expected = network(ids, mask) | {FEATURES: network.standardised(network.pooled(ids, mask))}
        given = {IDS: ids.numpy(), MASK: mask.numpy()}
        answers = session.run(list(OUTPUTS), {name: given[name] for name in inputs})
        for name, answer in zip(OUTPUTS, answers, strict=True):
            worst = max(worst, float(np.abs(expected[name].numpy() - answer).max()))
    if worst > AGREEMENT:
        shutil.rmtree(folder, ignore_errors=True)
        raise BundleError(f"the exported graph differs from the network by {worst:.4f} in a logit or a feature")
    return worst
