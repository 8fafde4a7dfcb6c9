"""The exported graph: the network's logits and what its heads read, on batches of any size."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import BundleError

torch = pytest.importorskip("torch")

from models.bundle import ONNX  # noqa: E402
from tests.training.tiny import HIDDEN, tiny_network  # noqa: E402
from training.export import OUTPUTS, check_agreement, export_onnx  # noqa: E402


@pytest.fixture(scope="module")
def network() -> Any:
    made = tiny_network()
    made.encoder.set_attn_implementation("eager")
    made.feature_mean.copy_(torch.linspace(-1, 1, HIDDEN))
    made.feature_deviation.copy_(torch.linspace(0.5, 2, HIDDEN))
    return made


@pytest.fixture(scope="module")
def exported(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export_onnx(network, folder / ONNX)
    return folder


def batch(rows: int, tokens: int) -> dict[str, Any]:
    torch.manual_seed(rows)
    mask = torch.ones((rows, tokens), dtype=torch.int64)
    mask[0, tokens // 2 :] = 0
    return {"input_ids": torch.randint(4, 50, (rows, tokens)), "attention_mask": mask}


def test_features_are_the_standardised_mean_over_tokens(network: Any, exported: Path):
    import onnxruntime as ort

    ids = batch(3, 9)["input_ids"]
    session = ort.InferenceSession(str(exported / ONNX), providers=["CPUExecutionProvider"])
    answers = dict(zip(OUTPUTS, session.run(list(OUTPUTS), {"input_ids": ids.numpy()}), strict=True))
    with torch.no_grad():
        states = network.encoder(input_ids=ids).last_hidden_state.numpy()
    expected = (states.mean(axis=1) - network.feature_mean.numpy()) / network.feature_deviation.numpy()
    np.testing.assert_allclose(answers["features"], expected, atol=1e-4)


def test_the_graph_agrees_with_the_network_on_batches_of_any_size(network: Any, exported: Path):
    assert check_agreement(network, [batch(1, 2), batch(4, 30), batch(2, 7)], exported) < 1e-4


def test_a_graph_of_other_features_is_refused_and_removed(network: Any, tmp_path: Path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    other = tiny_network()
    other.encoder.set_attn_implementation("eager")
    other.feature_mean.fill_(0.01)
    with torch.no_grad():
        for head in other.heads.values():
            head.weight.zero_()
    export_onnx(other, folder / ONNX)
    other.feature_mean.zero_()
    with pytest.raises(BundleError, match=r"differs from the network by 0\.01"):
        check_agreement(other, [batch(2, 7)], folder)
    assert not folder.exists()
