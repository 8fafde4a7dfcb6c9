"""The audit: who asked what, and who saw which complaint. Without texts; appended only.

In: entries, many at once. Out: entries, the newest first, by who, when, where, which address and which complaint. A
complaint that was erased stands here under a digest of its id, so that it can still be shown who saw it to somebody
who knows which complaint is meant, and to nobody else.
"""

import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from getpass import getuser
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, Select, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from data.store.digests import digest
from data.store.session import Database
from data.store.tables import NUMBER, Table, naive_utc, utc

PAGE = 2000
"""Entries that are read at once."""
COMMAND_LINE = "command-line"
COMMAND = "command"
"""Stands for the method where somebody at the installation's own command line did it."""


class AuditRow(Table):
    """One request, or one command; `at` is UTC."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_by_time", "at"),)

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    key_id: Mapped[str]
    key_name: Mapped[str]
    role: Mapped[str]
    region: Mapped[str]
    method: Mapped[str]
    route: Mapped[str]
    status: Mapped[int]
    request_id: Mapped[str]


class AuditComplaintRow(Table):
    """One complaint that an audited answer showed or decided."""

    __tablename__ = "audit_complaints"
    __table_args__ = (Index("audit_by_complaint", "complaint_id", "region"),)

    audit: Mapped[int] = mapped_column(NUMBER, ForeignKey("audit.number"), primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    region: Mapped[str]
    source: Mapped[str]
    complaint_id: Mapped[str]


@dataclass(frozen=True)
class AuditEntry:
    """One request, or one command.

    Attributes:
        key_id: names the key without saying it.
        key_name: whose it is; of a command, the user of the operating system.
        route: template of the path, ids in braces.
        status: of the answer; 0 of a command.
        complaints: source and id of each complaint that the answer showed or decided.
    """

    at: datetime
    key_id: str
    key_name: str
    role: str
    region: str
    method: str
    route: str
    status: int
    request_id: str
    complaints: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class AuditFilter:
    """Which entries are wanted; None: any. `complaint_id` finds an erased complaint too."""

    since: datetime | None = None
    until: datetime | None = None
    key_id: str | None = None
    region: str | None = None
    route: str | None = None
    complaint_id: str | None = None


class Audit:
    """The audit of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, entries: Sequence[AuditEntry]) -> None:
        """Store entries, in this order; all or none.

        Raises:
            StoreError: nothing was stored.
        """
        if entries:
            with self._database.writing() as connection:
                save_entries(connection, entries)

    def entries(self, wanted: AuditFilter) -> Iterator[AuditEntry]:
        """The entries that are wanted, the newest first; read a page at a time.

        Raises:
            StoreError: the database cannot be read.
        """
        before: int | None = None
        while True:
            query = _query(wanted).order_by(AuditRow.number.desc()).limit(PAGE)
            query = query if before is None else query.where(AuditRow.number < before)
            with self._database.reading() as connection:
                rows = [row._asdict() for row in connection.execute(query)]
                shown = select(AuditComplaintRow).where(AuditComplaintRow.audit.in_([row["number"] for row in rows]))
                complaints: dict[int, list[tuple[str, str]]] = {}
                for seen in connection.execute(shown.order_by(AuditComplaintRow.audit, AuditComplaintRow.place)):
                    complaints.setdefault(seen.audit, []).append((seen.source, seen.complaint_id))
            for row in rows:
                before = row.pop("number")
                seen_ones = tuple(complaints.get(int(before or 0), ()))
                yield AuditEntry(**row | {"at": utc(row["at"])}, complaints=seen_ones)
            if len(rows) < PAGE:
                return


def save_entries(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Store entries in a transaction."""
    rows = [
        {name: value for name, value in vars(entry).items() if name != "complaints"} | {"at": naive_utc(entry.at)}
        for entry in entries
    ]
    numbers = connection.scalars(insert(AuditRow).returning(AuditRow.number, sort_by_parameter_order=True), rows)
    complaints = [
        {"audit": number, "place": place, "region": entry.region, "source": source, "complaint_id": name}
        for number, entry in zip(numbers, entries, strict=True)
        for place, (source, name) in enumerate(entry.complaints)
    ]
    if complaints:
        connection.execute(insert(AuditComplaintRow), complaints)


def command_entry(command: str, region: str = "", complaints: tuple[tuple[str, str], ...] = ()) -> AuditEntry:
    """The entry of a command of whoever sits at this machine."""
    return AuditEntry(
        at=datetime.now(UTC),
        key_id=COMMAND_LINE,
        key_name=_user(),
        role="admin",
        region=region,
        method=COMMAND,
        route=command,
        status=0,
        request_id=uuid.uuid4().hex,
        complaints=complaints,
    )


def _user() -> str:
    """Who is logged in; in a container, that may have no name."""
    try:
        return getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def erased_name(complaint_id: str) -> str:
    """What a complaint is called once it is erased: a digest of its id."""
    return "sha256:" + digest(complaint_id)


def _query(wanted: AuditFilter) -> Select[Any]:
    query = select(*AuditRow.__table__.columns)
    for column, value in ((AuditRow.key_id, wanted.key_id), (AuditRow.region, wanted.region)):
        query = query if value is None else query.where(column == value)
    if wanted.route is not None:
        query = query.where(AuditRow.route == wanted.route)
    if wanted.since is not None:
        query = query.where(AuditRow.at >= naive_utc(wanted.since))
    if wanted.until is not None:
        query = query.where(AuditRow.at < naive_utc(wanted.until))
    if wanted.complaint_id is not None:
        query = query.where(AuditRow.number.in_(_that_saw(wanted.complaint_id)))
    return query


def _that_saw(complaint_id: str) -> Select[Any]:
    """Numbers of the entries about complaints of this id, or about erased ones that had it."""
    names = (complaint_id, erased_name(complaint_id))
    return select(AuditComplaintRow.audit).where(AuditComplaintRow.complaint_id.in_(names))
