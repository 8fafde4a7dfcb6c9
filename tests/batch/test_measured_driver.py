"""The driver of `make bench-scaling` on Ray: its workers find the classes of a script that was run by name."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from batch.classify import ROWS_PER_CHUNK
from data.settings import CHECKOUT
from tests.batch.test_classify import write_export


def test_the_driver_alone_is_measured(tmp_path: Path):
    pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
    export = str(write_export(tmp_path / "export.csv", 3 * ROWS_PER_CHUNK))
    command = [sys.executable, "-m", "benchmarks.scaling.measure", "driver", "2", export, str(tmp_path / "out.csv")]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1])["rows"] == 3 * ROWS_PER_CHUNK
