"""The last versions of a registered model: which run made each, and what the promotion gate said of it.

In: a registry. Out: versions, the newest first. What the gate says is a tag of the version, as JSON
(`training/retrain/trial.py` writes it).
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from registry.registered_models import RegisteredModels

GATE = "gate"
"""Tag of a registered version: what the gate said of it last, as JSON; also the folder of its report in MLflow."""


@dataclass(frozen=True)
class GateWords:
    """What the gate said of a challenger: against which champion, whether it may serve, and why."""

    champion: int
    passed: bool
    says: str


@dataclass(frozen=True)
class RegisteredVersion:
    """One version; `run` is MLflow's id of the run that made it, `gate` None where no retrain made it."""

    number: int
    run: str | None
    registered_at: datetime
    gate: GateWords | None


def last_versions(models: RegisteredModels, name: str, limit: int) -> list[RegisteredVersion]:
    """At most so many versions, the newest first.

    Raises:
        TrackingError: MLflow does not answer.
    """
    newest = reversed(models.versions(name)[-limit:])
    return [
        RegisteredVersion(
            int(each.version),
            each.run_id or None,
            datetime.fromtimestamp(each.creation_timestamp / 1000, UTC),
            _gate(each.tags.get(GATE)),
        )
        for each in newest
    ]


def _gate(tag: str | None) -> GateWords | None:
    if tag is None:
        return None
    said: dict[str, Any] = json.loads(tag)
    return GateWords(int(said["champion"]), bool(said["passed"]), str(said["says"]))
