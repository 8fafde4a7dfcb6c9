"""Messages of `POST /v1/feedback`: operators' corrections."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from data.complaints.schema import SourceName
from serving.api.v1.items import BadItem, RefusedItem, checked_alone
from serving.api.v1.shared_types import Identifier, Name, Wire
from serving.config import MAX_ITEMS


def _named(field: str, **others: Any) -> dict[str, Any]:
    return {"required": [field], "properties": {field: {"type": "string"}, **others}}


class FeedbackItem(Wire):
    """An operator's correction; a `topic` is named together with its `sector`."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [_named("sector"), _named("agency", topic={"type": "null"})]}  # as says_something
    )

    id: Identifier = Field(description="The complaint's id", examples=["2026-001"])
    source: SourceName = Field(default="other", examples=["pos"])
    sector: Name | None = Field(default=None, examples=["ЖКХ"])
    topic: Name | None = None
    agency: Name | None = None
    operator: Name | None = Field(default=None, description="A login, not a person's name", examples=["operator-7"])

    @model_validator(mode="after")
    def says_something(self) -> "FeedbackItem":
        """At least one label, and no topic without its sector."""
        if self.sector is None and self.topic is None and self.agency is None:
            raise ValueError("name at least one of sector, topic, agency")
        if self.topic is not None and self.sector is None:
            raise ValueError("a topic needs its sector")
        return self


class FeedbackRequest(Wire):
    """Corrections; those that are good are stored together."""

    items: list[Annotated[FeedbackItem | BadItem, checked_alone(FeedbackItem)]] = Field(
        min_length=1, max_length=MAX_ITEMS
    )


class StoredCorrection(Wire):
    """A correction that was stored."""

    id: str = Field(description="The complaint's id", examples=["2026-001"])
    source: SourceName


class FeedbackAnswer(Wire):
    """One element an item, in the order sent: that it was stored, or what is wrong with it."""

    stored: int = Field(description="How many corrections were stored", examples=[1])
    results: list[StoredCorrection | RefusedItem]
