"""The audit of a running worker: entries are gathered here and stored together, off the path of any request.

In: an entry a request, from the event loop. Out: rows of the store, within seconds; all of them when the service ends.
While the store does not answer, entries wait. What a killed process had not stored yet, at most two seconds, is
lost; the request's line in the log is not.
"""

import logging
from collections import deque

from data.errors import StoreError
from data.store.audit import Audit, AuditEntry
from serving.http.logs import LOGGER

MAX_WAITING = 100_000
"""Entries that wait while the store does not answer: an hour of thirty requests a second, some 50 MB."""
TOGETHER = 500
"""Entries stored in one transaction: milliseconds, in which no other process can write SQLite."""
logger = logging.getLogger(LOGGER)


class AuditLog:
    """The entries that wait. `add` is for the event loop, `flush` for one thread at a time.

    Args:
        audit: where they go.

    Attributes:
        lost: entries given up because too many waited.
    """

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._waiting: deque[AuditEntry] = deque()
        self.lost = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, entry: AuditEntry) -> None:
        """Keep an entry; where too many wait, the oldest is given up and counted."""
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(entry)

    def flush(self) -> None:
        """Store all that wait.

        Raises:
            StoreError: some could not be stored; they go on waiting.
        """
        while self._waiting:
            entries = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
            try:
                self._audit.save(entries)
            except StoreError:
                self._waiting.extendleft(reversed(entries))
                raise

    def close(self) -> None:
        """Store what can be stored before the process ends; what cannot is counted in the log."""
        try:
            self.flush()
        except StoreError:
            logger.error("the store did not answer: %d entries of the audit are lost", len(self._waiting))
