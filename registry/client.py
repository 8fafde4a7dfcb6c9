"""The registry: which version of a model serves, and where its bundle is.

In: a bundle and the run that made it; names of models (`registry.names`). Out: versions, champions, folders of
bundles. Registering is not promoting: a new version serves only once it is promoted, and every promotion is kept in
the store. No process-wide address of MLflow is set or read, so two registries can be used side by side, and reading
creates nothing, neither database nor experiment.
"""

import json
import shutil
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data.errors import BundleError, NoChampionError, StoreError, TrackingError
from data.settings import settings
from data.store.promotions import Promotion, Promotions
from data.store.store import Store
from models.encoder.artifact import ENCODERS
from registry.connection import connected, is_local, unreachable
from registry.encoders import bring_encoder_of, register_encoder, register_encoder_of
from registry.names import CLASSIFIER, region_of, training_command
from registry.pyfunc import bundle_in, downloaded, log_pyfunc
from registry.registered_models import RegisteredModels

CHAMPION = "champion"
CHALLENGER = "challenger"


class Registry:
    """The registered models at one address. Thread-safe.

    Args:
        uri: MLflow's tracking and registry URI.
        home: where bundles of a remote registry and encoders are brought to, once each.
        promotions: where promotions are kept.

    Attributes:
        encoders: the folder that the encoders of bundles are brought to.
        models: MLflow's registered models, with all their versions and aliases.
    """

    def __init__(self, uri: str, home: Path, promotions: Promotions) -> None:
        self.uri = uri
        self.models = RegisteredModels(uri)
        self._copies = home / "champions"
        self.encoders = home / ENCODERS
        self._promotions = promotions

    def register(
        self,
        name: str,
        bundle: Path,
        run_id: str,
        metadata: Mapping[str, Any],
        tags: Mapping[str, str] | None = None,
    ) -> int:
        """Log a bundle as a pyfunc model of a run and register it; the version, which nothing serves yet.

        A classifier's encoder is registered too, each content once.

        Args:
            name: of the registered model.
            bundle: its folder, called `bundle`.
            run_id: the run that made it.
            metadata: written into the model's `MLmodel`.
            tags: of the version; they are there as soon as it is.

        Raises:
            BundleError: the bundle's encoder is not on this machine.
            TrackingError: MLflow does not answer.
        """
        from mlflow.exceptions import MlflowException

        client = connected(self.uri)
        try:
            if name.endswith(CLASSIFIER):
                register_encoder_of(client, bundle, self.encoders, run_id)
            logged = log_pyfunc(client, name, bundle, run_id, metadata)
            self.models.ensure(name)
            # not `models:/…`, which MLflow would look up at its process-wide address
            made = client.create_model_version(
                name, logged.artifact_location, run_id=run_id, tags=dict(tags or {}), model_id=logged.model_id
            )
        except MlflowException as error:
            raise unreachable(self.uri, error) from None
        return int(made.version)

    def register_encoder(self, folder: Path, run_id: str) -> int:
        """The version of an encoder's artifact; made of the run's files where this content is not registered yet.

        Raises:
            TrackingError: MLflow does not answer.
        """
        from mlflow.exceptions import MlflowException

        try:
            return register_encoder(connected(self.uri), folder, run_id)
        except MlflowException as error:
            raise unreachable(self.uri, error) from None

    def promote(self, name: str, version: int, evidence: Mapping[str, Any], promoted_by: str) -> Promotion:
        """Make a version champion, and keep that in the store.

        Args:
            name: of the registered model; the part before its dot is the region.
            version: the one to serve.
            evidence: the figures that speak for it, as JSON.
            promoted_by: a person, or the command.

        Raises:
            BundleError: there is no such version.
            StoreError: the promotion cannot be kept; the champion is the one before.
            TrackingError: MLflow does not answer.
        """
        self.models.version(name, version)
        previous = self.models.under_alias(name, CHAMPION)
        if previous == version:  # where a promotion was killed before it was kept, it is kept now
            previous = next((each.version for each in reversed(self.promotions(name))), None)
        promotion = Promotion(
            region=region_of(name),
            model=name,
            version=version,
            previous_version=previous,
            evidence=json.loads(json.dumps(dict(evidence))),
            promoted_by=promoted_by,
            promoted_at=datetime.now(UTC),
        )
        self.models.set_alias(name, CHAMPION, version)
        try:
            self._promotions.save(promotion)
        except StoreError:
            self.models.set_alias(name, CHAMPION, previous)
            raise
        return promotion

    def promotions(self, name: str) -> list[Promotion]:
        """What the store keeps of a model's promotions, the oldest first.

        Raises:
            StoreError: the store cannot be read.
        """
        return self._promotions.of(region_of(name), name)

    def challenge(self, name: str, version: int | None) -> None:
        """Give a version the alias `challenger`, or nobody: it is measured beside the champion and serves nobody.

        Raises:
            TrackingError: MLflow does not answer.
        """
        self.models.set_alias(name, CHALLENGER, version)

    def champion(self, name: str, alias: str = CHAMPION) -> int:
        """The version under the alias `champion`, or another one.

        Raises:
            NoChampionError: nothing is registered under the alias.
            TrackingError: MLflow does not answer.
        """
        version = self.models.under_alias(name, alias)
        if version is None:
            train = f"run `{training_command(name)}`, or `tsur demo`"
            raise NoChampionError(f"the registry holds no {name} under the alias {alias!r}: {train}")
        return version

    def registered_at(self, name: str, version: int) -> datetime:
        """When a version was registered. Raises as `RegisteredModels.version`."""
        made = self.models.version(name, version).creation_timestamp
        return datetime.fromtimestamp(made / 1000, UTC)

    def champion_bundle(self, name: str) -> tuple[Path, int]:
        """Folder of the champion's bundle on this machine, and its version. Raises as `champion` and `bundle`."""
        version = self.champion(name)
        return self.bundle(name, version), version

    def bundle(self, name: str, version: int) -> Path:
        """Folder of a version's bundle on this machine; from a remote registry it is copied once.

        A classifier's encoder is brought into the home with it.

        Raises:
            BundleError: there is no such version, or its files are gone.
            TrackingError: MLflow does not answer.
        """
        if is_local(self.uri):
            return self._whole(self._fetched(name, version, None), name)
        copy = self._copies / f"{name}-{version}"
        if not copy.is_dir():
            partial = copy.with_name(f"{copy.name}.{uuid.uuid4().hex}.partial")
            try:
                self._fetched(name, version, partial)
                partial.rename(copy)
            except OSError:  # another process was quicker
                if not copy.is_dir():
                    raise
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        return self._whole(copy, name)

    def download(self, name: str, version: int, folder: Path) -> Path:
        """Folder of a copy of a version's bundle, made inside `folder`.

        Raises:
            BundleError: what is registered is no bundle.
            TrackingError: its files cannot be fetched now.
        """
        try:
            fetched = self._fetched(name, version, folder)
        except BundleError as error:
            raise TrackingError(error.message) from None
        return self._whole(fetched, name)

    def run_artifact(self, name: str, version: int, artifact: str) -> str:
        """A text file among the artifacts of the run that a version came from.

        Raises:
            BundleError: there is no such version, run or file.
            TrackingError: MLflow does not answer.
        """
        from mlflow.exceptions import MlflowException

        client, run_id = self.models.client(), self.models.version(name, version).run_id
        try:
            root = client.get_run(str(run_id)).info.artifact_uri
            with TemporaryDirectory(prefix="tsur-artifact-") as folder:
                return downloaded(f"{root}/{artifact}", folder, self.uri).read_text(encoding="utf-8")
        except (MlflowException, OSError) as error:
            raise BundleError(f"{name} version {version}: {artifact} of its run cannot be read: {error}") from None

    def run_parameters(self, name: str, version: int) -> dict[str, str]:
        """What the run that a version came from was started with, as MLflow keeps it: texts.

        Raises:
            BundleError: there is no such version, or its run is gone.
            TrackingError: MLflow does not answer.
        """
        from mlflow.exceptions import MlflowException

        client, run_id = self.models.client(), self.models.version(name, version).run_id
        try:
            return dict(client.get_run(str(run_id)).data.params)
        except MlflowException as error:
            raise BundleError(f"{name} version {version}: its run cannot be read: {error}") from None

    def _whole(self, folder: Path, name: str) -> Path:
        """The bundle in a pyfunc's folder, with the encoder that it names on this machine."""
        bundle = bundle_in(folder, name)
        if name.endswith(CLASSIFIER):
            bring_encoder_of(self.models.client(), bundle, self.encoders)
        return bundle

    def _fetched(self, name: str, version: int, folder: Path | None) -> Path:
        """The pyfunc of a version, copied into `folder` where one is given."""
        from mlflow.exceptions import MlflowException

        self.models.version(name, version)
        try:
            location = self.models.client().get_model_version_download_uri(name, str(version))
            return downloaded(location, None if folder is None else str(folder), self.uri)
        except (MlflowException, OSError) as error:
            raise BundleError(f"{name} version {version}: artifacts cannot be read: {error}") from None


def open_registry(region: str) -> Registry:
    """The registry of this installation, its promotions kept in the installation's store."""
    store = Store(settings().database_url, region)
    return Registry(settings().mlflow_uri, settings().home, store.promotions)
