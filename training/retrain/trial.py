"""A trial: one challenger before one champion, classifier or forecaster; what was said of it, and where that leads.

In: the verdict's file that the gate has written. Out: a tag of the registered version, and the promotion of one that
passed. All of it may be done again: a retrain that was killed goes on where it was.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data.store.promotions import Promotion
from registry.client import CHALLENGER, Registry
from registry.history import GATE
from registry.taking_back import taken_back

VERDICT, REPORT = "verdict.json", "report.md"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Retrained:
    """What came of a retrain.

    Attributes:
        champion, challenger: versions; the champion is the one that the challenger was held against.
        passed: what the gate says.
        says: why, in a sentence.
        report: of the gate; None where the challenger is the champion already.
        done_before: nothing was left to do.
        promoted: None where the challenger serves nobody.
        note: why a challenger that passed was not promoted, where it should have been.
    """

    champion: int
    challenger: int
    passed: bool
    says: str
    report: Path | None
    done_before: bool = False
    promoted: Promotion | None = None
    note: str = ""


@dataclass(frozen=True)
class Trial:
    """One challenger before one champion.

    Attributes:
        name: of the registered model.
        champion, challenger: versions.
        folder: of the report: the same trial, under the same limits, has the same folder.
        promoted_by: who promotes a challenger that passes; None: nobody.
    """

    name: str
    champion: int
    challenger: int
    folder: Path
    promoted_by: str | None

    def named(self, version: int) -> str:
        """A version as a report calls it."""
        return f"{self.name} version {version}"

    def verdict(self) -> dict[str, Any] | None:
        """What the gate has said; None where it has not."""
        path = self.folder / VERDICT
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def tell_registry(self, verdict: Mapping[str, Any], keys: tuple[str, ...], registry: Registry) -> None:
        """What was said lies with the version too, some keys of it, for whoever promotes it from elsewhere."""
        said = {"champion": self.champion, "passed": verdict["passed"], "says": verdict["says"][:1000]}
        said |= {key: verdict[key] for key in keys}
        registry.models.set_tag(self.name, self.challenger, GATE, json.dumps(said, ensure_ascii=False))

    def outcome(
        self,
        judge: Callable[[], None],
        keys: tuple[str, ...],
        figures: str,
        registry: Registry,
        say: Say,
        *,
        trained_before: bool,
    ) -> Retrained:
        """What comes of it: the verdict, asked of `judge` where there is none, and the promotion of one that passed.

        `keys` of the verdict are told to the registry, and with them its `figures` stand in the promotion's evidence.
        """
        judged_before = self.verdict() is not None
        if not judged_before:
            judge()
        verdict = self.verdict()
        assert verdict is not None
        self.tell_registry(verdict, keys, registry)
        done = Retrained(
            champion=self.champion,
            challenger=self.challenger,
            passed=verdict["passed"],
            says=verdict["says"],
            report=self.folder / REPORT,
            done_before=judged_before and trained_before,
        )
        if not done.passed:
            return done
        evidence = {key: verdict[key] for key in ("says", "passed", *keys, figures)}
        return self.promoted(done, evidence, registry, say)

    def promoted(self, done: Retrained, evidence: Mapping[str, Any], registry: Registry, say: Say) -> Retrained:
        """Make a challenger that passed champion where somebody wants that, else name it the challenger."""
        back = taken_back(registry.promotions(self.name), self.challenger)
        if back is not None:
            note = f"not promoted: {back.promoted_by} took version {self.challenger} back"
            note += f" ({back.evidence.get('why', '')})"
            return replace(done, note=f"{note}; `tsur promote {self.challenger}` promotes it all the same")
        if self.promoted_by is None:
            registry.challenge(self.name, self.challenger)
            return done
        say(f"promoting version {self.challenger}")
        promotion = registry.promote(self.name, self.challenger, {GATE: dict(evidence)}, self.promoted_by)
        if registry.models.under_alias(self.name, CHALLENGER) == self.challenger:
            registry.challenge(self.name, None)
        return replace(done, promoted=promotion, done_before=False)


def champion_already(registry: Registry, name: str, champion: int, taught: str, promoted_by: str | None) -> Retrained:
    """The champion was `taught` these very data; where its promotion was not kept, for a kill, it is now."""
    says = f"version {champion}, the champion, was trained on {taught}: there is nothing new to learn"
    promotions, promoted = registry.promotions(name), None
    if promoted_by is not None and (not promotions or promotions[-1].version != champion):
        said = registry.models.version(name, champion).tags.get(GATE)
        promoted = registry.promote(name, champion, {GATE: json.loads(said or "{}")}, promoted_by)
    return Retrained(champion, champion, True, says, None, done_before=promoted is None, promoted=promoted)
