"""Whether something has come since one looked last, of a region: cheap enough for every few seconds.

In: a region. Out: the numbers of its newest decision and correction, which only grow.
"""

from sqlalchemy import func, select

from data.store.corrections import CorrectionRow
from data.store.decisions import DecisionRow
from data.store.session import Database


class Changes:
    """The newest rows of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, region: str) -> dict[str, int]:
        """`decisions` and `corrections`: the number of the newest of each; 0 where there is none.

        Raises:
            StoreError: the database cannot be read.
        """
        decision = select(func.max(DecisionRow.number)).where(DecisionRow.region == region)
        correction = select(func.max(CorrectionRow.number)).where(CorrectionRow.region == region)
        queries = {"decisions": decision, "corrections": correction}
        with self._database.reading() as connection:
            return {name: int(connection.scalar(query) or 0) for name, query in queries.items()}
