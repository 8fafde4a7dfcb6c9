"""The graphs of an encoder: written from its weights, of whole operators; int8 near fp32, wild channels apart."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import onnx  # noqa: E402
import onnxruntime as ort  # noqa: E402

from models.encoder.architecture import layer_stack  # noqa: E402
from models.encoder.artifact import GRAPHS, VECTORS  # noqa: E402
from tests.training.encoder.test_export import token_ids  # noqa: E402
from tests.training.tiny import tiny_network  # noqa: E402
from training.encoder.export import activation_ranges, check_agreement, pooled, write_graphs  # noqa: E402
from training.encoder.graph import FP32, bert_graph, can_write  # noqa: E402

NEAR = 0.05
"""Of a number in a vector, whose deviation is about 1: the last thing the tiny encoder does is a layer norm."""


def operators(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(path).graph.node]


def optimised(path: Path, out: Path) -> list[str]:
    """What ONNX Runtime makes of a graph."""
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(out)
    options.log_severity_level = 3
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return operators(out)


def vectors(path: Path, ids: torch.Tensor) -> np.ndarray:
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run([VECTORS], {"input_ids": ids.numpy()})[0]


@pytest.mark.parametrize("architecture", ["Bert", "Roberta", "XLMRoberta"])
def test_the_graph_that_is_written_from_the_weights_is_of_whole_operators_and_agrees(architecture: str, tmp_path: Path):
    encoder = tiny_network(architecture).encoder
    assert can_write(encoder)
    rows = token_ids(9, 20)
    write_graphs(encoder, tmp_path, rows)
    written = operators(tmp_path / GRAPHS["fp32"])
    assert written.count("Attention") == written.count("Gelu") == len(layer_stack(encoder))
    assert "Softmax" not in written
    assert check_agreement(encoder, [*rows, *token_ids(2)], tmp_path / GRAPHS["fp32"]) < 1e-4


@pytest.mark.parametrize("architecture", ["Bert", "Roberta"])
def test_levelled_channels_and_paths_of_their_own_change_nothing_in_fp32(architecture: str, tmp_path: Path):
    encoder, rows = tiny_network(architecture).encoder, token_ids(9, 20)
    onnx.save(bert_graph(encoder, activation_ranges(encoder, rows)), str(tmp_path / "prepared.onnx"))
    assert check_agreement(encoder, rows, tmp_path / "prepared.onnx") < 1e-4


def test_other_activations_are_left_to_torch():
    encoder = tiny_network().encoder
    encoder.config.hidden_act = "relu"
    assert not can_write(encoder)


@pytest.mark.parametrize("architecture", ["DistilBert"])
def test_a_traced_encoder_has_both_graphs_too(architecture: str, tmp_path: Path):
    encoder, rows = tiny_network(architecture).encoder, token_ids(9, 20)
    write_graphs(encoder, tmp_path, rows)
    assert check_agreement(encoder, rows, tmp_path / GRAPHS["fp32"]) < 1e-4
    session = ort.InferenceSession(str(tmp_path / GRAPHS["int8"]), providers=["CPUExecutionProvider"])
    mask = torch.ones_like(rows[0])
    (answer,) = session.run([VECTORS], {"input_ids": rows[0].numpy(), "attention_mask": mask.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(answer, pooled(encoder, rows[0], mask).numpy(), atol=NEAR)


def test_channels_out_of_proportion_are_found_and_stay_fp32(tmp_path: Path):
    encoder = tiny_network().encoder
    wild = 5
    with torch.no_grad():
        encoder.encoder.layer[1].intermediate.dense.bias[wild] = 40.0
    rows = token_ids(12, 5)
    assert activation_ranges(encoder, rows)[1].hidden.argmax() == wild
    write_graphs(encoder, tmp_path, rows)
    products = [node.name for node in onnx.load(tmp_path / GRAPHS["int8"]).graph.node if node.op_type == "MatMul"]
    assert sum(FP32 in name for name in products) == 2 * len(layer_stack(encoder))


@pytest.mark.parametrize("width", [1, 2, 9])
def test_the_narrowest_feed_forward_parts_can_be_quantised(width: int, tmp_path: Path):
    encoder, (ids,) = tiny_network(intermediate=width).encoder, token_ids(12)
    write_graphs(encoder, tmp_path, [ids])
    with torch.no_grad():
        expected = pooled(encoder, ids, torch.ones_like(ids)).numpy()
    np.testing.assert_allclose(vectors(tmp_path / GRAPHS["int8"], ids), expected, atol=NEAR)


def test_int8_products_are_fused_and_near_the_encoder(tmp_path: Path):
    encoder, rows = tiny_network().encoder, token_ids(*[15] * 6)
    ids = torch.cat(rows)
    write_graphs(encoder, tmp_path, rows)
    fused = optimised(tmp_path / GRAPHS["int8"], tmp_path / "optimised.onnx")
    assert "MatMulInteger" not in fused, "a product is not fused with its scales"
    products = fused.count("MatMulIntegerToFloat") + fused.count("DynamicQuantizeMatMul")
    assert products == 6 * len(layer_stack(encoder))
    with torch.no_grad():
        expected = pooled(encoder, ids, torch.ones_like(ids)).numpy()
    np.testing.assert_allclose(vectors(tmp_path / GRAPHS["int8"], ids), expected, atol=NEAR)
