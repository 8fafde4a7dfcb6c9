"""Fine-tuning on transformers' Trainer: checkpoints every epoch, early stopping, length grouping.

In: a network whose heads are fitted, rows to learn from and rows to choose the epoch by. Out: the network of the best
epoch. Started again after a kill, it goes on from the last finished epoch and ends with the same weights as a run that
was never killed: the Trainer restores the random state with the rest.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from models.classifier.labels import HEADS, Ints, LabelSpace
from models.encoder.architecture import ComplaintNetwork
from training.arguments import ClassifierTraining
from training.encoder.cached_states import CachedStates
from training.encoder.trainer import epochs_done, last_checkpoint, make_trainer, run_arguments
from training.evaluate.metrics import head_metrics
from training.tracker import TrackedRun

SCORE = "score"
"""The metric that picks the epoch: the mean accuracy of the heads."""
NOT_FED = ("length", "row")
"""Columns that the collator and the sampler read, not the network."""
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class FedRows:
    """Rows as they are fed to n-grams and network.

    Attributes:
        texts: as the models read them.
        targets: label indices of each head, -100 where unknown.
        tokens: a `datasets.Dataset` with `input_ids, attention_mask, sector, topic, agency, length, row`.
        priors: log-probabilities by n-grams that did not see the row, shape (n, labels of the head).
        states: behind the frozen layers, in place of the tokens.
    """

    texts: list[str]
    targets: Mapping[str, Ints]
    tokens: Any
    priors: Mapping[str, Floats] | None = None
    states: CachedStates | None = None

    def with_network(self, priors: Mapping[str, Floats], states: CachedStates | None) -> "FedRows":
        """The same rows with what a batch of fine-tuning needs beside the tokens."""
        return replace(self, priors=priors, states=states)


def fine_tune(
    network: ComplaintNetwork,
    rows: FedRows,
    validation: FedRows,
    tokenizer: Any,
    arguments: ClassifierTraining,
    checkpoints: Path,
    say: Callable[[str], None],
    run: TrackedRun | None = None,
) -> ComplaintNetwork:
    """Train on `rows`, keep the epoch best on `validation`; from the newest checkpoint where there is one."""
    import transformers

    checkpoint = last_checkpoint(checkpoints)
    if checkpoint:
        say(f"continuing after epoch {epochs_done(checkpoint):.0f} of {arguments.epochs}")
    transformers.set_seed(arguments.seed)
    trainer = _trainer(network, rows, validation, tokenizer, arguments, checkpoints, run)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    # In bf16 the Trainer wraps `forward`; unwrapped it computes in fp32 again, as it is exported.
    tuned: ComplaintNetwork = trainer.accelerator.unwrap_model(network, keep_fp32_wrapper=False).to("cpu")
    if rows.states is not None:
        shutil.rmtree(Path(str(rows.states.array.filename)).parent, ignore_errors=True)  # type: ignore[attr-defined]
    return tuned


def class_weights(labels: LabelSpace, rows: pd.DataFrame, weighting: str) -> dict[str, torch.Tensor] | None:
    """Weights of each head's labels, mean 1 over rows: balanced 1/rows, or its square root."""
    if weighting == "none":
        return None
    weights = {}
    for head, targets in labels.targets(rows).items():
        counted = np.bincount(targets[targets >= 0], minlength=len(labels.names[head])).clip(min=1)
        weight = 1.0 / counted if weighting == "balanced" else 1.0 / np.sqrt(counted)
        weights[head] = torch.tensor(weight * counted.sum() / (weight * counted).sum(), dtype=torch.float32)
    return weights


def _trainer(
    network: ComplaintNetwork,
    rows: FedRows,
    validation: FedRows,
    tokenizer: Any,
    arguments: ClassifierTraining,
    folder: Path,
    tracked: TrackedRun | None,
) -> Any:
    from transformers import DataCollatorWithPadding, EarlyStoppingCallback

    run = run_arguments(
        arguments,
        folder,
        load_best_model_at_end=True,
        metric_for_best_model=SCORE,
        greater_is_better=True,
        label_names=list(HEADS),
        restore_callback_states_from_checkpoint=True,  # the patience of early stopping is one of them
    )
    pad = DataCollatorWithPadding(tokenizer)
    return make_trainer(
        network,
        [rows.tokens, validation.tokens],
        [_Collator(pad, rows), _Collator(pad, validation)],
        run,
        optimizer=_optimizer(network, arguments),
        what="fine-tuning",
        callbacks=[EarlyStoppingCallback(arguments.patience)],
        compute_metrics=_validation_metrics,
        run=tracked,
    )


class _Collator:
    """A batch for the network: padded tokens or the cached states instead, targets and priors."""

    def __init__(self, pad: Any, rows: FedRows) -> None:
        self._pad = pad
        self._priors = {head: torch.from_numpy(prior) for head, prior in (rows.priors or {}).items()}
        self._states = rows.states

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        rows = [feature["row"] for feature in features]
        fed = [{name: value for name, value in each.items() if name not in NOT_FED} for each in features]
        batch = dict(self._pad(fed))
        batch["priors"] = {head: prior[rows] for head, prior in self._priors.items()}
        if self._states is not None:
            width = batch.pop("input_ids").shape[1]
            batch["states"] = self._states.padded(rows, width)
        return batch


def _optimizer(network: ComplaintNetwork, arguments: ClassifierTraining) -> torch.optim.Optimizer:
    """AdamW; no decay for biases and layer norms; the new heads learn faster than the encoder."""
    groups: list[dict[str, Any]] = []
    for module, rate in (
        (network.encoder, arguments.learning_rate),
        (network.heads, arguments.head_learning_rate),
    ):
        trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
        vectors = [parameter for parameter in trained if parameter.ndim == 1]
        matrices = [parameter for parameter in trained if parameter.ndim > 1]
        groups.append({"params": matrices, "lr": rate, "weight_decay": arguments.weight_decay})
        groups.append({"params": vectors, "lr": rate, "weight_decay": 0.0})
    return torch.optim.AdamW([group for group in groups if group["params"]], fused=True)


def _validation_metrics(prediction: Any) -> dict[str, float]:
    """Accuracy and macro-F1 of each bare head; `score` is the mean accuracy that picks the epoch."""
    out: dict[str, float] = {}
    for head, scores, targets in zip(HEADS, prediction.predictions, prediction.label_ids, strict=True):
        figures = head_metrics(np.asarray(targets), np.asarray(scores))
        out[f"{head}.accuracy"], out[f"{head}.macro_f1"] = figures.accuracy, figures.macro_f1
    return out | {SCORE: float(np.mean([out[f"{head}.accuracy"] for head in HEADS]))}
