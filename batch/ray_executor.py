"""The executor of a Ray cluster: the jobs of a long computation on the cores of many machines.

In: as every executor (`batch/executor.py`), a function and jobs, which may be a stream. Out: each job with its result
or `Failure`, as they end. Ray Core's tasks alone, stateless: a task whose machine is lost runs again elsewhere, so a
job may run twice, and whoever takes its result writes it once. Jobs go out as workers become free, so neither the
caller's memory nor the object store grows with their number. Frames that several jobs share are sent once a machine.
"""

import hashlib
import pickle
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from itertools import groupby
from typing import Any

import pandas as pd

from batch.executor import Executor, Failure, Job, Result, attempted
from data.errors import EngineError
from data.settings import CHECKOUT

WAITING = 2
"""Tasks that lie ready beyond the cluster's cores, so that no core waits for this process."""
RETRIES = 3
"""Of a task whose worker or machine died; after that its jobs are tried one by one, to find the one that kills."""
PIECES_A_CORE = 4
"""A block is cut so small that each core gets as many, and none is left alone with one at the end."""
SHARED_BYTES = 2**20
"""Frames from this size on are sent apart from the jobs that hold them."""
SOURCES = ("data", "models", "registry", "batch", "training", "tsur")


@dataclass(frozen=True, eq=False)
class Task:
    """Jobs that are sent together; `avoided` are machines whose disk was full."""

    jobs: list[Any]
    avoided: frozenset[str] = frozenset()


@dataclass
class SharedFrames:
    """Frames that were sent, by their identity; they are held, so that it stays theirs."""

    refs: dict[int, Any] = field(default_factory=dict)
    frames: list[pd.DataFrame] = field(default_factory=list)

    def without(self, job: Any) -> tuple[Any, dict[str, Any]]:
        """A job without its large frames, and where they are, by the name of their field."""
        import ray

        sent = {}
        for name, value in _large_frames(job).items():
            if id(value) not in self.refs:
                self.refs[id(value)] = ray.put(value)
                self.frames.append(value)
            sent[name] = self.refs[id(value)]
        return (replace(job, **dict.fromkeys(sent)) if sent else job), sent


class RayExecutor(Executor):
    """The workers of the cluster that this process is connected to (`batch/ray_cluster.py`).

    Args:
        block: jobs of one kind that are sent together, at most.
    """

    def __init__(self, block: int = 1) -> None:
        self.block = block

    def attempts(
        self, function: Callable[[Job], Result], jobs: Iterable[Job]
    ) -> Iterator[tuple[Job, Result | Failure]]:
        """Each job with its result or `Failure`, as they end; jobs are taken as workers become free.

        Raises:
            EngineError: a worker has another TSUR, or none.
        """
        import ray

        shared = SharedFrames()
        coming = (Task(block) for block in self._blocks(jobs))
        running: dict[Any, Task] = {}
        again: list[Task] = []
        while True:
            while len(running) < cores() + WAITING:
                task = again.pop() if again else next(coming, None)
                if task is None:
                    break
                running[_start(function, task, shared)] = task
            if not running:
                return
            (ended,), _ = ray.wait(list(running), num_returns=1)
            task = running.pop(ended)
            outcomes, retried = _outcomes(ended, task)
            again += retried
            yield from outcomes

    def _blocks(self, jobs: Iterable[Job]) -> Iterator[list[Job]]:
        if self.block == 1:
            yield from ([job] for job in jobs)
            return
        for _, group in groupby(jobs, key=type):
            alike = list(group)
            size = min(self.block, -(-len(alike) // (PIECES_A_CORE * cores())))
            yield from (alike[start : start + size] for start in range(0, len(alike), size))


def cores() -> int:
    """Cores of the cluster at this moment; one at least, for machines may be on their way."""
    import ray

    return max(int(ray.cluster_resources().get("CPU", 0)), 1)


def _large_frames(job: Any) -> dict[str, pd.DataFrame]:
    if not is_dataclass(job):
        return {}
    values = {part.name: getattr(job, part.name) for part in fields(job)}
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, pd.DataFrame) and value.memory_usage().sum() >= SHARED_BYTES
    }


