"""The tracker: where training writes parameters, figures and files while it runs.

In: an MLflow address. Out: a `TrackedRun`, which is handed to every function that has something to tell; nothing
relies on MLflow's active run or process-wide address. A run that was interrupted is continued under its own id.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import ResumeError
from data.settings import CHECKOUT, settings
from registry.connection import connected, is_local, unreachable
from training.environment import ENVIRONMENT, environment

if TYPE_CHECKING:
    from mlflow import MlflowClient


class TrackedRun:
    """One run of MLflow.

    Attributes:
        id: its id.
    """

    def __init__(self, client: "MlflowClient", run_id: str) -> None:
        self._client = client
        self.id = run_id

    def log_params(self, parameters: Mapping[str, Any]) -> None:
        """Log what the run was started with."""
        from mlflow.entities import Param

        self._client.log_batch(self.id, params=[Param(name, str(value)) for name, value in parameters.items()])

    def log_metrics(self, figures: Mapping[str, float], step: int = 0) -> None:
        """Log figures at a step."""
        import time

        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(self.id, metrics=[Metric(name, float(f), now, step) for name, f in figures.items()])

    def log_text(self, text: str, file: str) -> None:
        """Log a text as a file among the artifacts."""
        self._client.log_text(self.id, text, file)

    def log_dict(self, content: Mapping[str, Any], file: str) -> None:
        """Log a mapping as a JSON file among the artifacts."""
        self._client.log_dict(self.id, dict(content), file)

    def log_figure(self, figure: Any, file: str) -> None:
        """Log a plot among the artifacts."""
        self._client.log_figure(self.id, figure, file)

    def log_folder(self, folder: Path, under: str) -> None:
        """Log the files of a folder under a path among the artifacts."""
        self._client.log_artifacts(self.id, str(folder), under)


class UntrackedRun(TrackedRun):
    """A run that MLflow never hears of: it keeps the figures, and nothing else.

    Attributes:
        figures: of each name the value of the latest step, as MLflow tells it.
    """

    def __init__(self) -> None:
        self.id = ""
        self.figures: dict[str, float] = {}
        self._steps: dict[str, int] = {}

    def log_params(self, parameters: Mapping[str, Any]) -> None:
        """Forget them."""

    def log_metrics(self, figures: Mapping[str, float], step: int = 0) -> None:
        """Keep figures."""
        for name, value in figures.items():
            if step >= self._steps.get(name, step):
                self.figures[name], self._steps[name] = float(value), step

    def log_text(self, text: str, file: str) -> None:
        """Forget it."""

    def log_dict(self, content: Mapping[str, Any], file: str) -> None:
        """Forget it."""

    def log_figure(self, figure: Any, file: str) -> None:
        """Forget it."""

    def log_folder(self, folder: Path, under: str) -> None:
        """Forget it."""


class Tracker:
    """The runs at one address.

    Args:
        uri: MLflow's tracking URI.
        artifacts: where an SQLite file's artifacts lie.
    """

    def __init__(self, uri: str, artifacts: Path) -> None:
        self._uri = uri
        self._artifacts = artifacts

    @contextmanager
    def run(
        self, experiment: str, name: str, parameters: Mapping[str, Any], note: Path | None = None
    ) -> Iterator[TrackedRun]:
        """A run with its parameters, the git commit and the environment; failed where what happens inside fails.

        With a `note`, a file that remembers the run until it ends well, an interrupted run is continued.

        Raises:
            ResumeError: the note is damaged.
            TrackingError: MLflow does not answer.
        """
        from mlflow.exceptions import MlflowException

        client = connected(self._uri)
        try:
            run_id = _noted(client, note) or self._start(client, experiment, name)
            run = TrackedRun(client, run_id)
            client.update_run(run_id, "RUNNING")
            client.set_tag(run_id, "git_commit", git_commit())
            run.log_params(parameters)
            run.log_dict(environment(), ENVIRONMENT)
        except MlflowException as error:
            raise unreachable(self._uri, error) from None
        if note is not None:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps({"run_id": run_id}), encoding="utf-8")
        try:
            yield run
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id, "FINISHED")
        if note is not None:
            note.unlink(missing_ok=True)

    def _start(self, client: "MlflowClient", experiment: str, name: str) -> str:
        existing = client.get_experiment_by_name(experiment)
        if existing is None:
            location = (self._artifacts / experiment).resolve().as_uri() if is_local(self._uri) else None
            experiment_id = client.create_experiment(experiment, artifact_location=location)
        else:
            experiment_id = existing.experiment_id
        return str(client.create_run(experiment_id, run_name=name).info.run_id)


def open_tracker() -> Tracker:
    """The tracker of this installation."""
    return Tracker(settings().mlflow_uri, settings().artifacts)


def git_commit() -> str:
    """The checkout's commit, with `+changes` where the tree is dirty; `unknown` outside git."""
    try:
        commit = _git("rev-parse", "HEAD")
        return commit + ("+changes" if _git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _noted(client: "MlflowClient", note: Path | None) -> str | None:
    """The run that a note remembers, if MLflow still knows it."""
    from mlflow.exceptions import MlflowException

    if note is None or not note.exists():
        return None
    try:
        run_id = str(json.loads(note.read_text(encoding="utf-8"))["run_id"])
    except (ValueError, KeyError, TypeError):
        raise ResumeError(f"{note} is damaged: delete it to start over") from None
    try:
        return str(client.get_run(run_id).info.run_id)
    except MlflowException:
        return None
