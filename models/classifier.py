"""The classifier as it is served: a bundle in, classifications out; ONNX Runtime, no torch.

In: texts and municipality ids. Out: one `Classification` an item, in the order given. Texts are
normalised and tokenised in one call; long ones are read in windows; batches of like length fill a
budget of tokens; the network's logits and those of the n-grams are added and decoded jointly.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from data.catalogue import Catalogue
from data.cleaning import clean_text
from data.errors import BundleError
from models.bundle import FEATURES, ONNX, TOKENIZER, BundleParts, read_parts
from models.decoding import Classification, Floats, JointDecoder, decide
from models.labels import HEADS
from models.ngrams import NgramModel
from models.normalisation import normalised

TOKENS_PER_BATCH = 4096
MAX_WINDOWS = 16
"""Windows of a long text that are read; with 192 tokens each, some 9,000 characters."""
SPECIAL_TOKENS = 2
"""A window is the beginning mark, its tokens, the end mark."""


def read_text(text: str, place: str | None) -> str:
    """What both halves read: the normalised text, behind the place when that is known."""
    text = normalised(clean_text(text))
    return f"{normalised(place)}. {text}" if place else text


@dataclass(frozen=True)
class Reading:
    """What one pass over texts gives: logits of each head, features, and which texts were cut.

    Shapes: (n, labels of the head) and (n, hidden). Features are what the linear heads read: the mean over
    tokens, standardised over the training rows.
    """

    logits: Mapping[str, Floats]
    features: Floats
    truncated: list[bool]


class Classifier:
    """A loaded bundle. Thread-safe: `classify` changes nothing.

    Attributes:
        parts: the bundle's labels, calibration, catalogue and config.
        decoder: joint decoding with the bundle's calibration.
    """

    def __init__(self, parts: BundleParts, threads: int = 0) -> None:
        self.parts = parts
        self.decoder = JointDecoder(
            parts.labels,
            parts.catalogue,
            parts.calibration.temperatures,
            parts.affinity,
            parts.calibration.affinity_weight,
            parts.calibration.scaling,
        )
        self._place_names = {place.id: place.name for place in parts.catalogue.municipalities}
        self._session, self._widths = _open_network(parts, threads)
        self._tokenizer = _open_tokenizer(parts)
        self._ngrams = NgramModel.load(parts.folder, {head: len(parts.labels.names[head]) for head in HEADS})

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
        read = self.read(texts, places)
        decided = self.decisions(read.logits, texts, places)
        return [
            replace(item, truncated=cut, features=features)
            for item, cut, features in zip(decided, read.truncated, read.features, strict=True)
        ]

    def decisions(
        self, logits: Mapping[str, Floats], texts: Sequence[str], places: Sequence[str | None]
    ) -> list[Classification]:
        """Joint decoding and the routing decision on logits that are there already."""
        read = [read_text(text, None) for text in texts]
        unlike = self.parts.novelty.unlike_training(read).tolist()
        return decide(self.decoder, logits, read, places, self.parts.calibration.threshold, unlike)

    def logits(self, texts: Sequence[str], places: Sequence[str | None]) -> tuple[Mapping[str, Floats], list[bool]]:
        """Logits of each head, shape (n, labels of the head), and which texts were cut."""
        read = self.read(texts, places)
        return read.logits, read.truncated

    def features(self, texts: Sequence[str], places: Sequence[str | None]) -> Floats:
        """What the heads read of each text, shape (n, hidden)."""
        return self.read(texts, places).features

    def read(self, texts: Sequence[str], places: Sequence[str | None]) -> Reading:
        """Logits and features of one pass."""
        read = [read_text(text, self._place_names.get(place or "")) for text, place in zip(texts, places, strict=True)]
        network, cut = self._network_outputs(read)
        ngrams = self._ngrams.logits(read)
        return Reading({head: network[head] + ngrams[head] for head in HEADS}, network[FEATURES], cut)

    def _network_outputs(self, texts: Sequence[str]) -> tuple[dict[str, Floats], list[bool]]:
        """Features are a mean over tokens and the heads linear on it, so a long text's are means over its windows."""
        config = self.parts.config
        encodings = self._tokenizer.encode_batch_fast([config.text_prefix + text for text in texts])
        windows, owners = [], []
        for row, encoding in enumerate(encodings):
            found = _windows(encoding.ids, config.max_tokens)
            windows += found
            owners += [row] * len(found)
        lengths = np.array([len(window) for window in windows], dtype=np.int64)
        shares = lengths / np.bincount(owners, weights=lengths, minlength=len(texts))[owners] if owners else lengths
        out = {name: np.zeros((len(texts), width), dtype=np.float32) for name, width in self._widths.items()}
        for part in _batches(lengths):
            ids = np.full((len(part), int(lengths[part].max())), config.pad_token_id, dtype=np.int64)
            mask = np.zeros_like(ids)
            for line, window in enumerate(part):
                ids[line, : lengths[window]] = windows[window]
                mask[line, : lengths[window]] = 1
            answers = self._session.run(list(out), {"input_ids": ids, "attention_mask": mask})
            rows = np.array(owners)[part]
            for name, answer in zip(out, answers, strict=True):
                np.add.at(out[name], rows, answer * shares[part, None].astype(np.float32))
        limit = MAX_WINDOWS * (config.max_tokens - SPECIAL_TOKENS) + SPECIAL_TOKENS
        return out, [len(encoding) > limit for encoding in encodings]


def _windows(ids: list[int], limit: int) -> list[list[int]]:
    """The token ids in as few windows of like size as fit; each begins and ends as the whole does."""
    if len(ids) <= limit:
        return [ids]
    inner = ids[1:-1][: MAX_WINDOWS * (limit - SPECIAL_TOKENS)]
    parts = np.array_split(np.array(inner), -(-len(inner) // (limit - SPECIAL_TOKENS)))
    return [[ids[0], *part.tolist(), ids[-1]] for part in parts]


def _open_network(parts: BundleParts, threads: int) -> tuple[Any, dict[str, int]]:
    """The session, and the width of each of its outputs."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(str(parts.folder / ONNX), options, providers=["CPUExecutionProvider"])
        widths = {output.name: output.shape[-1] for output in session.get_outputs()}
    except Exception as error:  # onnxruntime raises bare exceptions of its own
        raise _broken(parts, ONNX, error) from None
    found = {name: width for name, width in widths.items() if name != FEATURES}
    expected = {head: len(parts.labels.names[head]) for head in HEADS}
    if found != expected:
        raise _broken(parts, ONNX, f"its heads have {found} labels, labels.json has {expected}")
    if not isinstance(widths.get(FEATURES), int):
        raise _broken(parts, ONNX, f"it has no output {FEATURES!r}")
    return session, widths


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
