"""The teacher of a student: an encoder, the heads of its classifier if it has some, and its answers to texts.

In: a classifier's bundle or an encoder's name, and texts. Out: a `Teacher`, and `Answers`: the states of
every token of every text, in half floats on disk (some 80 kB for 100 tokens). They are computed once,
a part at a time, into a task cache: a run that is killed loses one part at most, and a second student finds
them there.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from batch.task_cache import TaskCache
from data.atomic import atomic_folder
from data.errors import EncoderError
from models.classifier.bundle import read_bundle
from models.classifier.heads import NETWORK_FILE
from models.classifier.labels import HEADS
from models.encoder.architecture import ComplaintNetwork
from models.encoder.artifact import file_hash
from training.encoder.cached_states import CachedStates, encode_with
from training.encoder.pretrained import load_pretrained, network_of
from training.long_step import LongStep

PART = 2000
"""Texts that are read together, and the piece that a kill costs."""
STATES, POOLED = "states.npy", "pooled.npy"
"""Files of a piece."""
Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Teacher:
    """What a student imitates; `network` has untrained heads where `has_heads` is false.

    Attributes:
        name: tells this teacher's encoder from others': its hash, or what it was asked for by.
        prefix: what stands before every text.
    """

    name: str
    network: ComplaintNetwork
    tokenizer: Any
    prefix: str
    has_heads: bool

    @classmethod
    def of_bundle(cls, folder: Path) -> "Teacher":
        """The network of a classifier's bundle.

        Raises:
            BundleError: the bundle is incomplete, broken or of another version.
        """
        bundle = read_bundle(folder)
        network, tokenizer = network_of(bundle)
        name = bundle.config.encoder_hash or file_hash(folder / NETWORK_FILE)
        return cls(name, network, tokenizer, bundle.config.text_prefix, has_heads=True)

    @classmethod
    def of_encoder(cls, name: str, prefix: str, encoders: Path) -> "Teacher":
        """A pretrained encoder without heads; `encoders` is the cache of decoded ones.

        Raises:
            EncoderError: neither packaged, nor a folder, nor reachable on the hub.
        """
        encoder, tokenizer = load_pretrained(name, encoders)
        network = ComplaintNetwork(encoder, encoder.config.hidden_size, dict.fromkeys(HEADS, 1))
        return cls(name, network.eval(), tokenizer, prefix, has_heads=False)

    @property
    def layers(self) -> int:
        """How many layers its encoder has."""
        return len(self.network.stack)


@dataclass(frozen=True)
class Answers:
    """Token states of the last layer, part by part: row i is in `parts[i // PART]`."""

    parts: Sequence[CachedStates]
    pooled: Floats

    def states(self, rows: Sequence[int], width: int) -> torch.Tensor:
        """States of some rows, shape (rows, width, hidden), zeros behind the end."""
        padded = [self.parts[row // PART].padded([row % PART], width) for row in rows]
        return torch.cat(padded)


def encode(texts: Sequence[str], teacher: Teacher, max_tokens: int) -> Any:
    """A `datasets.Dataset` of the texts with `input_ids, attention_mask, length, row`."""
    from datasets import Dataset

    inputs = [teacher.prefix + text for text in texts]
    tokens = teacher.tokenizer(inputs, truncation=True, max_length=max_tokens, return_token_type_ids=False)
    lengths = [len(ids) for ids in tokens["input_ids"]]
    return Dataset.from_dict({**tokens, "length": lengths, "row": range(len(texts))})


def answer(teacher: Teacher, rows: Any, collate: Any, cache: Path, bf16: bool, say: Callable[[str], None]) -> Answers:
    """The teacher's answers to encoded texts; stored in the folder `cache` by teacher, precision and texts.

    Raises:
        EncoderError: the encoder has no stack of layers.
    """
    if not teacher.layers:
        raise EncoderError(f"encoder {teacher.name!r} has no stack of layers to learn from")
    parts, pooled = [], []
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = teacher.network.to(device)
    network.frozen_layers = teacher.layers
    for start in range(0, len(rows), PART):
        part = rows.select(range(start, min(start + PART, len(rows))))
        folder = TaskCache(cache).path(["answers", teacher.name, bf16, part["input_ids"][:]], suffix=".answers")
        assert folder is not None
        if not folder.exists():
            say(f"the teacher reads texts {start + 1} to {start + len(part)} of {len(rows)}")
            with atomic_folder(folder) as partial:
                precision = torch.autocast(device, torch.bfloat16) if bf16 else nullcontext()
                with precision, LongStep("the teacher reads", say) as tell:
                    encoded = encode_with(network, part, collate, partial / STATES, tell)
                np.save(partial / POOLED, encoded.vectors)
        ends = np.concatenate([[0], np.cumsum(np.asarray(part["length"], dtype=np.int64))])
        parts.append(CachedStates(np.load(folder / STATES, mmap_mode="r"), ends))
        pooled.append(np.load(folder / POOLED))
    network.to("cpu").eval()
    return Answers(parts, np.concatenate(pooled))
