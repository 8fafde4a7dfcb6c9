"""The exported encoder: its graph gives the vectors of torch, and the same weights give the same bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import BundleError

torch = pytest.importorskip("torch")

from models.encoder.artifact import FILES, GRAPHS, VECTORS, content_hash, file_hash  # noqa: E402
from tests.training.tiny import tiny_network  # noqa: E402
from training.encoder.export import (  # noqa: E402
    QUANTISATION_TEXTS,
    check_agreement,
    export_encoder,
    pooled,
    write_graphs,
)
from training.encoder.pretrained import load_pretrained  # noqa: E402


@pytest.fixture(scope="module")
def encoder() -> Any:
    return tiny_network().encoder


@pytest.fixture(scope="module")
def graphs(encoder: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graphs")
    write_graphs(encoder, folder, token_ids(9, 20))
    return folder


@pytest.fixture(scope="module")
def exported(small_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of two layers of the packaged encoder."""
    place = tmp_path_factory.mktemp("encoders")
    return place / export(small_encoder, place)


def export(name: Path, place: Path) -> str:
    encoder, tokenizer = load_pretrained(str(name), place)
    return export_encoder(encoder, tokenizer, place, print)


def token_ids(*lengths: int) -> list[Any]:
    """A text of each length."""
    torch.manual_seed(sum(lengths))
    return [torch.randint(4, 50, (1, tokens)) for tokens in lengths]


def test_the_output_is_the_mean_over_tokens_before_anything_is_standardised(encoder: Any, graphs: Path):
    import onnxruntime as ort

    ids = torch.cat(token_ids(9, 9, 9))
    session = ort.InferenceSession(str(graphs / GRAPHS["fp32"]), providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == [VECTORS]
    with torch.no_grad():
        states = encoder(input_ids=ids).last_hidden_state.numpy()
    (vectors,) = session.run(None, {"input_ids": ids.numpy()})
    np.testing.assert_allclose(vectors, states.mean(axis=1), atol=1e-5)


def test_the_graph_agrees_with_torch_on_texts_of_any_length(encoder: Any, graphs: Path):
    assert check_agreement(encoder, token_ids(2, 30, 7), graphs / GRAPHS["fp32"]) < 1e-4


def test_a_graph_that_mixes_the_texts_of_a_batch_is_refused(encoder: Any, graphs: Path, tmp_path: Path):
    import onnx

    model = onnx.load(graphs / GRAPHS["fp32"])
    model.graph.node[-1].output[0] = "whole"
    model.graph.node.append(onnx.helper.make_node("ReduceMean", ["whole", "axis0"], [VECTORS], keepdims=1))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([0]), "axis0"))
    onnx.save(model, tmp_path / "mixed.onnx")
    with pytest.raises(BundleError, match="differs from the encoder"):
        check_agreement(encoder, token_ids(12), tmp_path / "mixed.onnx")


def test_a_graph_of_other_weights_is_refused(graphs: Path):
    other = tiny_network().encoder
    with torch.no_grad():
        other.encoder.layer[2].output.dense.bias[3] += 0.01
    with pytest.raises(BundleError, match="differs from the encoder by"):
        check_agreement(other, token_ids(7, 9), graphs / GRAPHS["fp32"])


def test_the_same_encoder_gives_the_same_bytes_whenever_it_is_exported(
    small_encoder: Path, exported: Path, tmp_path: Path
):
    assert exported.name == content_hash(exported)
    again = export(small_encoder, tmp_path)
    for name in FILES:
        assert file_hash(tmp_path / again / name) == file_hash(exported / name), name
    assert again == exported.name


def test_an_exported_encoder_exported_again_is_itself(exported: Path, tmp_path: Path):
    assert export(exported_as_source(exported, tmp_path), tmp_path / "place") == exported.name


def exported_as_source(exported: Path, folder: Path) -> Path:
    """The artifact as a local folder that `encoder:` may name; transformers wants to know its special tokens."""
    import shutil

    source = Path(shutil.copytree(exported, folder / "source"))
    (source / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "unk_token": "<unk>"}'
    )
    return source


def test_other_weights_have_another_address(small_encoder: Path, exported: Path, tmp_path: Path):
    encoder, tokenizer = load_pretrained(str(small_encoder), tmp_path)
    with torch.no_grad():
        encoder.encoder.layer[1].output.dense.bias[0] += 1e-3
    assert export_encoder(encoder, tokenizer, tmp_path, print) != exported.name


def test_an_artifact_is_what_transformers_loads_and_onnx_serves(exported: Path):
    import onnxruntime as ort
    from transformers import AutoModel

    encoder = AutoModel.from_pretrained(exported, add_pooling_layer=False).eval()
    ids = torch.randint(4, 1000, (2, 30))
    with torch.no_grad():
        expected = pooled(encoder, ids, torch.ones_like(ids)).numpy()
    for precision, cosine in (("fp32", 0.99999), ("int8", 0.99)):
        session = ort.InferenceSession(str(exported / GRAPHS[precision]), providers=["CPUExecutionProvider"])
        (vectors,) = session.run([VECTORS], {"input_ids": ids.numpy()})
        norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(expected, axis=1)
        assert ((vectors * expected).sum(axis=1) / norms).min() > cosine


def test_the_fixed_texts_stay_as_they_are():
    """Another list would give every encoder another address: change it with the artifact's format."""
    assert file_hash(QUANTISATION_TEXTS) == "a12b522aa7f5331ceb0c372618532d53271267a9be44ec5c29807bf3c92c8e01"
    assert len(set(QUANTISATION_TEXTS.read_text(encoding="utf-8").splitlines())) == 64


def test_a_failed_export_leaves_nothing(small_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.encoder.export.AGREEMENT", 0.0)
    with pytest.raises(BundleError, match="differs"):
        export(small_encoder, tmp_path)
    assert not list(tmp_path.iterdir())
