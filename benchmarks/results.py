"""What all benchmarks share: bootstrap, targets, the machine's description and the JSON of results.

In: figures of a script. Out: `results/NAME.json` with what was run (commit, data, machine, versions),
every figure, and a list `targets`. No path of the machine gets into it.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console

from data.errors import ConfigError, TsurError
from data.settings import CHECKOUT, settings

RESULTS = CHECKOUT / "benchmarks" / "results"
RESAMPLES = 1000
console = Console(markup=False, highlight=False, soft_wrap=True)

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Target:
    """What a figure should be; `value` is None while nobody has measured it."""

    name: str
    value: float | None
    target: float
    met: bool

    @classmethod
    def at_least(cls, name: str, value: float | None, target: float) -> "Target":
        """Met from `target` upwards."""
        return cls(name, value, target, value is not None and value >= target)

    @classmethod
    def at_most(cls, name: str, value: float | None, target: float) -> "Target":
        """Met up to `target`."""
        return cls(name, value, target, value is not None and value <= target)

    @classmethod
    def above(cls, name: str, value: float | None, target: float) -> "Target":
        """Met beyond `target`."""
        return cls(name, value, target, value is not None and value > target)


def run(app: typer.Typer) -> None:
    """Run a script's command; a `TsurError` becomes one sentence and status 2."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except TsurError as error:
        Console(stderr=True, soft_wrap=True, markup=False, highlight=False).print(
            f"error ({error.code}): {error.message}", style="red"
        )
        sys.exit(2)


def real_data() -> Path:
    """The folder of real complaints and counts.

    Raises:
        ConfigError: `TSUR_REAL_DATA` is not set, or names no folder.
    """
    folder = settings().real_data
    if folder is None or not folder.is_dir():
        raise ConfigError(
            "this benchmark needs real data, which are not part of the repository: "
            "set TSUR_REAL_DATA to their folder (docs/reference.md)"
        )
    return folder


def resample_weights(rows: int, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """How often each row is drawn in each bootstrap resample, shape (resamples, rows).

    The same rows and seed give the same resamples, so figures of two models are paired by row.
    """
    rng = np.random.default_rng(seed)
    return rng.multinomial(rows, np.full(rows, 1 / rows), size=resamples).astype(np.float32)


def interval(figures: Floats) -> tuple[float, float]:
    """The 95 % percentile interval of a figure's bootstrap resamples."""
    low, high = np.quantile(figures, [0.025, 0.975])
    return float(low), float(high)


def machine() -> dict[str, Any]:
    """Cores this process may use, the processor's name, memory in GiB and the system."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    pages = {"SC_PHYS_PAGES", "SC_PAGE_SIZE"} <= set(os.sysconf_names)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30 if pages else None
    return {
        "cores": cores,
        "cpu": _cpu_name(),
        "memory_gib": None if memory is None else round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def commit() -> str | None:
    """The commit that is checked out, with `+changes` where files differ from it; None without git."""
    try:
        head = _git("rev-parse", "HEAD")
        return head + ("+changes" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def write_results(
    path: Path, data: dict[str, str], libraries: Iterable[str], figures: dict[str, Any], targets: list[Target]
) -> None:
    """Write a benchmark's JSON: what was run, `figures`, and `targets`; floats to four digits.

    Args:
        path: the file, `RESULTS / "NAME.json"`.
        data: the fingerprint of each data set.
        libraries: the distributions whose versions matter here.
        figures: keys of the JSON's own.
        targets: what should have been reached.
    """
    content = {
        "commit": commit(),
        "data": data,
        "machine": machine(),
        "versions": {name: version(name) for name in sorted(libraries)},
        **figures,
        "targets": [asdict(target) for target in targets],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_rounded(content), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """A table as GitHub shows it."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def targets_line(targets: list[Target]) -> str:
    """How many targets are met, and the names of those that are not."""
    missed = [goal for goal in targets if not goal.met]
    line = f"targets met: {len(targets) - len(missed)} of {len(targets)}"
    named = "; ".join(f"{goal.name} ({_shown(goal.value)}, target {goal.target:.3g})" for goal in missed)
    return f"{line}; missed: {named}" if named else line


def _shown(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
