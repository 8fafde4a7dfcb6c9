"""The executor: every job has its result, wherever it runs."""

import os
from dataclasses import dataclass

import pytest

from batch.executor import Executor, InProcess, LocalProcesses


@dataclass(frozen=True)
class Square:
    """A job with a name."""

    number: int


def squared(job: Square) -> tuple[int, int]:
    """The result, and in which process it was made."""
    return job.number**2, os.getpid()


@pytest.mark.parametrize("executor", [InProcess(), LocalProcesses(1), LocalProcesses(2)], ids=["here", "one", "two"])
@pytest.mark.parametrize("jobs", [0, 1, 7])
def test_each_job_comes_once_with_its_own_result(executor: Executor, jobs: int):
    results = {job.number: square for job, (square, _) in executor.map(squared, [Square(n) for n in range(jobs)])}
    assert results == {number: number**2 for number in range(jobs)}


def test_processes_are_others_and_a_single_job_starts_none():
    many = {process for _, (_, process) in LocalProcesses(2).map(squared, [Square(n) for n in range(20)])}
    (one,) = [process for _, (_, process) in LocalProcesses(2).map(squared, [Square(3)])]
    assert os.getpid() not in many
    assert one == os.getpid()


def failing(job: Square) -> None:
    """A job that goes wrong."""
    raise ValueError(f"no square of {job.number}")


@pytest.mark.parametrize("executor", [InProcess(), LocalProcesses(2)], ids=["here", "two"])
def test_a_failure_reaches_the_caller(executor: Executor):
    with pytest.raises(ValueError, match="no square of"):
        list(executor.map(failing, [Square(1), Square(2)]))
