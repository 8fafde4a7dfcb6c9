"""What fits without them said of rows held out in turn."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.classifier.labels import Ints


@dataclass(frozen=True)
class HeldOut:
    """Logits of rows by fits that had not seen them.

    Attributes:
        rows: positions among the rows that were taught, rising, shape (n,).
        folds: those of one fold were held out together, shape (n,).
        logits: of each head, shape (n, labels of the head).
    """

    rows: Ints
    folds: Ints
    logits: Mapping[str, npt.NDArray[np.floating]]
