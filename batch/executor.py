"""Executor: where the jobs of a long computation run.

In: a function of one job, defined at the top of a module, and jobs that can be sent to another process: dataclasses
with names. Out: each job with its result, as they are finished. The decision worth knowing: nothing else is asked of
an executor, so that another one (a cluster's) is one more class with this `map`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class Executor(Protocol):
    """Runs jobs, one after the other or beside one another."""

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
        """Each job with its result, in the order in which they are finished; started in the order given."""


class InProcess:
    """One job after the other, in this process.

    Example:
        >>> list(InProcess().map(len, ["a", "bc"]))
        [('a', 1), ('bc', 2)]
    """

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
        """Each job with its result, in the order given."""
        return ((job, function(job)) for job in jobs)


class LocalProcesses:
    """So many processes on this machine; a single job stays in this one."""

    def __init__(self, processes: int) -> None:
        self.processes = processes

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
        """Each job with its result, as they are finished."""
        from joblib import Parallel, delayed

        if self.processes == 1 or len(jobs) < 2:
            yield from InProcess().map(function, jobs)
            return
        workers = Parallel(n_jobs=self.processes, return_as="generator_unordered")
        calls = (delayed(_numbered)(number, function, job) for number, job in enumerate(jobs))
        for number, result in workers(calls):
            yield jobs[number], result


def _numbered(number: int, function: Callable[[Job], Result], job: Job) -> tuple[int, Result]:
    """A result with the number of its job, which then need not travel back."""
    return number, function(job)
