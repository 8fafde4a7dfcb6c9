"""The thread that keeps a worker and the store together, off the path of any request: every two seconds.

In: what there is to do, such as bringing keys and storing the audit. Out: done, or the trouble that the store made,
which `/readyz` tells.
"""

import logging
from collections.abc import Callable, Sequence

from data.errors import StoreError
from serving.background import Background
from serving.http.logs import LOGGER, where_it_failed

EVERY_SECONDS = 2.0
"""How long a revoked key may still open a running service, and an entry of the audit wait."""
logger = logging.getLogger(LOGGER)
Task = Callable[[], object]


class StoreThread:
    """Does some tasks again and again; one that fails keeps no other from being done.

    Args:
        tasks: what there is to do; each may raise StoreError.
        tell: told each time whether the store answered.

    Attributes:
        trouble: what the store said last, where it failed; None while it answers.
    """

    def __init__(self, tasks: Sequence[Task], tell: Callable[[bool], object] = bool) -> None:
        self._tasks = tasks
        self._tell = tell
        self._thread = Background("store", self.once, EVERY_SECONDS)
        self.trouble: StoreError | None = None

    def once(self) -> None:
        """Do every task once; trouble is logged when it begins and when it ends, not raised."""
        trouble = None
        for task in self._tasks:
            try:
                task()
            except StoreError as error:
                trouble = error
            except Exception as error:  # a bug in one task must not end the others for good
                logger.error("a task beside the requests failed\n%s", where_it_failed(error))
        if trouble is not None and self.trouble is None:
            logger.error("%s", trouble.message)
        if trouble is None and self.trouble is not None:
            logger.info("the store answers again")
        self.trouble = trouble
        self._tell(trouble is None)

    def start(self) -> None:
        """Go on doing them."""
        self._thread.start()

    def close(self) -> None:
        """End the thread, if it runs."""
        self._thread.close()
