"""Encoders in MLflow's registry: one model `complaint-encoder` for all regions, one version a content.

In: an artifact's folder, or the hash of its content. Out: its version, or its folder on this machine. What is there
already is not uploaded again, and not downloaded again: a version bears its hash as a tag, and a machine keeps each
content once, in the home. What arrives is checked against its hash.
"""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import BundleError
from models.classifier.bundle import read_config
from models.encoder.artifact import ENCODERS, FILES, content_hash, find_encoder

if TYPE_CHECKING:
    from mlflow import MlflowClient

ENCODER = "complaint-encoder"
HASH = "sha256"
"""The tag of a version that says what its content is."""
ARTIFACT = "encoder"
"""Where a run keeps the encoder that it made."""


def register_encoder(client: "MlflowClient", folder: Path, run_id: str) -> int:
    """The version that holds this content; where there is none, the run's artifacts get it, and a version is made."""
    from mlflow.exceptions import MlflowException

    address = content_hash(folder)
    registered = encoder_version(client, address)
    if registered is not None:
        return registered
    try:
        client.create_registered_model(ENCODER)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    client.log_artifacts(run_id, str(folder), ARTIFACT)
    source = f"{client.get_run(run_id).info.artifact_uri}/{ARTIFACT}"
    return int(client.create_model_version(ENCODER, source, run_id, tags={HASH: address}).version)


def register_encoder_of(client: "MlflowClient", bundle: Path, place: Path, run_id: str) -> int | None:
    """Register the encoder that a classifier's bundle names, out of the folder beside it or `place`; its version.

    None for bundles of formats 3 and 4, which hold their own.

    Raises:
        BundleError: the bundle is broken, or its encoder lies in neither folder.
    """
    address = read_config(bundle).encoder_hash
    if address is None:
        return None
    registered = encoder_version(client, address)
    if registered is not None:
        return registered
    return register_encoder(client, find_encoder(address, (bundle.parent / ENCODERS, place)), run_id)


def encoder_version(client: "MlflowClient", address: str) -> int | None:
    """The registered version with this content, or None."""
    versions = client.search_model_versions(f"name = '{ENCODER}' and tags.{HASH} = '{address}'")
    return min((int(version.version) for version in versions), default=None)


def fetch_encoder(client: "MlflowClient", address: str, place: Path) -> Path:
    """The folder of an encoder in `place`, brought there from the registry where it is not yet.

    Raises:
        BundleError: the registry has no such encoder, or what it has is not what the hash says.
    """
    folder = place / address
    if folder.is_dir():
        return folder
    version = encoder_version(client, address)
    if version is None:
        raise BundleError(f"the registry holds no {ENCODER} with hash {address[:12]}: register its bundle again")
    partial = place / f"{address}.{os.getpid()}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _bring(client, version, partial)
        if content_hash(partial) != address:
            raise BundleError(
                f"{ENCODER} version {version} is not what its hash {address[:12]} says: register it again"
            )
        if not folder.is_dir():  # another process may have been first
            partial.rename(folder)
    except OSError as error:
        raise BundleError(f"{ENCODER} version {version} cannot be read: {error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def bring_encoder_of(client: "MlflowClient", bundle: Path, place: Path) -> None:
    """Bring the encoder that a classifier's bundle names; bundles of formats 3 and 4 hold their own.

    Raises:
        BundleError: the bundle is broken, or the registry has no such encoder.
    """
    address = read_config(bundle).encoder_hash
    if address is not None and not (bundle.parent / ENCODERS / address).is_dir():
        fetch_encoder(client, address, place)


def _bring(client: "MlflowClient", version: int, partial: Path) -> None:
    """Copy a version's files; out of a registry on this machine they are linked, so that the disk holds them once."""
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    try:
        location = client.get_model_version_download_uri(ENCODER, str(version))
        source = Path(download_artifacts(location, tracking_uri=client.tracking_uri, registry_uri=client.tracking_uri))
    except MlflowException as error:
        sentence = " ".join(str(error).split())[:160]
        raise BundleError(f"{ENCODER} version {version} cannot be read: {sentence}") from None
    for name in FILES:
        try:
            os.link(source / name, partial / name)
        except OSError:  # another disk, or a file system without links
            shutil.copyfile(source / name, partial / name)
