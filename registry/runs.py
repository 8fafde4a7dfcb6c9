"""Runs of MLflow by their ids: what one was started with, what it found, and which version came of it.

In: a registry and a run's id. Out: a `RunRecord`. Nothing is changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from data.errors import InputError
from registry.client import Registry
from registry.connection import unreachable
from registry.registered_models import ABSENT


@dataclass(frozen=True)
class RunRecord:
    """What MLflow keeps of a run.

    Attributes:
        id: its id.
        name: what kind of run it is: `train`, `gate`, `backtest`…
        experiment: the registered model that it is about.
        parameters: texts.
        figures: each of its latest step.
        commit: of the code; `unknown` where nobody wrote it down.
    """

    id: str
    name: str
    experiment: str
    parameters: Mapping[str, str]
    figures: Mapping[str, float]
    commit: str


def run_record(registry: Registry, run_id: str) -> RunRecord:
    """A run.

    Raises:
        InputError: there is none of that id.
        BundleError: there is no registry yet.
        TrackingError: MLflow does not answer.
    """
    from mlflow.exceptions import MlflowException

    client = registry.models.client()
    try:
        run = client.get_run(run_id)
        experiment = client.get_experiment(run.info.experiment_id)
    except MlflowException as error:
        if error.error_code not in ABSENT:
            raise unreachable(registry.uri, error) from None
        raise InputError(f"MLflow at {registry.uri} knows no run {run_id!r}") from None
    data = run.data
    commit = data.tags.get("git_commit", "unknown")
    return RunRecord(run_id, run.info.run_name or "", experiment.name, data.params, data.metrics, commit)
