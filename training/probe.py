"""Linear probe first, then fine-tuning (LP-FT; Kumar et al. 2022, arXiv:2202.10054).

In: a network with a pretrained encoder and the encoded training rows. Out: the same network, its
features standardised and its heads set to logistic regressions on them. Random heads would first
pull the encoder's features apart; with dozens of rare labels they never quite recover.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.progress import track

from models.labels import HEADS
from models.network import ComplaintNetwork

C = 0.02
"""Inverse regularisation of the probes, in units of standardised features."""

BATCH = 32


def probe_heads(network: ComplaintNetwork, rows: Any, collate: Any) -> None:
    """Standardise the pooled features over the training rows and fit each head on them, in place.

    `rows` is a dataset with `input_ids, attention_mask` and a column a head, -100 where unknown.
    """
    from sklearn.linear_model import LogisticRegression

    features = np.zeros((len(rows), network.feature_mean.numel()), dtype=np.float32)
    for part, pooled in _pooled(network.eval(), rows, collate):
        features[part] = pooled
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-6
    network.feature_mean.copy_(torch.from_numpy(mean))
    network.feature_deviation.copy_(torch.from_numpy(deviation))
    standard = (features - mean) / deviation
    for head in HEADS:
        targets = np.asarray(rows[head])
        known = targets >= 0
        found = LogisticRegression(C=C, max_iter=300).fit(standard[known], targets[known])
        _set_head(network.heads[head], found.classes_, found.coef_, found.intercept_)
    network.train()


def _pooled(network: ComplaintNetwork, rows: Any, collate: Any) -> Iterator[tuple[Any, npt.NDArray[np.float32]]]:
    order = np.argsort(rows["length"], kind="stable")
    device = network.feature_mean.device
    for start in track(range(0, len(order), BATCH), description="reading the training rows", transient=True):
        part = order[start : start + BATCH]
        columns = ("input_ids", "attention_mask")
        batch = collate([{name: rows[int(i)][name] for name in columns} for i in part])
        with torch.no_grad():
            pooled = network.pooled(batch["input_ids"].to(device), batch["attention_mask"].to(device))
        yield part, pooled.cpu().numpy()


def _set_head(
    head: Any, classes: npt.NDArray[np.int64], weights: npt.NDArray[np.float64], bias: npt.NDArray[np.float64]
) -> None:
    """Copy a fitted regression into a linear layer; labels it never saw stay improbable."""
    if len(classes) == 2:
        weights, bias = np.concatenate([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    with torch.no_grad():
        head.weight.zero_()
        head.bias.fill_(float(bias.min()) - 2.0)
        head.weight[classes] = torch.as_tensor(weights, dtype=head.weight.dtype)
        head.bias[classes] = torch.as_tensor(bias, dtype=head.bias.dtype)
