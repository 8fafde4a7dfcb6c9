"""What a country needs: chunks and series handed out to any number of cores, by rates that were measured.

In: `Rates` of a machine. Out: hours of a number of cores. A simulation of events, not a division: one driver reads the
rows and hands out chunks as cores become free, a chunk takes as long as one of those measured, drawn by chance, and
machines are lost with the chunks they are at.
"""

import heapq
from dataclasses import dataclass

import numpy as np

ROWS = 2_500_000
"""Complaints of a winter."""
REGIONS, PLACES, SECTORS = 84, 60, 16
SERIES_A_BLOCK = 50
CORES_A_MACHINE = 16
MACHINE_HOURS = 1000.0
"""Between two losses of a machine, in the mean: six weeks."""


@dataclass(frozen=True)
class Rates:
    """What was measured on one machine.

    Attributes:
        chunk_seconds: of each chunk that a worker with one core classified.
        rows_per_chunk: how many rows these have.
        driver_rows: rows a second that the driver reads, sends and writes where workers do nothing.
        series_seconds: of one series' refresh on one core.
        worker_mib: resident memory of a worker, its encoder loaded.
        output_bytes: of decisions a row.
    """

    chunk_seconds: tuple[float, ...]
    rows_per_chunk: int
    driver_rows: float
    series_seconds: float
    worker_mib: float
    output_bytes: float


@dataclass(frozen=True)
class Need:
    """What a number of cores makes of a country.

    Attributes:
        cores: that compute.
        hours: for all complaints.
        efficiency: rows an hour and core, beside those of one core.
        lost: chunks that were classified twice, for their machine was lost.
        series_minutes: for all series of a day.
        memory_gib: of all workers together.
    """

    cores: int
    hours: float
    efficiency: float
    lost: int
    series_minutes: float
    memory_gib: float


def simulated(rates: Rates, cores: int, rows: int = ROWS, seed: int = 0) -> Need:
    """Hand out all chunks, then all series of a day, to so many cores."""
    rng = np.random.default_rng(seed)
    chunks = -(-rows // rates.rows_per_chunk)
    durations = rng.choice(np.array(rates.chunk_seconds), size=chunks)
    seconds, lost = _handed_out(durations, cores, rates.rows_per_chunk / rates.driver_rows, rng)
    series = REGIONS * PLACES * SECTORS
    blocks = np.full(-(-series // SERIES_A_BLOCK), SERIES_A_BLOCK * rates.series_seconds)
    series_seconds, _ = _handed_out(blocks, cores, 0.0, rng)
    return Need(
        cores=cores,
        hours=seconds / 3600,
        efficiency=float(durations.sum() / (seconds * cores)),
        lost=lost,
        series_minutes=series_seconds / 60,
        memory_gib=cores * rates.worker_mib / 1024,
    )


def _handed_out(
    durations: "np.typing.NDArray[np.float64]", cores: int, prepared: float, rng: np.random.Generator
) -> tuple[float, int]:
    """Seconds until all pieces are done, and pieces that ran twice; the driver needs `prepared` seconds for each."""
    free = [0.0] * cores
    driver, end, lost = 0.0, 0.0, 0
    for duration in durations:
        driver += prepared
        core = heapq.heappop(free)
        begin = max(core, driver)
        while rng.random() < duration / 3600 / MACHINE_HOURS:  # its machine is lost half-way, and it runs again
            begin, lost = begin + duration / 2, lost + 1
        heapq.heappush(free, begin + duration)
        end = max(end, begin + duration)
    return end, lost


def cores_at_driver(rates: Rates) -> float:
    """Cores that one driver can feed; beyond, run one command a region or a group of files."""
    return rates.driver_rows * float(np.mean(rates.chunk_seconds)) / rates.rows_per_chunk
