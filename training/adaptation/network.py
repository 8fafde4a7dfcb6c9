"""The network that is adapted: one encoder, and for each region linear heads of its own.

In: token ids and mask, shape (batch, tokens), or the states behind the frozen layers; each row's region, shape
(batch,), and its targets, negative where there is nothing to learn. Out: the `loss`, cross-entropy summed over heads,
each a mean over all rows of the batch that have the label; and `right`, shape (batch, heads): 1 where the head is
right, 0 where it is wrong, -1 where the row has no label.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from models.classifier.labels import HEADS
from models.encoder.architecture import PooledEncoder, token_mean
from training.adaptation.rows import MISSING


class RegionsNetwork(PooledEncoder):
    """A pooled encoder with heads for every region.

    Args:
        encoder: a torch encoder.
        hidden: its width.
        label_counts: of each region, how many labels its heads have.
        dropout: of the vector that the heads read.
        label_smoothing: of the cross-entropy.
    """

    def __init__(
        self,
        encoder: nn.Module,
        hidden: int,
        label_counts: Sequence[Mapping[str, int]],
        dropout: float = 0.1,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(encoder, hidden)
        self.dropout = nn.Dropout(dropout)
        self.label_smoothing = label_smoothing
        self.heads: nn.ModuleList = nn.ModuleList(
            nn.ModuleDict({head: nn.Linear(hidden, count) for head, count in of_region.items()})
            for of_region in label_counts
        )

    def forward(
        self,
        attention_mask: torch.Tensor,
        region: torch.Tensor,
        sector: torch.Tensor,
        topic: torch.Tensor,
        agency: torch.Tensor,
        input_ids: torch.Tensor | None = None,
        states: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """The loss, and which heads are right."""
        if states is not None:
            pooled = token_mean(self.upper_layers(states, attention_mask, self.frozen_layers), attention_mask)
        else:
            assert input_ids is not None
            pooled = self.pooled(input_ids, attention_mask)
        vector = self.dropout(self.standardised(pooled))
        targets = {"sector": sector, "topic": topic, "agency": agency}
        right = torch.stack([torch.where(targets[head] == MISSING, -1, 0) for head in HEADS], dim=1)
        losses: dict[str, list[torch.Tensor]] = {head: [] for head in HEADS}
        for number, heads in enumerate(self.heads):
            assert isinstance(heads, nn.ModuleDict)
            for head, linear in heads.items():
                rows = torch.nonzero((region == number) & (targets[head] >= 0)).squeeze(1)
                logits, of_rows = linear(vector[rows]).float(), targets[head][rows]
                losses[head].append(
                    nn.functional.cross_entropy(logits, of_rows, reduction="none", label_smoothing=self.label_smoothing)
                )
                right[rows, HEADS.index(head)] = (logits.argmax(dim=1) == of_rows).long()
        means = [torch.cat(parts).mean() for parts in losses.values() if sum(map(len, parts))]
        return {"loss": torch.stack(means).sum() if means else vector.sum() * 0.0, "right": right}
