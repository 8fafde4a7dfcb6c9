"""MLflow's registered models at one address, by an explicit client: their versions and aliases.

In: names of models (`registry.names`). Out: versions. Nothing of bundles is known here. Reading creates nothing,
neither database nor experiment.
"""

from typing import TYPE_CHECKING

from data.errors import BundleError
from registry.connection import connected, is_absent, unreachable

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""MLflow's codes for a model, a version or an alias that is not there."""


class RegisteredModels:
    """The registered models at one address. Thread-safe.

    Args:
        uri: MLflow's tracking and registry URI.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._client: MlflowClient | None = None

    def client(self) -> "MlflowClient":
        """A client of a registry that is there.

        Raises:
            BundleError: it is an SQLite file that does not exist.
        """
        client = self._reading()
        if client is None:
            raise BundleError(f"there is no registry at {self.uri}: train a model first")
        return client

    def ensure(self, name: str) -> None:
        """Create a registered model, which has no versions yet, unless it is there.

        Raises:
            TrackingError: MLflow does not answer.
        """
        from mlflow.exceptions import MlflowException

        try:
            self.client().create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise unreachable(self.uri, error) from None

    def version(self, name: str, number: int) -> "ModelVersion":
        """One version.

        Raises:
            BundleError: there is no such version.
            TrackingError: MLflow does not answer.
        """
        from mlflow.exceptions import MlflowException

        try:
            return self.client().get_model_version(name, str(number))
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise unreachable(self.uri, error) from None
            raise BundleError(f"the registry holds no version {number} of {name}") from None

    def versions(self, name: str) -> "list[ModelVersion]":
        """All versions of a registered model, the oldest first; none where there is no such model.

        Raises:
            TrackingError: MLflow does not answer.
        """
        from mlflow.exceptions import MlflowException

        client = self._reading()
        if client is None:
            return []
        try:
            return sorted(client.search_model_versions(f"name='{name}'"), key=lambda each: int(each.version))
        except MlflowException as error:
            raise unreachable(self.uri, error) from None

    def under_alias(self, name: str, alias: str) -> int | None:
        """The version that has an alias; None where none has.

        Raises:
            TrackingError: MLflow does not answer.
        """
        from mlflow.exceptions import MlflowException

        client = self._reading()
        if client is None:
            return None
        try:
            return int(client.get_model_version_by_alias(name, alias).version)
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise unreachable(self.uri, error) from None
            return None

    def set_alias(self, name: str, alias: str, number: int | None) -> None:
        """Give a version an alias, or take the alias away.

        Raises:
            TrackingError: MLflow does not answer.
        """
        from mlflow.exceptions import MlflowException

        client = self.client()
        try:
            if number is None:
                client.delete_registered_model_alias(name, alias)
            else:
                client.set_registered_model_alias(name, alias, str(number))
        except MlflowException as error:
            raise unreachable(self.uri, error) from None

    def set_tag(self, name: str, number: int, key: str, value: str) -> None:
        """Say something of a version for good.

        Raises:
            TrackingError: MLflow does not answer.
        """
        from mlflow.exceptions import MlflowException

        try:
            self.client().set_model_version_tag(name, str(number), key, value)
        except MlflowException as error:
            raise unreachable(self.uri, error) from None

    def _reading(self) -> "MlflowClient | None":
        """A client; None where the registry is an SQLite file that does not exist, for MLflow would create it."""
        if self._client is None and not is_absent(self.uri):
            self._client = connected(self.uri)
        return self._client
