"""The heartbeat: a line on standard error where a command is quiet, and only there."""

import re
import subprocess
import sys
import time

import pytest

from data.settings import CHECKOUT
from tsur.heartbeat import Heartbeat


def test_a_quiet_step_is_named_with_its_seconds_on_standard_error(capsys: pytest.CaptureFixture[str]):
    heartbeat = Heartbeat()
    with heartbeat.beating(quiet_seconds=0.1):
        heartbeat.step("fitting the n-grams")
        time.sleep(1.2)
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) >= 3
    assert all(re.fullmatch(r"… fitting the n-grams: \d+ s", line) for line in err.splitlines())


def test_what_prints_by_itself_needs_no_heartbeat(capsys: pytest.CaptureFixture[str]):
    heartbeat = Heartbeat()
    with heartbeat.beating(quiet_seconds=1.0):
        heartbeat.step("classifying")
        for number in range(30):
            sys.stdout.write(f"{number}\n")
            time.sleep(0.05)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("when", ["at rest", "after the command"])
def test_without_a_step_nothing_is_said(capsys: pytest.CaptureFixture[str], when: str):
    heartbeat = Heartbeat()
    if when == "at rest":
        with heartbeat.beating(quiet_seconds=0.5):
            heartbeat.rest()
            time.sleep(0.8)
    else:
        with heartbeat.beating(quiet_seconds=0.05):
            heartbeat.step("reading")
        time.sleep(0.3)
    assert capsys.readouterr().err == ""


def test_many_short_steps_that_print_nothing_are_not_quiet_together(capsys: pytest.CaptureFixture[str]):
    heartbeat = Heartbeat()
    with heartbeat.beating(quiet_seconds=0.5):
        for number in range(8):
            heartbeat.step(f"step {number}")
            time.sleep(0.2)
    assert len(capsys.readouterr().err.splitlines()) >= 2


def test_the_same_step_named_again_goes_on(capsys: pytest.CaptureFixture[str]):
    heartbeat = Heartbeat()
    with heartbeat.beating(quiet_seconds=0.4):
        for _ in range(12):
            heartbeat.step("writing")
            time.sleep(0.1)
    assert "… writing: 1 s" in capsys.readouterr().err


SILENT = """
import sys, time
from tsur import cli, heartbeat, options
@cli.app.command()
def silent() -> None:
    options.say("thinking")
    time.sleep(1.5)
    print("csv,line")
sys.argv = ["tsur", "silent"]
heartbeat.Heartbeat.beating.__wrapped__.__defaults__ = (0.3,)
cli.main()
"""


def test_a_command_says_what_it_is_at_and_its_output_stays_clean():
    done = subprocess.run(
        [sys.executable, "-c", SILENT], cwd=CHECKOUT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout.splitlines() == ["thinking", "csv,line"]
    assert "… thinking: 1 s" in done.stderr.splitlines()
