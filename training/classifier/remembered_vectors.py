"""Vectors of texts that an encoder has read before, so that a retrain reads only what is new.

In: texts and who reads them. Out: their vectors, shape (n, hidden). The file knows texts by a hash, holds those of the
last training alone, and goes when a complaint is erased: a vector still says something of its text.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from data.atomic import atomic_file

Floats = npt.NDArray[np.floating]
NAME = "vectors.npz"
"""What such a file is called."""


class RememberedVectors:
    """The vectors of one file, by one reader.

    Args:
        path: of the file; None: nothing is remembered.
        reader: names encoder, precision and length; what another one read is not taken.
    """

    def __init__(self, path: Path | None, reader: str) -> None:
        self._path, self._reader = path, reader
        self._vectors: dict[str, Floats] = {}
        self._asked: list[str] = []
        if path is not None and path.is_file():
            stored = np.load(path)
            if str(stored["reader"]) == reader:
                self._vectors = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))

    def of(self, texts: Sequence[str], read: Callable[[Sequence[str]], Floats]) -> Floats:
        """Vectors of different texts; `read` gives those of the texts that are not known yet."""
        keys = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts]
        fresh = [place for place, key in enumerate(keys) if key not in self._vectors]
        if fresh:
            read_now = read([texts[place] for place in fresh])
            self._vectors |= {keys[place]: vector for place, vector in zip(fresh, read_now, strict=True)}
        self._asked = keys
        return np.stack([self._vectors[key] for key in keys])

    def save(self) -> None:
        """Write what was asked for last; what else there was is forgotten."""
        if self._path is None:
            return
        vectors = np.stack([self._vectors[key] for key in self._asked])
        with atomic_file(self._path) as partial, partial.open("wb") as file:
            np.savez(file, reader=np.array(self._reader), keys=np.array(self._asked), vectors=vectors)
