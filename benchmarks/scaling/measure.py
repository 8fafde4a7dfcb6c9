"""One arm of the measurement, in a process of its own: rows or series a second, and the driver's memory.

`python -m benchmarks.scaling.measure ARM …` prints one JSON line. Arms: `local CORES`, `ray WORKERS`, `driver` (workers
that answer at once, so that only the driver works) and `series WORKERS`. What starts once is left out: imports, Ray,
the first chunk of each worker, which loads the encoder.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from batch.classify import ClassifyRun
from batch.classify_chunk import ChunkResult, Classified, ClassifyChunk, RawChunk, classify_here
from batch.ray_cluster import connected
from batch.ray_executor import RayExecutor
from benchmarks.classifier_speed.rows import resident
from data.complaints.sources import load_source
from data.settings import CHECKOUT

LINE = "1;;review;;ЖКХ;0.5000;Водоснабжение;0.5000;Администрация;0.5000;72;0;0;no_municipality\r\n"
"""A decision as long as most."""


@dataclass(frozen=True)
class Timed:
    """A chunk classified on a worker, which tells how long it took and how much memory it has."""

    classify: ClassifyChunk

    def __call__(self, chunk: RawChunk) -> tuple[ChunkResult, float, float]:
        """The result, seconds of this core, MiB."""
        began = time.perf_counter()
        result = self.classify(chunk)
        return result, time.perf_counter() - began, resident()


def answered(chunk: RawChunk) -> ChunkResult:
    """What a worker would give, without any work."""
    rows = len(chunk.rows)
    return ChunkResult(Classified(read=rows, rows=rows), {"decisions": LINE * rows, "rejects": ""})


def run_of(export: Path, out: Path) -> ClassifyRun:
    """An export's run, to a new output."""
    source = load_source("generic", CHECKOUT / "configs" / "sources", timezone="Europe/Moscow").without_labels()
    return ClassifyRun("benchmark", export, source, None, out)


def local(cores: int, bundle: Path, encoders: Path, export: Path, out: Path) -> dict[str, Any]:
    """The local engine on so many cores."""
    from models.classifier.classifier import Classifier
    from models.encoder.onnx_runtime import Encoders

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    classifier = Classifier.load(bundle, Encoders(cores, folder=encoders))
    run, points = run_of(export, out), Points(skipped=1)
    run.finish(partial(classify_here, classifier), points)
    return {"rows_per_second": points.rate, "mib": resident()}


def on_ray(workers: int, bundle: Path, encoders: Path, export: Path, out: Path) -> dict[str, Any]:
    """Ray with so many workers."""
    run, points = run_of(export, out), Points(skipped=workers)
    seconds: list[float] = []
    memory: list[float] = []

    def engine(chunks: Iterator[RawChunk]) -> Iterator[tuple[RawChunk, Any]]:
        timed = Timed(ClassifyChunk(bundle, encoders))
        for chunk, (result, spent, mib) in RayExecutor().map(timed, chunks):
            seconds.append(spent)
            memory.append(mib)
            yield chunk, result

    with connected(workers=workers):
        run.finish(engine, points)
    return {
        "rows_per_second": points.rate,
        "chunk_seconds": seconds[workers:],
        "worker_mib": max(memory),
        "output_bytes": out.stat().st_size / run.done.rows,
    }


def driver(export: Path, out: Path) -> dict[str, Any]:
    """The driver alone: read, send, write; its memory at a tenth of the rows and at the end."""
    run, points = run_of(export, out), Points(skipped=2)
    with connected(workers=2):
        run.finish(partial(RayExecutor().attempts, answered), points)
    early, late = points.memory[len(points.memory) // 10], points.memory[-1]
    return {"rows_per_second": points.rate, "rows": run.done.read, "early_mib": early, "late_mib": late}


def series(count: int, workers: int) -> dict[str, Any]:
    """A backtest of simulated series, without Prophet, on Ray, and by as many local processes beside it."""
    from benchmarks.forecast_speed.benchmark import simulated
    from models.forecasting.config import ForecasterConfig
    from training.forecaster.backtest import backtest
    from tsur.forecasting import SERIES_A_TASK

    names = [name for name in ForecasterConfig().forecasters if name != "prophet"]
    config = ForecasterConfig(forecasters=names, windows=2, processes=workers)
    counts = simulated(count)
    seconds, results = {}, {}
    with connected(workers=workers):
        for name, executor in (
            ("warm", RayExecutor(SERIES_A_TASK)),
            ("ray", RayExecutor(SERIES_A_TASK)),
            ("local", None),
        ):
            few = counts[counts["sector"] == counts["sector"].iloc[0]] if name == "warm" else counts
            began = time.perf_counter()
            results[name] = backtest(few, config, executor=executor)
            seconds[name] = time.perf_counter() - began
    equal = results["ray"].predictions.equals(results["local"].predictions)
    return {"series": count, "ray_seconds": seconds["ray"], "local_seconds": seconds["local"], "equal": equal}


class Points:
    """Rows and seconds as they come; the rate leaves out the first chunks, while which everything loads."""

    def __init__(self, skipped: int) -> None:
        self._skipped = skipped
        self._points: list[tuple[int, float]] = []
        self.memory: list[float] = []

    def __call__(self, rows: int) -> None:
        """So many rows are there."""
        self._points.append((rows, time.perf_counter()))
        self.memory.append(resident())

    @property
    def rate(self) -> float:
        """Rows a second behind the first chunks."""
        (first, began), *_ = islice(self._points, self._skipped - 1, None)
        last, ended = self._points[-1]
        return (last - first) / (ended - began)


def main(arm: str, *arguments: str) -> None:
    """Measure an arm and print it."""
    paths = [Path(argument) for argument in arguments[1:]]
    count = int(arguments[0])
    if arm == "local":
        figures = local(count, *paths)
    elif arm == "ray":
        figures = on_ray(count, *paths)
    elif arm == "driver":
        figures = driver(*paths)
    else:
        figures = series(count, workers=2)
    print(json.dumps(figures))


if __name__ == "__main__":
    from benchmarks.scaling.measure import main as measured  # workers find its classes under this name alone

    measured(*sys.argv[1:])
