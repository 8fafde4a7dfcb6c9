"""Cached states: what was computed once stands in for the tokens, to the precision of half floats."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.classifier.labels import HEADS

torch = pytest.importorskip("torch")

from datasets import Dataset  # noqa: E402
from tokenizers import Tokenizer, models  # noqa: E402
from transformers import DataCollatorWithPadding, PreTrainedTokenizerFast  # noqa: E402

from tests.training.tiny import HIDDEN, tiny_network  # noqa: E402
from training.encoder.cached_states import BATCH, CachedStates, can_cache, encode_with  # noqa: E402

LENGTHS = [int(n) for n in np.random.default_rng(0).integers(2, 30, size=BATCH + 9)]
HALF = 5e-3
SOME = [5, 0, 40, 17]


@pytest.fixture(scope="module")
def rows() -> Any:
    rng = np.random.default_rng(1)
    ids = [rng.integers(4, 50, size=length).tolist() for length in LENGTHS]
    return Dataset.from_dict({"input_ids": ids, "attention_mask": [[1] * n for n in LENGTHS], "length": LENGTHS})


@pytest.fixture(scope="module")
def collate() -> Any:
    tokenizer = Tokenizer(models.WordLevel({"<s>": 0, "<pad>": 1, "<unk>": 2}, unk_token="<unk>"))
    return DataCollatorWithPadding(PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>"))


def batch_of(rows: Any, collate: Any) -> dict[str, Any]:
    return dict(collate([{k: rows[i][k] for k in ("input_ids", "attention_mask")} for i in SOME]))


def encoded_with_states(network: Any, rows: Any, collate: Any, folder: Path) -> tuple[Any, CachedStates]:
    encoded = encode_with(network, rows, collate, folder / "states" / "train.npy")
    assert encoded.states is not None
    network.eval()
    return encoded.vectors, encoded.states


@pytest.mark.parametrize("architecture", ["Bert", "Roberta", "XLMRoberta"])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_cached_states_give_the_logits_of_the_tokens(
    architecture: str, layers: int, rows: Any, collate: Any, tmp_path: Path
):
    network = tiny_network(architecture)
    network.freeze(embeddings=True, layers=layers)
    assert can_cache(network)
    _, states = encoded_with_states(network, rows, collate, tmp_path)
    batch = batch_of(rows, collate)
    tokens = network(**batch)
    mask = batch["attention_mask"]
    by_states = network(attention_mask=mask, states=states.padded(SOME, mask.shape[1]))
    for head in HEADS:
        torch.testing.assert_close(by_states[head], tokens[head], atol=HALF, rtol=HALF)


@pytest.mark.parametrize("architecture", ["Bert", "Roberta"])
def test_the_vectors_are_the_same_with_and_without_caching_states(
    architecture: str, rows: Any, collate: Any, tmp_path: Path
):
    network = tiny_network(architecture)
    network.freeze(embeddings=True, layers=2)
    vectors, _ = encoded_with_states(network, rows, collate, tmp_path)
    plain = encode_with(network, rows, collate, None)
    assert plain.states is None
    np.testing.assert_allclose(vectors, plain.vectors, atol=1e-5)
    assert plain.vectors.shape == (len(LENGTHS), HIDDEN)


def test_vectors_stand_in_the_order_of_the_rows(rows: Any, collate: Any):
    network = tiny_network()
    vectors = encode_with(network, rows, collate, None).vectors
    network.eval()
    with torch.no_grad():
        np.testing.assert_allclose(vectors[SOME], network.pooled(**batch_of(rows, collate)), atol=1e-5)


def test_states_have_zeros_behind_a_rows_end_and_lie_on_the_disk(rows: Any, collate: Any, tmp_path: Path):
    network = tiny_network()
    network.freeze(embeddings=True, layers=1)
    _, states = encoded_with_states(network, rows, collate, tmp_path)
    assert isinstance(states.array, np.memmap)
    assert (states.array.dtype, states.array.shape) == (np.float16, (sum(LENGTHS), HIDDEN))
    width = max(LENGTHS[row] for row in SOME) + 3
    padded = states.padded(SOME, width)
    assert padded.shape == (len(SOME), width, HIDDEN)
    for line, row in enumerate(SOME):
        assert not padded[line, LENGTHS[row] :].any()
        assert padded[line, : LENGTHS[row]].any(dim=1).all()


def test_gradients_reach_the_layers_above_as_they_do_from_tokens(rows: Any, collate: Any, tmp_path: Path):
    targets = {head: torch.tensor([0, 1, 2, 0]) for head in HEADS}
    network = tiny_network()
    network.freeze(embeddings=True, layers=2)
    _, states = encoded_with_states(network, rows, collate, tmp_path)
    batch = batch_of(rows, collate)
    mask = batch["attention_mask"]
    gradients = []
    for given in (batch, {"attention_mask": mask, "states": states.padded(SOME, mask.shape[1])}):
        network.zero_grad()
        network(**given, **targets)["loss"].backward()
        gradients.append({n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, atol=HALF, rtol=0.05)


@pytest.mark.parametrize(
    ("architecture", "frozen", "cached"),
    [
        ("Bert", 1, True),
        ("Roberta", 1, True),
        ("XLMRoberta", 3, True),
        ("Bert", 0, False),
        ("DistilBert", 1, False),
        ("Electra", 1, False),
    ],
)
def test_only_frozen_layers_of_a_plain_bert_are_cached(architecture: str, frozen: int, cached: bool):
    network = tiny_network(architecture)
    network.freeze(embeddings=True, layers=frozen)
    assert can_cache(network) == cached


def test_after_reading_the_network_is_ready_to_train(rows: Any, collate: Any):
    network = tiny_network()
    encode_with(network, rows, collate, None)
    assert network.training
