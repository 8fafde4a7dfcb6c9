"""Messages of `POST /v1/outcomes`: what became of complaints."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field, field_validator

from data.complaints.schema import SourceName
from data.store.outcomes import Event
from serving.api.v1.items import BadItem, RefusedItem, checked_alone
from serving.api.v1.shared_types import Identifier, IsoDate, Name, Wire
from serving.config import MAX_ITEMS

EARLIEST_YEAR = 1990


class OutcomeItem(Wire):
    """One event of a complaint."""

    id: Identifier = Field(description="The complaint's id", examples=["2026-001"])
    source: SourceName = Field(default="other", examples=["pos"])
    event: Event = Field(description="What happened", examples=["answered"])
    at: Annotated[datetime, IsoDate] = Field(
        description="When; UTC where it says no offset", examples=["2026-11-20T10:00:00+03:00"]
    )
    agency: Name | None = Field(default=None, description="To whom it was sent, or who answered")

    @field_validator("at")
    @classmethod
    def in_utc(cls, value: datetime) -> datetime:
        """In UTC, and a time that a database holds."""
        if not EARLIEST_YEAR <= value.year < 9999:
            raise ValueError(f"the time lies outside the years {EARLIEST_YEAR} to 9998")
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class OutcomesRequest(Wire):
    """Events; those that are good are stored together."""

    items: list[Annotated[OutcomeItem | BadItem, checked_alone(OutcomeItem)]] = Field(
        min_length=1, max_length=MAX_ITEMS
    )


class StoredOutcome(Wire):
    """An event that is stored."""

    id: str = Field(description="The complaint's id", examples=["2026-001"])
    source: SourceName
    event: Event
    repeated: bool = Field(description="It was there already")


class OutcomesAnswer(Wire):
    """One element an item, in the order sent: that it is stored, or what is wrong with it."""

    stored: int = Field(description="How many events are new", examples=[1])
    results: list[StoredOutcome | RefusedItem]
