"""Encoders at work: texts in, vectors out; ONNX Runtime and the Rust tokenizer, no torch.

In: normalised texts. Out: one vector a text. All texts are tokenised in one call; long ones are read in windows;
windows of one length share a batch, so nothing is padded or masked; a budget of tokens keeps what a batch computes
in the core's cache, and batches run side by side, one a core. `Encoders` holds a process's encoders: each content is
loaded once, and all of them share one pool of threads and one cache, however many classifiers read with them.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt

from data.errors import BundleError
from data.settings import settings
from models.encoder.artifact import ENCODERS, IDS, MASK, EncoderFiles
from models.encoder.fastest import int8_is_faster, multiplies_int8
from models.encoder.vector_cache import Floats, VectorCache, Vectors

TOKENS_PER_BATCH = 256
"""As fast as any budget from 128 to 1,024; beyond, what a batch computes leaves the core's cache."""
MAX_WINDOWS = 16
"""Windows of a long text that are read; with 192 tokens each, some 9,000 characters."""
SPECIAL_TOKENS = 2
"""A window is the beginning mark, its tokens, the end mark."""
CACHED_TEXTS = 8192
"""Some 25 MB at most: a vector of 384 numbers and the text itself for each."""


class Encoders:
    """The encoders of a process. Thread-safe.

    Args:
        threads: batches that run at the same time, whoever asked; 0: as many as cores.
        cached: texts whose vectors are remembered.
        folder: where artifacts lie under their hashes; default: in the home.
        begin: what each thread does first, such as giving way to others.

    Attributes:
        cache: the texts read last, by any of them.

    Example:
        >>> encoders = Encoders(threads=2)
        >>> encoders.loaded
        0
    """

    def __init__(
        self,
        threads: int = 0,
        cached: int = CACHED_TEXTS,
        folder: Path | None = None,
        begin: Callable[[], None] | None = None,
    ) -> None:
        self.folder = folder or settings().home / ENCODERS
        self.cache = VectorCache(cached)
        self._pool = ThreadPoolExecutor(threads or usable_cores(), thread_name_prefix="encoder", initializer=begin)
        self._loaded: WeakValueDictionary[str, OnnxEncoder] = WeakValueDictionary()
        self._int8_wins: dict[str, bool] = {}
        self._lock = Lock()

    @property
    def loaded(self) -> int:
        """How many are in memory; one that no classifier reads with any more leaves it."""
        return len(self._loaded)

    def load(self, files: EncoderFiles) -> "OnnxEncoder":
        """The encoder with this content, loaded unless it is there already.

        Raises:
            BundleError: a file is broken.
        """
        with self._lock:
            encoder = self._loaded.get(files.address)
            if encoder is None:
                encoder = self._loaded[files.address] = OnnxEncoder(files, self._pool, self.cache)
            return encoder

    def load_faster(self, int8: EncoderFiles, fp32: EncoderFiles, max_tokens: int) -> "OnnxEncoder":
        """The precision of an encoder that reads the faster on this processor; tried where int8 may lose.

        Args:
            int8: the encoder in int8.
            fp32: the same in fp32.
            max_tokens: that a window of its text has.

        Raises:
            BundleError: a file is broken.
        """
        if multiplies_int8():
            return self.load(int8)
        if int8.address not in self._int8_wins:
            small, plain = self.load(int8), self.load(fp32)
            self._int8_wins[int8.address] = int8_is_faster(small.run, plain.run, max_tokens)
        return self.load(int8 if self._int8_wins[int8.address] else fp32)


