"""The exported graph: the network's logits and what its heads read, on batches of any size."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import BundleError

torch = pytest.importorskip("torch")

from models.classifier.bundle import ONNX  # noqa: E402
from tests.training.tiny import HIDDEN, tiny_network  # noqa: E402
from training.encoder.export import OUTPUTS, check_agreement, export_onnx  # noqa: E402


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


def token_ids(*lengths: int) -> list[Any]:
    """A text of each length."""
    torch.manual_seed(sum(lengths))
    return [torch.randint(4, 50, (1, tokens)) for tokens in lengths]


def test_features_are_the_standardised_mean_over_tokens(network: Any, exported: Path):
    import onnxruntime as ort

    ids = torch.cat(token_ids(9, 9, 9))
    session = ort.InferenceSession(str(exported / ONNX), providers=["CPUExecutionProvider"])
    answers = dict(zip(OUTPUTS, session.run(list(OUTPUTS), {"input_ids": ids.numpy()}), strict=True))
    with torch.no_grad():
        states = network.encoder(input_ids=ids).last_hidden_state.numpy()
    expected = (states.mean(axis=1) - network.feature_mean.numpy()) / network.feature_deviation.numpy()
    np.testing.assert_allclose(answers["features"], expected, atol=1e-4)


def test_the_graph_agrees_with_the_network_on_texts_of_any_length(network: Any, exported: Path):
    assert check_agreement(network, token_ids(2, 30, 7), exported) < 1e-4


def test_a_graph_that_mixes_the_texts_of_a_batch_is_refused(network: Any, exported: Path, tmp_path: Path):
    import onnx

    model = onnx.load(exported / ONNX)
    for node in model.graph.node:
        for place, name in enumerate(node.output):
            if name == "features":
                node.output[place] = "features.whole"
    model.graph.node.append(onnx.helper.make_node("ReduceMean", ["features.whole", "axis0"], ["features"], keepdims=1))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([0]), "axis0"))
    folder = tmp_path / "bundle"
    folder.mkdir()
    onnx.save(model, folder / ONNX)
    with pytest.raises(BundleError, match="differs from the network"):
        check_agreement(network, token_ids(12), folder)


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
        check_agreement(other, token_ids(7), folder)
    assert not folder.exists()
