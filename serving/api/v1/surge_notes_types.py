"""Messages of `/v1/surges/notes`: what people wrote about surges."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serving.api.v1.shared_types import IsoDay, Name, Wire

NoteText = Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)]


class SurgeNoteRequest(Wire):
    """A note about a surge, which is named as `GET /v1/surges` does."""

    kind: Literal["observed", "expected"]
    municipality: Name = Field(examples=["Верхнереченск"])
    sector: Name = Field(examples=["ЖКХ"])
    start: Annotated[date, IsoDay]
    author: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S", strip_whitespace=True)] = (
        Field(description="Who has seen it", examples=["Иванова"])
    )
    note: NoteText = Field(default="", description="What is made of it; masked before it is stored")


class SurgeNoteOut(Wire):
    """A note as it is kept."""

    kind: Literal["observed", "expected"]
    municipality: str
    sector: str
    start: date
    noted_at: datetime
    author: str
    note: str


class SurgeNotesAnswer(Wire):
    """Notes, the newest first."""

    notes: list[SurgeNoteOut]
