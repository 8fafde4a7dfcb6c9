"""The network that is trained: one encoder, one linear head per target, as nn.Module.

In: token ids and mask, shape (batch, tokens), or the states behind the frozen layers, shape
(batch, tokens, hidden); targets, shape (batch,), -100 where unknown; the n-grams' log-probabilities
as priors. Out: a dict of the summed weighted cross-entropy `loss` (when targets are given) and the
logits of each head, shape (batch, labels of the head). Pooling is the mean over tokens, as e5 was
trained; its features are standardised, because those of e5 lie in a narrow cone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from data.errors import EncoderError
from models.classifier.heads import LinearHeads
from models.classifier.labels import HEADS


class PooledEncoder(nn.Module):
    """A BERT encoder whose answer to a text is the mean of its token vectors, standardised.

    Attributes:
        heads: what reads the vector; each kind of network has its own.
    """

    heads: nn.Module

    def __init__(self, encoder: nn.Module, hidden: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.frozen_layers = 0
        self.feature_mean: torch.Tensor
        self.feature_deviation: torch.Tensor
        self.register_buffer("feature_mean", torch.zeros(hidden))
        self.register_buffer("feature_deviation", torch.ones(hidden))

    @property
    def stack(self) -> nn.ModuleList:
        """The encoder's layers."""
        return layer_stack(self.encoder)

    def freeze(self, embeddings: bool, layers: int) -> None:
        """Stop training the word embeddings; with `layers`, all of the encoder but the layers above them.

        Raises:
            EncoderError: the encoder has no stack of so many layers.
        """
        inner: Any = self.encoder
        if embeddings:
            inner.get_input_embeddings().requires_grad_(False)
        if layers:
            if len(self.stack) < layers:
                raise EncoderError(f"the encoder has {len(self.stack)} layers, fewer than frozen_layers {layers}")
            self.frozen_layers = layers
            inner.requires_grad_(False)
            for layer in self.stack[layers:]:
                layer.requires_grad_(True)

    def states(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, layers: int) -> torch.Tensor:
        """Token states behind the lowest `layers` of BERT's, shape (batch, tokens, hidden); 0 is the embeddings."""
        inner: Any = self.encoder
        embedded: torch.Tensor = inner.embeddings(input_ids=input_ids)
        return self._through(self.stack[:layers], embedded, attention_mask)

    def upper_layers(self, states: torch.Tensor, attention_mask: torch.Tensor, layers: int) -> torch.Tensor:
        """Token states of the top from those behind the lowest `layers` (BERT's layers, norm last)."""
        return self._through(self.stack[layers:], states, attention_mask)

    def _through(self, layers: nn.ModuleList, states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        absent = (1.0 - attention_mask[:, None, None, :].to(states.dtype)) * torch.finfo(states.dtype).min
        for layer in layers:
            answer = layer(states, absent)
            states = answer[0] if isinstance(answer, tuple) else answer
        return states

    def pooled(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Mean of the token vectors, shape (batch, hidden)."""
        return token_mean(
            self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state, attention_mask
        )

    def standardised(self, pooled: torch.Tensor) -> torch.Tensor:
        """What the heads read: each of the features with mean 0 and variance 1 over the training rows."""
        standard: torch.Tensor = (pooled - self.feature_mean) / self.feature_deviation
        return standard


class ComplaintNetwork(PooledEncoder):
    """A pooled encoder with the heads `sector`, `topic` and `agency`."""

    def __init__(
        self,
        encoder: nn.Module,
        hidden: int,
        label_counts: Mapping[str, int],
        dropout: float = 0.1,
        class_weights: Mapping[str, torch.Tensor] | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(encoder, hidden)
        self.dropout = nn.Dropout(dropout)
        self.heads: nn.ModuleDict = nn.ModuleDict({head: nn.Linear(hidden, label_counts[head]) for head in HEADS})
        self.label_smoothing = label_smoothing
        for head in HEADS:
            weights = class_weights[head] if class_weights else None
            self.register_buffer(f"{head}_weights", weights, persistent=False)

    def set_heads(self, heads: LinearHeads) -> None:
        """Take over heads that were fitted, and the standardisation of what they read."""
        with torch.no_grad():
            self.feature_mean.copy_(torch.as_tensor(heads.mean))
            self.feature_deviation.copy_(torch.as_tensor(heads.deviation))
            for head in HEADS:
                linear: Any = self.heads[head]
                linear.weight.copy_(torch.as_tensor(heads.weights[head].T))
                linear.bias.copy_(torch.as_tensor(heads.bias[head]))

    def linear_heads(self) -> LinearHeads:
        """The heads as they are now, for a bundle."""
        weights, bias = {}, {}
        for head in HEADS:
            linear: Any = self.heads[head]
            weights[head] = linear.weight.detach().cpu().numpy().T
            bias[head] = linear.bias.detach().cpu().numpy()
        return LinearHeads(weights, bias, self.feature_mean.cpu().numpy(), self.feature_deviation.cpu().numpy())

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        states: torch.Tensor | None = None,
        priors: Mapping[str, torch.Tensor] | None = None,
        **targets: torch.Tensor,
    ) -> dict[str, torch.Tensor]:
        """Logits of each head, on top of its prior where there is one, and the loss over the given targets."""
        assert attention_mask is not None
        if states is not None:
            pooled = token_mean(self.upper_layers(states, attention_mask, self.frozen_layers), attention_mask)
        else:
            assert input_ids is not None
            pooled = self.pooled(input_ids, attention_mask)
        vector = self.dropout(self.standardised(pooled))
        logits = {head: self.heads[head](vector).float() for head in HEADS}
        if priors is not None:
            logits = {head: logits[head] + priors[head] for head in HEADS}
        if not targets:
            return logits
        losses = [
            nn.functional.cross_entropy(
                logits[head],
                targets[head],
                weight=getattr(self, f"{head}_weights"),
                label_smoothing=self.label_smoothing,
            )
            for head in HEADS
            if bool((targets[head] >= 0).any())
        ]
        return {"loss": torch.stack(losses).sum(), **logits} if losses else logits


def layer_stack(encoder: nn.Module) -> nn.ModuleList:
    """An encoder's layers; empty where it has no stack of them."""
    stacks = [module for module in encoder.modules() if isinstance(module, nn.ModuleList)]
    return max(stacks, key=len, default=nn.ModuleList())


def run_with_hooks(encoder: nn.Module, rows: Sequence[torch.Tensor], hooks: Sequence[Any]) -> None:
    """Let an encoder read token ids, shape (1, tokens), for its forward hooks, which are removed in the end."""
    try:
        with torch.no_grad():
            for ids in rows:
                encoder(input_ids=ids, attention_mask=torch.ones_like(ids))
    finally:
        for hook in hooks:
            hook.remove()


def token_mean(states: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Mean of the token states where the mask is 1, shape (batch, hidden)."""
    mask = attention_mask.unsqueeze(-1).to(states.dtype)
    mean: torch.Tensor = (states * mask).sum(dim=1) / mask.sum(dim=1)
    return mean
