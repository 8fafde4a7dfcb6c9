"""The student: an encoder of a few of the teacher's layers, narrower ones if asked for, and its losses.

In: a teacher, and batches of token ids with the teacher's token states. Out: an encoder as small as asked
for, and a module whose forward gives the loss: the mean squared error of the standardised mean-pooled
vector, which is all that the heads read; that of every token's state in the last layer, which says far
more a text; and, where the teacher has heads, the divergence of their answers (Hinton et al. 2015,
arXiv:1503.02531; Jiao et al. 2020, TinyBERT, arXiv:1909.10351).
"""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from data.errors import EncoderError
from models.classifier.labels import HEADS
from models.encoder.architecture import layer_stack, run_with_hooks, token_mean
from training.arguments import Distillation
from training.encoder.teacher import Teacher

TOP = 2
"""Last layers of the teacher that a student begins with: they turn towards what is read at the end."""
Floats = npt.NDArray[np.floating]


def kept_layers(layers: int, wanted: int) -> list[int]:
    """Which of the teacher's layers a student begins with: the last two, and from the second on evenly spaced ones.

    After as many steps that explains half as much again as even spacing alone (docs/experiments.md).

    Raises:
        EncoderError: the student would not be smaller than its teacher.
    """
    if wanted >= layers:
        raise EncoderError(f"a student of {wanted} layers is not smaller than its teacher of {layers}")
    top = min(wanted, TOP)
    lower = wanted - top
    return [1 + place * (layers - top) // (lower + 1) for place in range(lower)] + [*range(layers - top, layers)]


def check_size(encoder: Any, arguments: Distillation) -> None:
    """Whether such a student can be made of an encoder.

    Raises:
        EncoderError: it would not be smaller than its teacher, or is to be narrower than layers that are not BERT's.
    """
    stack: Any = layer_stack(encoder)
    kept_layers(len(stack), arguments.layers)
    if arguments.intermediate_share < 1 and not all(hasattr(layer, "intermediate") for layer in stack):
        raise EncoderError(
            "only the layers of a BERT can be made narrower: set intermediate_share to 1 for this encoder"
        )


def cut(encoder: Any, layers: int) -> Any:
    """A copy of an encoder with some of its layers.

    Raises:
        EncoderError: the student would not be smaller than its teacher.
    """
    student = copy.deepcopy(encoder)
    stack = layer_stack(student)
    of_student = kept_layers(len(stack), layers)
    for number in reversed(range(len(stack))):
        if number not in of_student:
            del stack[number]
    student.config.num_hidden_layers = layers
    return student


def channel_weight(encoder: Any, rows: Sequence[torch.Tensor]) -> list[Floats]:
    """How much each channel inside each layer's feed-forward part adds to its answer, shape (intermediate,).

    The root mean square of the channel, mean over real texts, times the norm of the weights that read it, as in Wanda
    (Sun et al. 2023, arXiv:2306.11695), here for whole channels. The encoder is a BERT, `rows` are
    token ids, shape (1, tokens).
    """
    stack: Any = layer_stack(encoder)
    squares: list[Any] = [0.0] * len(stack)

    def note(number: int, values: torch.Tensor) -> None:
        squares[number] = squares[number] + (values.float() ** 2).mean(dim=(0, 1)) / len(rows)

    outer = [layer.output.dense.weight.detach().norm(dim=0) for layer in stack]
    watched = [
        layer.intermediate.register_forward_hook(lambda _, __, answer, n=number: note(n, answer))
        for number, layer in enumerate(stack)
    ]
    run_with_hooks(encoder, rows, watched)
    return [(square.sqrt() * norm).numpy() for square, norm in zip(squares, outer, strict=True)]


def narrow(student: Any, weight: Sequence[Floats], share: float) -> None:
    """Leave each layer's feed-forward part only its weightiest channels; `weight` is that of each layer."""
    width = max(1, round(share * len(weight[0])))
    layers: Any = layer_stack(student)
    for layer, channels in zip(layers, weight, strict=True):
        weightiest = torch.from_numpy(np.sort(np.argsort(channels)[-width:]))
        up, down = layer.intermediate.dense, layer.output.dense
        up.weight = nn.Parameter(up.weight.detach()[weightiest].clone())
        up.bias = nn.Parameter(up.bias.detach()[weightiest].clone())
        down.weight = nn.Parameter(down.weight.detach()[:, weightiest].clone())
        up.out_features = down.in_features = width
    student.config.intermediate_size = width


class Imitation(nn.Module):
    """A student encoder beside what it is to imitate; only the student is trained.

    Args:
        student: the encoder.
        teacher: whose heads, if there are some, judge both.
        pooled: the teacher's vectors of the texts taught, shape (n, hidden), for their deviation.
        state_deviation: of the teacher's token states, shape (hidden,).
    """

    def __init__(
        self, student: Any, teacher: Teacher, pooled: Floats, state_deviation: Floats, arguments: Distillation
    ) -> None:
        super().__init__()
        self.student = student
        self.arguments = arguments
        self.heads = copy.deepcopy(teacher.network.heads).requires_grad_(False) if teacher.has_heads else None
        self.head_mean: torch.Tensor
        self.head_deviation: torch.Tensor
        self.vector_deviation: torch.Tensor
        self.state_deviation: torch.Tensor
        for name, tensor in (
            ("head_mean", teacher.network.feature_mean.clone()),
            ("head_deviation", teacher.network.feature_deviation.clone()),
            ("vector_deviation", torch.from_numpy(pooled.std(axis=0) + 1e-6)),
            ("state_deviation", torch.from_numpy(state_deviation)),
        ):
            self.register_buffer(name, tensor, persistent=False)
        student.get_input_embeddings().requires_grad_(not arguments.freeze_embeddings)

    def logits(self, vectors: torch.Tensor) -> dict[str, torch.Tensor]:
        """What the teacher's heads say of vectors, shape (n, labels of the head); nothing without heads."""
        if self.heads is None:
            return {}
        standard = (vectors - self.head_mean) / self.head_deviation
        return {head: self.heads[head](standard) for head in HEADS}

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, states: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """The weighted sum of the losses as `loss`."""
        own_states = self.student(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state.float()
        mine, theirs = (token_mean(each, attention_mask) for each in (own_states, states))
        loss = self.arguments.vector_weight * (((mine - theirs) / self.vector_deviation) ** 2).mean()
        if self.arguments.state_weight:
            errors = (((own_states - states) / self.state_deviation) ** 2).mean(dim=-1)
            loss = loss + self.arguments.state_weight * (errors * attention_mask).sum() / attention_mask.sum()
        if self.heads is not None and self.arguments.logit_weight:
            loss = loss + self.arguments.logit_weight * self._divergence(mine, theirs)
        return {"loss": loss}

    def _divergence(self, mine: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor:
        """Kullback-Leibler divergence at the temperature, mean over heads; its gradient is as large at any."""
        temperature, student, teacher = self.arguments.temperature, self.logits(mine), self.logits(theirs)
        each = [
            nn.functional.kl_div(
                (student[head] / temperature).log_softmax(-1),
                (teacher[head] / temperature).log_softmax(-1),
                reduction="batchmean",
                log_target=True,
            )
            for head in HEADS
        ]
        return temperature**2 * torch.stack(each).mean()