def _start(function: Callable[[Any], Any], task: Task, shared: SharedFrames) -> Any:
    """Send a task; the reference to what it will give."""
    import ray

    parts = [shared.without(job) for job in task.jobs]
    call = pickle.dumps((function, [job for job, _ in parts]))
    remote = ray.remote(num_cpus=1, max_retries=RETRIES, scheduling_strategy=_elsewhere(task.avoided))(_run)
    return remote.remote(code_version(), call, [frames for _, frames in parts])


def _elsewhere(avoided: frozenset[str]) -> Any:
    """Where a task may run: anywhere, or on a machine that is not to be avoided."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    for node in _machines() - avoided if avoided else ():
        return NodeAffinitySchedulingStrategy(node_id=node, soft=True)
    return "DEFAULT"


def _machines() -> frozenset[str]:
    import ray

    return frozenset(node["NodeID"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU"))


def _run(expected: str, call: bytes, frames: Sequence[dict[str, Any]]) -> tuple[str, str, Any]:
    """What runs on a worker: the machine, its TSUR, and the outcome of each job; of another TSUR none."""
    import ray

    node, own = ray.get_runtime_context().get_node_id(), code_version()
    if own != expected:
        return node, f"{socket.gethostname()} has {own}", None
    function, jobs = pickle.loads(call)  # noqa: S301 - from the process that this one works for
    return node, own, [_sendable(attempted(function, _whole(job, of))) for job, of in zip(jobs, frames, strict=True)]


def _whole(job: Any, frames: dict[str, Any]) -> Any:
    """A job with the frames that were sent apart."""
    import ray

    return replace(job, **{name: ray.get(ref) for name, ref in frames.items()}) if frames else job


def _sendable(outcome: Any) -> Any:
    """A failure whose error cannot be sent becomes one that says only which it was."""
    if isinstance(outcome, Failure):
        try:
            pickle.loads(pickle.dumps(outcome))  # noqa: S301
        except Exception:
            return Failure(RuntimeError(type(outcome.error).__name__), outcome.place)
    return outcome


def _outcomes(ended: Any, task: Task) -> tuple[list[tuple[Any, Any]], list[Task]]:
    """Jobs with their outcomes, and the tasks that are to be tried again."""
    import ray
    from ray.exceptions import RayError, RayTaskError, WorkerCrashedError

    try:
        node, own, outcomes = ray.get(ended)
    except RayTaskError as error:
        sentence = " ".join(str(error.cause or error).split())[:200]
        raise EngineError(f"a worker of the cluster cannot run TSUR's tasks, install TSUR there: {sentence}") from None
    except (WorkerCrashedError, ray.exceptions.OutOfMemoryError, ray.exceptions.NodeDiedError) as error:
        if len(task.jobs) > 1:
            return [], [Task([job], task.avoided) for job in task.jobs]
        return [(task.jobs[0], Failure(error, f"its worker, which died {RETRIES + 1} times"))], []
    except RayError as error:
        raise EngineError(
            f"the Ray cluster is lost ({type(error).__name__}): start it and this command again"
        ) from None
    if outcomes is None:
        raise EngineError(f"the worker on {own} and this machine {code_version()}: install the same TSUR on both")
    return _with_disk_elsewhere(task, outcomes, node)


def _with_disk_elsewhere(task: Task, outcomes: list[Any], node: str) -> tuple[list[tuple[Any, Any]], list[Task]]:
    """What a machine could not read or write is tried on each of the others, before it counts as failed."""
    avoided = task.avoided | {node}
    ended, again = [], []
    for job, outcome in zip(task.jobs, outcomes, strict=True):
        is_disk = isinstance(outcome, Failure) and isinstance(outcome.error, OSError)
        if is_disk and _machines() - avoided:
            again.append(Task([job], avoided))
        else:
            ended.append((job, outcome))
    return ended, again


@lru_cache(maxsize=1)
def code_version() -> str:
    """Which TSUR this is: its version, and a digest of its source."""
    digest = hashlib.sha256()
    for package in SOURCES:
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            digest.update(path.relative_to(CHECKOUT).as_posix().encode() + path.read_bytes())
    return f"TSUR {version('tsur')} ({digest.hexdigest()[:12]})"
