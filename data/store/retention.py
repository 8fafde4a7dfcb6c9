"""Retention: how long the store keeps complaints and the audit; `configs/retention.yaml` says so.

In: the days of each. Out: what is older goes. A complaint is as old as the last that was decided or said of it: while
it is worked on, nothing of it goes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import Field
from sqlalchemy import delete, func, select, tuple_

from data.config import Config, load_config
from data.settings import settings
from data.store.audit import AuditComplaintRow, AuditRow
from data.store.corrections import CorrectionRow
from data.store.decisions import DecisionRow
from data.store.erasure import ComplaintKey, forget
from data.store.session import Database
from data.store.tables import naive_utc

TOGETHER = 500
"""Complaints that go in one transaction: some tenths of a second, in which nobody else can write SQLite."""


class Retention(Config):
    """Days that things are kept; null: for good. The keys of `retention.yaml`."""

    complaints_days: int | None = Field(default=None, ge=1)
    audit_days: int | None = Field(default=1095, ge=1)


@dataclass(frozen=True)
class Expired:
    """What is older than its retention.

    Attributes:
        complaints: with all their decisions and corrections.
        audit: entries.
    """

    complaints: int
    audit: int


class Expiry:
    """What of the store is over its retention. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def expired(self, retention: Retention, now: datetime) -> Expired:
        """Count what would go.

        Raises:
            StoreError: the database cannot be read.
        """
        complaints = sum(len(keys) for keys in self._complaints(_before(retention.complaints_days, now)))
        moment = _before(retention.audit_days, now)
        if moment is None:
            return Expired(complaints, 0)
        with self._database.reading() as connection:
            audit = connection.scalar(select(func.count()).where(AuditRow.at < moment))
        return Expired(complaints, int(audit or 0))

    def apply(self, retention: Retention, now: datetime) -> Expired:
        """Delete what is over; what went. Interrupted, it goes on with the rest when asked again.

        Raises:
            StoreError: some is left.
        """
        complaints = 0
        for keys in self._complaints(_before(retention.complaints_days, now)):
            with self._database.writing() as connection:
                forget(connection, keys)
            complaints += len(keys)
        audit = self._delete_audit(_before(retention.audit_days, now))
        self._database.overwrite_remains()
        return Expired(complaints, audit)

    def _complaints(self, moment: datetime | None) -> Iterator[list[ComplaintKey]]:
        """Complaints of which nothing is newer, some at a time."""
        if moment is None:
            return
        row, later = DecisionRow, CorrectionRow
        key = tuple_(row.region, row.source, row.id)
        same = (later.region == row.region) & (later.source == row.source) & (later.complaint_id == row.id)
        corrected = select(later.number).where(same, later.received_at >= moment).correlate(row).exists()
        query = (
            select(row.region, row.source, row.id)
            .where(~corrected)
            .group_by(row.region, row.source, row.id)
            .having(func.max(row.received_at) < moment)
            .order_by(row.region, row.source, row.id)
            .limit(TOGETHER)
        )
        last: tuple[str, str, str] | None = None
        while True:
            with self._database.reading() as connection:
                found = query if last is None else query.where(key > last)
                keys = [ComplaintKey(*each) for each in connection.execute(found)]
            if not keys:
                return
            last = (keys[-1].region, keys[-1].source, keys[-1].id)
            yield keys

    def _delete_audit(self, moment: datetime | None) -> int:
        if moment is None:
            return 0
        count = 0
        old = select(AuditRow.number).where(AuditRow.at < moment).order_by(AuditRow.number).limit(TOGETHER)
        while True:
            with self._database.writing() as connection:
                numbers = list(connection.scalars(old))
                connection.execute(delete(AuditComplaintRow).where(AuditComplaintRow.audit.in_(numbers)))
                connection.execute(delete(AuditRow).where(AuditRow.number.in_(numbers)))
            count += len(numbers)
            if len(numbers) < TOGETHER:
                return count


def load_retention() -> Retention:
    """Read `retention.yaml` of this installation.

    Raises:
        ConfigError: the file is missing or malformed; names the key.
    """
    return load_config(settings().configs / "retention.yaml", Retention)


def _before(days: int | None, now: datetime) -> datetime | None:
    return None if days is None else naive_utc(now - timedelta(days=days))
