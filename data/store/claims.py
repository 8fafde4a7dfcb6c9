"""Claims: that no two operators get the same complaint of the queue.

In: who asks, and which complaints he has on his screen already. Out: the first complaint of the queue that nobody else
has, his for some minutes; he keeps it by asking again, gives it back, or puts it aside. A claim that ran out is
another's to take: nobody has to free the complaints of an operator who went home.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, not_, or_, select, update

from data.store.review_queue import QueueFilter, QueueOrder, ordered_by, waiting
from data.store.reviews import UNCLAIMED, ReviewRow
from data.store.session import Database
from data.store.tables import naive_utc, utc

ComplaintId = tuple[str, str]
"""Source and id."""


@dataclass(frozen=True)
class Claim:
    """A complaint that is somebody's until then (UTC)."""

    source: str
    id: str
    until: datetime


class Claims:
    """The claims of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def next(
        self,
        region: str,
        holder: str,
        held: Sequence[ComplaintId],
        wanted: QueueFilter,
        lasting: timedelta,
        order: QueueOrder = "urgent",
    ) -> Claim | None:
        """The next complaint for this holder, none of those that he has on his screen; None where none is left.

        What he claimed before and has lost sight of, by loading the page again, comes first. Those that he holds stay
        his for as long.

        Args:
            region: whose queue.
            holder: who asks: a key and one of its screens.
            held: what he has on his screen; a complaint that another has got meanwhile stays that one's.
            wanted: only such complaints.
            lasting: how long nobody else gets it.
            order: which complaint comes first.

        Raises:
            StoreError: nothing was claimed.
        """
        row, now = ReviewRow, datetime.now(UTC)
        until = naive_utc(now + lasting)
        free = [*waiting(region, wanted), not_(_among(held)), _is_free(naive_utc(now))]
        mine = [*waiting(region, wanted), not_(_among(held)), row.claimed_by == holder]
        kept = update(row).where(row.region == region, row.closed_at.is_(None), row.claimed_by == holder, _among(held))
        with self._database.writing() as connection:
            if held:
                connection.execute(kept.values(claimed_until=until))
            number = _first(connection, mine, order) or _first(connection, free, order)
            return _claimed(connection, number, holder, until)

    def take(self, region: str, holder: str, complaint: ComplaintId, lasting: timedelta) -> Claim | None:
        """This complaint for this holder, put aside or not; None where another has it or it does not wait.

        Raises:
            StoreError: nothing was claimed.
        """
        row, now = ReviewRow, datetime.now(UTC)
        free = or_(row.claimed_by == holder, row.claimed_until.is_(None), row.claimed_until < naive_utc(now))
        this = [*waiting(region, QueueFilter()), _among([complaint]), free]
        with self._database.writing() as connection:
            return _claimed(connection, _first(connection, this), holder, naive_utc(now + lasting))

    def release(self, region: str, holder: str, complaints: Sequence[ComplaintId], later: timedelta | None) -> int:
        """Give complaints of this holder back, at once or, with `later`, to nobody before that; how many were his.

        Raises:
            StoreError: nothing was given back.
        """
        row = ReviewRow
        aside = None if later is None else naive_utc(datetime.now(UTC) + later)
        his = update(row).where(row.region == region, row.claimed_by == holder, _among(complaints))
        with self._database.writing() as connection:
            return connection.execute(his.values(**UNCLAIMED | {"later_until": aside})).rowcount


def _first(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], order: QueueOrder = "urgent"
) -> int | None:
    """The number of the first row of these, which no other transaction has its hand on."""
    query = select(ReviewRow.number).where(*conditions).order_by(*ordered_by(order)).limit(1)
    number: int | None = connection.scalar(query.with_for_update(skip_locked=True))
    return number


def _claimed(connection: Connection, number: int | None, holder: str, until: datetime) -> Claim | None:
    """The claim on the row of this number, written down."""
    if number is None:
        return None
    this = ReviewRow.number == number
    values = {"claimed_by": holder, "claimed_until": until, "later_until": None}
    connection.execute(update(ReviewRow).where(this).values(**values))
    found = connection.execute(select(ReviewRow.source, ReviewRow.id).where(this)).one()
    return Claim(found.source, found.id, utc(until))


def _is_free(now: datetime) -> ColumnElement[bool]:
    row = ReviewRow
    unclaimed = or_(row.claimed_until.is_(None), row.claimed_until < now)
    return and_(unclaimed, or_(row.later_until.is_(None), row.later_until < now))


def _among(complaints: Sequence[ComplaintId]) -> ColumnElement[Any]:
    """That a row is of one of these complaints."""
    return or_(False, *(and_(ReviewRow.source == source, ReviewRow.id == name) for source, name in complaints))
