"""Executor: where the jobs of a long computation run.

In: a function of one job, defined at the top of a module, and jobs that can be sent to another process: dataclasses
with names. Out: each job with its result, as they are finished; `attempts` gives a `Failure` instead of a result, and
goes on. The decision worth knowing: nothing else is asked of an executor, so that another one (a cluster's:
`batch/ray_executor.py`) is one more class with this one method.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import TypeVar

from data.errors import TsurError
from data.settings import CHECKOUT

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Failure:
    """What became of a job that has no result: the error, and at which line it was raised."""

    error: Exception
    place: str

    @property
    def reason(self) -> str:
        """One sentence; of an error that is not ours only its name and place, for its words may be a citizen's."""
        if isinstance(self.error, TsurError):
            return self.error.message
        if isinstance(self.error, OSError):
            return f"{type(self.error).__name__}: {self.error.strerror or 'no reason given'}"
        return f"{type(self.error).__name__} at {self.place}"


def attempted(function: Callable[[Job], Result], job: Job) -> Result | Failure:
    """The result of a job, or why there is none."""
    try:
        return function(job)
    except Exception as error:
        return Failure(error, _place(error))


def _place(error: Exception) -> str:
    """File and line of the innermost line of this project, or of all."""
    frames = extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(f"{CHECKOUT}/") and "/.venv/" not in frame.filename]
    innermost = (ours or frames)[-1]
    return f"{Path(innermost.filename).name}:{innermost.lineno}"


class Executor(ABC):
    """Runs jobs, one after the other or beside one another."""

    @abstractmethod
    def attempts(
        self, function: Callable[[Job], Result], jobs: Iterable[Job]
    ) -> Iterator[tuple[Job, Result | Failure]]:
        """Each job with its result or `Failure`, in the order in which they end; started in the order given."""

    def map(self, function: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[tuple[Job, Result]]:
        """Each job with its result, as `attempts` gives them; the first failure is raised."""
        for job, outcome in self.attempts(function, jobs):
            if isinstance(outcome, Failure):
                raise outcome.error
            yield job, outcome


class InProcess(Executor):
    """One job after the other, in this process.

    Example:
        >>> list(InProcess().map(len, ["a", "bc"]))
        [('a', 1), ('bc', 2)]
    """

    def attempts(
        self, function: Callable[[Job], Result], jobs: Iterable[Job]
    ) -> Iterator[tuple[Job, Result | Failure]]:
        """Each job with its result or `Failure`, in the order given."""
        return ((job, attempted(function, job)) for job in jobs)


class LocalProcesses(Executor):
    """So many processes on this machine; a single job stays in this one."""

    def __init__(self, processes: int) -> None:
        self.processes = processes

    def attempts(
        self, function: Callable[[Job], Result], jobs: Iterable[Job]
    ) -> Iterator[tuple[Job, Result | Failure]]:
        """Each job with its result or `Failure`, as they end."""
        from joblib import Parallel, delayed

        listed: Sequence[Job] = list(jobs)
        if self.processes == 1 or len(listed) < 2:
            yield from InProcess().attempts(function, listed)
            return
        workers = Parallel(n_jobs=self.processes, return_as="generator_unordered")
        calls = (delayed(_numbered)(number, function, job) for number, job in enumerate(listed))
        for number, outcome in workers(calls):
            yield listed[number], outcome


def _numbered(number: int, function: Callable[[Job], Result], job: Job) -> tuple[int, Result | Failure]:
    """An outcome with the number of its job, which then need not travel back."""
    return number, attempted(function, job)
