"""Messages of `/v1/queue`: complaints that wait for an operator, and who gets which."""

from datetime import datetime

from pydantic import Field

from data.complaints.schema import SourceName
from data.store.review_queue import QueueOrder
from serving.api.v1.complaints_types import StandingLabels
from serving.api.v1.shared_types import Identifier, Name, Wire

MAX_HELD = 20
"""Complaints that one screen holds at most: the one that is shown, and those loaded ahead."""
Screen = Field(
    default="main",
    max_length=64,
    pattern=r"^[A-Za-z0-9-]+$",
    description="Which screen asks, where one key has several: each gets complaints of its own",
)


class ComplaintName(Wire):
    """Which complaint."""

    source: SourceName = Field(examples=["pos"])
    id: Identifier = Field(examples=["2026-001"])


class WaitingOut(Wire):
    """One complaint of the queue, by its newest decision."""

    source: str = Field(examples=["pos"])
    id: str = Field(examples=["2026-001"])
    text: str = Field(description="Masked", examples=["Третью неделю не вывозят мусор на Садовой"])
    municipality: str | None = Field(examples=["Верхнереченск"])
    created_at: datetime
    received_at: datetime
    urgent_at: datetime = Field(description="When an answer is due; 30 days after it came, where nobody knows")
    reasons: list[str]
    reasons_ru: list[str]
    decided: StandingLabels = Field(description="What the classifier said")
    confidence: float = Field(description="In the agency", examples=[0.43])
    topic_margin: float = Field(
        description="How much likelier the topic is than the next one: what is near 0 teaches most", examples=[0.08]
    )
    claimed: bool = Field(description="It is on an operator's screen")
    later: bool = Field(description="It was put aside for a while")


class KindCount(Wire):
    """How many wait of one kind; the name null: no municipality was named."""

    name: str | None
    count: int


class QueueAnswer(Wire):
    """The queue, in the order that was asked for."""

    waiting: int = Field(description="How many wait")
    overdue: int = Field(description="Of these, whose answer is due already")
    claimed: int = Field(description="Of these, on operators' screens")
    sectors: list[KindCount] = Field(description="Of the whole queue, whatever is asked for, the largest first")
    municipalities: list[KindCount]
    sources: list[KindCount]
    complaints: list[WaitingOut]
    next: str | None = Field(description="`cursor` of the next page; null on the last one")


class ClaimRequest(Wire):
    """The next complaint, please."""

    screen: str = Screen
    held: list[ComplaintName] = Field(
        default=[], max_length=MAX_HELD, description="What is on the screen and loaded ahead: it is kept as long"
    )
    complaint: ComplaintName | None = Field(
        default=None, description="This one, put aside or not, unless another operator has it or has answered it"
    )
    sector: Name | None = Field(default=None, description="Only such complaints")
    municipality: Name | None = None
    source: SourceName | None = None
    order: QueueOrder = Field(default="urgent", description="What is due first, or what a label would teach most")


class ReleaseRequest(Wire):
    """Complaints that this screen gives back."""

    screen: str = Screen
    complaints: list[ComplaintName] = Field(min_length=1, max_length=MAX_HELD)
    later: bool = Field(default=False, strict=True, description="Nobody gets them for `desk.later_minutes`")


class ReleaseAnswer(Wire):
    """How many of them were this screen's."""

    released: int
