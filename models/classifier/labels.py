"""The label space of a classifier: the names each head knows, and which combinations are possible.

In: the catalogue and the labels seen often enough to learn. Out: a `LabelSpace`, with the
explicit label «Прочее» for the rest. A decision for «Прочее» is always an operator's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from data.catalogue.model import Triple

if TYPE_CHECKING:
    import pandas as pd

HEADS = ("sector", "topic", "agency")
OTHER = "Прочее"

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LabelSpace:
    """Names of each head's labels, in the order of its logits."""

    names: Mapping[str, tuple[str, ...]]

    @property
    def counts(self) -> dict[str, int]:
        """How many labels each head has."""
        return {head: len(self.names[head]) for head in HEADS}

    @cached_property
    def _index(self) -> dict[str, dict[str, int]]:
        return {head: {name: i for i, name in enumerate(self.names[head])} for head in HEADS}

    def index(self, head: str, name: str | None) -> int:
        """The position of a label; of «Прочее» for an unknown one; -100 (ignored) for none."""
        if name is None:
            return -100
        positions = self._index[head]
        return positions.get(name, positions.get(OTHER, -100))

    def targets(self, rows: "pd.DataFrame") -> dict[str, Ints]:
        """True label indices of each head, shape (n,); rare labels are «Прочее», absent ones -100."""
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


def learn_label_space(labels: Mapping[str, list[str | None]], min_rows: int) -> LabelSpace:
    """Labels with at least `min_rows` rows, sorted by name; «Прочее» last where some were rarer."""
    names: dict[str, tuple[str, ...]] = {}
    for head in HEADS:
        counted: dict[str, int] = {}
        for name in labels[head]:
            if name is not None:
                counted[name] = counted.get(name, 0) + 1
        frequent = sorted(name for name, rows in counted.items() if rows >= min_rows and name != OTHER)
        names[head] = (*frequent, OTHER) if len(frequent) < len(counted) else tuple(frequent)
    return LabelSpace(names)
