"""The classifier as it is served: a bundle in, classifications out; ONNX Runtime, no torch.

In: texts and municipality ids. Out: one `Classification` an item, in the order given. Texts are
tokenised in one call, run in batches of like length up to a budget of tokens, and decoded jointly.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from data.catalogue import Catalogue
from data.cleaning import clean_text
from data.errors import BundleError
from models.bundle import ONNX, TOKENIZER, BundleParts, read_parts
from models.decoding import Classification, Floats, JointDecoder, decide
from models.labels import HEADS

TOKENS_PER_BATCH = 4096


def input_text(prefix: str, text: str, place: str | None) -> str:
    """What the encoder reads: the prefix it was pretrained with, the place when known, the text."""
    return f"{prefix}{place}. {text}" if place else f"{prefix}{text}"


class Classifier:
    """A loaded bundle. Thread-safe: `classify` changes nothing.

    Attributes:
        parts: the bundle's labels, calibration, catalogue and config.
    """

    def __init__(self, parts: BundleParts, threads: int = 0) -> None:
        self.parts = parts
        self._decoder = JointDecoder(parts.labels, parts.catalogue, parts.calibration.temperatures)
        self._place_names = {place.id: place.name for place in parts.catalogue.municipalities}
        self._session = _open_network(parts, threads)
        self._tokenizer = _open_tokenizer(parts)

    @classmethod
    def load(cls, folder: Path, threads: int = 0) -> "Classifier":
        """Load a bundle; `threads` 0 means as many as cores.

        Raises:
            BundleError: the bundle is incomplete, broken or of another version.
        """
        return cls(read_parts(folder), threads)

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue this classifier was trained for."""
        return self.parts.catalogue

    def classify(
        self, texts: Sequence[str], municipalities: Sequence[str | None] | None = None
    ) -> list[Classification]:
        """Classify texts; `municipalities` are ids of the catalogue, None where unknown."""
        places = list(municipalities) if municipalities is not None else [None] * len(texts)
        logits, truncated = self.logits(texts, places)
        decided = self.decisions(logits, texts, places)
        return [replace(item, truncated=cut) for item, cut in zip(decided, truncated, strict=True)]

    def decisions(
        self, logits: Mapping[str, Floats], texts: Sequence[str], places: Sequence[str | None]
    ) -> list[Classification]:
        """Joint decoding and the routing decision on logits that are there already."""
        return decide(self._decoder, logits, texts, places, self.parts.calibration.threshold)

    def logits(self, texts: Sequence[str], places: Sequence[str | None]) -> tuple[Mapping[str, Floats], list[bool]]:
        """Raw logits of each head, shape (n, labels of the head), and which texts were cut."""
        limit = self.parts.config.max_tokens
        prefix = self.parts.config.text_prefix
        inputs = [
            input_text(prefix, clean_text(text), self._place_names.get(place or ""))
            for text, place in zip(texts, places, strict=True)
        ]
        encodings = self._tokenizer.encode_batch_fast(inputs)
        lengths = np.array([len(encoding) for encoding in encodings], dtype=np.int64)
        out = {head: np.zeros((len(texts), len(self.parts.labels.names[head])), dtype=np.float32) for head in HEADS}
        for rows in _batches(np.minimum(lengths, limit)):
            width = int(min(lengths[rows].max(), limit))
            ids = np.full((len(rows), width), self.parts.config.pad_token_id, dtype=np.int64)
            mask = np.zeros((len(rows), width), dtype=np.int64)
            for line, row in enumerate(rows):
                tokens = encodings[row].ids
                if len(tokens) > width:
                    tokens = [*tokens[: width - 1], tokens[-1]]
                ids[line, : len(tokens)] = tokens
                mask[line, : len(tokens)] = 1
            answers = self._session.run(list(HEADS), {"input_ids": ids, "attention_mask": mask})
            for head, answer in zip(HEADS, answers, strict=True):
                out[head][rows] = answer
        return out, [bool(length > limit) for length in lengths]


def _open_network(parts: BundleParts, threads: int) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(str(parts.folder / ONNX), options, providers=["CPUExecutionProvider"])
        widths = {output.name: output.shape[-1] for output in session.get_outputs()}
    except Exception as error:  # onnxruntime raises bare exceptions of its own
        raise _broken(parts, ONNX, error) from None
    expected = {head: len(parts.labels.names[head]) for head in HEADS}
    if widths != expected:
        raise _broken(parts, ONNX, f"its heads have {widths} labels, labels.json has {expected}")
    return session


def _open_tokenizer(parts: BundleParts) -> Any:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(parts.folder / TOKENIZER))
    except Exception as error:  # tokenizers raises bare exceptions
        raise _broken(parts, TOKENIZER, error) from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _broken(parts: BundleParts, name: str, reason: object) -> BundleError:
    sentence = " ".join(str(reason).split())[:200]
    return BundleError(f"classifier bundle {parts.folder.name}: {name} is broken: {sentence}")


def _batches(lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Row indices in batches of like length whose padded size stays within the token budget."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and (end + 1 - start) * lengths[order[end]] <= TOKENS_PER_BATCH:
            end += 1
        yield order[start:end]
        start = end
