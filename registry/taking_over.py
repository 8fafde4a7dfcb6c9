"""Taking over the models that were registered before regions had names: `complaint-classifier` and the like.

In: a registry and the region that they belong to. Out: the same versions under the region's names, on the same
artifacts, with their aliases. Doing it again adds what is new.
"""

from dataclasses import dataclass

from data.errors import NoChampionError
from registry.client import CHALLENGER, CHAMPION, Registry
from registry.names import CLASSIFIER, FORECASTER

ORIGIN = "taken_over_from"
"""The tag of a version that says which one it was."""
COMMAND = "tsur registry migrate"


@dataclass(frozen=True)
class TakenOver:
    """One version under its old and its new name."""

    old: str
    old_version: int
    name: str
    version: int


def take_over(registry: Registry, region: str) -> list[TakenOver]:
    """Make all versions of the old names available under the region's names; no artifact is copied.

    Raises:
        BundleError: there is no registry.
        StoreError: the promotion of the champion cannot be kept.
        TrackingError: MLflow does not answer.
    """
    return [each for old in (CLASSIFIER, FORECASTER) for each in _take_over(registry, old, f"{region}.{old}")]


def _take_over(registry: Registry, old: str, name: str) -> list[TakenOver]:
    client = registry.models.client()
    of_origin = {version.tags.get(ORIGIN): int(version.version) for version in registry.models.versions(name)}
    taken, numbers = [], {}
    for version in registry.models.versions(old):
        origin = f"{old}/{version.version}"
        if origin not in of_origin:
            registry.models.ensure(name)
            location = client.get_model_version_download_uri(old, version.version)
            made = client.create_model_version(
                name, location, run_id=version.run_id, tags={ORIGIN: origin}, model_id=version.model_id
            )
            taken.append(TakenOver(old, int(version.version), name, int(made.version)))
            of_origin[origin] = int(made.version)
        numbers[int(version.version)] = of_origin[origin]
    for alias in (CHAMPION, CHALLENGER) if taken else ():
        _take_alias_over(registry, old, name, alias, numbers)
    return taken


def _take_alias_over(registry: Registry, old: str, name: str, alias: str, numbers: dict[int, int]) -> None:
    """Give the alias to the version that had it, unless the region has one of its own already."""
    try:
        number = registry.champion(old, alias)
    except NoChampionError:
        return
    try:
        registry.champion(name, alias)
    except NoChampionError:
        if alias == CHAMPION:
            registry.promote(name, numbers[number], {ORIGIN: f"{old}/{number}"}, COMMAND)
        else:
            registry.challenge(name, numbers[number])
