"""Connections to MLflow: an explicit client of an address, and what is told when it does not answer."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import TrackingError

if TYPE_CHECKING:
    from mlflow import MlflowClient


def connected(uri: str) -> "MlflowClient":
    """An MLflow client of that address; an SQLite file is created where there is none.

    Raises:
        TrackingError: MLflow does not answer.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    if is_local(uri):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    try:
        return MlflowClient(uri, uri)
    except MlflowException as error:
        raise unreachable(uri, error) from None


def is_local(uri: str) -> bool:
    """Whether the registry is an SQLite file of this machine."""
    return uri.startswith("sqlite:///")


def is_absent(uri: str) -> bool:
    """Whether the registry is an SQLite file that does not exist."""
    return is_local(uri) and not Path(uri.removeprefix("sqlite:///")).exists()


def unreachable(uri: str, error: Exception) -> TrackingError:
    """The error of an MLflow that does not answer."""
    sentence = " ".join(str(error).split())[:160]
    return TrackingError(f"MLflow at {uri} does not answer ({sentence}): check TSUR_TRACKING_URI")
