"""Erasing complaints (152-ФЗ): all that the store holds of one goes, in one transaction.

In: region, id and, where several sources have it, the source. Out: how many rows went of each table. What stays is
that it was erased, when and by whom, and who had seen it, all under a digest of its id (`audit.erased_name`): a copy
of the store from before can be made to forget it again, and nobody who does not know the id can find it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Delete, and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from data.errors import InputError, UnknownComplaintError
from data.store.answers import forget_answers
from data.store.audit import AuditComplaintRow, command_entry, erased_name, save_entries
from data.store.corrections import CorrectionRow
from data.store.decisions import DecisionRow
from data.store.features import FeaturesRow
from data.store.handling import HandlingRow
from data.store.outcomes import OutcomeRow
from data.store.reviews import ReviewRow
from data.store.session import Database
from data.store.shadows import ShadowRow
from data.store.splits import SplitRow
from data.store.tables import NUMBER, Table, naive_utc, utc
from data.store.undos import UndoRow


class ErasureRow(Table):
    """One erased complaint; `name` is a digest of its id, `at` is UTC."""

    __tablename__ = "erasures"

    number: Mapped[int] = mapped_column(NUMBER, primary_key=True, autoincrement=True)
    region: Mapped[str]
    source: Mapped[str]
    name: Mapped[str]
    at: Mapped[datetime]


@dataclass(frozen=True)
class ComplaintKey:
    """What tells a complaint from all others of the store."""

    region: str
    source: str
    id: str


@dataclass(frozen=True)
class Erasure:
    """That a complaint was erased; `name` is a digest of its id."""

    region: str
    source: str
    name: str
    at: datetime


@dataclass(frozen=True)
class Erased:
    """What was erased: the complaint's source, and how many rows of each table."""

    source: str
    rows: dict[str, int]


class Erasures:
    """Erasing in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def erase(self, region: str, complaint_id: str, source: str | None, command: str) -> Erased:
        """Erase one complaint. That it was is kept in the audit, as this command's.

        Raises:
            UnknownComplaintError: there is no such complaint.
            InputError: several sources have one and none was named.
            StoreError: nothing was erased; or it was, but what is left of it on the disk could not be overwritten.
        """
        with self._database.writing() as connection:
            key = _one_of(connection, region, complaint_id, source)
            gone = forget(connection, [key])
            forget_answers(connection, region, complaint_id)
            row = {"region": region, "source": key.source, "name": erased_name(complaint_id)}
            connection.execute(insert(ErasureRow), row | {"at": naive_utc(datetime.now(UTC))})
            entry = command_entry(command, region, ((key.source, erased_name(complaint_id)),))
            save_entries(connection, [entry])
        self._database.overwrite_remains()
        return Erased(key.source, gone)

    def rename_in_audit(self, region: str, complaint_id: str) -> None:
        """Take the id of an erased complaint out of entries that a running service has stored since.

        Raises:
            StoreError: nothing was changed; or it was, but what is left on the disk could not be overwritten.
        """
        seen = AuditComplaintRow
        late = update(seen).where(seen.complaint_id == complaint_id, seen.region == region)
        with self._database.writing() as connection:
            connection.execute(late.values(complaint_id=erased_name(complaint_id)))
        self._database.overwrite_remains()

    def all(self) -> list[Erasure]:
        """Every complaint that was erased, the first one first.

        Raises:
            StoreError: the database cannot be read.
        """
        row = ErasureRow
        with self._database.reading() as connection:
            rows = connection.execute(select(row.region, row.source, row.name, row.at).order_by(row.number)).all()
        return [Erasure(each.region, each.source, each.name, utc(each.at)) for each in rows]

    def repeat(self, erasures: Sequence[Erasure]) -> int:
        """Erase once more what was erased in another copy of the store; how many of those complaints were here.

        Raises:
            StoreError: nothing was erased; or it was, but what is left of it on the disk could not be overwritten.
        """
        known = set(self.all())
        new = [each for each in erasures if each not in known]
        if not new:
            return 0
        with self._database.writing() as connection:
            keys = _named(connection, {(each.region, each.source, each.name) for each in new})
            forget(connection, keys)
            for key in keys:
                forget_answers(connection, key.region, key.id)
            connection.execute(insert(ErasureRow), [vars(each) | {"at": naive_utc(each.at)} for each in new])
        self._database.overwrite_remains()
        return len(keys)

    def count(self) -> int:
        """How many complaints were erased: whoever keeps anything of complaints sees by it that one more was.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._database.reading() as connection:
            return int(connection.scalar(select(func.max(ErasureRow.number))) or 0)


