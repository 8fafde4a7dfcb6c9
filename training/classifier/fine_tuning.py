"""Fine-tuning the encoder and its heads on a region's rows, on transformers' Trainer.

In: training rows with their tokens, some of which may be held out. Out: a network after the last epoch: the rate falls
to zero, so that no epoch has to be picked by rows which would then be lost to training. Lower layers, which know
the language, learn slower than upper ones (discriminative fine-tuning; Howard & Ruder 2018, arXiv:1801.06146). Started
again after a kill, it goes on from the last finished epoch and ends with the same weights as a run that was never
killed: the Trainer restores the random state with the rest.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from models.classifier.labels import HEADS, Ints
from models.encoder.architecture import ComplaintNetwork, PooledEncoder
from training.arguments import ClassifierTraining, EncoderAdaptation
from training.classifier.regression import label_weights
from training.encoder.cached_states import CachedStates
from training.encoder.trainer import epochs_done, last_checkpoint, make_trainer, pad_collator, run_arguments
from training.tracker import TrackedRun

NOT_FED = ("length", "row")
"""Columns that the collator and the sampler read, not the network."""
LEAST_ROWS = 4000
"""From so many complaints on `epochs: auto` fine-tunes: on Kursk and Ryazan, which have fewer, a tuned encoder gained
on sectors what it lost on rare topics and agencies (docs/experiments.md)."""
ROW_PASSES = 40_000
"""What `epochs: auto` spends on a fit: two epochs of 20,000 rows."""
FEWEST_EPOCHS, MOST_EPOCHS = 2, 6
"""Of `auto`: with one the rate falls before rare labels came twice; after six Kursk's held-out rows gain nothing."""
Floats = npt.NDArray[np.floating]


def epochs_of(wish: int | str, rows: int) -> int:
    """How many epochs: as asked for, or as many as `auto` gives so many complaints."""
    if isinstance(wish, int):
        return wish
    if rows < LEAST_ROWS:
        return 0
    return int(np.clip(round(ROW_PASSES / max(rows, 1)), FEWEST_EPOCHS, MOST_EPOCHS))


def fine_tune(
    network: ComplaintNetwork,
    tokens: Any,
    rows: npt.NDArray[np.integer],
    states: CachedStates | None,
    tokenizer: Any,
    arguments: ClassifierTraining,
    epochs: int,
    checkpoints: Path,
    say: Callable[[str], None],
    run: TrackedRun | None = None,
) -> ComplaintNetwork:
    """Train on some rows of `tokens` (a `datasets.Dataset`); from the newest checkpoint where there is one.

    `states` are those of all rows behind the frozen layers, in place of their tokens.
    """
    import transformers

    checkpoint = last_checkpoint(checkpoints)
    if checkpoint:
        say(f"continuing after epoch {epochs_done(checkpoint):.0f} of {epochs}")
    transformers.set_seed(arguments.seed)
    trainer = make_trainer(
        network,
        tokens.select(rows.tolist()),
        Collator(pad_collator(tokenizer), states),
        run_arguments(arguments, checkpoints, epochs, label_names=list(HEADS)),
        optimizer=optimizer(network, arguments),
        what=f"fine-tuning on {len(rows)} rows",
        run=run,
    )
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    # In bf16 the Trainer wraps `forward`; unwrapped it computes in fp32 again, as it is exported.
    tuned: ComplaintNetwork = trainer.accelerator.unwrap_model(network, keep_fp32_wrapper=False).to("cpu")
    shutil.rmtree(checkpoints, ignore_errors=True)
    return tuned


def class_weights(
    targets: Mapping[str, Ints], label_counts: Mapping[str, int], weighting: str
) -> dict[str, torch.Tensor] | None:
    """Weights of each head's labels, mean 1 over rows: balanced 1/rows, or its square root."""
    if weighting == "none":
        return None
    return {
        head: torch.tensor(label_weights(of_head, label_counts[head], weighting), dtype=torch.float32)
        for head, of_head in targets.items()
    }


class Collator:
    """A batch for the network: padded tokens, or the cached states in their place, and targets."""

    def __init__(self, pad: Any, states: CachedStates | None) -> None:
        self._pad, self._states = pad, states

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        """The batch of some rows of the `datasets.Dataset`."""
        fed = [{name: value for name, value in each.items() if name not in NOT_FED} for each in features]
        batch = dict(self._pad(fed))
        if self._states is not None:
            width = batch.pop("input_ids").shape[1]
            batch["states"] = self._states.padded([feature["row"] for feature in features], width)
        return batch


def optimizer(network: PooledEncoder, arguments: ClassifierTraining | EncoderAdaptation) -> torch.optim.Optimizer:
    """AdamW; no decay for biases and layer norms; each layer learns `layer_decay` times as fast as the one above."""
    layers = list(network.stack)
    in_layers = {id(parameter) for layer in layers for parameter in layer.parameters()}
    below = [parameter for parameter in network.encoder.parameters() if id(parameter) not in in_layers]
    parts: list[tuple[Sequence[torch.nn.Parameter], float]] = [
        (list(network.heads.parameters()), arguments.head_learning_rate)
    ]
    rate = arguments.learning_rate
    for layer in reversed(layers):
        parts.append((list(layer.parameters()), rate))
        rate *= arguments.layer_decay
    parts.append((below, rate))
    groups: list[dict[str, Any]] = []
    for parameters, of_part in parts:
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        vectors = [parameter for parameter in trained if parameter.ndim == 1]
        matrices = [parameter for parameter in trained if parameter.ndim > 1]
        groups.append({"params": matrices, "lr": of_part, "weight_decay": arguments.weight_decay})
        groups.append({"params": vectors, "lr": of_part, "weight_decay": 0.0})
    return torch.optim.AdamW([group for group in groups if group["params"]], fused=True)
