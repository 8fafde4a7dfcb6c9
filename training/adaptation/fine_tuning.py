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

from models.classifier.labels import HEADS
from training.adaptation.network import RegionsNetwork
from training.adaptation.rows import RegionRows, repetitions, tokenised
from training.arguments import EncoderAdaptation
from training.classifier.fine_tuning import Collator, optimizer
from training.encoder.cached_states import CachedStates, can_cache, encode_with
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
Say = Callable[[str], None]
Figures = dict[str, dict[str, float]]
"""Accuracy of each region's heads on rows held out."""


def adapt_network(
    network: RegionsNetwork,
    regions: Sequence[RegionRows],
    tokenizer: Any,
    arguments: EncoderAdaptation,
    work: Path,
    say: Say,
    run: TrackedRun | None = None,
) -> tuple[RegionsNetwork, Figures]:
    """Train on the rows taught, from the newest checkpoint in `work` if there is one; the network and its figures."""
    limit = token_limit(arguments.max_tokens, network.encoder.config)
    taught, held_out = (tokenised(regions, part, tokenizer, arguments.text_prefix, limit) for part in (False, True))
    rng = np.random.default_rng(arguments.seed)
    times = repetitions([len(region.taught) for region in regions], arguments.sampling_exponent, rng)
    read = taught.select(np.repeat(np.arange(len(taught)), np.concatenate(times)))
    pad = pad_collator(tokenizer)
    checkpoint = last_checkpoint(work / "checkpoints")
    if checkpoint:
        say(f"continuing after epoch {epochs_done(checkpoint):.0f} of {arguments.epochs}")
    else:
        shown = taught.select(rng.permutation(len(taught))[:STANDARDISING_ROWS])
        _standardise(network, shown, pad, arguments, say)
    states = _states(network, taught, pad, arguments, work / "states" / "taught.npy", say)
    say(f"adapting the encoder, {len(read)} rows an epoch")
    trainer = make_trainer(
        network,
        read,
        Collator(pad, states),
        run_arguments(arguments, work / "checkpoints", arguments.epochs, label_names=["region"], eval_strategy="epoch"),
        optimizer=optimizer(network, arguments),
        what="adapting",
        held_out=(held_out, Collator(pad, None)),
        run=run,
    )
    trainer.compute_metrics = lambda prediction: _flat(_figures(prediction, regions))
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    trainer.data_collator = Collator(pad, None)
    figures = _figures(trainer.predict(held_out), regions)
    # In bf16 the Trainer wraps `forward`; unwrapped it computes in fp32 again, as it is exported.
    tuned: RegionsNetwork = trainer.accelerator.unwrap_model(network, keep_fp32_wrapper=False).to("cpu")
    return tuned, figures


def _standardise(network: RegionsNetwork, rows: Any, pad: Any, arguments: EncoderAdaptation, say: Say) -> None:
    """Set the mean and deviation of what the heads read: those of some rows by the encoder as it is."""
    with _precision(network, arguments), LongStep("reading some rows with the encoder as it is", say) as tell:
        vectors = encode_with(network, rows, pad, None, tell).vectors
    network.feature_mean.copy_(torch.from_numpy(vectors.mean(axis=0)))
    network.feature_deviation.copy_(torch.from_numpy(vectors.std(axis=0) + 1e-6))


def _states(
    network: RegionsNetwork, rows: Any, pad: Any, arguments: EncoderAdaptation, path: Path, say: Say
) -> CachedStates | None:
    """States behind the frozen layers: a row that is repeated, or read in several epochs, is computed once."""
    if not can_cache(network):
        return None
    say("reading the rows as far as the frozen layers")
    with _precision(network, arguments), LongStep("reading the rows", say) as tell:
        return encode_with(network, rows, pad, path, tell, pool=False).states


def _precision(network: RegionsNetwork, arguments: EncoderAdaptation) -> torch.autocast:
    return torch.autocast(network.feature_mean.device.type, torch.bfloat16, use_bf16(arguments.bf16))


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
