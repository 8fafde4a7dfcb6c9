"""An operator's answer to a complaint of the queue: given once; answers and splits are undone for a while.

In: his labels. Out: a correction and its number; or an error, where somebody else has answered already. Taking an
answer back appends an undoing (`undos.py`), and the complaint waits again. A split that is taken back keeps its row;
the part goes: nobody has acted on it, and its text is the message's.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from data.errors import AlreadyAnsweredError, UndoError, UnknownComplaintError
from data.store.corrections import Agreement, Correction, CorrectionRow, Labels, write_corrections
from data.store.decisions import DecisionRow, newest
from data.store.erasure import ComplaintKey, forget
from data.store.handling import refresh_handling
from data.store.reviews import ReviewRow
from data.store.session import Database, one_at_a_time
from data.store.splits import SplitRow
from data.store.tables import naive_utc, utc
from data.store.undos import UndoRow

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class OperatorAnswer:
    """What an operator has said of a complaint.

    Attributes:
        number: of the correction.
        at: when (UTC).
        undone: whether it was taken back.
    """

    number: int
    operator: str | None
    labels: Labels
    why: str | None
    at: datetime
    undone: bool


class OperatorAnswers:
    """The answers of operators in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, region: str, source: str, complaint_id: str) -> list[OperatorAnswer]:
        """All that operators have said of a complaint, the last first.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._database.reading() as connection:
            return _answers(connection, region, source, complaint_id)

    def undo(self, region: str, number: int, operator: str, within: timedelta) -> tuple[str, str]:
        """Take an answer back; source and id of its complaint, which waits again.

        Raises:
            UndoError: it is another's, too old, or taken back already.
            StoreError: nothing was changed.
        """
        row, now = CorrectionRow, datetime.now(UTC)
        wanted = select(row).where(row.region == region, row.number == number, row.operator == operator)
        with self._database.writing() as connection:
            found = connection.execute(wanted).one_or_none()
            if found is None:
                raise UndoError("this key has given no such answer")
            one_at_a_time(connection, [f"{region} {found.source} {found.complaint_id}"])
            if utc(found.received_at) < now - within:
                raise UndoError(f"the answer is older than {within // MINUTE} minutes: correct it instead")
            answers = _answers(connection, region, found.source, found.complaint_id)
            if next((answer.number for answer in answers if not answer.undone), None) != number:
                raise UndoError("the answer is taken back already, or somebody has said something else since")
            undo = {"correction": number, "region": region, "operator": operator, "at": naive_utc(now)}
            connection.execute(insert(UndoRow), undo)
            refresh_handling(connection, [(region, found.source, found.complaint_id)])
            _reopen(connection, region, found.source, found.complaint_id)
        return found.source, found.complaint_id

    def undo_split(self, region: str, number: int, operator: str, within: timedelta) -> tuple[str, str]:
        """Take a split back; source and id of the message, which then holds the problem again.

        Raises:
            UndoError: it is another's, too old, taken back already, or somebody has answered the part.
            StoreError: nothing was changed.
        """
        row, now = SplitRow, datetime.now(UTC)
        wanted = select(row).where(row.region == region, row.number == number, row.operator == operator)
        with self._database.writing() as connection:
            found = connection.execute(wanted).one_or_none()
            if found is None or found.undone_at is not None:
                raise UndoError("this key has made no such split, or it is taken back already")
            if utc(found.at) < now - within:
                raise UndoError(f"the split is older than {within // MINUTE} minutes")
            one_at_a_time(connection, [f"{region} {found.source} {found.part_id}"])
            if any(not answer.undone for answer in _answers(connection, region, found.source, found.part_id)):
                raise UndoError("the part was answered already: take that answer back first")
            connection.execute(update(row).where(row.number == number).values(undone_at=naive_utc(now)))
            forget(connection, [ComplaintKey(region, found.source, found.part_id)])
        return found.source, found.complaint_id


def write_answer(connection: Connection, correction: Correction) -> tuple[int, list[Agreement]]:
    """Store an operator's answer to a complaint that waits, in a transaction; its number, and where it agrees.

    Raises:
        UnknownComplaintError: no such complaint is for an operator.
        AlreadyAnsweredError: somebody has answered it.
    """
    row, complaint_id = ReviewRow, correction.complaint_id
    one_at_a_time(connection, [f"{correction.region} {correction.source} {complaint_id}"])
    this = (row.region == correction.region, row.source == correction.source, row.id == complaint_id)
    review = connection.execute(select(row.closed_at).where(*this)).one_or_none()
    if review is None:
        raise UnknownComplaintError(
            f"no complaint {complaint_id!r} of source {correction.source!r} waits for an operator"
        )
    if review.closed_at is not None:
        raise AlreadyAnsweredError(f"complaint {complaint_id!r} was answered already; its answers say by whom")
    agreements = write_corrections(connection, [correction])
    (last, *_) = _answers(connection, correction.region, correction.source, complaint_id)
    return last.number, agreements


def _answers(connection: Connection, region: str, source: str, complaint_id: str) -> list[OperatorAnswer]:
    row, undone = CorrectionRow, UndoRow
    query = (
        select(row, undone.at)
        .join(undone, undone.correction == row.number, isouter=True)
        .where(row.region == region, row.source == source, row.complaint_id == complaint_id)
        .order_by(row.number.desc())
    )
    return [
        OperatorAnswer(
            number=each.number,
            operator=each.operator,
            labels=Labels(each.sector, each.topic, each.agency),
            why=each.why,
            at=utc(each.received_at),
            undone=each.at is not None,
        )
        for each in connection.execute(query)
    ]


def _reopen(connection: Connection, region: str, source: str, complaint_id: str) -> None:
    """Let a complaint wait again, unless it is routed by now."""
    row, decided = ReviewRow, DecisionRow
    this = (row.region == region, row.source == source, row.id == complaint_id)
    ours = (decided.region == region, decided.source == source, decided.id == complaint_id)
    still = select(decided.number).where(*ours, decided.decision == "review", newest()).exists()
    connection.execute(update(row).where(*this, still).values(closed_at=None))
