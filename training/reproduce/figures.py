"""Whether figures came out the same: those of a recorded training beside those of the same training done again.

In: figures by name. Out: one line a figure. A figure that only the newer code knows is nobody's difference.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One figure: as it was, as it is now (None: it is not there any more), and whether that is the same."""

    name: str
    then: float
    now: float | None
    same: bool


@dataclass(frozen=True)
class Reproduction:
    """What came of training again.

    Attributes:
        figures: in the order of their names.
        tolerance: by so much a figure may differ.
        differences: sentences on what else is another one: commit, environment.
    """

    figures: tuple[Figure, ...]
    tolerance: float
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether every figure came out the same."""
        return all(figure.same for figure in self.figures)

    @property
    def says(self) -> str:
        """That in a sentence."""
        how = "exactly" if self.tolerance == 0 else f"within {self.tolerance:g}"
        others = [figure for figure in self.figures if not figure.same]
        if not others:
            return f"Reproduced: all {len(self.figures)} figures are the same, {how}"
        largest = max((abs(each.now - each.then) for each in others if each.now is not None), default=math.nan)
        return f"Not reproduced: {len(others)} of {len(self.figures)} figures differ, {how}; by {largest:.3g} at most"


def compared(then: Mapping[str, float], now: Mapping[str, float], tolerance: float) -> tuple[Figure, ...]:
    """Each figure that was recorded beside that of now."""
    return tuple(
        Figure(name, then[name], now.get(name), _same(then[name], now.get(name), tolerance)) for name in sorted(then)
    )


def _same(then: float, now: float | None, tolerance: float) -> bool:
    if now is None:
        return False
    return (math.isnan(then) and math.isnan(now)) or abs(now - then) <= tolerance
