"""A command on a Ray cluster, told to go on after each chunk: so that it can be killed where a test wants it.

`python -m tests.reliability.ray_driver ADDRESS BUNDLE ENCODERS EXPORT OUT ROWS_PER_CHUNK`
"""

import sys
from functools import partial
from pathlib import Path

from batch import classify
from batch.classify_chunk import ClassifyChunk
from batch.ray_cluster import connected
from batch.ray_executor import RayExecutor
from tests.batch.test_classify import SOURCE


def step(rows: int) -> None:
    print(rows, flush=True)
    sys.stdin.readline()


def main(address: str, bundle: str, encoders: str, export: str, out: str, rows_per_chunk: str) -> None:
    classify.ROWS_PER_CHUNK = int(rows_per_chunk)
    job = classify.ClassifyRun("1", Path(export), SOURCE, None, Path(out))
    print(job.done.read, flush=True)
    with connected(address):
        engine = partial(RayExecutor().attempts, ClassifyChunk(Path(bundle), Path(encoders)))
        job.finish(engine, step)


if __name__ == "__main__":
    main(*sys.argv[1:])