class OnnxEncoder:
    """A graph and its tokenizer. Thread-safe.

    Args:
        files: what to load.
        pool: the threads on which batches run.
        cache: the vectors read last.

    Attributes:
        width: numbers of a vector.
    """

    def __init__(self, files: EncoderFiles, pool: ThreadPoolExecutor, cache: VectorCache) -> None:
        self._files = files
        self._session, self.width = _open_graph(files)
        self._reads_mask = MASK in [each.name for each in self._session.get_inputs()]
        self._tokenizer = open_tokenizer(files)
        self._pool = pool
        self._cache = cache

    @contextmanager
    def reading(self, texts: Sequence[str], max_tokens: int) -> Iterator[Callable[[], Vectors]]:
        """Read texts on other threads meanwhile, in windows of `max_tokens`; what is given waits for them.

        A vector is a mean over tokens, so a long text's is the mean over its windows.
        """
        reader = f"{self._files.address} {max_tokens}"
        known, fresh = self._cache.lookup(reader, texts)
        encodings = self._tokenizer.encode_batch_fast(fresh)
        windows = [split_windows(encoding.ids, max_tokens) for encoding in encodings]
        flat = [window for of_text in windows for window in of_text]
        lengths = np.array([len(window) for window in flat], dtype=np.int64)
        batches = list(even_batches(lengths, TOKENS_PER_BATCH))
        answers = [self._pool.submit(self._run, [flat[window] for window in batch]) for batch in batches]
        limit = MAX_WINDOWS * (max_tokens - SPECIAL_TOKENS) + SPECIAL_TOKENS

        def finish() -> Vectors:
            of_windows = np.empty((len(flat), self.width), dtype=np.float32)
            for batch, answer in zip(batches, answers, strict=True):
                of_windows[batch] = answer.result()
            of_texts = mean_of_windows(of_windows, lengths, [len(of_text) for of_text in windows])
            read = Vectors(of_texts, [len(encoding) > limit for encoding in encodings])
            self._cache.remember(reader, fresh, read)
            if len(fresh) == len(texts):
                return read
            every = known | {text: (read.values[i], read.truncated[i]) for i, text in enumerate(fresh)}
            return Vectors(np.stack([every[text][0] for text in texts]), [every[text][1] for text in texts])

        try:
            yield finish
        finally:
            for answer in answers:  # an error or an interrupt leaves nothing behind that others would wait for
                answer.cancel()

    def _run(self, windows: list[list[int]]) -> Floats:
        """Vectors of windows of one length, shape (windows, width)."""
        return self.run(np.array(windows, dtype=np.int64))

    def run(self, ids: npt.NDArray[np.int64]) -> Floats:
        """Vectors of token ids of shape (windows, tokens), on the thread that asks."""
        feeds = {IDS: ids}
        if self._reads_mask:
            feeds[MASK] = np.ones_like(ids)
        (vectors,) = self._session.run([self._files.output], feeds)
        read: Floats = vectors
        return read


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


def _open_graph(files: EncoderFiles) -> tuple[Any, int]:
    """The session, and the width of the output that is read."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(str(files.graph), options, providers=["CPUExecutionProvider"])
        widths = {output.name: output.shape[-1] for output in session.get_outputs()}
        inputs = {each.name for each in session.get_inputs()}
    except Exception as error:  # onnxruntime raises bare exceptions of its own
        raise _broken(files, files.graph, error) from None
    if IDS not in inputs or inputs - {IDS, MASK}:
        raise _broken(files, files.graph, f"it reads {', '.join(sorted(inputs))} instead of {IDS}")
    width = widths.get(files.output)
    if not isinstance(width, int):
        raise _broken(files, files.graph, f"it has no output {files.output!r}")
    return session, width


def open_tokenizer(files: EncoderFiles) -> Any:
    """The encoder's tokenizer, without padding or truncation.

    Raises:
        BundleError: it cannot be read.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(files.tokenizer))
    except Exception as error:  # tokenizers raises bare exceptions
        raise _broken(files, files.tokenizer, error) from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _broken(files: EncoderFiles, path: Path, reason: object) -> BundleError:
    sentence = " ".join(str(reason).split())[:200]
    return BundleError(f"{files.owner}: {path.name} is broken: {sentence}")


def usable_cores() -> int:
    """Cores that this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
