"""Messages of an operator's desk: one complaint with all that he decides by, and what he says of it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from data.complaints.schema import MAX_CHARACTERS
from serving.api.v1.classify_types import ExplainedWord, LabelProposal, ProblemProposal
from serving.api.v1.complaints_types import StandingLabels
from serving.api.v1.queue_types import ComplaintName, WaitingOut
from serving.api.v1.shared_types import JsonNumber, Name, Wire

PROPOSALS = 5
"""Labels proposed for each target: a key of the upper row each, topics and agencies."""
LONGEST_WHY = 1000
LARGEST = 2**53
"""What JSON's readers still count exactly."""


class TopicProposal(Wire):
    """A topic with its sector and its calibrated probability."""

    sector: str = Field(examples=["ЖКХ"])
    topic: str = Field(examples=["Вывоз мусора (ТКО)"])
    confidence: float = Field(examples=[0.43])


class Proposals(Wire):
    """What the serving classifier would say, the likeliest first, at most five of each."""

    sectors: list[LabelProposal]
    topics: list[TopicProposal]
    agencies: list[LabelProposal]


class SplitOut(Wire):
    """A problem of the message that is a complaint of its own by now."""

    number: int = Field(description="For `/v1/queue/undo`")
    part_id: str
    start: int
    end: int
    undo_until: datetime | None = Field(description="Until when who asks may take it back; null: no longer, or not his")


class AnswerOut(Wire):
    """What an operator said."""

    number: int = Field(description="For `/v1/queue/undo`")
    operator: str | None = Field(description="Id of a key, or what `/v1/feedback` was told")
    labels: StandingLabels
    why: str | None
    at: datetime
    undone: bool = Field(description="It was taken back")


class DeskComplaint(WaitingOut):
    """A complaint as the desk shows it."""

    proposals: Proposals
    problems: list[ProblemProposal] = Field(description="One a problem, in the order of the text")
    splits: list[SplitOut]
    answers: list[AnswerOut] = Field(description="All that operators said of it, the last first")
    answered_at: datetime | None = Field(description="Null while it waits")


class ClaimAnswer(Wire):
    """The next complaint; null where none is left for this operator."""

    complaint: DeskComplaint | None
    until: datetime | None = Field(description="Until when nobody else gets it")
    waiting: int = Field(description="How many wait in all, of those asked for")


class WordsAnswer(Wire):
    """The words that carry the serving classifier's decision, in the order of the text."""

    words: list[ExplainedWord]


class AnswerRequest(ComplaintName):
    """What an operator decides; with the classifier's own labels he confirms."""

    sector: Name = Field(examples=["ЖКХ"])
    topic: Name = Field(examples=["Вывоз мусора (ТКО)"])
    agency: Name = Field(examples=["Министерство ЖКХ"])
    why: Annotated[str, StringConstraints(max_length=LONGEST_WHY, strip_whitespace=True)] | None = Field(
        default=None, description="For colleagues and for who trains; masked before it is stored"
    )


class StoredAnswer(Wire):
    """An answer that was stored."""

    number: int = Field(description="For `/v1/queue/undo`")
    undo_until: datetime


class SplitRequest(ComplaintName):
    """Characters `start` to `end` of the complaint's text become a complaint of their own."""

    start: Annotated[int, JsonNumber] = Field(ge=0, le=MAX_CHARACTERS)
    end: Annotated[int, JsonNumber] = Field(ge=1, le=MAX_CHARACTERS)


class SplitAnswer(Wire):
    """The new complaint, and how it was decided."""

    split: SplitOut
    decision: str = Field(description="`route` or `review`: then it waits in the queue", examples=["review"])
    decided: StandingLabels


class UndoneAnswer(Wire):
    """The complaint whose answer or split was taken back: it waits again."""

    source: str
    id: str


class UndoRequest(Wire):
    """What to take back: an answer or a split, by its number."""

    what: Literal["answer", "split"]
    number: Annotated[int, JsonNumber] = Field(ge=1, le=LARGEST, examples=[17])
