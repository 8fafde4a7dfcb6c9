"""Threads of their own for analytics: however many of them are asked for, a complaint finds a thread at once.

Endpoints that compute from many complaints (`endpoint.py`) wait for one of a few threads, while those that route
complaints have the service's others. Where the system can, analytics' threads also give way to
the others on the processor.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import get_native_id
from typing import TypeVar

Result = TypeVar("Result")
NICENESS = 10
"""Of analytics' threads: beside a busy thread of niceness 0 such a one gets about a tenth of a core."""


class AnalyticsThreads:
    """A few threads; what finds none waits without one.

    Args:
        threads: how many.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="analytics", initializer=give_way)

    def run(self, work: Callable[[], Result]) -> "asyncio.Future[Result]":
        """The result of this work, to be awaited; called in the event loop."""
        return asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Begin nothing more; what runs is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def give_way() -> None:
    """Lower this thread's priority; on Linux, a niceness belongs to a thread."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, get_native_id(), NICENESS)
