"""The linear heads: from an encoder's vectors to logits, in numpy, behind the encoder's graph.

In: mean-pooled vectors, shape (n, hidden). Out: features, which are the vectors standardised over the training rows of
a region (those of e5 lie in a narrow cone), and logits of each head, shape (n, labels of the head). A region's heads
are small; its encoder is shared, so they are files of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from data.errors import BundleError
from models.classifier.labels import HEADS

HEADS_FILE = "heads.safetensors"
NETWORK_FILE = "model.safetensors"
"""Of formats 3 and 4: the whole network, heads beside the encoder."""
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class LinearHeads:
    """Weights (hidden, labels) and bias of each head on vectors standardised by `mean` and `deviation`."""

    weights: Mapping[str, Floats]
    bias: Mapping[str, Floats]
    mean: Floats
    deviation: Floats

    def features(self, vectors: Floats) -> Floats:
        """What the heads read: each number with mean 0 and variance 1 over the training rows, shape (n, hidden)."""
        standard: Floats = (vectors - self.mean) / self.deviation
        return standard

    def of_features(self, features: Floats) -> dict[str, Floats]:
        """Logits of each head from standardised vectors."""
        return {head: features @ self.weights[head] + self.bias[head] for head in HEADS}

    def on_features(self) -> "LinearHeads":
        """The same heads for vectors that are standardised already, as the graphs of formats 3 and 4 give them."""
        return LinearHeads(self.weights, self.bias, np.zeros_like(self.mean), np.ones_like(self.deviation))

    def logits(self, vectors: Floats) -> dict[str, Floats]:
        """Logits of each head, shape (n, labels of the head)."""
        return self.of_features(self.features(vectors))

    def save(self, folder: Path) -> None:
        """Write the heads into `folder`, in fp32."""
        from safetensors.numpy import save_file

        arrays = {"mean": self.mean, "deviation": self.deviation}
        for head in HEADS:
            arrays |= {f"{head}.weight": self.weights[head], f"{head}.bias": self.bias[head]}
        single = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in arrays.items()}
        save_file(single, folder / HEADS_FILE)

    @classmethod
    def load(cls, folder: Path) -> "LinearHeads":
        """Read what `save` wrote.

        Raises:
            BundleError: the file is missing or broken.
        """
        from safetensors.numpy import load_file

        try:
            arrays = load_file(folder / HEADS_FILE)
            weights = {head: arrays[f"{head}.weight"] for head in HEADS}
            bias = {head: arrays[f"{head}.bias"] for head in HEADS}
            return cls(weights, bias, arrays["mean"], arrays["deviation"])
        except Exception as error:  # safetensors raises its own
            raise _broken(folder, HEADS_FILE, error) from None

    @classmethod
    def of_network(cls, folder: Path) -> "LinearHeads":
        """The heads of a bundle of format 3 or 4, out of the weights of its whole network.

        Raises:
            BundleError: its weights are missing or broken.
        """
        from safetensors import safe_open

        try:
            with safe_open(folder / NETWORK_FILE, "numpy") as file:
                weights = {head: file.get_tensor(f"heads.{head}.weight").T for head in HEADS}
                bias = {head: file.get_tensor(f"heads.{head}.bias") for head in HEADS}
                return cls(weights, bias, file.get_tensor("feature_mean"), file.get_tensor("feature_deviation"))
        except Exception as error:  # safetensors raises its own
            raise _broken(folder, NETWORK_FILE, error) from None


def _broken(folder: Path, name: str, error: Exception) -> BundleError:
    sentence = " ".join(str(error).split())[:200]
    return BundleError(f"classifier bundle {folder.name}: {name} is broken: {sentence}")
