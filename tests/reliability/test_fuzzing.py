"""Thousands of made-up requests, one at a time and in sequences that follow from each other's answers: no 500."""

import re
import subprocess

import pytest

from tests.reliability.counting import COUNTS
from tests.reliability.installation import Installation
from tests.serving import fuzzing
from tests.serving.bundles import REGION

EXAMPLES = 400
"""Of each endpoint, in each phase: with both databases some ten thousand requests."""
SECONDS = 150


@pytest.mark.reliability
def test_thousands_of_made_up_requests_find_no_bug(installation: Installation) -> None:
    phases = "examples,coverage,fuzzing,stateful"
    command = fuzzing.command(installation.port, installation.keys[REGION], phases, EXAMPLES, SECONDS)
    done = subprocess.run(command, capture_output=True, text=True, timeout=20 * SECONDS, check=False)
    generated = sum(int(count) for count in re.findall(r"(\d+) generated", done.stdout))
    COUNTS.requests += generated
    COUNTS.notes.append(f"{generated:,} fuzzed requests: {done.stdout.strip().splitlines()[-1].strip(' =')}")
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
