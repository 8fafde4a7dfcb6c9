"""A thread beside the requests that does one thing again and again until it is closed."""

from collections.abc import Callable
from threading import Event, Thread


class Background:
    """Does one thing again and again; it begins with `start` and ends with the process, if not before with `close`.

    Args:
        name: of the thread.
        step: what there is to do; handles its own errors.
        seconds: between two steps.
        begin: what is done first, in the thread.
    """

    def __init__(
        self, name: str, step: Callable[[], object], seconds: float = 0.0, begin: Callable[[], object] = bool
    ) -> None:
        self._step, self._seconds, self._begin = step, seconds, begin
        self._stop = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End after the step under way, if the thread runs."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def wait(self, seconds: float) -> None:
        """Do nothing for so long, or until it is closed."""
        self._stop.wait(seconds)

    def _run(self) -> None:
        self._begin()
        while not self._stop.wait(self._seconds):
            self._step()