TABLES = (
    *("decisions", "features", "shadow_decisions", "corrections", "undone_corrections", "reviews", "splits"),
    *("outcomes", "handling"),
)


def forget(connection: Connection, keys: Sequence[ComplaintKey]) -> dict[str, int]:
    """Delete all rows of these complaints and of what was split off them, and take their ids out of the audit.

    Returns rows gone by table.
    """
    gone = dict.fromkeys(TABLES, 0)
    for key in _with_parts(connection, keys):
        for table, deletion in _deletions(key).items():
            gone[table] += connection.execute(deletion).rowcount
        seen = AuditComplaintRow
        shown = (seen.complaint_id == key.id, seen.region == key.region, seen.source == key.source)
        connection.execute(update(seen).where(*shown).values(complaint_id=erased_name(key.id)))
    return gone


def _named(connection: Connection, names: set[tuple[str, str, str]]) -> list[ComplaintKey]:
    """The complaints of the store whose region, source and digest of the id are among these."""
    row = DecisionRow
    regions = sorted({region for region, _, _ in names})
    there = connection.execute(select(row.region, row.source, row.id).where(row.region.in_(regions)).distinct())
    return [ComplaintKey(*each) for each in there if (each[0], each[1], erased_name(each[2])) in names]


def _deletions(key: ComplaintKey) -> dict[str, Delete]:
    """What deletes each table's rows of a complaint, in an order that no foreign key stands in the way of."""
    decided, said, wait, cut = DecisionRow, CorrectionRow, ReviewRow, SplitRow
    ours = (decided.region == key.region) & (decided.source == key.source) & (decided.id == key.id)
    corrected = (said.region == key.region) & (said.source == key.source) & (said.complaint_id == key.id)
    waits = (wait.region == key.region) & (wait.source == key.source) & (wait.id == key.id)
    told = (OutcomeRow.region == key.region) & (OutcomeRow.source == key.source)
    split = (cut.region == key.region) & (cut.source == key.source)
    is_part = and_(cut.part_id == key.id, cut.undone_at.is_(None))
    numbers = select(decided.number).where(ours)
    corrections = select(said.number).where(corrected)
    return {
        "features": delete(FeaturesRow).where(FeaturesRow.decision.in_(numbers)),
        "shadow_decisions": delete(ShadowRow).where(ShadowRow.decision.in_(numbers)),
        "undone_corrections": delete(UndoRow).where(UndoRow.correction.in_(corrections)),
        "corrections": delete(said).where(corrected),
        "reviews": delete(wait).where(waits),
        "splits": delete(cut).where(split, or_(cut.complaint_id == key.id, is_part)),
        "outcomes": delete(OutcomeRow).where(told, OutcomeRow.complaint_id == key.id),
        "handling": delete(HandlingRow).where(HandlingRow.number.in_(numbers)),
        "decisions": delete(decided).where(ours),
    }


def _with_parts(connection: Connection, keys: Sequence[ComplaintKey]) -> list[ComplaintKey]:
    """Complaints and behind them whatever was split off them, and off that: it is their text."""
    found = list(keys)
    row = SplitRow
    for key in found:  # grows meanwhile
        whole = (row.region == key.region, row.source == key.source, row.complaint_id == key.id)
        parts = connection.scalars(select(row.part_id).where(*whole, row.undone_at.is_(None)))
        found += [ComplaintKey(key.region, key.source, part) for part in parts]
    return found


def _one_of(connection: Connection, region: str, complaint_id: str, source: str | None) -> ComplaintKey:
    """The complaint that is meant.

    Raises:
        UnknownComplaintError: none is.
        InputError: several are.
    """
    decided = select(DecisionRow.source).where(DecisionRow.region == region, DecisionRow.id == complaint_id)
    sources = sorted(set(connection.scalars(decided)))
    if source is not None:
        sources = [each for each in sources if each == source]
    if not sources:
        where = f" of source {source!r}" if source else ""
        raise UnknownComplaintError(f"region {region!r} holds no complaint {complaint_id!r}{where}: nothing was erased")
    if len(sources) > 1:
        raise InputError(
            f"complaint {complaint_id!r} is of several sources: name one of {', '.join(sources)} by --source"
        )
    return ComplaintKey(region, sources[0], complaint_id)
