"""Taking a champion back: which version served before, by the promotions that the store keeps.

In: the promotions of a model. Out: the version to go back to, and its promotion, marked as a rollback. What was taken
back is no step of the way any more: a second rollback goes further back, never forward again.
"""

from collections.abc import Sequence

from data.errors import NoChampionError
from data.store.promotions import Promotion
from registry.client import Registry

ROLLBACK, WHY = "rollback", "why"
"""Keys of a promotion's evidence: that it takes another one back, and a person's reason."""


def line_of_champions(promotions: Sequence[Promotion]) -> list[int]:
    """The versions that stand one upon the other, the oldest first; those that were taken back are not among them."""
    line: list[int] = []
    for promotion in promotions:
        if promotion.evidence.get(ROLLBACK) and promotion.version in line:
            del line[line.index(promotion.version) + 1 :]
        elif not line or line[-1] != promotion.version:
            line.append(promotion.version)
    return line


def taken_back(promotions: Sequence[Promotion], version: int) -> Promotion | None:
    """The rollback that took a version back; None where none did, or somebody promoted it again since."""
    found = None
    for promotion in promotions:
        if promotion.version == version:
            found = None
        elif promotion.previous_version == version and promotion.evidence.get(ROLLBACK):
            found = promotion
    return found


def roll_back(registry: Registry, name: str, why: str, by: str) -> Promotion:
    """Make the version champion that was it before, and keep who wanted that and why.

    Raises:
        NoChampionError: there is no champion, or none before it.
        BundleError: the version before is gone.
        StoreError: the rollback cannot be kept; the champion is the one before.
        TrackingError: MLflow does not answer.
    """
    champion, line = registry.champion(name), line_of_champions(registry.promotions(name))
    earlier = [version for version in line if version != champion]
    if line and champion in line:
        earlier = line[: line.index(champion)]
    if not earlier:
        raise NoChampionError(
            f"{name}: no version was champion before version {champion}: there is nothing to go back to"
        )
    return registry.promote(name, earlier[-1], {ROLLBACK: True, WHY: why}, by)
