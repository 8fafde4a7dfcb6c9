"""The student: which layers it keeps, and a loss that is nothing where it says what its teacher says."""

import copy

import numpy as np
import pytest

from data.errors import EncoderError

torch = pytest.importorskip("torch")

from tests.training.tiny import HIDDEN, tiny_network  # noqa: E402
from training.arguments import Distillation  # noqa: E402
from training.encoder.student import Imitation, channel_weight, check_size, cut, kept_layers, narrow  # noqa: E402
from training.encoder.teacher import Teacher  # noqa: E402


def teacher(architecture: str = "Bert", has_heads: bool = True) -> Teacher:
    return Teacher("tiny", tiny_network(architecture), None, "", has_heads)


@pytest.fixture
def batch() -> dict[str, "torch.Tensor"]:
    ids = torch.tensor([[4, 5, 6, 7], [8, 9, 1, 1]])
    return {"input_ids": ids, "attention_mask": (ids != 1).long()}


def imitation(of: Teacher, student, **arguments) -> Imitation:
    rng = np.random.default_rng(0)
    pooled = rng.normal(size=(20, HIDDEN)).astype(np.float32)
    deviation = rng.uniform(0.5, 1.5, HIDDEN).astype(np.float32)
    return Imitation(student, of, pooled, deviation, Distillation(**arguments)).eval()


def states(of: Teacher, batch) -> "torch.Tensor":
    with torch.no_grad():
        return of.network.encoder(**batch).last_hidden_state


@pytest.mark.parametrize(
    ("layers", "wanted", "kept"),
    [
        (12, 1, [11]),
        (12, 2, [10, 11]),
        (12, 3, [1, 10, 11]),
        (12, 4, [1, 4, 10, 11]),
        (12, 6, [1, 3, 5, 7, 10, 11]),
        (12, 11, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        (4, 3, [1, 2, 3]),
        (3, 2, [1, 2]),
    ],
)
def test_a_student_keeps_the_last_layers_and_evenly_spaced_lower_ones(layers, wanted, kept):
    assert kept_layers(layers, wanted) == kept


@pytest.mark.parametrize("wanted", [3, 4])
def test_a_student_is_smaller_than_its_teacher(wanted):
    with pytest.raises(EncoderError, match=f"a student of {wanted} layers is not smaller than its teacher of 3"):
        kept_layers(3, wanted)


@pytest.mark.parametrize("architecture", ["Bert", "Roberta", "DistilBert"])
def test_a_cut_encoder_runs_and_leaves_the_teacher_as_it_was(architecture, batch):
    whole = teacher(architecture)
    before = states(whole, batch)
    student = cut(whole.network.encoder, 1)
    assert student.config.num_hidden_layers == 1
    assert student(**batch).last_hidden_state.shape == before.shape
    assert whole.layers == 3
    assert torch.equal(states(whole, batch), before)


def test_a_narrower_student_loses_only_channels_that_say_nothing(batch):
    whole = teacher()
    layers = whole.network.encoder.encoder.layer
    idle = [3, 7, 20]
    with torch.no_grad():
        for layer in layers:
            layer.output.dense.weight[:, idle] = 0.0
    expected, width = states(whole, batch), layers[0].intermediate.dense.out_features
    student = copy.deepcopy(whole.network.encoder)
    narrow(student, channel_weight(whole.network.encoder, [batch["input_ids"][:1]]), 1 - len(idle) / width)
    assert student.config.intermediate_size == student.encoder.layer[2].output.dense.in_features == width - len(idle)
    with torch.no_grad():
        torch.testing.assert_close(student(**batch).last_hidden_state, expected)
    assert layers[0].intermediate.dense.out_features == width, "the teacher is as it was"


def test_the_channels_that_move_the_answer_most_are_kept(batch):
    whole = teacher()
    layer = whole.network.encoder.encoder.layer[0]
    with torch.no_grad():
        layer.intermediate.dense.bias[5] = 30.0
        layer.intermediate.dense.bias[6] = 30.0
        layer.output.dense.weight[:, 6] = 0.0
    weight = channel_weight(whole.network.encoder, [batch["input_ids"][:1]])[0]
    assert weight.argmax() == 5
    assert weight[6] == 0


def test_an_encoder_of_other_layers_says_that_it_cannot_be_narrowed():
    encoder = teacher("DistilBert").network.encoder
    check_size(encoder, Distillation(layers=1, intermediate_share=1))
    with pytest.raises(EncoderError, match="set intermediate_share to 1 for this encoder"):
        check_size(encoder, Distillation(layers=1))


@pytest.mark.parametrize("has_heads", [True, False])
def test_a_copy_of_the_teacher_loses_nothing_and_a_part_of_it_does(has_heads, batch):
    whole = teacher(has_heads=has_heads)
    meant = states(whole, batch)
    assert imitation(whole, whole.network.encoder)(**batch, states=meant)["loss"].item() == pytest.approx(0, abs=1e-6)
    assert imitation(whole, cut(whole.network.encoder, 1))(**batch, states=meant)["loss"].item() > 1e-4


def test_each_loss_counts_by_its_weight_and_padding_by_none(batch):
    whole = teacher()
    student, meant = cut(whole.network.encoder, 1), states(whole, batch)
    names = ("vector_weight", "state_weight", "logit_weight")

    def loss(states: "torch.Tensor", **weights: float) -> float:
        with torch.no_grad():
            return float(
                imitation(whole, student, **{**dict.fromkeys(names, 0.0), **weights})(**batch, states=states)["loss"]
            )

    alone = {name: loss(meant, **{name: 1.0}) for name in names}
    assert min(alone.values()) > 0
    assert loss(meant, **dict.fromkeys(names, 2.0)) == pytest.approx(2 * sum(alone.values()), rel=1e-5)
    padded = meant.clone()
    padded[1, 2:] = 100.0
    assert loss(padded, **dict.fromkeys(names, 2.0)) == pytest.approx(2 * sum(alone.values()), rel=1e-5)


def test_only_the_student_learns_and_its_word_vectors_if_asked(batch):
    for frozen in (True, False):
        whole = teacher()
        module = imitation(whole, cut(whole.network.encoder, 1), freeze_embeddings=frozen)
        module(**batch, states=states(whole, batch))["loss"].backward()
        learning = {name for name, p in module.named_parameters() if p.grad is not None}
        assert all(name.startswith("student.") for name in learning)
        assert ("student.embeddings.word_embeddings.weight" in learning) is not frozen
