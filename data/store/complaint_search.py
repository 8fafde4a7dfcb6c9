"""Decided complaints as they stand, searched and filtered, page by page, the newest decision first.

In: a region and what is wanted. Out: pages. The first page fixes what «newest» means by the number of the last decision
there is then (`as_of`): later pages show the complaints as they stood, so that none is shown twice or left out however
many are decided or sent again meanwhile. Labels are the operator's where one said so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, Subquery, collate, func, or_, select
from sqlalchemy.orm import aliased

from data.store.corrections import CorrectionRow, Labels, corrected
from data.store.decisions import DecisionRow
from data.store.handling import HandlingRow
from data.store.handling_sums import COUNTED, CountedIn
from data.store.session import FOLD, Database
from data.store.tables import naive_utc, utc

UNICODE = "und-x-icu"
"""PostgreSQL's collation that knows Cyrillic capitals whatever the database's own is."""


@dataclass(frozen=True)
class ComplaintFilter:
    """What is wanted; None wants all.

    Attributes:
        since, until: local days, inclusive.
        sector, topic, agency: as they stand.
        decision: of the classifier.
        corrected: whether an operator said otherwise.
        counted_in: a figure of `handling_sums.COUNTED`: only those that it counts.
        due: from and to before which moments the answer came due.
        words: each must occur in the masked text, letter case apart.
    """

    since: date | None = None
    until: date | None = None
    municipality: str | None = None
    sector: str | None = None
    topic: str | None = None
    agency: str | None = None
    decision: Literal["route", "review"] | None = None
    corrected: bool | None = None
    counted_in: CountedIn | None = None
    due: tuple[datetime, datetime] | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class DecidedComplaint:
    """A complaint as it stands.

    Attributes:
        number: of its newest decision.
        text: masked.
        decided: the classifier's labels.
        stands: these, or the operator's where one said otherwise.
        corrected: whether one did.
        due_at: by when the answer is due; None where none is owed, or nothing says when.
    """

    number: int
    source: str
    id: str
    text: str
    municipality: str | None
    created_at: datetime
    received_at: datetime
    decision: str
    reasons: list[str]
    confidence: float
    model_version: str
    decided: Labels
    stands: Labels
    corrected: bool
    due_at: datetime | None


@dataclass(frozen=True)
class ComplaintPage:
    """Some complaints, and what the next page is asked with; `next_below` None: there is none."""

    complaints: list[DecidedComplaint]
    as_of: int
    next_below: int | None


class ComplaintSearch:
    """Search among the complaints of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self, region: str, wanted: ComplaintFilter, limit: int, as_of: int | None = None, below: int | None = None
    ) -> ComplaintPage:
        """At most `limit` complaints whose newest decision up to `as_of` is numbered below `below`.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._database.reading() as connection:
            if as_of is None:
                last = select(func.max(DecisionRow.number)).where(DecisionRow.region == region)
                as_of = int(connection.scalar(last) or 0)
            fold = self._folded(connection.dialect.name)
            query = _query(region, wanted, as_of, fold).order_by(DecisionRow.number.desc()).limit(limit + 1)
            if below is not None:
                query = query.where(DecisionRow.number < below)
            rows = connection.execute(query).all()
        shown = [_complaint(row) for row in rows[:limit]]
        return ComplaintPage(shown, as_of, shown[-1].number if len(rows) > limit else None)

    @staticmethod
    def _folded(dialect: str) -> ColumnElement[str]:
        """The text in one letter case; SQLite's own functions know Latin letters only."""
        if dialect == "sqlite":
            return getattr(func, FOLD)(DecisionRow.text)  # type: ignore[no-any-return]
        return func.lower(collate(DecisionRow.text, UNICODE))


def _query(region: str, wanted: ComplaintFilter, as_of: int, text: ColumnElement[str]) -> Select[Any]:
    row = DecisionRow
    said = {name: corrected(getattr(CorrectionRow, name), region) for name in ("sector", "topic", "agency")}
    stands = {name: func.coalesce(said[name].c.label, getattr(row, name)) for name in said}
    query: Any = select(row, *(stands[name].label(f"stands_{name}") for name in stands))
    query = query.add_columns(or_(*(each.c.label.is_not(None) for each in said.values())).label("corrected"))
    for each in said.values():
        query = query.join(each, _same(each), isouter=True)
    conditions: list[ColumnElement[bool]] = [row.region == region, row.number <= as_of, _newest_as_of(as_of)]
    if wanted.since is not None:
        conditions.append(row.day >= wanted.since)
    if wanted.until is not None:
        conditions.append(row.day <= wanted.until)
    for column, value in ((row.municipality, wanted.municipality), (row.decision, wanted.decision)):
        if value is not None:
            conditions.append(column == value)
    if wanted.counted_in is not None or wanted.due is not None:
        query = query.join(HandlingRow, _same_row())
    if wanted.counted_in is not None:
        conditions.append(COUNTED[wanted.counted_in])
    if wanted.due is not None:
        begin, end = map(naive_utc, wanted.due)
        conditions += [HandlingRow.due_at >= begin, HandlingRow.due_at < end]
    labels = {name: getattr(wanted, name) for name in stands}
    conditions += [stands[name] == label for name, label in labels.items() if label is not None]
    if wanted.corrected is not None:
        any_said = or_(*(each.c.label.is_not(None) for each in said.values()))
        conditions.append(any_said if wanted.corrected else ~any_said)
    conditions += [text.contains(word.lower(), autoescape=True) for word in wanted.words]
    return query.where(*conditions)  # type: ignore[no-any-return]


def _same(said: Subquery) -> ColumnElement[bool]:
    return (said.c.source == DecisionRow.source) & (said.c.complaint_id == DecisionRow.id)


def _same_row() -> ColumnElement[bool]:
    """A complaint's handling is of its newest decision of all, which may be a later one than the page shows."""
    row, handled = DecisionRow, HandlingRow
    return (handled.region == row.region) & (handled.source == row.source) & (handled.id == row.id)


def _newest_as_of(as_of: int) -> ColumnElement[bool]:
    """That no later decision on the same complaint existed then: one look into an index for each row."""
    later, row = aliased(DecisionRow), DecisionRow
    same = (later.region == row.region) & (later.source == row.source) & (later.id == row.id)
    return ~select(later.number).where(same, later.number > row.number, later.number <= as_of).exists()


def _complaint(row: Row[Any]) -> DecidedComplaint:
    names: Sequence[str] = ("number", "source", "id", "text", "municipality", "decision", "reasons", "model_version")
    return DecidedComplaint(
        **{name: getattr(row, name) for name in names},
        created_at=utc(row.created_at),
        received_at=utc(row.received_at),
        confidence=row.agency_confidence,
        decided=Labels(row.sector, row.topic, row.agency),
        stands=Labels(row.stands_sector, row.stands_topic, row.stands_agency),
        corrected=bool(row.corrected),
        due_at=None if row.due_at is None else utc(row.due_at),
    )
