"""A bundle as an MLflow pyfunc model: written into a folder, brought to this machine, found inside it.

In: bundles, folders, locations of artifacts. Out: folders. The model is its loader as code, no pickle.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from data.errors import BundleError
from data.settings import CHECKOUT
from registry.flavors import flavor_of
from registry.names import training_command

if TYPE_CHECKING:
    from mlflow import MlflowClient

BUNDLE = "bundle"
"""The name of the bundle's folder among the model's artifacts."""


def log_pyfunc(client: "MlflowClient", name: str, bundle: Path, run_id: str, metadata: Mapping[str, Any]) -> Any:
    """Log a bundle as a pyfunc model of a run; MLflow's `LoggedModel`, whose artifacts are there."""
    from mlflow.entities import LoggedModelOutput

    run = client.get_run(run_id)
    logged = client.create_logged_model(
        run.info.experiment_id,
        name=name.rpartition(".")[2],  # a logged model's name has no dots, a registered one's may
        source_run_id=run_id,
        params=run.data.params,
    )
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    with TemporaryDirectory(prefix="tsur-model-") as folder:
        save_pyfunc(Path(folder) / "model", name, bundle, logged, run_id, metadata)
        client.log_model_artifacts(logged.model_id, str(Path(folder) / "model"))
    client.finalize_logged_model(logged.model_id, "READY")
    return logged


def save_pyfunc(folder: Path, name: str, bundle: Path, logged: Any, run_id: str, metadata: Mapping[str, Any]) -> None:
    """Write the pyfunc model into a folder: its loader as code (no pickle), the bundle among its artifacts."""
    from mlflow.models import Model
    from mlflow.pyfunc import save_model

    flavor = flavor_of(name)
    model = Model(
        artifact_path=logged.artifact_location, run_id=run_id, metadata=dict(metadata), model_id=logged.model_id
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # advice on type hints and examples; the signature is given
        save_model(
            str(folder),
            python_model=str(flavor.loader),
            artifacts={BUNDLE: str(bundle)},
            code_paths=[str(CHECKOUT / "data"), str(CHECKOUT / "models"), str(CHECKOUT / "registry")],
            pip_requirements=str(CHECKOUT / "constraints.txt"),
            signature=flavor.signature,
            mlflow_model=model,
        )


def downloaded(location: str, folder: str | None, uri: str) -> Path:
    """The folder that a location of MLflow's was brought to: the one given, or one that MLflow chooses."""
    from mlflow.artifacts import download_artifacts

    return Path(download_artifacts(artifact_uri=location, dst_path=folder, tracking_uri=uri, registry_uri=uri))


def bundle_in(folder: Path, name: str) -> Path:
    """The bundle inside a downloaded pyfunc folder, where its `MLmodel` says it is.

    Raises:
        BundleError: there is none.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model

    try:
        flavor = Model.load(str(folder)).flavors["python_function"]
        bundle = folder / str(flavor["artifacts"][BUNDLE]["path"])
    except (MlflowException, OSError, KeyError, TypeError, ValueError) as error:
        raise BundleError(f"the registered {name} is no pyfunc with a bundle ({type(error).__name__})") from None
    if not bundle.is_dir():
        raise BundleError(f"the registered {name} has lost its bundle: run `{training_command(name)}` again")
    return bundle
