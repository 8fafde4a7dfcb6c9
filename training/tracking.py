"""MLflow: where runs go, how a bundle becomes a registered champion.

In: settings (SQLite and an artifact folder unless a tracking URI is given). Out: run ids and
registered versions. A run that was interrupted is continued under its own id.
"""

import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from data.errors import BindingError
from data.settings import CHECKOUT, settings

CHAMPION = "champion"
BUNDLE_ARTIFACT = "bundle"

ModelName = Literal["complaint-classifier", "complaint-forecaster"]
CLASSIFIER: ModelName = "complaint-classifier"
FORECASTER: ModelName = "complaint-forecaster"


def connect(experiment: str) -> None:
    """Point MLflow at the configured store and experiment, creating both on first use."""
    import mlflow

    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    current = settings()
    uri = current.mlflow_uri
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    if mlflow.get_experiment_by_name(experiment) is None:
        local = uri.startswith("sqlite:///")
        location = (current.artifacts / experiment).as_uri() if local else None
        mlflow.create_experiment(experiment, artifact_location=location)
    mlflow.set_experiment(experiment)


@contextmanager
def tracked_run(experiment: str, name: str, run_id: str | None = None) -> Iterator[str]:
    """An MLflow run, new or continued; yields its id. Tags the git commit."""
    import mlflow

    connect(experiment)
    if run_id is not None and not _is_known(run_id):
        run_id = None
    with mlflow.start_run(run_id=run_id, run_name=None if run_id else name) as run:
        mlflow.set_tag("git_commit", git_commit())
        yield str(run.info.run_id)


def _is_known(run_id: str) -> bool:
    import mlflow

    try:
        mlflow.get_run(run_id)
    except mlflow.exceptions.MlflowException:
        return False
    return True


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


def register(name: ModelName, bundle: Path, loader: Path, signature: Any, metadata: dict[str, Any]) -> int:
    """Log a bundle as a pyfunc model of the active run, register it, make it champion.

    `loader` is the file of the pyfunc (models from code: no pickle). The bundle's folder must be
    called `bundle`. Returns the version.
    """
    import mlflow

    info = mlflow.pyfunc.log_model(
        name=name,
        python_model=str(loader),
        artifacts={BUNDLE_ARTIFACT: str(bundle)},
        code_paths=[str(CHECKOUT / "data"), str(CHECKOUT / "models")],
        pip_requirements=str(CHECKOUT / "constraints.txt"),
        registered_model_name=name,
        signature=signature,
        metadata=metadata,
    )
    version = int(info.registered_model_version or 0)
    mlflow.MlflowClient().set_registered_model_alias(name, CHAMPION, str(version))
    return version


def champion_bundle(name: ModelName) -> tuple[Path, int]:
    """Folder of the champion's bundle on this machine, and its version.

    Raises:
        NoChampionError: nothing is registered under the alias.
        BundleError: the registered version's files are gone.
    """
    import mlflow

    from data.errors import BundleError, NoChampionError

    connect(name)
    try:
        version = mlflow.MlflowClient().get_model_version_by_alias(name, CHAMPION)
    except mlflow.exceptions.MlflowException:
        kind = name.removeprefix("complaint-")
        raise NoChampionError(
            f"the registry holds no {name} with the alias {CHAMPION!r}: run `tsur train {kind}`"
        ) from None
    try:
        folder = Path(mlflow.artifacts.download_artifacts(f"models:/{name}/{version.version}"))
    except (mlflow.exceptions.MlflowException, OSError) as error:
        raise BundleError(f"{name} version {version.version}: artifacts cannot be read: {error}") from None
    return folder / "artifacts" / BUNDLE_ARTIFACT, int(version.version)


def run_artifact(name: ModelName, version: int, artifact: str) -> Any:
    """A JSON artifact of the run that a registered version came from."""
    import mlflow

    connect(name)
    run_id = mlflow.MlflowClient().get_model_version(name, str(version)).run_id
    return mlflow.artifacts.load_dict(f"runs:/{run_id}/{artifact}")


def serve_interface(host: str, port: int) -> int:
    """Run the MLflow server on the tracking store until interrupted; its exit status.

    Raises:
        BindingError: the host is not this machine's own: the server asks for no key.
    """
    import ipaddress

    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise BindingError(
            f"MLflow asks for no key, so it listens on this machine only, not on {host}: "
            "put a proxy with authentication before it, or tunnel the port"
        )
    hosts = f"localhost:{port},127.0.0.1:{port}"
    named = {"MLFLOW_HOST": host, "MLFLOW_PORT": str(port), "MLFLOW_SERVER_ALLOWED_HOSTS": hosts}
    home = {"TSUR_HOME": str(settings().home.resolve()), "TSUR_TRACKING_URI": settings().mlflow_uri}
    try:
        command = [str(CHECKOUT / "mlflow" / "start.sh")]
        return subprocess.run(command, env={**os.environ, **named, **home}, check=False).returncode
    except KeyboardInterrupt:
        return 0
