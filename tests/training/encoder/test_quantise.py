"""The served graph: written from the weights, int8 where its decisions stay the same, fp32 where they would not."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import BundleError

torch = pytest.importorskip("torch")

import onnx  # noqa: E402
import onnxruntime as ort  # noqa: E402

from models.classifier.bundle import ONNX  # noqa: E402
from models.classifier.classifier import Classifier  # noqa: E402
from tests.serving.bundles import write_classifier  # noqa: E402
from tests.training.encoder.test_export import token_ids  # noqa: E402
from tests.training.tiny import tiny_network  # noqa: E402
from training.encoder import quantise  # noqa: E402
from training.encoder.export import OUTPUTS, activation_ranges, check_agreement, export_onnx  # noqa: E402
from training.encoder.graph import FP32, can_write  # noqa: E402
from training.encoder.quantise import checked_precision, keep_plain, use_precision, write_int8  # noqa: E402

TEXTS = ["не вывозят мусор", "яма на дороге", "нет горячей воды", "автобус не приходит", "спасибо за сквер"]


def operators(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(path).graph.node]


def optimised(path: Path, out: Path) -> list[str]:
    """What ONNX Runtime makes of a graph."""
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(out)
    options.log_severity_level = 3
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return operators(out)


@pytest.mark.parametrize("architecture", ["Bert", "Roberta", "XLMRoberta"])
def test_the_graph_that_is_written_from_the_weights_is_of_whole_operators_and_agrees(architecture: str, tmp_path: Path):
    network = tiny_network(architecture)
    assert can_write(network)
    rows = token_ids(9, 20)
    export_onnx(network, tmp_path / ONNX, rows)
    found = operators(tmp_path / ONNX)
    assert found.count("Attention") == found.count("Gelu") // 2 == len(network.stack)
    assert "Softmax" not in found
    assert check_agreement(network, [*rows, *token_ids(2)], tmp_path) < 1e-4


def test_other_activations_are_left_to_torch():
    network = tiny_network()
    network.encoder.config.hidden_act = "relu"
    assert not can_write(network)


def test_channels_out_of_proportion_are_found_and_stay_fp32(tmp_path: Path):
    network = tiny_network()
    wild = 5
    with torch.no_grad():
        network.encoder.encoder.layer[1].intermediate.dense.bias[wild] = 40.0
    rows = token_ids(12, 5)
    assert activation_ranges(network, rows)[1].hidden.argmax() == wild
    export_onnx(network, tmp_path / "plain.onnx", rows)
    write_int8(tmp_path / "plain.onnx", tmp_path / ONNX)
    kept = [node.name for node in onnx.load(tmp_path / ONNX).graph.node if node.op_type == "MatMul"]
    assert sum(FP32 in name for name in kept) == 2 * len(network.stack)


@pytest.mark.parametrize("width", [1, 2, 9])
def test_the_narrowest_feed_forward_parts_can_be_quantised(width: int, tmp_path: Path):
    network, (ids,) = tiny_network(intermediate=width), token_ids(12)
    export_onnx(network, tmp_path / "plain.onnx", [ids])
    write_int8(tmp_path / "plain.onnx", tmp_path / ONNX)
    session = ort.InferenceSession(str(tmp_path / ONNX), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = network(ids, torch.ones_like(ids))["topic"].numpy()
    np.testing.assert_allclose(session.run(["topic"], {"input_ids": ids.numpy()})[0], expected, atol=0.05)


def test_int8_products_are_fused_and_near_the_network(tmp_path: Path):
    network, rows = tiny_network(), token_ids(*[15] * 6)
    ids = torch.cat(rows)
    export_onnx(network, tmp_path / "plain.onnx", rows)
    write_int8(tmp_path / "plain.onnx", tmp_path / ONNX)
    found = optimised(tmp_path / ONNX, tmp_path / "optimised.onnx")
    assert "MatMulInteger" not in found, "a product is not fused with its scales"
    assert found.count("MatMulIntegerToFloat") + found.count("DynamicQuantizeMatMul") == 6 * len(network.stack)
    session = ort.InferenceSession(str(tmp_path / ONNX), providers=["CPUExecutionProvider"])
    answers = session.run(list(OUTPUTS), {"input_ids": ids.numpy()})
    with torch.no_grad():
        expected = network(ids, torch.ones_like(ids))
    for name, answer in list(zip(OUTPUTS, answers, strict=True))[:3]:
        np.testing.assert_allclose(answer, expected[name].numpy(), atol=0.05)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny classifier bundle."""
    return write_classifier(tmp_path_factory.mktemp("classifier") / "bundle")


@pytest.fixture
def exported(bundle: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A tiny bundle as it leaves training, and its fp32 graph."""
    folder = tmp_path / "bundle"
    shutil.copytree(bundle, folder)
    return folder, keep_plain(folder, tmp_path)


def test_a_run_that_goes_on_finds_the_fp32_graph_where_it_was_put(exported: tuple[Path, Path], tmp_path: Path):
    folder, plain = exported
    use_precision(plain, folder, "int8")
    assert keep_plain(folder, tmp_path) == plain
    assert (folder / ONNX).exists()


def test_an_int8_graph_that_decides_the_same_serves(exported: tuple[Path, Path]):
    folder, plain = exported
    use_precision(plain, folder, "auto")
    precision, shares = checked_precision(plain, folder, (TEXTS, [None] * 5), "auto", print)
    assert precision == "int8"
    assert set(shares.values()) == {1.0}


def spoil(folder: Path) -> None:
    """Give the serving graph other heads."""
    model: Any = onnx.load(folder / ONNX)
    for tensor in model.graph.initializer:
        if tensor.name.startswith("w_") and tensor.data_type == onnx.TensorProto.FLOAT:
            tensor.CopyFrom(onnx.numpy_helper.from_array(-onnx.numpy_helper.to_array(tensor), tensor.name))
    onnx.save(model, folder / ONNX)


def test_an_int8_graph_that_decides_otherwise_gives_way_to_fp32_or_is_refused(exported: tuple[Path, Path]):
    folder, plain = exported
    use_precision(plain, folder, "fp32")
    spoil(folder)
    rows = (TEXTS, [None] * len(TEXTS))
    with pytest.raises(BundleError, match=r"int8 gives .*% of 5 texts the same .* train with precision: fp32"):
        checked_precision(plain, folder, rows, "int8", print)
    said: list[str] = []
    precision, shares = checked_precision(plain, folder, rows, "auto", said.append)
    assert (precision, set(shares.values())) == ("fp32", {1.0})
    assert "stays fp32" in said[0]
    expected = Classifier.load(folder, graph=plain).classify(TEXTS)
    assert Classifier.load(folder).classify(TEXTS) == expected


def test_no_share_is_needed_of_fp32(exported: tuple[Path, Path]):
    folder, plain = exported
    use_precision(plain, folder, "fp32")
    assert checked_precision(plain, folder, ([], []), "fp32", print)[0] == "fp32"
    assert quantise.AGREEMENT >= 0.99
