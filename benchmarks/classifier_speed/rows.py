"""Rows by the thousand and by the million through what `tsur classify` runs: rate and memory as they go.

In: a bundle, texts and a number of rows. Out: a JSON line a chunk with rows, seconds and resident memory, kept
beside the output: a run that is stopped goes on where it was, its clock too.
"""

import csv
import json
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np


def write_export(path: Path, texts: list[str], rows: int, repeated: float, seed: int = 0) -> Path:
    """An export of `rows` complaints; a share `repeated` are sent word for word as one before."""
    if path.exists():
        return path
    rng = np.random.default_rng(seed)
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "created_at"])
        for number in range(rows):
            text = texts[int(rng.integers(len(texts)))]
            if rng.random() >= repeated:
                text = f"{text} Обращение {number}."
            writer.writerow([number, text, "2026-01-05"])
    partial.rename(path)
    return path


def run(bundle: Path, export: Path, cached: int) -> None:
    """Classify an export; what is measured goes to `EXPORT.timing.jsonl`."""
    from batch.classify import ClassifyRun
    from batch.classify_chunk import classify_here
    from data.complaints.sources import load_source
    from data.settings import CHECKOUT
    from models.classifier.classifier import Classifier
    from models.encoder.onnx_runtime import Encoders

    timing = export.with_suffix(".timing.jsonl")
    source = load_source("generic", CHECKOUT / "configs" / "sources", timezone="Europe/Moscow").without_labels()
    classifier = Classifier.load(bundle, Encoders(cached=cached))
    job = ClassifyRun("1", export, source, None, export.with_suffix(".out.csv"))
    points = [point for point in read_timing(timing) if point["rows"] <= job.done.read]
    timing.write_text("".join(json.dumps(point) + "\n" for point in points), encoding="utf-8")
    before = points[-1]["seconds"] if points else 0.0
    started = time.perf_counter()

    def note(rows: int) -> None:
        point = {"rows": rows, "seconds": before + time.perf_counter() - started, "mib": resident()}
        with timing.open("a", encoding="utf-8") as file:
            file.write(json.dumps(point) + "\n")

    job.finish(partial(classify_here, classifier), note)


def resident() -> float:
    """This process's resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def read_timing(path: Path) -> list[dict[str, Any]]:
    """The points measured so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def summary(points: list[dict[str, Any]]) -> dict[str, float]:
    """Rate, memory, and both at the end beside the beginning (after the first tenth: all is warm then)."""
    last = points[-1]
    rows, seconds, memory = (np.array([point[key] for point in points]) for key in ("rows", "seconds", "mib"))
    tenth = last["rows"] / 10

    def rate(start: float, end: float) -> float:
        early, late = np.interp([start, end], np.concatenate([[0], rows]), np.concatenate([[0.0], seconds]))
        return float((end - start) / (late - early))

    settled = memory[rows >= tenth]
    return {
        "rows": float(last["rows"]),
        "rows_per_second": float(last["rows"] / last["seconds"]),
        "last_tenth_by_first": rate(9 * tenth, 10 * tenth) / rate(0, tenth),
        "peak_mib": float(memory.max()),
        "growth_mib": float(settled[-1] - settled[0]),
    }


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
