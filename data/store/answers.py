"""Answers under an `Idempotency-Key`: the same request, sent however often, does its work once and is answered alike.

In: a request by its region, key, name and content, and the work to do in one transaction. Out: the answer of the first
time. What a request has stored and its answer are written together, so a sender who got no answer can send again
whatever happened. Kept for a day; the name and the content are kept as digests.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import JSON, Connection, Index, String, cast, delete, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from data.errors import IdempotencyError
from data.store.session import Database, one_at_a_time
from data.store.tables import Table, naive_utc

KEPT = timedelta(days=1)
"""How long a sender may go on trying."""


class AnswerRow(Table):
    """One answer; `name` and `content` are digests, `complaints` are pairs of source and id, `at` is UTC."""

    __tablename__ = "answers"
    __table_args__ = (Index("answers_by_time", "at"),)

    region: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[str]
    answer: Mapped[str]
    complaints: Mapped[list[list[str]]] = mapped_column(JSON)
    at: Mapped[datetime]


@dataclass(frozen=True)
class NamedRequest:
    """A request that says which it is.

    Attributes:
        key_id: of the key it came with: two senders may use the same names.
        name: digest of its `Idempotency-Key`.
        content: digest of what it asks.
    """

    region: str
    key_id: str
    name: str
    content: str


@dataclass(frozen=True)
class Answer:
    """An answer as it goes over the wire, and the complaints it is about, by source and id."""

    text: str
    complaints: list[tuple[str, str]]


class Answers:
    """The answers of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def given(self, request: NamedRequest | None) -> Answer | None:
        """The answer that this request was given before; a request without a name was never asked.

        Raises:
            IdempotencyError: another request had this name.
            StoreError: the database cannot be read.
        """
        if request is None:
            return None
        with self._database.reading() as connection:
            return _given(connection, request)

    def once(self, request: NamedRequest | None, work: Callable[[Connection], Answer]) -> Answer:
        """Do the work and keep its answer, in one transaction; or give the answer that was kept meanwhile.

        Raises:
            IdempotencyError: another request had this name; nothing was done.
            StoreError: nothing was done.
        """
        with self._database.writing() as connection:
            if request is None:
                return work(connection)
            one_at_a_time(connection, [f"{request.key_id} {request.name}"])
            answer = _given(connection, request)
            if answer is None:
                answer = work(connection)
                _keep(connection, request, answer)
            return answer


def forget_answers(connection: Connection, region: str, complaint_id: str) -> None:
    """Delete the answers about a complaint."""
    mentioned = cast(AnswerRow.complaints, String).contains(json.dumps(complaint_id), autoescape=True)
    connection.execute(delete(AnswerRow).where(AnswerRow.region == region, mentioned))


def _given(connection: Connection, request: NamedRequest) -> Answer | None:
    row = AnswerRow
    same = (row.region == request.region, row.key_id == request.key_id, row.name == request.name)
    kept = connection.execute(select(row.content, row.answer, row.complaints).where(*same)).one_or_none()
    if kept is None:
        return None
    if kept.content != request.content:
        raise IdempotencyError("this Idempotency-Key was sent with another request; give each request one of its own")
    return Answer(kept.answer, [(source, name) for source, name in kept.complaints])


def _keep(connection: Connection, request: NamedRequest, answer: Answer) -> None:
    now = datetime.now(UTC)
    connection.execute(delete(AnswerRow).where(AnswerRow.at < naive_utc(now - KEPT)))
    row = vars(request) | {"answer": answer.text, "complaints": [list(each) for each in answer.complaints]}
    connection.execute(insert(AnswerRow), row | {"at": naive_utc(now)})
