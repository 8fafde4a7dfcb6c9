"""Shadow decisions: what a challenger would have said of complaints that the champion decided. Never returned.

In: the challenger's labels, each beside the number of the decision that was returned. Out: how many it has judged, and
to how many it gives the champion's label, for each head. Append-only; they go with their decisions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ForeignKey, Index, case, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from data.store.decisions import DecisionRow
from data.store.session import Database
from data.store.tables import NUMBER, Table


class ShadowRow(Table):
    """One decision of a challenger on the complaint of `decision`, the champion's."""

    __tablename__ = "shadow_decisions"
    __table_args__ = (
        Index("shadow_decisions_by_decision", "decision"),
        Index("shadow_decisions_by_version", "region", "model_version"),
    )

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    decision: Mapped[int] = mapped_column(NUMBER, ForeignKey("decisions.number"))
    region: Mapped[str]
    model_version: Mapped[str]
    outcome: Mapped[str]
    sector: Mapped[str]
    topic: Mapped[str]
    agency: Mapped[str]
    agency_confidence: Mapped[float]


@dataclass(frozen=True)
class ShadowDecision:
    """What a challenger said; `decision` is the number of what was returned, `outcome` is route or review."""

    decision: int
    region: str
    model_version: str
    outcome: str
    sector: str
    topic: str
    agency: str
    agency_confidence: float


@dataclass(frozen=True)
class Agreement:
    """Complaints that a challenger judged, and how many of them got the champion's label and outcome from it."""

    judged: int
    sector: int
    topic: int
    agency: int
    outcome: int


class Shadows:
    """The shadow decisions of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, decisions: Sequence[ShadowDecision]) -> None:
        """Store decisions; those whose complaint was erased meanwhile are left out.

        Raises:
            StoreError: nothing was stored.
        """
        numbers = [each.decision for each in decisions]
        with self._database.writing() as connection:
            there = set(connection.scalars(select(DecisionRow.number).where(DecisionRow.number.in_(numbers))))
            rows = [vars(each) for each in decisions if each.decision in there]
            if rows:
                connection.execute(insert(ShadowRow), rows)

    def agreement(self, region: str, model_version: str) -> Agreement:
        """How a challenger stands beside the champions whose complaints it judged.

        Raises:
            StoreError: the database cannot be read.
        """
        row, returned = ShadowRow, DecisionRow
        pairs = [(getattr(row, name), getattr(returned, name)) for name in ("sector", "topic", "agency")]
        pairs.append((row.outcome, returned.decision))
        same = [func.coalesce(func.sum(case((one == other, 1), else_=0)), 0) for one, other in pairs]
        query = (
            select(func.count(), *same)
            .join(returned, returned.number == row.decision)
            .where(row.region == region, row.model_version == model_version)
        )
        with self._database.reading() as connection:
            return Agreement(*map(int, connection.execute(query).one()))
