"""Sums over the handling of complaints: what KPIs are computed from (`data/kpi/`).

In: a region, which complaints (received, due or answered within a span), and by what they are told apart. Out: sums, or
of quantiles the moments themselves. Only reads, through indexes of the span: it takes as long as the span has
complaints, not the store.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import aliased
from sqlalchemy.types import NullType

from data.store.handling import HEADS, HandlingRow
from data.store.session import Database
from data.store.tables import naive_utc

UNKNOWN_PLACE = "не указан"
Moments = NDArray[np.datetime64]
Pairs = tuple[Moments, Moments]
"""Of each complaint when something began, and when it was done."""


def is_corrected() -> ColumnElement[bool]:
    """That an operator changed a label."""
    return or_(*(getattr(HandlingRow, f"agrees_{head}").is_(False) for head in HEADS))


def is_repeat() -> ColumnElement[bool]:
    """That another complaint of the same place and topic came within the days before."""
    row, other = HandlingRow, aliased(HandlingRow, name="other")
    same = (other.region == row.region, other.municipality == row.municipality, other.topic == row.topic)
    earlier = or_(other.created_at < row.created_at, other.number < row.number)
    within = other.created_at.between(row.week_before, row.created_at)
    return select(other.number).where(*same, within, earlier).exists()


def is_met() -> ColumnElement[bool]:
    """That the answer came in time."""
    return and_(HandlingRow.answered_at.is_not(None), HandlingRow.answered_at <= HandlingRow.due_at)


RECEIVED: dict[str, ColumnElement[bool]] = {
    "routed": HandlingRow.decision == "route",
    "to_review": HandlingRow.decision != "route",
    "reviewed": and_(HandlingRow.decision != "route", HandlingRow.spoken_at.is_not(None)),
    "corrected": is_corrected(),
    **{f"said_{head}": getattr(HandlingRow, f"agrees_{head}").is_not(None) for head in HEADS},
    **{f"agrees_{head}": getattr(HandlingRow, f"agrees_{head}").is_(True) for head in HEADS},
    "told": HandlingRow.told.is_(True),
    "rerouted": HandlingRow.reroutings > 0,
    "placed": HandlingRow.municipality.is_not(None),
    "repeats": is_repeat(),
}
"""What is counted of complaints that were received."""


def went_at() -> ColumnElement[Any]:
    """When a complaint went to an agency; null: it has not."""
    row = HandlingRow
    return func.coalesce(row.sent_at, case((row.decision == "route", row.received_at), else_=row.spoken_at))


CountedIn = Literal[
    "volume",
    "routed",
    "reviewed",
    "corrected",
    "agreement_sector",
    "agreement_topic",
    "agreement_agency",
    "routing_median",
    "routing_p90",
    "rerouted",
    "repeats",
    "deadlines_met",
    "overdue",
    "answer_median",
    "answer_p90",
]
DUE: tuple[CountedIn, ...] = ("deadlines_met", "overdue")
ANSWERED: tuple[CountedIn, ...] = ("answer_median", "answer_p90")
COUNTED: dict[CountedIn, ColumnElement[bool]] = {
    "volume": true(),
    "routed": RECEIVED["routed"],
    "reviewed": RECEIVED["reviewed"],
    "corrected": RECEIVED["corrected"],
    "agreement_sector": RECEIVED["agrees_sector"],
    "agreement_topic": RECEIVED["agrees_topic"],
    "agreement_agency": RECEIVED["agrees_agency"],
    "routing_median": went_at().is_not(None),
    "routing_p90": went_at().is_not(None),
    "rerouted": RECEIVED["rerouted"],
    "repeats": RECEIVED["repeats"],
    "deadlines_met": is_met(),
    "overdue": not_(is_met()),
    "answer_median": true(),
    "answer_p90": true(),
}
"""The complaints behind each figure: those that a count or a share counts, and those whose time a quantile is of. Of a
span in which they were received, for `DUE` came due, for `ANSWERED` were answered first."""


class Handling:
    """The handling of the store's complaints. `by` names a column of `HandlingRow`; None: all are one group."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def received(self, region: str, first: date, last: date, by: str | None) -> list[tuple[date, str, list[int]]]:
        """Of each local day and group: how many complaints came, and of how many each of `RECEIVED` holds.

        Raises:
            StoreError: the store cannot be read.
        """
        row, name = HandlingRow, group_name(by)
        sums = [func.sum(case((condition, 1), else_=0)) for condition in RECEIVED.values()]
        query = select(row.day, name, func.count(), *sums)
        query = query.where(row.region == region, row.day.between(first, last)).group_by(row.day, name)
        with self._database.reading() as connection:
            return [(day, group, list(map(int, counts))) for day, group, *counts in connection.execute(query)]

    def due(self, region: str, begin: datetime, end: datetime, by: str | None) -> dict[str, tuple[int, int]]:
        """Of each group how many answers came due from `begin` to before `end`, and how many came in time.

        Raises:
            StoreError: the store cannot be read.
        """
        row, name = HandlingRow, group_name(by)
        query = select(name, func.count(), func.sum(case((is_met(), 1), else_=0))).group_by(name)
        span = (row.due_at >= naive_utc(begin), row.due_at < naive_utc(end))
        with self._database.reading() as connection:
            found = connection.execute(query.where(row.region == region, *span))
            return {group: (int(due), int(met)) for group, due, met in found}

    def routed(self, region: str, first: date, last: date) -> dict[date, Pairs]:
        """Of complaints of these local days that went somewhere, by day: when they came, when they went.

        Raises:
            StoreError: the store cannot be read.
        """
        row = HandlingRow
        went = went_at()
        of_days = (row.region == region, row.day.between(first, last), went.is_not(None))
        with self._database.reading() as connection:
            return _pairs(connection, row.day, row.created_at, went, of_days)

    def answered(self, region: str, begin: datetime, end: datetime, by: str | None) -> dict[str, Pairs]:
        """Of complaints whose first answer came from `begin` to before `end`, by group: when they came, when it came.

        Raises:
            StoreError: the store cannot be read.
        """
        row = HandlingRow
        in_span = (row.region == region, row.answered_at >= naive_utc(begin), row.answered_at < naive_utc(end))
        with self._database.reading() as connection:
            return _pairs(connection, group_name(by), row.created_at, row.answered_at, in_span)


def group_name(by: str | None) -> ColumnElement[Any]:
    """The column of groups, by the name of one of `HandlingRow`'s; None: all are one."""
    if by is None:
        return literal("").label("name")
    column: ColumnElement[Any] = getattr(HandlingRow, by)
    return (func.coalesce(column, UNKNOWN_PLACE) if by == "municipality" else column).label("name")


def _pairs(
    connection: Connection, key: Any, first: Any, second: Any, where: Sequence[ColumnElement[bool]]
) -> dict[Any, Pairs]:
    """Two moments of each row, by a key: a row for each key, for Python takes longer over rows than the database."""
    gathered = (_gathered(connection.dialect.name, moment) for moment in (first, second))
    rows = connection.execute(select(key, *gathered).where(*where).group_by(key))
    return {each: (_moments(came), _moments(went)) for each, came, went in rows}


def _gathered(dialect: str, moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """The moments of a group; SQLite's are texts."""
    return func.group_concat(type_coerce(moment, NullType())) if dialect == "sqlite" else func.array_agg(moment)


def _moments(gathered: str | list[datetime]) -> Moments:
    return np.array(gathered.split(",") if isinstance(gathered, str) else gathered, "datetime64[us]")
