"""Messages of `POST /v1/classify`: complaints in, routing decisions out."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import Field, field_validator

from data.complaints.schema import MAX_CHARACTERS, SourceName
from serving.api.v1.shared_types import Identifier, ModelVersion, Name, Wire
from serving.config import MAX_ITEMS

EARLIEST_YEAR = 2000
LATEST_AHEAD = timedelta(days=2)
"""Clocks and time zones of senders are off by as much."""
MAX_EXPLAINED = 8
"""Complaints in one request with `explain`: each costs up to 65 classifications."""


class ClassifyItem(Wire):
    """One complaint. Without an `id` one is made up; sending an `id` again replaces its decision."""

    id: Identifier | None = Field(default=None, examples=["2026-001"])
    text: str = Field(
        min_length=1,
        max_length=MAX_CHARACTERS,
        examples=["Третью неделю не вывозят мусор на улице Садовой, контейнеры переполнены"],
    )
    municipality: Name | None = Field(
        default=None, description="Name, id or alias in the catalogue", examples=["Верхнереченск"]
    )
    source: SourceName = Field(default="other", examples=["pos"])
    created_at: datetime | None = Field(
        default=None, description="When it was sent; without an offset, UTC; default: now"
    )

    @field_validator("created_at")
    @classmethod
    def sensible_time(cls, value: datetime | None) -> datetime | None:
        """In UTC; neither long before the internet nor in the future."""
        if value is None:
            return None
        if not EARLIEST_YEAR <= value.year < 9999:
            raise ValueError(f"the time lies outside the years {EARLIEST_YEAR} to 9998")
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        if value > datetime.now(UTC) + LATEST_AHEAD:
            raise ValueError("the time lies in the future")
        return value


class ClassifyRequest(Wire):
    """Complaints to classify; their ids differ within one request."""

    items: list[ClassifyItem] = Field(min_length=1, max_length=MAX_ITEMS)
    explain: bool = Field(
        default=False, description=f"Say which words carried each decision; then at most {MAX_EXPLAINED} items"
    )


class LabelProposal(Wire):
    """A label with its calibrated probability."""

    label: str = Field(examples=["Вывоз мусора (ТКО)"])
    confidence: float = Field(examples=[0.93])


class ProblemProposal(Wire):
    """One problem of a message: characters `start` to `end` of the answer's `text`, and where it would go."""

    start: int = Field(ge=0, examples=[0])
    end: int = Field(ge=0, examples=[74])
    sector: LabelProposal
    topic: LabelProposal
    agency: LabelProposal
    deadline_hours: int | None = Field(description="The catalogue's deadline; 0: no answer is owed", examples=[72])


class ExplainedWord(Wire):
    """A word, with the stop words that lean on it, and by how much its absence lowers the confidence."""

    word: str = Field(examples=["не вывозят"])
    start: int = Field(ge=0, description="In the answer's `text`", examples=[14])
    end: int = Field(ge=0, examples=[24])
    weight: float = Field(
        description="Fall of the log-odds of topic and agency without it; negative: it spoke against them",
        examples=[1.42],
    )


class ClassifyResult(Wire):
    """The routing decision on one complaint."""

    id: str
    text: str = Field(description="What was classified and stored: cleaned, without personal data; spans count in it")
    decision: Literal["route", "review"]
    reasons: list[str] = Field(description="Codes of why an operator must look; empty for `route`")
    reasons_ru: list[str] = Field(description="The same for the operator, in Russian")
    sector: LabelProposal
    topic: LabelProposal
    agency: LabelProposal
    alternatives: dict[str, list[LabelProposal]] = Field(description="Top 3 of each: sector, topic, agency")
    deadline_hours: int | None = Field(description="The catalogue's deadline; 0: no answer is owed", examples=[72])
    due_at: datetime | None = Field(description="`created_at` plus the deadline; null where none is owed")
    truncated: bool = Field(description="The end of a very long text was not read")
    proposals: list[ProblemProposal] = Field(
        description="One a problem, in the order of the text; with more than one, the reason `several_problems`"
    )
    explanation: list[ExplainedWord] | None = Field(
        default=None, description="Words in the order of the text; null unless the request says `explain`"
    )


class ClassifyAnswer(Wire):
    """One result an item, in the order sent."""

    model: ModelVersion
    results: list[ClassifyResult]
