"""`tsur promote`: a person makes a version champion, by what the gate said of it, or with a reason over its head.

In: a version, or none: the challenger's. Out: its promotion, with the gate's words and the person's in the evidence.
"""

import json
from typing import Any

from data.errors import InputError
from data.store.promotions import Promotion
from registry.client import CHALLENGER, CHAMPION, Registry
from registry.history import GATE
from registry.names import FORECASTER
from registry.taking_back import WHY


def promote(registry: Registry, name: str, version: int | None, why: str, by: str, without_gate: bool) -> Promotion:
    """Make a version champion.

    Raises:
        NoChampionError: no version is named, and there is no challenger.
        BundleError: there is no such version.
        InputError: it is the champion already; the gate refused it, or has not held it against today's champion, and
            `without_gate` is not said; or it is said without a reason.
        StoreError, TrackingError: nothing has changed.
    """
    number = registry.champion(name, CHALLENGER) if version is None else version
    champion = registry.models.under_alias(name, CHAMPION)
    if number == champion:
        raise InputError(f"{name} version {number} is the champion already")
    said = gate_of(registry, name, number)
    if without_gate and not why:
        raise InputError("--without-gate needs a reason: --why TEXT")
    if not without_gate:
        _check(said, name, number, champion)
    promotion = registry.promote(name, number, {GATE: said, WHY: why, "without_gate": without_gate}, by)
    if registry.models.under_alias(name, CHALLENGER) == number:
        registry.challenge(name, None)
    return promotion


def gate_of(registry: Registry, name: str, version: int) -> dict[str, Any]:
    """What the gate said of a version last; empty where it has never seen it. Raises as `promote`."""
    said = registry.models.version(name, version).tags.get(GATE)
    return {} if said is None else dict(json.loads(said))


def _check(said: dict[str, Any], name: str, number: int, champion: int | None) -> None:
    """The gate has passed it, against the champion of today."""
    otherwise = "`--without-gate --why TEXT` promotes it all the same"
    command = "`tsur retrain forecaster COUNTS`" if name.endswith(FORECASTER) else "`tsur retrain`"
    if not said:
        raise InputError(
            f"the gate has not seen {name} version {number}: {command} holds it against the champion; {otherwise}"
        )
    if not said["passed"]:
        raise InputError(f"the gate refused {name} version {number}: {said['says']}; {otherwise}")
    if champion is not None and said["champion"] != champion:
        raise InputError(
            f"the gate held {name} version {number} against version {said['champion']}, and version {champion} is "
            f"champion now: run {command} again; {otherwise}"
        )
