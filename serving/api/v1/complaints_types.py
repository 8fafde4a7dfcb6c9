"""The answer of `GET /v1/complaints`: decided complaints as they stand."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from serving.api.v1.shared_types import Wire


class StandingLabels(Wire):
    """The three labels; null where nothing was said."""

    sector: str | None = Field(examples=["ЖКХ"])
    topic: str | None = Field(examples=["Вывоз мусора (ТКО)"])
    agency: str | None = Field(examples=["Министерство ЖКХ"])


class ComplaintOut(Wire):
    """One complaint by its newest decision."""

    source: str = Field(examples=["pos"])
    id: str = Field(examples=["2026-001"])
    text: str = Field(description="Masked", examples=["Третью неделю не вывозят мусор на Садовой"])
    municipality: str | None = Field(examples=["Верхнереченск"])
    created_at: datetime
    received_at: datetime
    decision: Literal["route", "review"]
    reasons: list[str]
    reasons_ru: list[str]
    confidence: float = Field(description="In the agency", examples=[0.93])
    model_version: str = Field(examples=["3"])
    decided: StandingLabels = Field(description="What the classifier said")
    stands: StandingLabels = Field(description="The operator's labels where one said otherwise, else the classifier's")
    corrected: bool
    due_at: datetime | None = Field(description="By when the answer is due; null: none is owed, or it is not known")


class ComplaintsAnswer(Wire):
    """A page of complaints, the newest decision first."""

    complaints: list[ComplaintOut]
    next: str | None = Field(description="`cursor` of the next page; null on the last one")
