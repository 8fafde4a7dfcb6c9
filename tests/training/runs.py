"""What MLflow holds of a training, at the home of the settings or at another one."""

from pathlib import Path
from typing import Any

from data.settings import settings
from registry.client import CHAMPION, open_registry
from registry.connection import connected
from registry.names import region_of
from training.tracker import Tracker


def client() -> Any:
    """A client of this home's MLflow."""
    return connected(settings().mlflow_uri)


def run_of(name: str, alias: str = CHAMPION) -> Any:
    """The run that the version under an alias came from."""
    version = open_registry(region_of(name)).champion(name, alias)
    return client().get_run(client().get_model_version(name, str(version)).run_id)


def tracker_in(home: Path) -> Tracker:
    """The tracker of a home."""
    return Tracker(f"sqlite:///{home}/mlflow/mlflow.db", home / "mlflow" / "artifacts")
