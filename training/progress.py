"""What a training run shows while it runs: a progress bar with figures, and MLflow metrics."""

import time
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from transformers import TrainerCallback

from training.tracker import TrackedRun

SHOWN = ("train loss", "eval_loss", "eval_score")
PRINT_EVERY_SECONDS = 8.0
"""Where there is no terminal; nobody should wonder for ten seconds whether a command still works."""


class RichProgress(TrainerCallback):
    """A bar over optimisation steps, and one line an epoch; plain lines where there is no terminal."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._progress: Progress | None = None
        self._task: Any = None
        self._printed = 0.0
        self._loss: float | None = None
        self._began, self._first = 0.0, 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Open the bar at the step the run starts from."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} steps"),
        )
        self._progress = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn())
        self._progress.start()
        self._began, self._first = time.monotonic(), state.global_step
        self._task = self._progress.add_task(self._what, total=state.max_steps, completed=state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Advance the bar."""
        if self._progress is None:
            return
        self._progress.update(self._task, completed=state.global_step)
        now = time.monotonic()
        if not self._progress.console.is_terminal and now - self._printed > PRINT_EVERY_SECONDS:
            self._printed = now
            left = (now - self._began) / max(state.global_step - self._first, 1) * (state.max_steps - state.global_step)
            self._progress.console.print(
                f"{self._what}: step {state.global_step} of {state.max_steps}, some {left / 60:.0f} minutes left"
            )

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Remember the epoch's training loss."""
        self._loss = (logs or {}).get("loss", self._loss)

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        """Print the finished epoch's figures."""
        if self._progress is None or not metrics:
            return
        said = f"validation loss {metrics['eval_loss']:.3f}" if "eval_loss" in metrics else ""
        heads = ", ".join(
            f"{head} {metrics[f'eval_{head}.accuracy']:.3f}"
            for head in ("sector", "topic", "agency")
            if f"eval_{head}.accuracy" in metrics
        )
        loss = f"training loss {self._loss:.3f}, " if self._loss is not None else ""
        said = f"validation accuracy: {heads}" if heads else said
        self._progress.console.print(f"epoch {state.epoch:.0f}: {loss}{said}")

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Close the bar."""
        if self._progress is not None:
            self._progress.stop()


class EpochsToRun(TrainerCallback):
    """Losses and validation figures of every epoch as metrics of a tracked run."""

    def __init__(self, run: TrackedRun) -> None:
        self._run = run

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Log numeric figures at the epoch's number."""
        figures = {
            name.replace("eval_", "validation."): value
            for name, value in (logs or {}).items()
            if _is_figure(name, value)
        }
        self._run.log_metrics(figures, step=round(state.epoch or 0))


def _is_figure(name: str, value: Any) -> bool:
    return isinstance(value, int | float) and not name.endswith(("runtime", "per_second", "epoch", "flos"))
