"""How tests run the scripts of the benchmarks."""

import os
from pathlib import Path


def environment(home: Path, folder: Path | None) -> dict[str, str]:
    """That of a script with `home` as its state and `folder` as the real data."""
    kept = {key: value for key, value in os.environ.items() if key != "TSUR_REAL_DATA"}
    real = {"TSUR_REAL_DATA": str(folder)} if folder else {}
    return kept | {"TSUR_HOME": str(home), "COLUMNS": "200", "OMP_NUM_THREADS": "1"} | real
