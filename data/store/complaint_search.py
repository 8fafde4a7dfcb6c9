"""Decided complaints as they stand, searched and filtered, page by page, the newest decision first.

In: a region and what is wanted. Out: pages. The first page fixes what «newest» means by the number of the last decision
there is then (`as_of`): later pages show the complaints as they stood, so that none is shown twice or left out however
many are decided or sent again meanwhile. Labels are the operator's where one said so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, case, collate, func, or_, select
from sqlalchemy.orm import aliased

from data.store.corrections import CorrectionRow, Labels
from data.store.decisions import DecisionRow
from data.store.handling import HEADS, HandlingRow
from data.store.handling_sums import COUNTED, CountedIn, group_name
from data.store.session import HOLDS, Database
from data.store.tables import naive_utc, utc
from data.store.undos import standing

UNICODE = "und-x-icu"
"""PostgreSQL's collation that knows Cyrillic capitals whatever the database's own is."""
HasWord = Callable[[str], ColumnElement[bool]]


@dataclass(frozen=True)
class ComplaintFilter:
    """What is wanted; None wants all.

    Attributes:
        since, until: local days, inclusive.
        sector, topic, agency: as they stand.
        decision: of the classifier.
        corrected: whether an operator said otherwise.
        counted_in: a figure of `handling_sums.COUNTED`: only those that it counts.
        group: only those of a group of these figures: a column of `HandlingRow`, and what it holds.
        due: from and to before which moments the answer came due.
        answered: the same of their first answers.
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
    group: tuple[str, str] | None = None
    due: tuple[datetime, datetime] | None = None
    answered: tuple[datetime, datetime] | None = None
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
                last = select(func.max(HandlingRow.number)).where(HandlingRow.region == region)
                as_of = int(connection.scalar(last) or 0)
            last_number = as_of if below is None else min(as_of, below - 1)
            has = _has_word(connection.dialect.name)
            standing_now = _standing(region, wanted, last_number, has).limit(limit + 1)
            decided_again = _decided_again(region, wanted, as_of, last_number, has).limit(limit + 1)
            rows = [row for query in (standing_now, decided_again) for row in connection.execute(query)]
        rows.sort(key=lambda row: -row.number)
        shown = [_complaint(row) for row in rows[:limit]]
        return ComplaintPage(shown, as_of, shown[-1].number if len(rows) > limit else None)


def _standing(region: str, wanted: ComplaintFilter, last_number: int, has: HasWord) -> Select[Any]:
    """Complaints on which nothing was decided later: their handling tells all but texts and said agencies."""
    handled = HandlingRow
    stands: dict[str, Any] = {"sector": handled.sector, "topic": handled.topic, "agency": _stands("agency")}
    query = _columns(stands).join(handled, handled.number == DecisionRow.number)
    query = query.where(handled.region == region, handled.number <= last_number)
    return query.where(*_conditions(wanted, handled, stands, has)).order_by(handled.number.desc())


def _decided_again(region: str, wanted: ComplaintFilter, as_of: int, last_number: int, has: HasWord) -> Select[Any]:
    """Complaints that were sent again after `as_of`, as they stood then; what operators said of them holds."""
    row, handled = DecisionRow, HandlingRow
    same = (row.region == handled.region) & (row.source == handled.source) & (row.id == handled.id)
    stands = {head: _stands(head) for head in HEADS}
    query = _columns(stands).join(handled, same)
    query = query.where(handled.region == region, handled.number > as_of)
    query = query.where(row.number <= last_number, _newest_as_of(as_of))
    return query.where(*_conditions(wanted, row, stands, has)).order_by(row.number.desc())


def _columns(stands: Mapping[str, Any]) -> Select[Any]:
    query: Select[Any] = select(DecisionRow).add_columns(_is_said().label("corrected"))
    return query.add_columns(*(label.label(f"stands_{head}") for head, label in stands.items()))


def _stands(head: str) -> ColumnElement[str]:
    """The operator's label, else the decision's; the agency of a handling may be of an outcome."""
    said = _said_agency() if head == "agency" else getattr(HandlingRow, head)
    return case((getattr(HandlingRow, f"agrees_{head}").is_(None), getattr(DecisionRow, head)), else_=said)


def _conditions(
    wanted: ComplaintFilter, facts: Any, stands: Mapping[str, Any], has: HasWord
) -> list[ColumnElement[bool]]:
    """What is wanted, of columns of `facts`: the row that has day, municipality and decision."""
    equal = {name: getattr(facts, name) for name in ("municipality", "decision")} | dict(stands)
    conditions = [
        column == getattr(wanted, name) for name, column in equal.items() if getattr(wanted, name) is not None
    ]
    if wanted.since is not None:
        conditions.append(facts.day >= wanted.since)
    if wanted.until is not None:
        conditions.append(facts.day <= wanted.until)
    if wanted.counted_in is not None:
        conditions.append(COUNTED[wanted.counted_in])
    if wanted.group is not None:
        by, name = wanted.group
        conditions.append(group_name(by) == name)
    for moment, span in ((HandlingRow.due_at, wanted.due), (HandlingRow.answered_at, wanted.answered)):
        if span is not None:
            begin, end = map(naive_utc, span)
            conditions += [moment >= begin, moment < end]
    if wanted.corrected is not None:
        conditions.append(_is_said() if wanted.corrected else ~_is_said())
    return conditions + [has(word.lower()) for word in wanted.words]


def _is_said() -> ColumnElement[bool]:
    """That an operator said something of a label, the same or another."""
    return or_(*(getattr(HandlingRow, f"agrees_{head}").is_not(None) for head in HEADS))


def _said_agency() -> ColumnElement[Any]:
    """The agency that an operator named last."""
    said, handled = CorrectionRow, HandlingRow
    same = (said.region == handled.region, said.source == handled.source, said.complaint_id == handled.id)
    query = select(said.agency).where(*same, said.agency.is_not(None), standing(said.number))
    return query.order_by(said.number.desc()).limit(1).scalar_subquery()


def _newest_as_of(as_of: int) -> ColumnElement[bool]:
    """That no later decision on the same complaint existed then: one look into an index for each row."""
    later, row = aliased(DecisionRow), DecisionRow
    same = (later.region == row.region) & (later.source == row.source) & (later.id == row.id)
    return ~select(later.number).where(same, later.number > row.number, later.number <= as_of).exists()


def _has_word(dialect: str) -> HasWord:
    """The condition that a text holds a word in lower case; SQLite's own functions know Latin letters only."""
    if dialect == "sqlite":
        return lambda word: getattr(func, HOLDS)(DecisionRow.text, word)
    return lambda word: func.lower(collate(DecisionRow.text, UNICODE)).contains(word, autoescape=True)


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
