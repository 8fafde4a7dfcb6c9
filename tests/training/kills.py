"""A command that is killed in the middle, as a power cut would."""

import os
import subprocess
import sys
import time
from pathlib import Path

from data.settings import CHECKOUT

PATIENCE = 300
"""Seconds until the command must have got so far."""


def kill_at(home: Path, pattern: str, *arguments: str, **environment: str) -> None:
    """Start a `tsur` command with `home` as its state, and kill it once a file there has a name of that pattern."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tsur", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "TSUR_HOME": str(home), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not list(home.glob(pattern)):
            assert process.poll() is None, f"the run ended before there was a {pattern}"
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
