"""Transformers' Trainer as all our runs use it: each epoch is measured and kept, a killed run goes on from the last.

In: a module, rows with their collator, arguments of a run. Out: a `Trainer`, and the checkpoint it
may go on from.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from training.arguments import ClassifierTraining, Distillation, EncoderAdaptation
from training.tracker import TrackedRun

BF16_FLAGS = {"avx512_bf16", "amx_bf16"}
"""Of processors that multiply in bf16; on others it is emulated and slower than fp32."""


def make_trainer(
    model: nn.Module,
    rows: Any,
    collator: Any,
    arguments: Any,
    *,
    optimizer: torch.optim.Optimizer,
    what: str,
    held_out: tuple[Any, Any] | None = None,
    run: TrackedRun | None = None,
) -> Any:
    """A Trainer over a `datasets.Dataset` with its collator; `arguments` of `run_arguments`.

    `held_out` are rows with a collator of their own, measured after each epoch; `what` stands before the progress bar;
    `run`, if there is one, is told the figures of every epoch.
    """
    from transformers import PrinterCallback, Trainer

    from training.progress import EpochsToRun, RichProgress

    trainer: Any = Trainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        eval_dataset=None if held_out is None else held_out[0],
        data_collator=collator,
        optimizers=(optimizer, None),
        callbacks=[RichProgress(what), *([] if run is None else [EpochsToRun(run)])],
    )
    if held_out is not None:  # the Trainer knows one collator; rows of the two sets have answers of their own
        loader = DataLoader(held_out[0], arguments.per_device_eval_batch_size, collate_fn=held_out[1])
        trainer.get_eval_dataloader = lambda _=None: trainer.accelerator.prepare(loader)
    trainer.remove_callback(PrinterCallback)
    return trainer


def run_arguments(
    schedule: ClassifierTraining | Distillation | EncoderAdaptation, folder: Path, epochs: int, **more: Any
) -> Any:
    """`TrainingArguments` of a run that keeps its checkpoints in `folder`; `more` are those that not all runs have."""
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        per_device_train_batch_size=schedule.batch_size,
        per_device_eval_batch_size=schedule.batch_size * 2,
        learning_rate=schedule.learning_rate,
        warmup_steps=schedule.warmup_share,
        train_sampling_strategy="group_by_length",
        save_strategy="epoch",
        save_total_limit=1,
        logging_strategy="epoch",
        bf16=use_bf16(schedule.bf16),
        use_cpu=not torch.cuda.is_available(),  # without a word, bf16 is refused on processors
        seed=schedule.seed,
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to="none",
        log_level="error",
        dataloader_pin_memory=False,
        **more,
    )


def pad_collator(tokenizer: Any) -> Any:
    """Pads rows to a multiple of eight tokens.

    Each length is a shape of its own to oneDNN, which compiles its kernels for each and keeps some thousand: with every
    length between 3 and 96 an epoch in bf16 took three times as long.
    """
    from transformers import DataCollatorWithPadding

    return DataCollatorWithPadding(tokenizer, pad_to_multiple_of=8)


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint; those that a kill left half-written are removed."""
    whole = []
    for checkpoint in folder.glob("checkpoint-*"):
        try:
            epochs_done(checkpoint)  # its file is written last
        except (OSError, ValueError):
            shutil.rmtree(checkpoint)
        else:
            whole.append(checkpoint)
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def epochs_done(checkpoint: Path) -> float:
    """How many epochs a checkpoint has behind it."""
    return float(json.loads((checkpoint / "trainer_state.json").read_text()).get("epoch") or 0)


def use_bf16(wish: str | bool) -> bool:
    """Whether to train in bf16: asked for, or `auto` on hardware that computes in it."""
    if wish in ("true", True):
        return True
    if wish in ("false", False):
        return False
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return not _cpu_flags().isdisjoint(BF16_FLAGS)


def _cpu_flags() -> set[str]:
    path = Path("/proc/cpuinfo")
    return set(path.read_text().split()) if path.exists() else set()
