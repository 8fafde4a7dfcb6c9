"""Int8 for serving: weights per channel at export, activations by their range at run time.

In: an encoder's graph whose weights are constants. Out: the same graph with its matrix products in int8, in a fraction
of the time and memory. Embeddings are not quantised: they cost next to no time. Whether a region's decisions stay the
same is checked where its heads are fitted (`training/classifier/agreement.py`).
"""

import logging
from pathlib import Path
from typing import Any

from training.encoder.graph import FP32


def write_int8(graph: Any, out: Path) -> None:
    """Quantise the matrix products of an `onnx.ModelProto`, which is changed on the way."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    del graph.graph.value_info[:]  # a traced graph may state shapes that ONNX infers otherwise
    logging.disable(logging.WARNING)  # of shapes that it need not know, a line a layer
    try:
        quantize_dynamic(
            graph,
            out,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[node.name for node in graph.graph.node if FP32 in node.name],
            extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
        )
    finally:
        logging.disable(logging.NOTSET)
