"""Messages of `/v1/management-decisions`: what was decided because of what the figures said."""

import json
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from data.store.management_decisions import EvidenceKind, Status
from serving.api.v1.shared_types import IsoDay, Name, Wire

MOST_BYTES = 64 * 1024
"""Of a snapshot: figures, not tables of them."""
What = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S", examples=["Усилить уборку снега"])]
Day = Annotated[date, IsoDay]
Link = Annotated[
    str, Field(max_length=2000, pattern=r"^[a-z-]+(\?.*)?$", examples=["kpi?from=2026-11-16&to=2026-11-22"])
]


class EvidenceIn(Wire):
    """What a decision rests on, as it is shown now."""

    kind: EvidenceKind
    title: Name = Field(examples=["Ответ в срок: 71 % (на 9 п. п. ниже)"])
    link: Link | None = Field(default=None, description="The console's page that shows it, behind `/console/`")
    data: dict[str, Any] = Field(description="Its figures, kept as they are; what names single complaints is left out")

    @field_validator("data")
    @classmethod
    def small(cls, value: dict[str, Any]) -> dict[str, Any]:
        """A snapshot is no archive."""
        if len(json.dumps(value, ensure_ascii=False).encode()) > MOST_BYTES:
            raise ValueError(f"the snapshot is larger than {MOST_BYTES} bytes")
        return value


class DecisionIn(Wire):
    """A management decision to record."""

    what: What
    responsible: Name = Field(description="Who does it", examples=["Комитет по благоустройству"])
    due_on: Day | None = Field(default=None, description="Local day")
    evidence: EvidenceIn | None = Field(default=None, description="null: it rests on none")


class DecisionChange(Wire):
    """What changes of a decision; what is not named stays. Its evidence never changes."""

    what: What | None = None
    responsible: Name | None = None
    due_on: Day | None = None
    status: Status | None = None
    result: str | None = Field(default=None, max_length=2000, description="What came of it")

    @model_validator(mode="after")
    def says_something(self) -> "DecisionChange":
        """At least one field; only the day and the result can be taken away."""
        if not self.model_fields_set:
            raise ValueError("name at least one of what, responsible, due_on, status, result")
        for name in ("what", "responsible", "status"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null")
        return self


class EvidenceOut(Wire):
    """What it rests on, as it was shown on that day."""

    kind: EvidenceKind
    title: str
    link: str | None
    data: dict[str, Any]


class DecisionOut(Wire):
    """A management decision as it stands."""

    number: int
    what: str
    responsible: str
    due_on: date | None
    status: Status
    overdue: bool = Field(description="Open, and its day is over")
    result: str | None
    evidence: EvidenceOut | None
    author: str = Field(description="Whose key recorded it")
    created_at: datetime
    changed_at: datetime
    closed_at: datetime | None


class DecisionsAnswer(Wire):
    """Decisions, the newest first."""

    decisions: list[DecisionOut]
