"""A bounded memory of the vectors read last: surges and mailings bring the same words again and again.

In: normalised texts, who reads them, and a function for those not known yet. Out: one vector a text. All
encoders of a process share one: the same words read by the same encoder are read once, whichever region sent them.
Thread-safe.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
MAX_CHARACTERS = 4000
"""Longer texts are not remembered: so the memory is bounded, and nobody sends them twice."""


@dataclass(frozen=True)
class Vectors:
    """What an encoder makes of texts: shape (n, hidden), and which texts were cut."""

    values: Floats
    truncated: list[bool]


class VectorCache:
    """The vectors of the texts read last, at most `size` of them; 0 remembers none.

    Attributes:
        hits: texts whose vectors were there, or were asked for twice in one call.
        misses: texts that were read.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: OrderedDict[tuple[str, str], tuple[Floats, bool]] = OrderedDict()
        self._lock = Lock()
        self.hits = 0
        self.misses = 0

    def lookup(self, reader: str, texts: Sequence[str]) -> tuple[dict[str, tuple[Floats, bool]], list[str]]:
        """The texts whose vectors by this reader are known, and the others in the order given, each once.

        A cache of size 0 knows none, and gives back the texts as they are.
        """
        if not self._size:
            self.misses += len(texts)
            return {}, list(texts)
        with self._lock:
            known = {}
            for text in set(texts):
                row = self._rows.get((reader, text))
                if row is not None:
                    known[text] = row
                    self._rows.move_to_end((reader, text))
            fresh = [text for text in dict.fromkeys(texts) if text not in known]
            self.hits += len(texts) - len(fresh)
            self.misses += len(fresh)
        return known, fresh

    def forget(self) -> None:
        """Remember no text more."""
        with self._lock:
            self._rows.clear()

    def remember(self, reader: str, texts: Sequence[str], read: Vectors) -> None:
        """Keep what a reader made of texts; the oldest give way."""
        if not self._size:
            return
        with self._lock:
            for text, vector, truncated in zip(texts, read.values, read.truncated, strict=True):
                if len(text) <= MAX_CHARACTERS:
                    self._rows[reader, text] = vector.copy(), truncated  # a view would keep the whole batch
            while len(self._rows) > self._size:
                self._rows.popitem(last=False)
