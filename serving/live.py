"""What changes while a page of the console is open: a stream of counts for each that watches.

In: the store, the champions, and how many surges there are (`serving/analytics/surge_watch.py`). Out: the counts of a
region, once at the beginning and whenever one has changed. All who watch a region share one look at it every few
seconds; where nobody watches, nobody looks.
"""

import asyncio
import json
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import anyio.to_thread

from data.errors import TsurError

EVERY_SECONDS = 3.0
QUIET_SECONDS = 15.0
"""A stream that says nothing for longer is cut by some proxies."""
Counts = dict[str, int | str]


class Live:
    """The streams of one worker. Used from the event loop, but for `surges`.

    Args:
        look: the counts of a region; asked in a thread, may raise TsurError.

    Attributes:
        surges: how many observed surges go on, by region; written by whoever counts them.
    """

    def __init__(self, look: Callable[[str], Counts]) -> None:
        self._look = look
        self._seen: dict[str, tuple[float, Counts]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._ended = asyncio.Event()
        self.surges: dict[str, int] = {}

    async def stream(self, region: str) -> AsyncIterator[str]:
        """Server-sent events, each with all counts as JSON; until the worker ends."""
        told: Counts | None = None
        silent_since = time.monotonic()
        while not self._ended.is_set():
            counts = await self._counts(region)
            if counts != told:
                yield f"data: {json.dumps(counts)}\n\n"
                told, silent_since = counts, time.monotonic()
            elif time.monotonic() - silent_since > QUIET_SECONDS:
                yield ":\n\n"
                silent_since = time.monotonic()
            try:
                await asyncio.wait_for(self._ended.wait(), EVERY_SECONDS)
            except TimeoutError:
                continue

    def end(self) -> None:
        """End all streams: the server waits for answers that are under way before it stops."""
        self._ended.set()

    async def _counts(self, region: str) -> Counts:
        """The counts as of the last few seconds; where they cannot be read now, those read last."""
        async with self._locks.setdefault(region, asyncio.Lock()):
            at, counts = self._seen.get(region, (0.0, {}))
            if time.monotonic() - at < EVERY_SECONDS / 2:
                return counts
            with suppress(TsurError):  # whoever needs to know asks /readyz
                counts = await anyio.to_thread.run_sync(self._look, region)
            self._seen[region] = (time.monotonic(), counts)
            return counts


def end_with_process(end: Callable[[], None]) -> None:
    """Call this as soon as the process is told to end, before the server waits for open answers."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if not callable(before):
            continue

        def ending(given: int, frame: Any, before: Callable[..., Any] = before) -> None:
            loop.call_soon_threadsafe(end)
            before(given, frame)

        signal.signal(number, ending)
