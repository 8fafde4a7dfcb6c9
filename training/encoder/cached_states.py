"""Token states behind the frozen layers, computed once: what never changes is not computed each epoch.

In: a network and its encoded rows. Out: the mean-pooled vectors of the rows, and with a file for them the states of
every row in one memory-mapped array of half floats (some 80 kB for a complaint of 100 tokens). With 6 of 12 layers
frozen an epoch costs a quarter less. Encoders that are no plain BERT are run whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from models.encoder.architecture import PooledEncoder, token_mean
from training.long_step import Counted, Tell, quiet

PLAIN = {"BertModel", "RobertaModel", "XLMRobertaModel"}
"""Encoders whose top is nothing but their layers."""
BATCH = 32
"""Rows of like length that are read together; more are no faster on a processor."""
COLUMNS = ("input_ids", "attention_mask")
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class CachedStates:
    """States of all rows one behind the other, shape (tokens of all rows, hidden); row i begins at `starts[i]`."""

    array: npt.NDArray[np.float16]
    starts: npt.NDArray[np.int64]

    def padded(self, rows: Sequence[int], width: int) -> torch.Tensor:
        """States of some rows, shape (rows, width, hidden), zeros behind the end."""
        out = np.zeros((len(rows), width, self.array.shape[1]), dtype=np.float32)
        for line, row in enumerate(rows):
            states = self.array[self.starts[row] : self.starts[row + 1]]
            out[line, : len(states)] = states
        return torch.from_numpy(out)


@dataclass(frozen=True)
class EncodedRows:
    """What an encoder makes of rows: mean-pooled vectors, shape (n, hidden), and, if asked for, cached states."""

    vectors: Floats
    states: CachedStates | None


def can_cache(network: PooledEncoder) -> bool:
    """Whether this network's frozen states can stand in for its input."""
    return network.frozen_layers > 0 and type(network.encoder).__name__ in PLAIN


def encode_with(
    network: PooledEncoder, rows: Any, collate: Any, cache: Path | None, tell: Tell = quiet, pool: bool = True
) -> EncodedRows:
    """Read every row of a `datasets.Dataset`; with a file as `cache`, its states behind the frozen layers too.

    Without `pool` the layers above are not computed, and the vectors are zeros.
    """
    lengths = np.asarray(rows["length"], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    hidden = int(network.feature_mean.numel())
    vectors = np.zeros((len(rows), hidden), dtype=np.float32)
    cached: Any = None
    if cache is not None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        cached = np.lib.format.open_memmap(cache, mode="w+", dtype=np.float16, shape=(int(starts[-1]), hidden))
    network.eval()
    for part, batch in _batches(network, rows, lengths, collate, tell):
        with torch.no_grad():
            if cached is None:
                pooled = network.pooled(**batch)
            else:
                states = network.states(**batch, layers=network.frozen_layers)
                for line, row in enumerate(part):
                    cached[starts[row] : starts[row + 1]] = states[line, : lengths[row]].float().cpu().numpy()
                if not pool:
                    continue
                top = network.upper_layers(states, batch["attention_mask"], network.frozen_layers)
                pooled = token_mean(top, batch["attention_mask"])
        vectors[part] = pooled.float().cpu().numpy()
    network.train()
    return EncodedRows(vectors, None if cached is None else CachedStates(cached, starts))


def _batches(
    network: PooledEncoder, rows: Any, lengths: npt.NDArray[np.int64], collate: Any, tell: Tell
) -> Iterator[tuple[npt.NDArray[np.int64], dict[str, torch.Tensor]]]:
    order = np.argsort(lengths, kind="stable")
    device = network.feature_mean.device
    for start in Counted(range(0, len(order), BATCH), "batch", tell):
        part = order[start : start + BATCH]
        batch = collate([{name: rows[int(i)][name] for name in COLUMNS} for i in part])
        yield part, {name: batch[name].to(device) for name in COLUMNS}
