"""Fine-tuning of one encoder on several regions, on transformers' Trainer.

In: the network, the regions' rows, arguments. Out: the network after the last epoch, and what it reaches. The lower a
layer lies the slower it learns (Howard & Ruder 2018, arXiv:1801.06146): what is low is general, and is to stay so for
regions that are not there yet. A run that was killed goes on after its last whole epoch, to the same weights.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from models.classifier.labels import HEADS
from models.encoder.architecture import layer_stack
from training.adaptation.network import RegionsNetwork
from training.adaptation.rows import RegionRows, repetitions, tokenised
from training.arguments import EncoderAdaptation
from training.encoder.cached_states import encode_with
from training.encoder.pretrained import token_limit
from training.encoder.trainer import (
    epochs_done,
    last_checkpoint,
    make_trainer,
    pad_collator,
    run_arguments,
    use_bf16,
)
from training.long_step import LongStep
from training.tracker import TrackedRun

STANDARDISING_ROWS = 1000
"""Rows whose vectors give the mean and the deviation by which the heads' input is standardised."""
NOT_FED = ("length", "row")
"""Columns that are not the network's: the sampler reads them."""
Figures = dict[str, dict[str, float]]
"""Accuracy of each region's heads on rows held out."""


def adapt_network(
    network: RegionsNetwork,
    regions: Sequence[RegionRows],
    tokenizer: Any,
    arguments: EncoderAdaptation,
    checkpoints: Path,
    say: Callable[[str], None],
    run: TrackedRun | None = None,
) -> tuple[RegionsNetwork, Figures]:
    """Train on the rows taught, from the newest checkpoint where there is one; the network and its figures."""
    limit = token_limit(arguments.max_tokens, network.encoder.config)
    taught, held_out = (tokenised(regions, part, tokenizer, arguments.text_prefix, limit) for part in (False, True))
    rng = np.random.default_rng(arguments.seed)
    times = repetitions([len(region.taught) for region in regions], arguments.sampling_exponent, rng)
    read = taught.select(np.repeat(np.arange(len(taught)), np.concatenate(times)))
    collate = _Collator(tokenizer)
    checkpoint = last_checkpoint(checkpoints)
    if checkpoint:
        say(f"continuing after epoch {epochs_done(checkpoint):.0f} of {arguments.epochs}")
    else:
        shown = taught.select(rng.permutation(len(taught))[:STANDARDISING_ROWS])
        _standardise(network, shown, collate, use_bf16(arguments.bf16), say)
    say(f"adapting the encoder, {len(read)} rows an epoch")
    trainer = make_trainer(
        network,
        read,
        collate,
        run_arguments(arguments, checkpoints, arguments.epochs, label_names=["region"], eval_strategy="epoch"),
        optimizer=torch.optim.AdamW(parameter_groups(network, arguments), fused=True),
        what="adapting",
        held_out=(held_out, collate),
        run=run,
    )
    trainer.compute_metrics = lambda prediction: _flat(_figures(prediction, regions))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    figures = _figures(trainer.predict(held_out), regions)
    # In bf16 the Trainer wraps `forward`; unwrapped it computes in fp32 again, as it is exported.
    tuned: RegionsNetwork = trainer.accelerator.unwrap_model(network, keep_fp32_wrapper=False).to("cpu")
    return tuned, figures


class _Collator:
    """A batch for the network: padded tokens, regions and targets."""

    def __init__(self, tokenizer: Any) -> None:
        self._pad = pad_collator(tokenizer)

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        return dict(self._pad([{k: v for k, v in each.items() if k not in NOT_FED} for each in features]))


def _standardise(
    network: RegionsNetwork, rows: Any, collate: _Collator, bf16: bool, say: Callable[[str], None]
) -> None:
    """Set the mean and deviation of what the heads read: those of some rows by the encoder as it is."""
    device = network.feature_mean.device.type
    with torch.autocast(device, torch.bfloat16, bf16), LongStep("reading rows with the encoder as it is", say) as tell:
        vectors = encode_with(network, rows, collate, None, tell).vectors
    network.feature_mean.copy_(torch.from_numpy(vectors.mean(axis=0)))
    network.feature_deviation.copy_(torch.from_numpy(vectors.std(axis=0) + 1e-6))


def parameter_groups(network: RegionsNetwork, arguments: EncoderAdaptation) -> list[dict[str, Any]]:
    """What AdamW is given: heads at their rate, each layer below the top at `layer_decay` times that of the one above.

    Biases and layer norms do not decay.
    """
    layers = list(layer_stack(network.encoder))
    rates: list[tuple[nn.Module, float]] = [(network.heads, arguments.head_learning_rate)]
    rates += [
        (layer, arguments.learning_rate * arguments.layer_decay**depth) for depth, layer in enumerate(reversed(layers))
    ]
    rates.append((network.encoder, arguments.learning_rate * arguments.layer_decay ** len(layers)))
    groups, taken = [], set[int]()
    for module, rate in rates:
        trained = [p for p in module.parameters() if p.requires_grad and id(p) not in taken]
        taken |= {id(parameter) for parameter in trained}
        for matrices, decay in ((True, arguments.weight_decay), (False, 0.0)):
            of_kind = [parameter for parameter in trained if (parameter.ndim > 1) == matrices]
            groups.append({"params": of_kind, "lr": rate, "weight_decay": decay})
    return [group for group in groups if group["params"]]


def _figures(prediction: Any, regions: Sequence[RegionRows]) -> Figures:
    """The share of right answers of each region's heads, among the rows that have the label."""
    right, of_region = np.asarray(prediction.predictions), np.asarray(prediction.label_ids)
    figures: Figures = {region.name: {} for region in regions}
    for number, region in enumerate(regions):
        for column, head in enumerate(HEADS):
            answers = right[of_region == number, column]
            answers = answers[answers >= 0]
            if head in region.labels and len(answers):
                figures[region.name][head] = float(answers.mean())
    return figures


def _flat(figures: Figures) -> dict[str, float]:
    return {f"{name}.{head}.accuracy": share for name, of_heads in figures.items() for head, share in of_heads.items()}
