"""Killed (-9) under load: who answers, the whole service, jobs' worker, the database; nothing accepted is lost."""

import random
import time

import pytest

from tests.reliability.installation import OTHER, Installation
from tests.reliability.load import Load
from tests.serving.bundles import REGION

PAUSE = (0.2, 2.0)
"""Seconds between two kills, at random."""
ROWS = 500
"""Of a file, one of which is sent before each kill."""


@pytest.mark.parametrize("rounds", [1, pytest.param(2, marks=pytest.mark.reliability)])
def test_whoever_is_killed_nothing_that_was_accepted_is_lost(installation: Installation, rounds: int) -> None:
    victims = [installation.kill_api_worker, installation.kill_worker]
    if rounds > 1:
        victims += [installation.kill_service, installation.kill_worker]
        victims += [installation.kill_database] * (installation.postgresql is not None)
    rng = random.Random(rounds)
    with Load(installation, f"kills{rounds}") as load:
        for kill in victims * rounds:
            load.send_file(ROWS, rng.choice([REGION, OTHER]))
            time.sleep(rng.uniform(*PAUSE))
            kill()
    load.check()
