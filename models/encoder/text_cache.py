"""A bounded memory of the texts read last: surges and mailings bring the same words again and again.

In: normalised texts and a function that reads those not known yet. Out: one row a text. Thread-safe.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = tuple[Floats, list[bool]]
"""Outputs side by side, shape (n, width), and which texts were cut."""
MAX_CHARACTERS = 4000
"""Longer texts are not kept: so the memory is bounded, and nobody sends them twice."""


class TextCache:
    """The outputs of the texts read last, at most `size` of them; 0 keeps none.

    Attributes:
        hits: texts whose outputs were there, or were asked for twice in one call.
        misses: texts that were read.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: OrderedDict[str, tuple[Floats, bool]] = OrderedDict()
        self._lock = Lock()
        self.hits = 0
        self.misses = 0

    def rows(self, texts: Sequence[str], read: Callable[[list[str]], Rows]) -> Rows:
        """Outputs of every text; `read` is asked once for each that is not known, in the order given."""
        if not self._size:
            self.misses += len(texts)
            return read(list(texts))
        with self._lock:
            known = {text: row for text in set(texts) if (row := self._rows.get(text)) is not None}
            for text in known:
                self._rows.move_to_end(text)
            fresh = [text for text in dict.fromkeys(texts) if text not in known]
            self.hits += len(texts) - len(fresh)
            self.misses += len(fresh)
        outputs, cut = read(fresh)
        if len(fresh) == len(texts):
            found = outputs, cut
        else:
            known |= {text: (outputs[i], cut[i]) for i, text in enumerate(fresh)}
            found = np.stack([known[text][0] for text in texts]), [known[text][1] for text in texts]
        self._keep(fresh, outputs, cut)
        return found

    def _keep(self, texts: list[str], outputs: Floats, cut: list[bool]) -> None:
        with self._lock:
            for i, text in enumerate(texts):
                if len(text) <= MAX_CHARACTERS:
                    self._rows[text] = outputs[i].copy(), cut[i]  # a view would keep the whole batch
            while len(self._rows) > self._size:
                self._rows.popitem(last=False)
