"""Fine-tuning: what each label's rows weigh in the loss, how long it takes, and how fast each layer learns."""

import numpy as np
import pytest

from models.classifier.labels import HEADS

torch = pytest.importorskip("torch")

from tests.training.tiny import tiny_network  # noqa: E402
from training.arguments import ClassifierTraining  # noqa: E402
from training.classifier.fine_tuning import (  # noqa: E402
    FEWEST_EPOCHS,
    LEAST_ROWS,
    MOST_EPOCHS,
    class_weights,
    epochs_of,
    optimizer,
)

ROWS = (8, 2)
"""Of each head's two labels."""
TARGETS = dict.fromkeys(HEADS, np.append(np.repeat([0, 1], ROWS), -100))
COUNTS = dict.fromkeys(HEADS, 2)


@pytest.mark.parametrize(("weighting", "ratio"), [("balanced", 4.0), ("sqrt", 2.0)])
def test_a_row_of_a_rarer_label_weighs_more_and_the_mean_over_rows_is_one(weighting: str, ratio: float):
    weights = class_weights(TARGETS, COUNTS, weighting)
    assert weights is not None
    assert set(weights) == set(HEADS)
    for of_head in weights.values():
        of_a, of_b = of_head.tolist()
        assert of_b / of_a == pytest.approx(ratio, rel=1e-5)
        assert np.average([of_a, of_b], weights=ROWS) == pytest.approx(1.0, rel=1e-5)


def test_without_weighting_there_are_no_weights():
    assert class_weights(TARGETS, COUNTS, "none") is None


@pytest.mark.parametrize(
    ("wish", "rows", "epochs"),
    [
        (0, 100_000, 0),
        (7, 60, 7),
        ("auto", LEAST_ROWS - 1, 0),
        ("auto", LEAST_ROWS, MOST_EPOCHS),
        ("auto", 10_000, 4),
        ("auto", 20_000, 2),
        ("auto", 1_000_000, FEWEST_EPOCHS),
    ],
)
def test_epochs_are_those_asked_for_or_fewer_the_more_rows_there_are(wish: int | str, rows: int, epochs: int):
    assert epochs_of(wish, rows) == epochs


def test_each_layer_learns_slower_than_the_one_above_and_what_is_frozen_not_at_all():
    network = tiny_network()
    network.freeze(embeddings=True, layers=1)
    arguments = ClassifierTraining(learning_rate=1e-3, head_learning_rate=1e-2, layer_decay=0.5)
    rates = {}
    for group in optimizer(network, arguments).param_groups:
        rates |= {id(parameter): group["lr"] for parameter in group["params"]}
    of_layers = [{rates.get(id(parameter)) for parameter in layer.parameters()} for layer in network.stack]
    assert of_layers == [{None}, {5e-4}, {1e-3}]
    assert {rates[id(parameter)] for parameter in network.heads.parameters()} == {1e-2}
    assert not {id(parameter) for parameter in network.encoder.embeddings.parameters()} & set(rates)


def test_biases_and_norms_do_not_decay():
    groups = optimizer(tiny_network(), ClassifierTraining(weight_decay=0.1)).param_groups
    for group in groups:
        assert group["weight_decay"] == (0.1 if group["params"][0].ndim > 1 else 0.0)
    assert {parameter.ndim > 1 for group in groups for parameter in group["params"]} == {True, False}
