"""How complaints were handled: one row a complaint, which says how its newest decision, operators and outcomes left it.

In: complaints of which something was written, in the transaction that wrote it. Out: their rows anew. All of it can be
read off the other tables; a table of its own, because figures of a week would look up every complaint in all of them.
"""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import BindParameter, Connection, Executable, ForeignKey, Index, bindparam, delete, text
from sqlalchemy.orm import Mapped, mapped_column

from data.store.tables import NUMBER, Table

HEADS = ("sector", "topic", "agency")
REPEAT_DAYS = 7
"""How long after a complaint another one of the same place and topic is a repeat."""


class HandlingRow(Table):
    """One complaint; all moments are UTC, `day` is local.

    Attributes:
        number: of its newest decision.
        week_before: `REPEAT_DAYS` before it came: another one of its place and topic since then makes it a repeat.
        sector, topic: the operator's, where one said so, else the classifier's.
        agency: who has it: of its last outcome, else the operator's, else the classifier's.
        agrees_sector, agrees_topic, agrees_agency: whether the operator said what the classifier did; None: nothing.
        spoken_at: when an operator said something first.
        told: whether any outcome is known.
        sent_at, answered_at: the first ones; closing is an answer: a system that tells only of it has answered by then.
        reroutings: how many are known.
    """

    __tablename__ = "handling"
    __table_args__ = (
        Index("handling_by_complaint", "region", "source", "id", unique=True),
        Index("handling_by_number", "region", "number"),
        Index("handling_by_day", "region", "day", "municipality", "sector", "source"),
        Index("handling_by_due", "region", "due_at"),
        Index("handling_by_answer", "region", "answered_at"),
        Index("handling_by_place", "region", "municipality", "topic", "created_at"),
    )

    number: Mapped[int] = mapped_column(NUMBER, ForeignKey("decisions.number"), primary_key=True, autoincrement=False)
    region: Mapped[str]
    source: Mapped[str]
    id: Mapped[str]
    municipality: Mapped[str | None]
    day: Mapped[date]
    decision: Mapped[str]
    created_at: Mapped[datetime]
    week_before: Mapped[datetime]
    received_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    sector: Mapped[str]
    topic: Mapped[str]
    agency: Mapped[str]
    agrees_sector: Mapped[bool | None]
    agrees_topic: Mapped[bool | None]
    agrees_agency: Mapped[bool | None]
    spoken_at: Mapped[datetime | None]
    told: Mapped[bool]
    sent_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    reroutings: Mapped[int]


COLUMNS = tuple(HandlingRow.__table__.columns.keys())
WEEK_BEFORE = {
    "sqlite": f"datetime(substr(created_at, 1, 19), '-{REPEAT_DAYS} days') || substr(created_at, 20)",
    "postgresql": f"created_at - interval '{REPEAT_DAYS} days'",
}
"""SQLite's moments are texts; its own arithmetic would cut their microseconds off."""
_SAID = """(SELECT c.{head} FROM corrections c
    WHERE c.region = d.region AND c.source = d.source AND c.complaint_id = d.id AND c.{head} IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM undone_corrections u WHERE u.correction = c.number)
    ORDER BY c.number DESC LIMIT 1) AS said_{head}"""
_TOLD = "FROM outcomes o WHERE o.region = d.region AND o.source = d.source AND o.complaint_id = d.id"
_INSERT = """INSERT INTO handling ({columns}) SELECT {values} FROM (
SELECT d.*, {said},
    (SELECT c.received_at FROM corrections c
     WHERE c.region = d.region AND c.source = d.source AND c.complaint_id = d.id
     AND NOT EXISTS (SELECT 1 FROM undone_corrections u WHERE u.correction = c.number)
     ORDER BY c.number LIMIT 1) AS spoken_at,
    EXISTS (SELECT 1 {told}) AS told,
    (SELECT min(o.at) {told} AND o.event = 'sent') AS sent_at,
    (SELECT min(o.at) {told} AND o.event IN ('answered', 'closed')) AS answered_at,
    (SELECT count(*) {told} AND o.event = 'rerouted') AS reroutings,
    (SELECT o.agency {told} AND o.agency IS NOT NULL ORDER BY o.number DESC LIMIT 1) AS now_at
FROM decisions d WHERE region = :region AND source = :source AND id IN :ids AND NOT EXISTS (
    SELECT 1 FROM decisions l
    WHERE l.region = d.region AND l.source = d.source AND l.id = d.id AND l.number > d.number)) AS standing"""
_EXPRESSIONS = {
    "sector": "coalesce(said_sector, sector)",
    "topic": "coalesce(said_topic, topic)",
    "agency": "coalesce(now_at, said_agency, agency)",
    **{f"agrees_{head}": f"said_{head} = {head}" for head in HEADS},
}
ComplaintName = tuple[str, str, str]
"""Region, source and id."""


def refresh_handling(connection: Connection, keys: Sequence[ComplaintName]) -> None:
    """Write the rows of these complaints anew, in the transaction that has changed something of them."""
    by_source: dict[tuple[str, str], list[str]] = {}
    for region, source, name in dict.fromkeys(keys):
        by_source.setdefault((region, source), []).append(name)
    for (region, source), names in by_source.items():
        ours = {"region": region, "source": source, "ids": names}
        for statement in _statements(connection.dialect.name):
            connection.execute(statement, ours)


@lru_cache(maxsize=len(WEEK_BEFORE))
def _statements(dialect: str) -> tuple[Executable, Executable]:
    """What deletes rows, and what writes them anew."""
    row = HandlingRow
    ids: BindParameter[str] = bindparam("ids", expanding=True)
    old = delete(row).where(row.region == bindparam("region"), row.source == bindparam("source"), row.id.in_(ids))
    expressions = _EXPRESSIONS | {"week_before": WEEK_BEFORE[dialect]}
    new = _INSERT.format(
        columns=", ".join(COLUMNS),
        values=", ".join(expressions.get(name, name) for name in COLUMNS),
        said=", ".join(_SAID.format(head=head) for head in HEADS),
        told=_TOLD,
    )
    return old, text(new).bindparams(ids)
