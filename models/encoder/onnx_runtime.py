"""The network at work: texts in, logits and features out; ONNX Runtime and the Rust tokenizer, no torch.

In: normalised texts. Out: rows of the graph's outputs side by side. All texts are tokenised in one
call; long ones are read in windows; windows of one length share a batch, so nothing is padded or masked;
a budget of tokens keeps what a batch computes in the core's cache, and batches run side by side, one a core.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from data.errors import BundleError
from models.classifier.bundle import FEATURES, IDS, MASK, ONNX, TOKENIZER, ClassifierBundle
from models.classifier.labels import HEADS

Floats = npt.NDArray[np.float32]
TOKENS_PER_BATCH = 256
"""As fast as any budget from 128 to 1,024; beyond, what a batch computes leaves the core's cache."""
MAX_WINDOWS = 16
"""Windows of a long text that are read; with 192 tokens each, some 9,000 characters."""
SPECIAL_TOKENS = 2
"""A window is the beginning mark, its tokens, the end mark."""


class Network:
    """The graph and the tokenizer of a bundle. Thread-safe.

    Args:
        parts: the bundle.
        threads: batches that run at the same time, whoever asked; 0: as many as cores.
        graph: another graph than the bundle's own.

    Attributes:
        columns: the slice of each output, heads and `features`, in a row.
    """

    def __init__(self, parts: ClassifierBundle, threads: int = 0, graph: Path | None = None) -> None:
        self._parts = parts
        self._session, widths = _open_graph(parts, graph or parts.folder / ONNX)
        self._reads_mask = MASK in [each.name for each in self._session.get_inputs()]
        self._tokenizer = open_tokenizer(parts)
        self._pool = ThreadPoolExecutor(threads or _cores(), thread_name_prefix="network")
        ends = np.cumsum([0, *widths.values()]).tolist()
        self.columns = {name: slice(*ends[i : i + 2]) for i, name in enumerate(widths)}
        self.width = ends[-1]

    @contextmanager
    def reading(self, texts: Sequence[str]) -> Iterator[Callable[[], tuple[Floats, list[bool]]]]:
        """Read texts on other threads meanwhile; what is given waits for them.

        It returns the outputs side by side, shape (n, width), and which texts were cut. Features are a mean over
        tokens and the heads linear on it, so a long text's are means over its windows.
        """
        config = self._parts.config
        encodings = self._tokenizer.encode_batch_fast([config.text_prefix + text for text in texts])
        found = [split_windows(encoding.ids, config.max_tokens) for encoding in encodings]
        windows = [window for of_text in found for window in of_text]
        lengths = np.array([len(window) for window in windows], dtype=np.int64)
        batches = list(even_batches(lengths, TOKENS_PER_BATCH))
        answers = [self._pool.submit(self._answer, [windows[window] for window in part]) for part in batches]
        limit = MAX_WINDOWS * (config.max_tokens - SPECIAL_TOKENS) + SPECIAL_TOKENS

        def finish() -> tuple[Floats, list[bool]]:
            read = np.empty((len(windows), self.width), dtype=np.float32)
            for part, answer in zip(batches, answers, strict=True):
                read[part] = answer.result()
            counts = [len(of_text) for of_text in found]
            return mean_of_windows(read, lengths, counts), [len(encoding) > limit for encoding in encodings]

        try:
            yield finish
        finally:
            for answer in answers:  # an error or an interrupt leaves nothing behind that others would wait for
                answer.cancel()

    def _answer(self, windows: list[list[int]]) -> Floats:
        """Outputs of windows of one length, shape (windows, width)."""
        ids = np.array(windows, dtype=np.int64)
        feeds = {IDS: ids}
        if self._reads_mask:
            feeds[MASK] = np.ones_like(ids)
        return np.concatenate(self._session.run(list(self.columns), feeds), axis=1)


def split_windows(ids: list[int], limit: int) -> list[list[int]]:
    """The token ids in as few windows of like size as fit; each begins and ends as the whole does."""
    if len(ids) <= limit:
        return [ids]
    inner = ids[1:-1][: MAX_WINDOWS * (limit - SPECIAL_TOKENS)]
    parts = np.array_split(np.array(inner), -(-len(inner) // (limit - SPECIAL_TOKENS)))
    return [[ids[0], *part.tolist(), ids[-1]] for part in parts]


def mean_of_windows(read: Floats, lengths: npt.NDArray[np.int64], counts: Sequence[int]) -> Floats:
    """Each text's mean over its windows, which stand in a row, by their lengths; shape (texts, width)."""
    if len(read) == len(counts):
        return read
    firsts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    shares = lengths / np.repeat(np.add.reduceat(lengths, firsts), counts)
    mean: Floats = np.add.reduceat(read * shares[:, None].astype(np.float32), firsts, axis=0)
    return mean


def even_batches(lengths: npt.NDArray[np.int64], budget: int) -> Iterator[npt.NDArray[np.int64]]:
    """Row indices in batches of one length and within the budget of tokens, or of one row; the longest first.

    Whoever shares them out to threads then ends with the short ones, and no thread waits long for another.
    """
    order = np.argsort(-lengths, kind="stable")
    ends = np.flatnonzero(np.diff(lengths[order])) + 1
    for rows in np.split(order, ends):
        size = max(budget // max(int(lengths[rows[0]]), 1), 1) if len(rows) else 1
        for start in range(0, len(rows), size):
            yield rows[start : start + size]


def _open_graph(parts: ClassifierBundle, path: Path) -> tuple[Any, dict[str, int]]:
    """The session, and the width of each of its outputs."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        widths = {output.name: output.shape[-1] for output in session.get_outputs()}
        inputs = {each.name for each in session.get_inputs()}
    except Exception as error:  # onnxruntime raises bare exceptions of its own
        raise _broken(parts, path.name, error) from None
    found = {name: width for name, width in widths.items() if name != FEATURES}
    expected = {head: len(parts.labels.names[head]) for head in HEADS}
    if found != expected:
        raise _broken(parts, path.name, f"its heads have {found} labels, labels.json has {expected}")
    if IDS not in inputs or inputs - {IDS, MASK}:
        raise _broken(parts, path.name, f"it reads {', '.join(sorted(inputs))} instead of {IDS}")
    if not isinstance(widths.get(FEATURES), int):
        raise _broken(parts, path.name, f"it has no output {FEATURES!r}")
    return session, widths


def open_tokenizer(parts: ClassifierBundle) -> Any:
    """The bundle's tokenizer, without padding or truncation.

    Raises:
        BundleError: it cannot be read.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(parts.folder / TOKENIZER))
    except Exception as error:  # tokenizers raises bare exceptions
        raise _broken(parts, TOKENIZER, error) from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _broken(parts: ClassifierBundle, name: str, reason: object) -> BundleError:
    sentence = " ".join(str(reason).split())[:200]
    return BundleError(f"classifier bundle {parts.folder.name}: {name} is broken: {sentence}")


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
