"""What was measured is kept: a benchmark that was stopped goes on with what it has not measured yet."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.results import console
from data.atomic import atomic_file


def kept(path: Path, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The figures in a JSON file, measured and written where there is none."""
    if not path.exists():
        console.print(f"measuring {path.stem}")
        measured = measure()
        with atomic_file(path) as partial:
            partial.write_text(json.dumps(measured, ensure_ascii=False), encoding="utf-8")
    return dict(json.loads(path.read_text(encoding="utf-8")))
