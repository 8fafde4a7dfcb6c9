"""The network of several regions: each row teaches its own region's heads, and none but those it has labels for."""

import pytest

torch = pytest.importorskip("torch")

from tests.training.tiny import HIDDEN, tiny_network  # noqa: E402
from training.adaptation.network import RegionsNetwork  # noqa: E402
from training.adaptation.rows import MISSING, UNSEEN  # noqa: E402

NORTH, SOUTH = {"sector": 3, "topic": 4, "agency": 2}, {"sector": 2}
IDS = torch.tensor([[5, 6, 7], [8, 9, 1], [5, 9, 10]])
MASK = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 1, 1]])


def network(**options) -> RegionsNetwork:
    made = RegionsNetwork(tiny_network().encoder, HIDDEN, [NORTH, SOUTH], dropout=0.0, **options)
    return made.eval()


def batch(region, sector, topic, agency):
    columns = {"region": region, "sector": sector, "topic": topic, "agency": agency}
    return {"input_ids": IDS, "attention_mask": MASK} | {name: torch.tensor(cells) for name, cells in columns.items()}


def test_the_loss_is_the_cross_entropy_of_each_regions_own_heads():
    made = network()
    answer = made(**batch([0, 1, 0], [2, 1, 0], [3, MISSING, MISSING], [MISSING] * 3))
    vector = made.standardised(made.pooled(IDS, MASK))
    of_north, of_south = made.heads
    sector = [
        torch.nn.functional.cross_entropy(of_north["sector"](vector[[0, 2]]), torch.tensor([2, 0]), reduction="sum"),
        torch.nn.functional.cross_entropy(of_south["sector"](vector[[1]]), torch.tensor([1]), reduction="sum"),
    ]
    topic = torch.nn.functional.cross_entropy(of_north["topic"](vector[[0]]), torch.tensor([3]))
    torch.testing.assert_close(answer["loss"], sum(sector) / 3 + topic)
    assert answer["right"][1].tolist()[1:] == [-1, -1]
    assert (answer["right"][:, 0] >= 0).all()


def test_a_missing_label_teaches_nothing_and_an_unseen_one_is_missed():
    made = network()
    answer = made(**batch([0, 0, 0], [MISSING, 1, 1], [UNSEEN] * 3, [MISSING] * 3))
    answer["loss"].backward()
    heads = made.heads[0]
    assert heads["sector"].weight.grad.abs().sum() > 0
    assert heads["topic"].weight.grad is None
    assert made.heads[1]["sector"].weight.grad is None or not made.heads[1]["sector"].weight.grad.any()
    assert answer["right"].tolist() == [[-1, 0, -1], *([answer["right"][row, 0].item(), 0, -1] for row in (1, 2))]


def test_a_batch_without_labels_costs_nothing():
    answer = network()(**batch([0, 1, 0], [MISSING] * 3, [MISSING] * 3, [MISSING] * 3))
    assert answer["loss"].item() == 0
    answer["loss"].backward()
