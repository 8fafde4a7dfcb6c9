"""Rates: how many requests a key may send in a minute; counted in each worker for itself.

Admission keeps the service from falling behind; this keeps one key from taking all of it from the others.
"""

import math
import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from data.errors import RateLimitError
from serving.auth.principal import LOCAL, Principal


class RequestRates:
    """The requests of each key in the last minute.

    Args:
        per_minute: how many a key may send; 0: any number.
    """

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def count(self, principal: Principal) -> None:
        """Count one request; this machine's own calls to a service without keys are not counted.

        Raises:
            RateLimitError: it is one too many.
        """
        if self._limit is None or principal is LOCAL or await self._limiter.hit(self._limit, principal.key_id):
            return
        window = await self._limiter.get_window_stats(self._limit, principal.key_id)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        raise RateLimitError(
            f"this key has sent its {self._limit.amount} requests of a minute; ask again in {seconds} s", seconds
        )
