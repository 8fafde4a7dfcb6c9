"""The encoder as an artifact of its own: one folder, addressed by the hash of its content.

| file | what |
|---|---|
| `config.json`, `model.safetensors` | architecture and weights, as transformers' Auto classes load them |
| `tokenizer.json` | the Rust tokenizer |
| `model.onnx`, `model.int8.onnx` | token ids to the mean of the token vectors, in fp32 and int8 |
| `encoder.yaml` | format version, padding token |

Its graphs end before anything that a region's rows decide, standardisation and heads, and int8 is scaled on fixed
texts: the same encoder gives the same bytes, so regions that read with it share one copy on disk and in memory.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import ValidationError

from data.atomic import atomic_folder
from data.config import Config
from data.errors import BundleError

Precision = Literal["int8", "fp32"]
CONFIG = "encoder.yaml"
ARCHITECTURE = "config.json"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
GRAPHS: dict[Precision, str] = {"fp32": "model.onnx", "int8": "model.int8.onnx"}
FILES = (CONFIG, ARCHITECTURE, WEIGHTS, TOKENIZER, *GRAPHS.values())
"""All that an encoder is; its hash is taken over these."""
ENCODERS = "encoders"
"""Folder of artifacts, each under its hash: in the home, and beside a bundle that has not been registered."""
IDS, MASK = "input_ids", "attention_mask"
"""The graph's inputs, shape (batch, tokens); only traced ones read a mask."""
VECTORS = "pooled"
"""The graph's output: the mean of the token vectors, shape (batch, hidden)."""
_HASH = re.compile(r"[0-9a-f]{64}")


class EncoderConfig(Config):
    """What `encoder.yaml` says."""

    format: Literal[1] = 1
    pad_token_id: int


@dataclass(frozen=True)
class EncoderFiles:
    """What the ONNX runtime loads.

    Attributes:
        owner: whose files they are, for messages.
        graph, tokenizer: the files.
        output: the graph's output that is read.
        address: tells this content from all others; two that share it are one encoder.
    """

    owner: str
    graph: Path
    tokenizer: Path
    output: str
    address: str


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_hash(folder: Path) -> str:
    """SHA-256 over the names and contents of an encoder's files."""
    lines = [f"{name} {file_hash(folder / name)}\n" for name in sorted(FILES)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def find_encoder(address: str, places: Sequence[Path]) -> Path:
    """The folder of an encoder in the first of the places that holds it.

    Raises:
        BundleError: none does.
    """
    for place in places:
        if (place / address / CONFIG).is_file():
            return place / address
    known = ", ".join(str(place) for place in places)
    raise BundleError(f"encoder {address[:12]} is missing: none of {known} holds it; register its bundle again")


def read_encoder_config(folder: Path) -> EncoderConfig:
    """What an encoder says of itself.

    Raises:
        BundleError: its `encoder.yaml` is missing or malformed.
    """
    try:
        return EncoderConfig.model_validate(yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8")))
    except (OSError, ValidationError, yaml.YAMLError, ValueError) as error:
        sentence = " ".join(str(error).split())[:200]
        raise BundleError(f"encoder {folder.name[:12]}: {CONFIG} is broken: {sentence}") from None


def encoder_files(folder: Path, precision: Precision) -> EncoderFiles:
    """The files that serve of an encoder's folder.

    Raises:
        BundleError: one is missing.
    """
    for name in (CONFIG, TOKENIZER, GRAPHS[precision]):
        if not (folder / name).is_file():
            raise BundleError(f"encoder {folder.name[:12]}: {name} is missing; register its bundle again")
    graph = folder / GRAPHS[precision]
    return EncoderFiles(f"encoder {folder.name[:12]}", graph, folder / TOKENIZER, VECTORS, f"{folder.name}/{precision}")


def store_encoder(folder: Path, place: Path) -> str:
    """Move a finished encoder into a place, under the hash of its content; the hash."""
    address = content_hash(folder)
    place.mkdir(parents=True, exist_ok=True)
    if (place / address).is_dir():
        shutil.rmtree(folder)
    else:
        folder.rename(place / address)
    return address


def link_encoder(folder: Path, place: Path) -> str:
    """Put a finished encoder into another place too, linked where the disk can; the hash that is its name."""
    target = place / folder.name
    if not target.is_dir():
        with atomic_folder(target) as partial:
            for name in FILES:
                try:
                    os.link(folder / name, partial / name)
                except OSError:  # another disk, or a file system without links
                    shutil.copyfile(folder / name, partial / name)
    return folder.name


def is_address(text: str) -> bool:
    """Whether this can be the hash of an encoder's content."""
    return _HASH.fullmatch(text) is not None
