"""Whether something has come since one looked last, of a region: cheap enough for every few seconds.

In: a region. Out: the numbers of its newest decision and correction, which only grow, and how many complaints wait.
"""

from sqlalchemy import func, select

from data.store.corrections import CorrectionRow
from data.store.decisions import DecisionRow
from data.store.review_queue import QueueFilter, waiting
from data.store.session import Database


class Changes:
    """The newest rows of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, region: str) -> dict[str, int]:
        """`decisions`, `corrections`: the number of the newest of each, 0 where there is none; `waiting`: the queue's.

        Raises:
            StoreError: the database cannot be read.
        """
        decision = select(func.max(DecisionRow.number)).where(DecisionRow.region == region)
        correction = select(func.max(CorrectionRow.number)).where(CorrectionRow.region == region)
        wait = select(func.count()).where(*waiting(region, QueueFilter()))
        queries = {"decisions": decision, "corrections": correction, "waiting": wait}
        with self._database.reading() as connection:
            return {name: int(connection.scalar(query) or 0) for name, query in queries.items()}
