"""Management decisions (управленческие решения): what was decided because of what the figures said.

In: what was decided, by whom, until when, and the evidence: a surge, a cell of the heat map, a new topic or a KPI, as
it was shown. Out: the decisions of a region, the newest first. They have nothing to do with routing decisions
(`decisions.py`). The evidence is kept as it was on that day, without the complaints behind it, so that the erasure of a
complaint has nothing to look for here; texts are masked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args

from sqlalchemy import JSON, Index, Row, case, func, insert, null, select, update
from sqlalchemy.orm import Mapped, mapped_column

from data.complaints.masking import mask
from data.errors import UnknownDecisionError
from data.store.session import Database
from data.store.tables import NUMBER, Table, naive_utc, utc

Status = Literal["open", "done", "dropped"]
EvidenceKind = Literal["surge", "heatmap", "topic", "kpi"]
STATUSES: tuple[Status, ...] = get_args(Status)
OF_COMPLAINTS = {"complaints", "examples", "text", "id", "source"}
"""Keys of a snapshot that would name single complaints: they are left out."""


class ManagementDecisionRow(Table):
    """One management decision; moments are UTC, `due_on` is a local day; `evidence` is null where there is none."""

    __tablename__ = "management_decisions"
    __table_args__ = (Index("management_decisions_by_time", "region", "created_at"),)

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    region: Mapped[str]
    what: Mapped[str]
    responsible: Mapped[str]
    due_on: Mapped[date | None]
    status: Mapped[str]
    result: Mapped[str | None]
    evidence_kind: Mapped[str | None]
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    author: Mapped[str]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Evidence:
    """What a decision rests on, as it was shown.

    Attributes:
        title: in a few words.
        link: the console's page that shows it as it is today; None: there is none.
        data: its figures as they were.
    """

    kind: EvidenceKind
    title: str
    link: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True)
class ManagementDecision:
    """A decision as it stands."""

    number: int
    what: str
    responsible: str
    due_on: date | None
    status: str
    result: str | None
    evidence: Evidence | None
    author: str
    created_at: datetime
    changed_at: datetime
    closed_at: datetime | None


class ManagementDecisions:
    """The management decisions of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, region: str, what: str, responsible: str, due_on: date | None, evidence: Evidence | None, author: str
    ) -> ManagementDecision:
        """Record one. Raises StoreError."""
        now = naive_utc(datetime.now(UTC))
        kept = null() if evidence is None else _snapshot(evidence)
        row = {
            "region": region,
            "what": mask(what),
            "responsible": responsible,
            "due_on": due_on,
            "status": "open",
            "evidence_kind": None if evidence is None else evidence.kind,
            "evidence": kept,
            "author": author,
            "created_at": now,
            "changed_at": now,
        }
        with self._database.writing() as connection:
            number = connection.scalar(
                insert(ManagementDecisionRow).values(row).returning(ManagementDecisionRow.number)
            )
        return self.get(region, int(number or 0))

    def change(self, region: str, number: int, changes: Mapping[str, Any]) -> ManagementDecision:
        """Change some of `what`, `responsible`, `due_on`, `status`, `result`.

        Raises:
            UnknownDecisionError: the region has no such decision.
            StoreError: nothing was changed.
        """
        now = naive_utc(datetime.now(UTC))
        masked = {
            name: mask(value) if name in ("what", "result") and value else value for name, value in changes.items()
        }
        if "status" in changes:
            masked["closed_at"] = None if changes["status"] == "open" else now
        row = ManagementDecisionRow
        mine = update(row).where(row.region == region, row.number == number)
        with self._database.writing() as connection:
            if not connection.execute(mine.values(**masked, changed_at=now)).rowcount:
                raise UnknownDecisionError(f"region {region!r} has no management decision {number}")
        return self.get(region, number)

    def get(self, region: str, number: int) -> ManagementDecision:
        """One of them.

        Raises:
            UnknownDecisionError: the region has no such decision.
            StoreError: the database cannot be read.
        """
        row = ManagementDecisionRow
        with self._database.reading() as connection:
            found = connection.execute(select(row).where(row.region == region, row.number == number)).one_or_none()
        if found is None:
            raise UnknownDecisionError(f"region {region!r} has no management decision {number}")
        return _decision(found)

    def newest(self, region: str, statuses: Sequence[Status], limit: int) -> list[ManagementDecision]:
        """Those of these statuses, the newest first. Raises StoreError."""
        row = ManagementDecisionRow
        ours = select(row).where(row.region == region, row.status.in_(statuses))
        with self._database.reading() as connection:
            rows = connection.execute(ours.order_by(row.number.desc()).limit(limit)).all()
        return [_decision(each) for each in rows]

    def count(self, region: str, begin: datetime, end: datetime) -> tuple[int, int]:
        """How many recorded from `begin` to before `end` (UTC, naive) rest on evidence, and how many there are."""
        row = ManagementDecisionRow
        resting = func.coalesce(func.sum(case((row.evidence_kind.is_not(None), 1), else_=0)), 0)
        span = (row.region == region, row.created_at >= begin, row.created_at < end)
        with self._database.reading() as connection:
            counted = connection.execute(select(resting, func.count()).where(*span)).one()
        return int(counted[0]), int(counted[1])


def _snapshot(evidence: Evidence) -> dict[str, Any]:
    return {"title": mask(evidence.title), "link": evidence.link, "data": _without_complaints(evidence.data)}


def _without_complaints(value: Any) -> Any:
    """The same without what names single complaints, its texts masked."""
    if isinstance(value, Mapping):
        return {str(key): _without_complaints(each) for key, each in value.items() if key not in OF_COMPLAINTS}
    if isinstance(value, list):
        return [_without_complaints(each) for each in value]
    return mask(value) if isinstance(value, str) else value


def _decision(row: Row[Any]) -> ManagementDecision:
    kept = row.evidence
    return ManagementDecision(
        **{
            name: getattr(row, name)
            for name in ("number", "what", "responsible", "due_on", "status", "result", "author")
        },
        evidence=None if row.evidence_kind is None else Evidence(row.evidence_kind, **kept),
        created_at=utc(row.created_at),
        changed_at=utc(row.changed_at),
        closed_at=None if row.closed_at is None else utc(row.closed_at),
    )
