"""A long step says where it is, every few seconds: "fitting the n-grams: fold 2 of 5, topic, step 40 of 100 at most".

In: what a step is called, and where it is now, told as often as it likes. Out: a spinner on a terminal, elsewhere a
line every few seconds by the `say` of the command. (Where a step cannot say how far it is, `tsur/heartbeat.py` says at
least that it is at work.)
"""

import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Generic, TypeVar

SAY_EVERY_SECONDS = 8.0
"""Below the nine after which the heartbeat of the command would speak."""
Tell = Callable[[str], None]
Item = TypeVar("Item")


def quiet(where: str) -> None:
    """Tells nobody: for steps that are short, or told of by others."""


def within(tell: Tell, place: str) -> Tell:
    """Tells of the steps inside a larger one: "fold 2 of 5, topic"."""

    def tell_inside(where: str) -> None:
        tell(f"{place}, {where}")

    return tell_inside


class Counted(Generic[Item]):
    """Items that tell, each time they are gone through, at which one it is."""

    def __init__(self, items: Sequence[Item], what: str, tell: Tell) -> None:
        self._items, self._what, self._tell = items, what, tell

    def __iter__(self) -> Iterator[Item]:
        for number, item in enumerate(self._items, 1):
            self._tell(f"{self._what} {number} of {len(self._items)}")
            yield item


class LongStep:
    """`with LongStep("fitting the heads", say) as tell: tell("fold 2 of 5")`."""

    def __init__(self, step: str, say: Tell, every: float = SAY_EVERY_SECONDS) -> None:
        self._step, self._say, self._every = step, say, every
        self._said = time.monotonic()
        self._spinner: Any = None

    def __enter__(self) -> "LongStep":
        from rich import get_console

        self._said = time.monotonic()
        if get_console().is_terminal:
            self._spinner = get_console().status(self._step)
            self._spinner.start()
        return self

    def __call__(self, where: str) -> None:
        """Tell where the step is; said at most every few seconds."""
        if self._spinner is not None:
            self._spinner.update(f"{self._step}: {where}")
        elif time.monotonic() - self._said >= self._every:
            self._said = time.monotonic()
            self._say(f"{self._step}: {where}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._spinner is not None:
            self._spinner.stop()
