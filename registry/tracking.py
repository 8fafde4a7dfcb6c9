"""MLflow: where runs go, how a bundle becomes a registered champion.

In: settings (SQLite and an artifact folder unless a tracking URI is given). Out: run ids and
registered versions. A run that was interrupted is continued under its own id.
"""

import json
import logging
import os
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.errors import BindingError, BundleError, ConfigError, NoChampionError, ResumeError, TrackingError
from data.settings import CHECKOUT, settings
from models.encoder.artifact import ENCODERS
from registry.names import CLASSIFIER, training_command

CHAMPION = "champion"
CHALLENGER = "challenger"
BUNDLE_ARTIFACT = "bundle"


def connect(experiment: str) -> None:
    """Point MLflow at the configured store and experiment, creating both on first use.

    Raises:
        TrackingError: MLflow does not answer.
    """
    import mlflow

    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    current = settings()
    uri = current.mlflow_uri
    if _is_local(uri):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        if mlflow.get_experiment_by_name(experiment) is None:
            location = (current.artifacts / experiment).as_uri() if _is_local(uri) else None
            mlflow.create_experiment(experiment, artifact_location=location)
        mlflow.set_experiment(experiment)
    except mlflow.exceptions.MlflowException as error:
        raise _unreachable(error) from None


@contextmanager
def tracked_run(experiment: str, name: str, parameters: dict[str, Any], note: Path | None = None) -> Iterator[str]:
    """An MLflow run with its parameters and the git commit; yields its id.

    With a `note`, a file that remembers the run until it ends well, an interrupted run is continued.

    Raises:
        ResumeError: the note is damaged.
        TrackingError: MLflow does not answer.
    """
    import mlflow

    connect(experiment)
    run_id = _noted(note)
    with mlflow.start_run(run_id=run_id, run_name=None if run_id else name) as run:
        if note is not None:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps({"run_id": run.info.run_id}), encoding="utf-8")
        mlflow.set_tag("git_commit", git_commit())
        mlflow.log_params(parameters)
        yield str(run.info.run_id)
    if note is not None:
        note.unlink(missing_ok=True)


def _noted(note: Path | None) -> str | None:
    """The run that a note remembers, if MLflow still knows it."""
    if note is None or not note.exists():
        return None
    try:
        run_id = str(json.loads(note.read_text(encoding="utf-8"))["run_id"])
    except (ValueError, KeyError, TypeError):
        raise ResumeError(f"{note} is damaged: delete it to start over") from None
    return run_id if _is_known(run_id) else None


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


def register(
    name: str, bundle: Path, loader: Path, signature: Any, metadata: dict[str, Any], alias: str = CHAMPION
) -> int:
    """Log a bundle as a pyfunc model of the active run, register it, give it the alias.

    A classifier's encoder is registered too, each content once.

    `loader` is the file of the pyfunc (models from code: no pickle). The bundle's folder must be
    called `bundle`. Returns the version.
    """
    import mlflow

    from registry.encoders import register_encoder_of

    run = mlflow.active_run()
    assert run is not None
    if name.endswith(CLASSIFIER):
        register_encoder_of(mlflow.MlflowClient(), bundle, settings().home / ENCODERS, run.info.run_id)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # advice on type hints and examples; the signature is given
        info = mlflow.pyfunc.log_model(
            name=name.rpartition(".")[2],  # a logged model's name has no dots, a registered one's may
            python_model=str(loader),
            artifacts={BUNDLE_ARTIFACT: str(bundle)},
            code_paths=[str(CHECKOUT / "data"), str(CHECKOUT / "models"), str(CHECKOUT / "registry")],
            pip_requirements=str(CHECKOUT / "constraints.txt"),
            registered_model_name=name,
            signature=signature,
            metadata=metadata,
        )
    version = int(info.registered_model_version or 0)
    mlflow.MlflowClient().set_registered_model_alias(name, alias, str(version))
    return version


def champion_version(name: str) -> int:
    """The version under the alias `champion`.

    Raises:
        NoChampionError: nothing is registered under the alias.
        TrackingError: MLflow does not answer.
    """
    import mlflow

    connect(name)
    try:
        return int(mlflow.MlflowClient().get_model_version_by_alias(name, CHAMPION).version)
    except mlflow.exceptions.MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise _unreachable(error) from None
        raise NoChampionError(
            f"the registry holds no {name} with the alias {CHAMPION!r}: run `{training_command(name)}`"
        ) from None


def champion_bundle(name: str) -> tuple[Path, int]:
    """Folder of the champion's bundle on this machine, and its version.

    Raises:
        NoChampionError: nothing is registered under the alias.
        BundleError: the registered version's files are gone.
        TrackingError: MLflow does not answer.
    """
    version = champion_version(name)
    return version_bundle(name, version), version


def version_bundle(name: str, version: int) -> Path:
    """Folder of a registered version's bundle on this machine; from a remote registry it is copied once into the home.

    A classifier's encoder is brought into the home with it.

    Raises:
        BundleError: there is no such version, or its files are gone.
        TrackingError: MLflow does not answer.
    """
    import mlflow

    from registry.encoders import bring_encoder_of

    connect(name)
    folder = _local_copy(name, version) / "artifacts" / BUNDLE_ARTIFACT
    if name.endswith(CLASSIFIER):
        bring_encoder_of(mlflow.MlflowClient(), folder, settings().home / ENCODERS)
    return folder


def _local_copy(name: str, version: int) -> Path:
    import mlflow

    copy = None if _is_local(settings().mlflow_uri) else settings().home / "champions" / f"{name}-{version}"
    if copy is not None and copy.is_dir():
        return copy
    partial = copy.with_name(copy.name + ".partial") if copy else None
    try:
        found = mlflow.artifacts.download_artifacts(
            f"models:/{name}/{version}", dst_path=str(partial) if partial else None
        )
    except (mlflow.exceptions.MlflowException, OSError) as error:
        raise BundleError(f"{name} version {version}: artifacts cannot be read: {error}") from None
    return Path(found) if copy is None else Path(found).rename(copy)


def _is_local(uri: str) -> bool:
    return uri.startswith("sqlite:///")


def _unreachable(error: Exception) -> TrackingError:
    sentence = " ".join(str(error).split())[:160]
    return TrackingError(f"MLflow at {settings().mlflow_uri} does not answer ({sentence}): check TSUR_TRACKING_URI")


def run_artifact(name: str, version: int, artifact: str) -> Any:
    """A JSON artifact of the run that a registered version came from."""
    import mlflow

    connect(name)
    run_id = mlflow.MlflowClient().get_model_version(name, str(version)).run_id
    return mlflow.artifacts.load_dict(f"runs:/{run_id}/{artifact}")


def serve_interface(host: str, port: int) -> int:
    """Run the MLflow server on the tracking store until interrupted; its exit status.

    Raises:
        ConfigError: the host is not an address.
        BindingError: the host is not this machine's own: the server asks for no key.
    """
    import ipaddress

    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise ConfigError(f"{host!r} is not an IP address; this machine alone is 127.0.0.1") from None
    if not loopback:
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
