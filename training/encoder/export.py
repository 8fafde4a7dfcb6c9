"""From a torch encoder to its artifact: weights, tokenizer, ONNX graphs in fp32 and int8.

In: an encoder and its tokenizer. Out: a folder under the hash of its content. A BERT is written as a graph directly,
other encoders as torch traces them; before an artifact is finished its graph must agree with torch. All that texts
decide, the scales of int8 and the check, comes from `data/samples/quantisation.txt`, as the models read them: never
from a region's rows, so that the same encoder gives the same bytes.
"""

import json
import logging
import shutil
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from data.errors import BundleError
from data.settings import CHECKOUT
from models.encoder.architecture import layer_stack, run_with_hooks, token_mean
from models.encoder.artifact import (
    ARCHITECTURE,
    CONFIG,
    GRAPHS,
    IDS,
    MASK,
    TOKENIZER,
    VECTORS,
    WEIGHTS,
    EncoderConfig,
    store_encoder,
)
from training.encoder.graph import Ranges, bert_graph, can_write
from training.encoder.pretrained import token_limit
from training.encoder.quantise import write_int8

QUANTISATION_TEXTS = CHECKOUT / "data" / "samples" / "quantisation.txt"
"""64 complaints of the sample, four a sector, normalised: another list would give every encoder another address."""
MAX_TOKENS = 192
"""Of a fixed text that are read; the longest has some 200."""
AGREEMENT = 1e-3
"""Largest allowed difference of a vector's number between torch and ONNX Runtime, both fp32, in units of the
deviation between texts: what is not seen in any decision."""
VOLATILE = ("transformers_version", "_name_or_path", "dtype", "torch_dtype")
"""Of an architecture's config: they say who wrote it and where it lay, and must not change its address."""


def export_encoder(encoder: Any, tokenizer: Any, place: Path, say: Callable[[str], None]) -> str:
    """Write an encoder's artifact into `place`, under the hash of its content; the hash.

    Raises:
        BundleError: the graph differs from the encoder.
    """
    folder = place / "unfinished"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        _write(encoder.eval(), tokenizer, folder, say)
        return store_encoder(folder, place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(encoder: Any, tokenizer: Any, folder: Path, say: Callable[[str], None]) -> None:
    from safetensors.torch import save_file

    rows = fixed_rows(tokenizer, token_limit(MAX_TOKENS, encoder.config))
    say("writing the encoder as ONNX graphs")
    config = {name: value for name, value in encoder.config.to_dict().items() if name not in VOLATILE}
    (folder / ARCHITECTURE).write_text(json.dumps(config, indent=1, sort_keys=True, default=str), encoding="utf-8")
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in encoder.state_dict().items()}
    save_file(weights, folder / WEIGHTS, {"format": "pt"})
    tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    about = EncoderConfig(pad_token_id=int(tokenizer.pad_token_id))
    (folder / CONFIG).write_text(yaml.safe_dump(about.model_dump()), encoding="utf-8")
    write_graphs(encoder, folder, rows)
    say("checking that the graph gives the encoder's vectors")
    check_agreement(encoder, rows, folder / GRAPHS["fp32"])


def fixed_rows(tokenizer: Any, limit: int) -> list[torch.Tensor]:
    """Token ids of the fixed texts, each of shape (1, tokens)."""
    texts = QUANTISATION_TEXTS.read_text(encoding="utf-8").splitlines()
    return [torch.tensor([tokenizer(text, truncation=True, max_length=limit)["input_ids"]]) for text in texts]


def write_graphs(encoder: Any, folder: Path, rows: Sequence[torch.Tensor]) -> None:
    """Write the fp32 graph and the int8 one, with dynamic batch and length; `rows` show what int8 has to cover."""
    import onnx

    encoder.set_attn_implementation("eager")  # a plain graph, which ONNX Runtime fuses best
    plain, small = folder / GRAPHS["fp32"], folder / GRAPHS["int8"]
    if not can_write(encoder):
        _trace(encoder, plain)
        write_int8(onnx.load(plain), small)
        return
    onnx.save(bert_graph(encoder), str(plain))
    write_int8(bert_graph(encoder, activation_ranges(encoder, rows)), small)


@dataclass
class _Largest:
    """The largest activations that hooks have seen, by channel."""

    values: torch.Tensor | None = None

    def of_input(self, _: Any, given: tuple[torch.Tensor, ...]) -> None:
        self._note(given[0])

    def of_output(self, _: Any, __: Any, answer: torch.Tensor) -> None:
        self._note(answer)

    def _note(self, values: torch.Tensor) -> None:
        largest = values.abs().amax(dim=(0, 1))
        self.values = largest if self.values is None else torch.maximum(self.values, largest)

    def numpy(self) -> Any:
        assert self.values is not None
        return self.values.numpy()


def activation_ranges(encoder: Any, rows: Sequence[torch.Tensor]) -> list[Ranges]:
    """The largest activations of each layer's channels on token ids, each of shape (1, tokens)."""
    layers: Any = layer_stack(encoder)
    seen = [(_Largest(), _Largest(), _Largest()) for _ in layers]
    hooks = []
    for layer, (states, middle, hidden) in zip(layers, seen, strict=True):
        hooks.append(layer.attention.self.query.register_forward_pre_hook(states.of_input))
        hooks.append(layer.intermediate.register_forward_pre_hook(middle.of_input))
        hooks.append(layer.intermediate.register_forward_hook(hidden.of_output))
    run_with_hooks(encoder, rows, hooks)
    return [Ranges(states.numpy(), middle.numpy(), hidden.numpy()) for states, middle, hidden in seen]


class _Pooled(torch.nn.Module):
    """The encoder with the mean of its token vectors as output, which is what ONNX wants."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return pooled(self.encoder, input_ids, attention_mask)


def pooled(encoder: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Mean of the token vectors in torch, shape (batch, hidden)."""
    states = encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
    return token_mean(states, attention_mask)


def _trace(encoder: Any, path: Path) -> None:
    ids = torch.ones((2, 8), dtype=torch.int64)
    batch, length = torch.export.Dim("batch", min=1, max=65536), torch.export.Dim("length", min=2, max=512)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Pooled(encoder),
            (ids, torch.ones_like(ids)),
            str(path),
            input_names=[IDS, MASK],
            output_names=[VECTORS],
            dynamic_shapes=({0: batch, 1: length}, {0: batch, 1: length}),
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def check_agreement(encoder: Any, rows: Sequence[torch.Tensor], graph: Path) -> float:
    """Largest difference of a vector's number between torch and a graph, in deviations between the texts' vectors.

    Each text shares a batch with its mirror image: a graph that mixes rows differs too.

    Raises:
        BundleError: they differ by more than `AGREEMENT`.
    """
    import onnxruntime as ort

    session = ort.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    inputs = [each.name for each in session.get_inputs()]
    run = partial(session.run, [VECTORS])
    expected, answered = [], []
    for row in rows:
        ids = torch.cat([row, row.flip(1)])
        mask = torch.ones_like(ids)
        with torch.no_grad():
            expected.append(pooled(encoder, ids, mask).numpy())
        feeds = {IDS: ids.numpy(), MASK: mask.numpy()}
        answered.append(run({name: feeds[name] for name in inputs})[0])
    torch_vectors, graph_vectors = np.concatenate(expected), np.concatenate(answered)
    deviation = float((torch_vectors - torch_vectors.mean(axis=0)).std())
    worst = float(np.abs(torch_vectors - graph_vectors).max()) / deviation
    if not worst <= AGREEMENT:
        raise BundleError(f"the exported graph differs from the encoder by {worst:.4f} deviations of its vectors")
    return worst
