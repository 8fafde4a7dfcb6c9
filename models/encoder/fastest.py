"""Which precision an encoder serves in on this processor.

In: its files in int8 and in fp32. Out: those that read the faster. Processors with VNNI or AMX multiply int8 several
times as fast as fp32, so there nothing has to be tried. On others (plain AVX2) int8 may win or lose, and its products
may saturate in 16 bits; there both are measured on the same tokens, once a process and encoder.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

INT8_FLAGS = frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"})
"""Of /proc/cpuinfo: instructions that multiply int8 (the last is ARM's)."""
TOKENS = 64
"""Of the row that is measured: an ordinary complaint; fewer where the encoder reads no more."""
ROUNDS = 5
"""Each precision in turn, and the best round of each counts: a neighbour's load falls on both."""
GAIN = 1.1
"""By how much int8 must be the faster: the exact precision serves where there is little to gain."""
Run = Callable[[npt.NDArray[np.int64]], object]


def multiplies_int8(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this processor has instructions for int8; where nobody says so, no."""
    try:
        return not INT8_FLAGS.isdisjoint(cpuinfo.read_text(encoding="utf-8").split())
    except OSError:
        return False


def int8_is_faster(
    int8: Run, fp32: Run, max_tokens: int = TOKENS, clock: Callable[[], float] = time.perf_counter
) -> bool:
    """Let both read the same token ids, shape (1, tokens), in turn, and compare their best rounds.

    Args:
        int8: reads token ids in int8.
        fp32: reads them in fp32.
        max_tokens: that the encoder has positions for.
        clock: seconds; of no matter where it begins.
    """
    ids = np.full((1, min(TOKENS, max_tokens)), 3, dtype=np.int64)
    best = {int8: np.inf, fp32: np.inf}
    for _ in range(ROUNDS):
        for run in (int8, fp32):
            began = clock()
            run(ids)
            best[run] = min(best[run], clock() - began)
    return bool(best[int8] * GAIN <= best[fp32])
