"""Int8 for serving: weights per channel at export, activations by their range at run time.

In: the fp32 graph of a bundle, and real texts. Out: `model.onnx` as it serves: int8 in a fraction of the
time and memory, if it decides as the fp32 graph does, else fp32. Matrix products are quantised, the embeddings
and the small heads are not: they cost next to no time.
"""

import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from data.errors import BundleError
from models.classifier.bundle import ONNX
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from training.encoder.graph import FP32

Precision = Literal["auto", "int8", "fp32"]
AGREEMENT = 0.99
"""Share of texts that must keep their label, for each head."""
CHECKED_TEXTS = 512


def write_int8(plain: Path, out: Path) -> None:
    """Quantise the matrix products of a graph whose weights are constants."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(plain)
    nodes = model.graph.node
    del model.graph.value_info[:]  # a traced graph may state shapes that ONNX infers otherwise
    kept = [node.name for node in nodes if FP32 in node.name]
    kept += [f"{node.name}_MatMul" for node in nodes if node.op_type == "Gemm"]  # so the heads are renamed first
    logging.disable(logging.WARNING)  # of shapes that it need not know, a line a layer
    try:
        quantize_dynamic(
            model,
            out,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=kept,
            extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
        )
    finally:
        logging.disable(logging.NOTSET)


def agreement(
    one: Classifier, other: Classifier, texts: Sequence[str], places: Sequence[str | None]
) -> dict[str, float]:
    """Share of texts to which both give the same label, for each head."""
    found = [classifier.classify(texts, places) for classifier in (one, other)]
    pairs = list(zip(*found, strict=True))
    return {
        head: sum(getattr(a, head).label == getattr(b, head).label for a, b in pairs) / max(len(pairs), 1)
        for head in HEADS
    }


def keep_plain(folder: Path, work: Path) -> Path:
    """The fp32 graph of an exported bundle, moved into `work`; a run that goes on finds it there."""
    plain = work / f"fp32-{ONNX}"
    if not plain.exists():
        (folder / ONNX).rename(plain)
    return plain


def use_precision(plain: Path, folder: Path, precision: Precision) -> None:
    """Write the graph that is to serve, before it has been checked."""
    if precision == "fp32":
        shutil.copyfile(plain, folder / ONNX)
    else:
        write_int8(plain, folder / ONNX)


def checked_precision(
    plain: Path,
    folder: Path,
    rows: tuple[Sequence[str], Sequence[str | None]],
    wish: Precision,
    say: Callable[[str], None],
) -> tuple[Literal["int8", "fp32"], dict[str, float]]:
    """Compare the serving graph with fp32 on real texts and their places: what serves, and the shares of equal labels.

    Where they differ too much, `auto` serves fp32 instead.

    Raises:
        BundleError: they differ too much, and `int8` was asked for.
    """
    if wish == "fp32":
        return "fp32", dict.fromkeys(HEADS, 1.0)
    texts, places = rows[0][-CHECKED_TEXTS:], rows[1][-CHECKED_TEXTS:]
    shares = agreement(Classifier.load(folder), Classifier.load(folder, graph=plain), texts, places)
    worst = min(shares, key=lambda head: shares[head])
    if shares[worst] >= AGREEMENT:
        return "int8", shares
    sentence = (
        f"int8 gives {shares[worst]:.1%} of {len(texts)} texts the same {worst} as fp32, fewer than {AGREEMENT:.0%}"
    )
    if wish == "int8":
        raise BundleError(f"{sentence}: train with precision: fp32, or auto")
    say(f"{sentence}: the bundle stays fp32")
    shutil.copyfile(plain, folder / ONNX)
    return "fp32", dict.fromkeys(HEADS, 1.0)
