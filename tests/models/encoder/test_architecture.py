"""The network: shapes, what the loss counts and what it leaves out, what stays frozen."""

from typing import Any

import pytest

from models.classifier.labels import HEADS

torch = pytest.importorskip("torch")

from transformers import BertConfig, BertModel  # noqa: E402

from models.encoder.architecture import ComplaintNetwork  # noqa: E402

LABELS = {"sector": 3, "topic": 5, "agency": 4}
IGNORED = -100


def network(**options: Any) -> ComplaintNetwork:
    """Two layers, hidden 16, no dropout; always the same weights."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    encoder = BertModel(config, add_pooling_layer=False)
    return ComplaintNetwork(encoder, 16, LABELS, **{"dropout": 0.0, **options}).eval()


def batch(rows: int = 4, tokens: int = 7) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return {
        "input_ids": torch.randint(4, 50, (rows, tokens)),
        "attention_mask": torch.ones((rows, tokens), dtype=torch.int64),
    }


def targets(rows: int = 4, **heads: list[int]) -> dict[str, torch.Tensor]:
    return {head: torch.tensor(heads.get(head, [0] * rows)) for head in HEADS}


@pytest.mark.parametrize(("rows", "tokens"), [(1, 2), (4, 7), (3, 32)])
def test_logits_have_a_column_for_each_label(rows: int, tokens: int):
    out = network()(**batch(rows, tokens))
    assert {head: tuple(out[head].shape) for head in HEADS} == {h: (rows, n) for h, n in LABELS.items()}
    assert "loss" not in out


def test_padding_changes_no_logit():
    model, given = network(), batch()
    padded = {
        "input_ids": torch.nn.functional.pad(given["input_ids"], (0, 5), value=1),
        "attention_mask": torch.nn.functional.pad(given["attention_mask"], (0, 5)),
    }
    plain, longer = model(**given), model(**padded)
    for head in HEADS:
        torch.testing.assert_close(plain[head], longer[head], atol=1e-5, rtol=1e-4)


def test_the_loss_is_the_sum_of_the_heads_cross_entropies():
    model, given = network(), batch()
    known = targets(sector=[0, 1, 2, 0], topic=[4, 3, 2, 1], agency=[3, 3, 0, 1])
    out = model(**given, **known)
    by_hand = sum(-torch.log_softmax(out[head], dim=1)[torch.arange(4), known[head]].mean() for head in HEADS)
    torch.testing.assert_close(out["loss"], by_hand)


def test_rows_without_a_label_do_not_count():
    model, given = network(), batch()
    some = targets(topic=[2, IGNORED, IGNORED, 1])
    rows = torch.tensor([0, 3])
    out = model(**given, **some)
    expected = sum(
        torch.nn.functional.cross_entropy(
            out[h][rows if h == "topic" else slice(None)], some[h][rows if h == "topic" else slice(None)]
        )
        for h in HEADS
    )
    torch.testing.assert_close(out["loss"], expected)


def test_a_head_without_any_label_in_the_batch_adds_nothing_and_learns_nothing():
    model = network()
    out = model(**batch(), **targets(agency=[IGNORED] * 4))
    assert torch.isfinite(out["loss"])
    out["loss"].backward()
    assert model.heads["agency"].weight.grad is None
    assert model.heads["sector"].weight.grad.abs().sum() > 0


def test_a_heavier_class_pulls_harder():
    weights = {head: torch.ones(count) for head, count in LABELS.items()}
    weights["sector"] = torch.tensor([10.0, 1.0, 1.0])
    model, given = network(class_weights=weights), batch()
    out = model(**given, **targets(sector=[0, 1, 1, 1]))
    plain = torch.nn.functional.cross_entropy(out["sector"], torch.tensor([0, 1, 1, 1]), reduction="none")
    weighted = (10 * plain[0] + plain[1:].sum()) / 13
    others = network()(**given, **targets(sector=[IGNORED] * 4))["loss"]
    torch.testing.assert_close(out["loss"], weighted + others)


def test_weights_are_not_saved_with_the_network():
    weights = {head: torch.ones(count) for head, count in LABELS.items()}
    assert set(network(class_weights=weights).state_dict()) == set(network().state_dict())


def test_label_smoothing_softens_a_sure_loss():
    known = targets()
    sharp, smooth = (network(label_smoothing=share)(**batch(), **known)["loss"] for share in (0.0, 0.3))
    assert sharp != smooth


@pytest.mark.parametrize(
    ("embeddings", "layers", "frozen"),
    [
        (False, 0, set()),
        (True, 0, {"words"}),
        (True, 1, {"words", "positions", "layer 0"}),
        (False, 1, {"words", "positions", "layer 0"}),
        (False, 2, {"words", "positions", "layer 0", "layer 1"}),
    ],
)
def test_frozen_layers_get_no_gradient_and_all_others_do(embeddings: bool, layers: int, frozen: set[str]):
    model = network()
    model.freeze(embeddings, layers)
    model(**batch(), **targets())["loss"].backward()
    inner: Any = model.encoder
    parts = {
        "words": inner.embeddings.word_embeddings,
        "positions": inner.embeddings.position_embeddings,
        "layer 0": inner.encoder.layer[0],
        "layer 1": inner.encoder.layer[1],
        "heads": model.heads,
    }
    still = {
        name
        for name, part in parts.items()
        if all(weight.grad is None or not weight.grad.any() for weight in part.parameters())
    }
    assert still == frozen
