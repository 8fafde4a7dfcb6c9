"""The clock is set forward and back under load (libfaketime): leases, keys and answers take it."""

import time
from pathlib import Path

import pytest

from tests.reliability.installation import Installation
from tests.reliability.load import Load
from tests.serving.workers import wait_for

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
JUMPS = ("+2h", "-2h", "+0", "-1d", "+0")


@pytest.mark.reliability
@pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed: apt-get install libfaketime")
def test_a_clock_that_jumps_loses_and_doubles_nothing(installation: Installation) -> None:
    clock = installation.home / "clock"
    clock.write_text("+0")
    faked = {
        "LD_PRELOAD": str(LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    installation.stop()
    installation.start(**faked)
    try:
        with Load(installation, "clock") as load:
            for jump in JUMPS:
                load.send_file(1000)
                clock.write_text(jump)
                accepted = len(load.accepted.complaints)
                time.sleep(1.5)
                assert installation.worker is not None
                installation.worker.kill()  # in the middle of a job whose lease was given by another clock
                installation.worker.wait()
                installation.start_worker(**faked)
                wait_for(lambda before=accepted: len(load.accepted.complaints) > before + 10)
        load.check()
    finally:
        installation.stop()
        installation.start()
