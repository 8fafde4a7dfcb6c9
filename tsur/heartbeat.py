"""Heartbeat: no step of a command is quiet for more than ten seconds.

In: which step a command is at (`step`), and all that it prints. Out: wherever nothing was printed for so long, a line
that names the step and how long it has been at work. It goes to standard error, so that none runs into a table or a
CSV. Progress bars and counters print by themselves; this is for what cannot say how far it is.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

QUIET_SECONDS = 9.0
"""Below ten even where a look at the clock comes late."""
LOOKS = 20
"""At the clock, in that time."""


class Heartbeat:
    """Watches over what one process prints."""

    def __init__(self) -> None:
        self._step: str | None = None
        self._began = self._last = time.monotonic()

    def step(self, name: str) -> None:
        """From now on the command is at this; the same name again goes on with the same step."""
        if name != self._step:
            self._step, self._began = name, time.monotonic()

    def rest(self) -> None:
        """The command is not at a step that ends by itself, such as serving."""
        self._step = None

    def printed(self) -> None:
        """Something was printed."""
        self._last = time.monotonic()

    @contextmanager
    def beating(self, quiet_seconds: float = QUIET_SECONDS) -> Iterator[None]:
        """Beat while the block runs; until it names a step, it is starting: imports take seconds."""
        self.step("starting")
        self.printed()
        stdout, ended = sys.stdout, threading.Event()
        sys.stdout = cast(TextIO, _Watched(stdout, self))
        threading.Thread(target=self._beat, args=(ended, quiet_seconds), name="heartbeat", daemon=True).start()
        try:
            yield
        finally:
            ended.set()
            sys.stdout = stdout
            self.rest()

    def _beat(self, ended: threading.Event, quiet_seconds: float) -> None:
        while not ended.wait(quiet_seconds / LOOKS):
            now = time.monotonic()
            if self._step is not None and now - self._last >= quiet_seconds:
                self.printed()
                sys.stderr.write(f"… {self._step}: {now - self._began:.0f} s\n")
                sys.stderr.flush()


class _Watched:
    """A stream that says when something is written to it."""

    def __init__(self, stream: TextIO, heartbeat: Heartbeat) -> None:
        self._stream, self._heartbeat = stream, heartbeat

    def write(self, text: str) -> int:
        self._heartbeat.printed()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


heartbeat = Heartbeat()
"""Of this process."""
