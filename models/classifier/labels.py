"""The label space of a classifier: the names each head knows, how many rows taught each, and possible combinations.

In: the labels of the training rows, the catalogue. Out: a `LabelSpace` of every label that a row has or the catalogue
names. A label of few rows, or none, can be proposed like any other, but a decision for it is always an operator's.
(Bundles of earlier recipes put rare labels together as «Прочее», and know no rows.)
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data.catalogue.model import Triple

if TYPE_CHECKING:
    import pandas as pd

HEADS = ("sector", "topic", "agency")
OTHER = "Прочее"
"""What earlier recipes answered for every rare label."""
RARE_ROWS = 5
"""Below, one row in five decides how sure a label looks (as `min_label_rows` has it by default)."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LabelSpace:
    """Names of each head's labels, in the order of its logits.

    Attributes:
        names: of each head's labels.
        rows: how many training rows had each label, in the same order; empty where nobody counted.
        min_rows: labels with fewer are rare.
    """

    names: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    min_rows: int = RARE_ROWS

    @property
    def counts(self) -> dict[str, int]:
        """How many labels each head has."""
        return {head: len(self.names[head]) for head in HEADS}

    @cached_property
    def rare(self) -> dict[str, frozenset[str]]:
        """Labels of each head that an operator decides whatever the confidence: of few rows, or «Прочее»."""
        return {
            head: frozenset(
                {OTHER}
                | {name for name, rows in zip(names, self.rows.get(head, ()), strict=False) if rows < self.min_rows}
            )
            for head, names in self.names.items()
        }

    @cached_property
    def _index(self) -> dict[str, dict[str, int]]:
        return {head: {name: i for i, name in enumerate(self.names[head])} for head in HEADS}

    def index(self, head: str, name: str | None) -> int:
        """The position of a label; of an unknown one that of «Прочее», or -100 (ignored) where there is none."""
        if name is None:
            return -100
        positions = self._index[head]
        return positions.get(name, positions.get(OTHER, -100))

    def targets(self, rows: "pd.DataFrame") -> dict[str, Ints]:
        """True label indices of each head, shape (n,); unknown labels and absent ones are -100 (see `index`)."""
        return {
            head: np.array(
                [self.index(head, name if isinstance(name, str) else None) for name in rows[head]], dtype=np.int64
            )
            for head in HEADS
        }

    def triples(self, possible: list[Triple]) -> Ints:
        """Possible combinations as indices, shape (combinations, 3), each once.

        Combinations that need a label this space does not hold are left out.
        """
        rows = {tuple(self.index(head, getattr(triple, head)) for head in HEADS) for triple in possible}
        representable = sorted(row for row in rows if min(row) >= 0)
        return np.array(representable, dtype=np.int64).reshape(-1, len(HEADS))


def learn_label_space(
    labels: Mapping[str, list[str | None]],
    min_rows: int = RARE_ROWS,
    catalogue: Mapping[str, Iterable[str]] | None = None,
) -> LabelSpace:
    """Every label that a row has or the catalogue names, sorted, with its rows; below `min_rows` it is rare."""
    counted = {head: Counter(name for name in labels[head] if name is not None) for head in HEADS}
    named = catalogue or dict.fromkeys(HEADS, ())
    names = {head: tuple(sorted({*counted[head], *named[head]})) for head in HEADS}
    rows = {head: tuple(counted[head][name] for name in names[head]) for head in HEADS}
    return LabelSpace(names, rows, min_rows)
