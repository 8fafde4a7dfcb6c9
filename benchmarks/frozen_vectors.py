"""Vectors of texts by the encoder as it comes, read once: benchmarks that fit hundreds of heads read nothing twice.

In: texts as the models read them. Out: their vectors, shape (n, hidden), as `tsur train classifier` has them before any
fine-tuning. They are kept in the home, part by part under a hash of the part's texts, so that a run that was stopped
goes on where it was.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.results import console
from data.atomic import atomic_file, atomic_folder
from data.settings import settings
from models.encoder.artifact import ENCODERS, Precision, encoder_files
from models.encoder.fastest import multiplies_int8
from models.encoder.onnx_runtime import Encoders
from models.encoder.source import PACKAGED

Floats = npt.NDArray[np.floating]
PREFIX = "query: "
"""As in configs/adapt.yaml and configs/classifier.yaml."""
MAX_TOKENS = 192
"""As in configs/classifier.yaml: of one window."""
READ_AT_ONCE = 256
PART = 4096
"""Texts that lie in one file."""


def frozen_vectors(texts: Sequence[str], encoder: str = PACKAGED) -> Floats:
    """Vectors of texts, shape (n, hidden); equal texts are read once."""
    work = settings().home / "benchmarks" / "vectors"
    artifact = exported(encoder, work / hashlib.sha256(encoder.encode()).hexdigest()[:8])
    precision: Precision = "int8" if multiplies_int8() else "fp32"
    distinct, row_of = np.unique(np.array(texts, dtype=object), return_inverse=True)
    parts = []
    for start in range(0, len(distinct), PART):
        part = distinct[start : start + PART].tolist()
        key = hashlib.sha256(
            "\n".join([artifact.name, precision, f"{PREFIX}{MAX_TOKENS}", *part]).encode()
        ).hexdigest()[:16]
        path = work / f"{key}.npy"
        if not path.exists():
            console.print(f"reading texts {start} to {start + len(part)} of {len(distinct)}")
            with atomic_file(path) as partial, partial.open("wb") as file:
                np.save(file, read(artifact, part, precision))
        parts.append(np.load(path))
    return np.asarray(np.concatenate(parts)[row_of])


def read(artifact: Path, texts: Sequence[str], precision: Precision) -> Floats:
    """Mean-pooled vectors of texts, shape (n, hidden), by an encoder's artifact."""
    encoder = Encoders(cached=0).load(encoder_files(artifact, precision))
    parts = []
    for start in range(0, len(texts), READ_AT_ONCE):
        with encoder.reading([PREFIX + text for text in texts[start : start + READ_AT_ONCE]], MAX_TOKENS) as finish:
            parts.append(finish().values)
    return np.concatenate(parts)


def exported(encoder: str, made: Path) -> Path:
    """The artifact of an encoder as it comes, the one in the folder `made`, which is made once."""
    from training.encoder.export import export_encoder
    from training.encoder.pretrained import load_pretrained

    if not made.exists():
        network, tokenizer = load_pretrained(encoder, settings().home / ENCODERS)
        with atomic_folder(made) as partial:
            export_encoder(network, tokenizer, partial, console.print)
    (artifact,) = made.iterdir()
    return artifact
