"""Messages of `POST /v1/classify`: complaints in, routing decisions out."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema, field_validator

from data.catalogue.places import PlaceNote
from data.complaints.schema import MAX_CHARACTERS, SourceName
from serving.api.v1.items import BadItem, RefusedItem, checked_alone
from serving.api.v1.shared_types import Identifier, IsoDate, ModelVersion, Wire
from serving.config import MAX_ITEMS

EARLIEST_YEAR = 2000
LATEST_AHEAD = timedelta(days=2)
"""Clocks and time zones of senders are off by as much."""
MAX_EXPLAINED = 8
"""Complaints in one request with `explain`: each costs up to 65 classifications."""
READABLE = (
    r"[^\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffd]"
)
"""A character that cleaning leaves: a text without one is empty (`data/complaints/cleaning.py`)."""
CREATED_AT = {
    "anyOf": [
        {"type": "string", "format": "date-time", "pattern": "^20"},
        {"type": "string", "format": "date", "pattern": "^20"},
        {"type": "number", "minimum": 946684800, "description": "Unix time in seconds"},
    ]
}
Place = Annotated[str, StringConstraints(max_length=300, strip_whitespace=True)]
Moment = Annotated[datetime, IsoDate, WithJsonSchema(CREATED_AT)]


class ClassifyItem(Wire):
    """One complaint. Without an `id` one is made up; sending an `id` again replaces its decision."""

    id: Identifier | None = Field(default=None, examples=["2026-001"])
    text: str = Field(
        min_length=1,
        max_length=MAX_CHARACTERS,
        examples=["Третью неделю не вывозят мусор на улице Садовой, контейнеры переполнены"],
        json_schema_extra={"pattern": READABLE},
    )
    municipality: Place | None = Field(
        default=None,
        description="Name, id or alias in the catalogue; without a known one the complaint is decided all the same",
        examples=["Верхнереченск"],
    )
    source: SourceName = Field(default="other", examples=["pos"])
    created_at: Moment | None = Field(
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

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"explain": {"const": True}}, "required": ["explain"]},
            "then": {"properties": {"items": {"maxItems": MAX_EXPLAINED}}},
        }
    )

    items: list[Annotated[ClassifyItem | BadItem, checked_alone(ClassifyItem)]] = Field(
        min_length=1, max_length=MAX_ITEMS
    )
    explain: bool = Field(
        default=False,
        strict=True,
        description=f"Say which words carried each decision; then at most {MAX_EXPLAINED} items",
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


class Note(Wire):
    """What an operator should know of a decision that was made all the same."""

    code: PlaceNote
    message: str = Field(examples=["the municipality is not in the catalogue: decided without it"])


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
    due_at: datetime | None = Field(
        description="By when the answer is due, by the regulation or, if sooner, the topic; null: none is owed"
    )
    interim_due_at: datetime | None = Field(description="By when an interim answer is due; null: none is asked for")
    due_basis: str | None = Field(
        description="What says so", examples=["Федеральный закон от 02.05.2006 № 59-ФЗ, статья 12"]
    )
    topic_sure: bool = Field(
        description="The topic is as sure as is promised of the agency; otherwise so is not the deadline that follows"
    )
    truncated: bool = Field(description="The end of a very long text was not read")
    proposals: list[ProblemProposal] = Field(
        description="One a problem, in the order of the text; with more than one, the reason `several_problems`"
    )
    notes: list[Note] = Field(description="Without which facts it was decided; empty where none was missing")
    explanation: list[ExplainedWord] | None = Field(
        default=None, description="Words in the order of the text; null unless the request says `explain`"
    )


class ClassifyAnswer(Wire):
    """One element an item, in the order sent: its decision, or what is wrong with it."""

    model: ModelVersion
    results: list[ClassifyResult | RefusedItem]
