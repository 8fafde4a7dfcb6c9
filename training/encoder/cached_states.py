"""Token states behind the frozen layers, computed once: what never changes is not computed each epoch.

In: a network and its encoded rows. Out: the states of every row in one memory-mapped array of half
floats (some 80 kB for a complaint of 100 tokens) and the pooled features of each row. With 6 of 12
layers frozen an epoch costs a quarter less. Encoders that are no plain BERT are run whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.progress import track

from models.encoder.architecture import ComplaintNetwork, token_mean

PLAIN = {"BertModel", "RobertaModel", "XLMRobertaModel"}
"""Encoders whose top is nothing but their layers."""
BATCH = 32
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


def can_cache(network: ComplaintNetwork) -> bool:
    """Whether this network's frozen states can stand in for its input."""
    return network.frozen_layers > 0 and type(network.encoder).__name__ in PLAIN


def read_rows(
    network: ComplaintNetwork, rows: Any, collate: Any, keep_in: Path | None
) -> tuple[Floats, CachedStates | None]:
    """Pooled features of every row, shape (n, hidden); with a file to keep them in, the frozen states too."""
    lengths = np.asarray(rows["length"], dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    hidden = int(network.feature_mean.numel())
    features = np.zeros((len(rows), hidden), dtype=np.float32)
    kept: Any = None
    if keep_in is not None:
        keep_in.parent.mkdir(parents=True, exist_ok=True)
        kept = np.lib.format.open_memmap(keep_in, mode="w+", dtype=np.float16, shape=(int(starts[-1]), hidden))
    network.eval()
    for part, batch in _batches(network, rows, lengths, collate):
        with torch.no_grad():
            if kept is None:
                pooled = network.pooled(**batch)
            else:
                states = network.states(**batch, layers=network.frozen_layers)
                top = network.climb(states, batch["attention_mask"], network.frozen_layers)
                pooled = token_mean(top, batch["attention_mask"])
                for line, row in enumerate(part):
                    kept[starts[row] : starts[row + 1]] = states[line, : lengths[row]].float().cpu().numpy()
        features[part] = pooled.float().cpu().numpy()
    network.train()
    return features, CachedStates(kept, starts) if kept is not None else None


def _batches(
    network: ComplaintNetwork, rows: Any, lengths: npt.NDArray[np.int64], collate: Any
) -> Iterator[tuple[npt.NDArray[np.int64], dict[str, torch.Tensor]]]:
    order = np.argsort(lengths, kind="stable")
    device = network.feature_mean.device
    columns = ("input_ids", "attention_mask")
    for start in track(range(0, len(order), BATCH), description="reading the rows", transient=True):
        part = order[start : start + BATCH]
        batch = collate([{name: rows[int(i)][name] for name in columns} for i in part])
        yield part, {name: batch[name].to(device) for name in columns}
