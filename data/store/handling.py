"""How complaints were handled: each with its decision, what an operator said, its deadline and its outcomes.

In: a region and which complaints: received, due or answered within a span. Out: a frame that KPIs are computed from
(`data/kpi/`). Only reads, through indexes of the span: it takes as long as the span has complaints, not the store.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, select, true

from data.store.corrections import HEADS, CorrectionRow
from data.store.decisions import DecisionRow, newest
from data.store.outcomes import OutcomeRow
from data.store.session import Database
from data.store.tables import naive_utc
from data.store.undos import standing

KEY = ["source", "id"]
DECIDED = ("source", "id", "municipality", "created_at", "received_at", "day", "decision", "due_at", *HEADS)
MOMENTS = ("created_at", "received_at", "due_at")
ANSWERS = ("answered", "closed")
"""Events that are an answer: a system that tells only of closing has answered by then."""


class Handling:
    """The handling of the store's complaints. Every frame has one row a complaint, by its newest decision.

    Columns: `source, id, municipality, day, decision`; `created_at, received_at, due_at` (UTC, naive; due_at may be
    NaT); `sector, topic, agency` as they stand; `said_HEAD` what an operator said, None where nothing; `decided_HEAD`
    what the classifier said; `spoken_at` when an operator said something first; `told` whether any outcome is known;
    `sent_at`, `answered_at` the first ones; `reroutings` how many. An outcome's agency stands before a label's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def received(self, region: str, first: date, last: date) -> pd.DataFrame:
        """The complaints of these local days. Raises StoreError."""
        return self._frame(region, DecisionRow.day.between(first, last))

    def due(self, region: str, begin: datetime, end: datetime) -> pd.DataFrame:
        """Those whose answer is due from `begin` to before `end`. Raises StoreError."""
        row = DecisionRow
        return self._frame(region, and_(row.due_at >= naive_utc(begin), row.due_at < naive_utc(end)))

    def answered(self, region: str, begin: datetime, end: datetime) -> pd.DataFrame:
        """Those whose first answer came from `begin` to before `end`. Raises StoreError."""
        begin, end = naive_utc(begin), naive_utc(end)
        row = OutcomeRow
        span = select(row.source, row.complaint_id).where(
            row.region == region, row.event.in_(ANSWERS), row.at >= begin, row.at < end
        )
        frame = self._frame(region, true(), span.distinct().subquery())
        return frame[frame["answered_at"] >= begin].reset_index(drop=True)

    def _frame(self, region: str, wanted: ColumnElement[bool], among: Subquery | None = None) -> pd.DataFrame:
        """The complaints that are wanted; those of `among` (`source, complaint_id`), where it is given."""
        row = DecisionRow
        ours = select(row).where(row.region == region, wanted, newest())
        if among is not None:
            ours = ours.join(among, (among.c.source == row.source) & (among.c.complaint_id == row.id))
        with self._database.reading() as connection:
            decided = _read(connection, ours.with_only_columns(*(getattr(row, name) for name in DECIDED)), DECIDED)
            said = _said(connection, ours)
            told = _told(connection, ours)
        decided = decided.assign(**{name: _moments(decided[name]) for name in MOMENTS})
        frame = decided.merge(said, "left", KEY).merge(told, "left", KEY)
        for head in HEADS:
            frame[f"decided_{head}"] = frame[head]
            frame[head] = frame[f"said_{head}"].fillna(frame[head])
        frame["agency"] = frame["now_at"].fillna(frame["agency"])
        return frame.assign(reroutings=frame["reroutings"].fillna(0).astype("int64"), told=frame["told"].eq(True))


def _said(connection: Connection, ours: Select[Any]) -> pd.DataFrame:
    """Of each complaint what operators said last of each label, and when one said something first."""
    row = CorrectionRow
    same = (
        (DecisionRow.region == row.region) & (DecisionRow.source == row.source) & (DecisionRow.id == row.complaint_id)
    )
    columns: list[Any] = [row.source, row.complaint_id, row.received_at, *(getattr(row, head) for head in HEADS)]
    query: Select[Any] = (
        ours.join(row, same).where(standing(row.number)).with_only_columns(*columns).order_by(row.number)
    )
    frame = _read(connection, query, [*KEY, "spoken_at", *(f"said_{head}" for head in HEADS)])
    frame["spoken_at"] = _moments(frame["spoken_at"])
    last = dict.fromkeys((f"said_{head}" for head in HEADS), "last")  # of pandas, which skips what is None
    return frame.groupby(KEY, as_index=False, sort=False).agg({"spoken_at": "min", **last})


def _told(connection: Connection, ours: Select[Any]) -> pd.DataFrame:
    """Of each complaint with outcomes: when it was first sent and answered, its re-routings, who has it now."""
    row = OutcomeRow
    same = (
        (DecisionRow.region == row.region) & (DecisionRow.source == row.source) & (DecisionRow.id == row.complaint_id)
    )
    columns: list[Any] = [row.source, row.complaint_id, row.event, row.at, row.agency]
    query = ours.join(row, same).with_only_columns(*columns).order_by(row.number)
    frame = _read(connection, query, [*KEY, "event", "at", "agency"])
    at = _moments(frame["at"])
    events = pd.DataFrame(
        {
            **{name: frame[name] for name in KEY},
            "sent_at": at.where(frame["event"].eq("sent")),
            "answered_at": at.where(frame["event"].isin(ANSWERS)),
            "reroutings": frame["event"].eq("rerouted"),
            "now_at": frame["agency"],
            "told": True,
        }
    )
    how = {"sent_at": "min", "answered_at": "min", "reroutings": "sum", "now_at": "last", "told": "any"}
    return events.groupby(KEY, as_index=False, sort=False).agg(how)


def _read(connection: Connection, query: Select[Any], columns: Sequence[str]) -> pd.DataFrame:
    rows = [tuple(row) for row in connection.execute(query)]
    return pd.DataFrame(rows, columns=list(columns), dtype=object)


def _moments(column: "pd.Series[Any]") -> "pd.Series[pd.Timestamp]":
    return pd.to_datetime(column).astype("datetime64[ns]")
