"""Admission: how many requests are classified at once; the others are told at once to come again.

A queue without an end answers nobody in time: at twice the rate that the machine can bear, every answer would
come later than the one before. So a request gets a place when it has wholly arrived and keeps it until its
answer is out; where no place is left, it is refused with 429 and `Retry-After` before its body is parsed.
"""

from collections.abc import AsyncIterator
from typing import NoReturn

from fastapi import Request

from data.errors import BusyError


class Admission:
    """Places for requests. Used from the event loop only, so it needs no lock.

    Attributes:
        taken: places that are taken now.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self.taken = 0

    @property
    def is_full(self) -> bool:
        """Whether no place is left."""
        return self.taken >= self._places

    def refuse(self) -> NoReturn:
        """Raise the error that says so."""
        raise BusyError("the service is busy; ask again in a moment")

    def enter(self) -> None:
        """Take a place.

        Raises:
            BusyError: there is none.
        """
        if self.is_full:
            self.refuse()
        self.taken += 1

    def leave(self) -> None:
        """Give the place back."""
        self.taken -= 1


async def admitted(request: Request) -> AsyncIterator[None]:
    """A dependency of routes that classify: holds a place while the request is answered.

    Where none is left, the middleware refuses such a request before its body is parsed.
    """
    admission: Admission = request.app.state.runtime.admission
    admission.enter()
    try:
        yield
    finally:
        admission.leave()
