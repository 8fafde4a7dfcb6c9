"""A BERT as an ONNX graph, written directly from its weights.

In: a plain BERT or RoBERTa encoder. Out: an ONNX model of standard operators, attention and GELU whole, input
`input_ids`, shape (batch, tokens), output `pooled`, the mean of the token vectors. There is no mask: the rows of a
batch have one length. ONNX Runtime's optimizer finds none of the attention in what torch
exports of transformers 5, and tracing takes half a minute; this takes a second.
Activations that are larger than their neighbours by an order of magnitude sit in single channels of
the feed-forward part; they get a path of their own, so that the others can be quantised finely (as in LLM.int8,
Dettmers et al. 2022, arXiv:2208.07339).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.encoder.artifact import IDS, VECTORS

FIRST_POSITION = {"BertModel": "absolute", "RobertaModel": "after padding", "XLMRobertaModel": "after padding"}
"""Encoders that are written directly, and where they count positions from."""
OPSET, IR = 23, 11
"""The first opset with `Attention` as one operator, and the file format that came with it."""
Array = npt.NDArray[Any]
OUTLIERS = 8
"""In e5 one channel of a layer is ten times as large as the next; eight leave room for other encoders."""


@dataclass(frozen=True)
class Ranges:
    """The largest activations of each channel on real texts, for one layer: what int8 has to cover.

    Attributes:
        states: what the layer reads, shape (hidden,).
        middle: what its feed-forward part reads, shape (hidden,).
        hidden: what that computes inside, shape (intermediate,).
    """

    states: Array
    middle: Array
    hidden: Array


def can_write(encoder: Any) -> bool:
    """Whether the encoder is one of those that this module knows."""
    return (
        type(encoder).__name__ in FIRST_POSITION
        and encoder.config.hidden_act == "gelu"
        and getattr(encoder.config, "position_embedding_type", "absolute") == "absolute"
        and not getattr(encoder.config, "is_decoder", False)
    )


def bert_graph(encoder: Any, ranges: Sequence[Ranges] = ()) -> Any:
    """The encoder as an `onnx.ModelProto`, fp32; with the ranges of each layer, made ready for int8."""
    from onnx import TensorProto, helper

    writer = _Writer({name: tensor.detach().cpu().numpy() for name, tensor in encoder.state_dict().items()})
    config = encoder.config
    first = 0 if FIRST_POSITION[type(encoder).__name__] == "absolute" else config.pad_token_id + 1
    states = writer.embeddings(first, config.layer_norm_eps)
    for layer in range(config.num_hidden_layers):
        seen = ranges[layer] if ranges else None
        states = writer.layer(layer, states, config.num_attention_heads, config.layer_norm_eps, seen)
    writer.node("ReduceMean", [states, writer.constant("axis", np.array([1]))], VECTORS, keepdims=0)
    graph = helper.make_graph(
        writer.nodes,
        "encoder",
        [helper.make_tensor_value_info(IDS, TensorProto.INT64, ["batch", "length"])],
        [helper.make_tensor_value_info(VECTORS, TensorProto.FLOAT, ["batch", config.hidden_size])],
        list(writer.tensors.values()),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)


class _Writer:
    """Nodes and constants as they are written; `weights` are the encoder's, by name."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.tensors: dict[str, Any] = {}
        self._shaped = False

    def constant(self, name: str, values: Array) -> str:
        from onnx import numpy_helper

        self.tensors[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=f"{output}.{operator}", **attributes))
        return output

    def embeddings(self, first_position: int, eps: float) -> str:
        prefix = "embeddings."
        types = self.weights[prefix + "token_type_embeddings.weight"][0]  # every token is of the first type
        positions = self.weights[prefix + "position_embeddings.weight"][first_position:]
        words = self.constant("words", self.weights[prefix + "word_embeddings.weight"])
        self.node("Gather", [words, IDS], "words.read")
        self.node("Shape", [IDS], "length", start=1)
        bounds = [self.constant("first", np.array([0])), "length", self.constant("axes", np.array([0]))]
        self.node("Slice", [self.constant("positions", positions + types), *bounds], "positions.read")
        return self._normed(["words.read", "positions.read"], prefix + "LayerNorm", "embedded", eps)

    def layer(self, number: int, states: str, attention_heads: int, eps: float, seen: Ranges | None) -> str:
        """One layer of the encoder; the tensor of its token states."""
        source, here = f"encoder.layer.{number}.", f"layer{number}."
        names = ("query", "key", "value")
        matrices = [self._matrix(f"{source}attention.self.{name}") for name in names]
        read, matrices = self._levelled(states, f"{here}read", None if seen is None else seen.states, matrices)
        projected = [
            self._biased(self._matmul(read, f"{here}{name}", matrix), f"{source}attention.self.{name}")
            for name, matrix in zip(names, matrices, strict=True)
        ]
        attended = self.node(
            "Attention", projected, f"{here}attended", q_num_heads=attention_heads, kv_num_heads=attention_heads
        )
        dense = f"{source}attention.output.dense"
        gained = self._biased(self._matmul(attended, f"{here}gained", self._matrix(dense)), dense)
        middle = self._normed([states, gained], f"{source}attention.output.LayerNorm", f"{here}middle", eps)
        fed = self._feed_forward(middle, source, here, seen)
        return self._normed([middle, *fed], f"{source}output.LayerNorm", f"{here}states", eps)

    def _normed(self, summands: Sequence[str], source: str, name: str, eps: float) -> str:
        """Layer norm of a sum.

        `InstanceNormalization` with a token for an instance: ONNX Runtime computes it with vector instructions,
        (skip) layer norm number by number, which took a quarter of the whole time.
        """
        total = summands[0]
        for number, summand in enumerate(summands[1:]):
            total = self.node("Add", [total, summand], f"{name}.sum{number}")
        one, none = self.constant("one", np.ones(1, np.float32)), self.constant("none", np.zeros(1, np.float32))
        width = len(self.weights[f"{source}.weight"])
        self.node("Reshape", [total, self.constant("by_token", np.array([-1, 1, width]))], f"{name}.tokens")
        self.node("InstanceNormalization", [f"{name}.tokens", one, none], f"{name}.even", epsilon=eps)
        self.node("Reshape", [f"{name}.even", self.batch_shape(width)], f"{name}.standard")
        weight, bias = self._norm(source)
        self.node("Mul", [f"{name}.standard", weight], f"{name}.scaled")
        return self.node("Add", [f"{name}.scaled", bias], name)

    def batch_shape(self, width: int) -> str:
        """The tensor (batch, tokens, width)."""
        if not self._shaped:
            self._shaped = True
            self.node("Shape", [IDS], "shape.ids")
            self.node("Concat", ["shape.ids", self.constant("width", np.array([width]))], "shape", axis=0)
        return "shape"

    def _levelled(
        self, states: str, name: str, largest: Array | None, matrices: list[Array]
    ) -> tuple[str, list[Array]]:
        """Large channels made smaller and their weights larger by as much, so that one scale fits all of them.

        SmoothQuant with an exponent of a half (Xiao et al. 2023, arXiv:2211.10438); in fp32 it changes nothing.
        """
        if largest is None:
            return states, matrices
        heaviest = np.abs(np.concatenate(matrices, axis=1)).max(axis=1)
        scale = np.sqrt(np.maximum(largest, TINY) / np.maximum(heaviest, TINY))
        # powers of two: exact in fp32, and the same on processors that round a range otherwise
        scale = np.exp2(np.round(np.log2(scale / np.median(scale)))).astype(np.float32)
        level = self.node("Mul", [states, self.constant(f"{name}.scale", 1 / scale)], name)
        return level, [matrix * scale[:, None] for matrix in matrices]

    def _feed_forward(self, states: str, source: str, here: str, seen: Ranges | None) -> list[str]:
        """Both matrices and the GELU between them, as summands; the largest channels on a path that stays fp32."""
        up, down = self._matrix(f"{source}intermediate.dense"), self._matrix(f"{source}output.dense")
        bias = self.weights[f"{source}intermediate.dense.bias"]
        largest = [] if seen is None else np.argsort(seen.hidden)[::-1].tolist()
        outliers = sorted(largest[: min(OUTLIERS, len(bias) // 2)])
        states, (up,) = self._levelled(states, f"{here}level", None if seen is None else seen.middle, [up])
        others = np.setdiff1d(np.arange(len(bias)), outliers)
        product = self._between(states, here, up[:, others], bias[others], down[others])
        fed = self._biased(product, f"{source}output.dense")
        if not outliers:
            return [fed]
        return [fed, self._between(states, f"{here}{FP32}", up[:, outliers], bias[outliers], down[outliers])]

    def _between(self, states: str, here: str, up: Array, bias: Array, down: Array) -> str:
        raised = self._matmul(states, f"{here}raised", up)
        raised = self.node("Add", [raised, self.constant(f"{here}raised.bias", bias)], f"{here}raised.biased")
        # Not ONNX Runtime's BiasGelu: products add their bias as they are written, and GELU alone takes half as long
        hidden = self.node("Gelu", [raised], f"{here}hidden")
        return self._matmul(hidden, f"{here}fed", down)

    def _matmul(self, states: str, name: str, matrix: Array) -> str:
        return self.node("MatMul", [states, self.constant(f"{name}.weight", matrix)], name)

    def _biased(self, product: str, source: str) -> str:
        return self.node("Add", [product, self._bias(source)], f"{product}.biased")

    def _matrix(self, name: str) -> Array:
        transposed: Array = self.weights[f"{name}.weight"].T
        return transposed

    def _bias(self, name: str) -> str:
        return self.constant(f"{name}.bias", self.weights[f"{name}.bias"])

    def _norm(self, name: str) -> list[str]:
        return [self.constant(f"{name}.{part}", self.weights[f"{name}.{part}"]) for part in ("weight", "bias")]


TINY = 1e-4
"""Below this a channel or a weight counts as zero, so that no scale is infinite."""
FP32 = "outliers."
"""In the names of nodes that are not to be quantised."""
