"""A contrastive fit of a linear map on frozen vectors, and a logistic head behind it.

In: vectors and topics of a few rows. Out: the topics of others. Rows of one topic are drawn together and apart from all
others (supervised contrastive loss; Khosla et al. 2020, arXiv:2004.11362). It has SetFit's two steps (Tunstall et al.
2022, arXiv:2209.11055) and is not SetFit, which tunes the encoder itself: here a map of its vectors is all that learns.
"""

import numpy as np
import torch

from benchmarks.vector_classifier import Floats, Head, Names

STEPS, RATE, TEMPERATURE = 60, 1e-3, 0.1
"""Of Adam, on all rows at once."""


def by_contrast(taught: Floats, topics: Names, judged: Floats) -> Names:
    """Fit on rows, shape (n, hidden) and (n,); the topic of each judged one."""
    mean, deviation = taught.mean(axis=0), taught.std(axis=0) + 1e-6
    rows, asked = (torch.tensor((each - mean) / deviation, dtype=torch.float32) for each in (taught, judged))
    same = torch.tensor(topics[:, None] == topics[None, :]) & ~torch.eye(len(topics), dtype=torch.bool)
    mapped = torch.eye(rows.shape[1]).requires_grad_(True)
    if same.any():
        solver = torch.optim.Adam([mapped], lr=RATE)
        for _ in range(STEPS):
            solver.zero_grad()
            _loss(torch.nn.functional.normalize(rows @ mapped), same).backward()  # type: ignore[no-untyped-call]
            solver.step()
    with torch.no_grad():
        one, other = (torch.nn.functional.normalize(each @ mapped).numpy() for each in (rows, asked))
    return Head.fit(np.asarray(one), topics).predicted(np.asarray(other))


def _loss(units: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """Of rows on the unit sphere: how unlikely those of the same topic are among all others."""
    near = units @ units.T / TEMPERATURE
    near = near.masked_fill(torch.eye(len(units), dtype=torch.bool), float("-inf"))
    likelihood = near - near.logsumexp(dim=1, keepdim=True)
    several = same.any(dim=1)
    of_same = likelihood.masked_fill(~same, 0.0).sum(dim=1)[several] / same.sum(dim=1)[several]
    return -of_same.mean()
