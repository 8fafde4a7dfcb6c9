"""A training as MLflow recorded it: all that is needed to do it once more.

In: a run's id, or a registered version. Out: `Recorded`, or a sentence on what the record lacks.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.errors import BundleError, InputError
from registry.client import Registry
from registry.names import CLASSIFIER, FORECASTER
from registry.runs import RunRecord, run_record
from training.environment import ENVIRONMENT

TRAINING = "train"
"""The name of runs that train; a student's or an encoder's have another."""
FINGERPRINT = "data_fingerprint"


@dataclass(frozen=True)
class Recorded:
    """A training and the version that came of it.

    Attributes:
        name: of the registered model.
        version: of it.
        run: what MLflow keeps.
        environment: as `training/environment.py` made it; None where the run is older than that.
    """

    name: str
    version: int
    run: RunRecord
    environment: Mapping[str, Any] | None

    @property
    def fingerprint(self) -> str:
        """Of the rows or counts that were taught."""
        return self.run.parameters[FINGERPRINT]

    def check_fingerprint(self, found: str, what: str) -> None:
        """The data are those that were taught.

        Raises:
            InputError: they are not; `what` they are.
        """
        if found != self.fingerprint:
            raise InputError(
                f"{what} have the fingerprint {found}, and run {self.run.id} was taught {self.fingerprint}: "
                "name the file that it was trained on"
            )


def recorded_training(registry: Registry, name: str, said: str) -> Recorded:
    """The training that is meant: by a version of the registered model `name`, or by a run's id whatever its model.

    Raises:
        InputError: an unknown run, one that is no training, that registered nothing, or whose record lacks something.
        BundleError: there is no such version.
        TrackingError: MLflow does not answer.
    """
    if said.isdecimal() and len(said) < 10:
        version = int(said)
        run = run_record(registry, str(registry.models.version(name, version).run_id))
    else:
        run = run_record(registry, said)
        name, version = run.experiment, _version_of(registry, run)
    if run.name != TRAINING:
        raise InputError(f"run {run.id} is no training but a {run.name!r}: a training's run can be reproduced")
    for kept in (FINGERPRINT, "forecasters" if name.endswith(FORECASTER) else "encoder"):
        if kept not in run.parameters:
            raise InputError(f"run {run.id} did not record {kept!r}: without it the training cannot be done again")
    return Recorded(name, version, run, _environment(registry, name, version))


def _version_of(registry: Registry, run: RunRecord) -> int:
    """The version that a run registered."""
    if not run.experiment.endswith((CLASSIFIER, FORECASTER)):
        raise InputError(f"run {run.id} belongs to {run.experiment!r}, which is neither a classifier nor a forecaster")
    made = [int(each.version) for each in registry.models.versions(run.experiment) if each.run_id == run.id]
    if not made:
        raise InputError(f"run {run.id} registered no version of {run.experiment}: there is nothing to reproduce")
    return max(made)


def _environment(registry: Registry, name: str, version: int) -> Mapping[str, Any] | None:
    try:
        return dict(json.loads(registry.run_artifact(name, version, ENVIRONMENT)))
    except BundleError:
        return None
