"""Messages of `/v1/emerging/verdicts`: what people decided about proposed topics."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from serving.api.v1.shared_types import Identifier, Name, Wire

Author = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S", strip_whitespace=True)]
Text = Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)]
MAX_COMPLAINTS = 2000
"""As many as a search for new topics looks at, as delivered."""


class ComplaintRef(Wire):
    """Which complaint."""

    source: Name
    id: Identifier


class VerdictRequest(Wire):
    """What becomes of a proposed topic; its words and complaints as `GET /v1/emerging` gave them."""

    verdict: Literal["draft", "dismissed"]
    title: Annotated[str, StringConstraints(max_length=300, strip_whitespace=True)] = Field(
        default="", description="Of a draft", examples=["Самокаты на тротуарах"]
    )
    sector: Annotated[str, StringConstraints(max_length=300, strip_whitespace=True)] = Field(
        default="", description="Of a draft: one of the catalogue's, or a new one", examples=["Дороги"]
    )
    words: list[Name] = Field(default=[], max_length=20)
    complaints: list[ComplaintRef] = Field(min_length=1, max_length=MAX_COMPLAINTS)
    author: Author = Field(description="Who decides", examples=["Иванова"])
    note: Text = Field(default="", description="Why; masked before it is stored")


class VerdictOut(Wire):
    """A verdict as it is kept."""

    verdict: Literal["draft", "dismissed"]
    title: str
    sector: str
    words: list[str]
    complaints: int = Field(description="How many it was given on")
    decided_at: datetime
    author: str
    note: str
    yaml: str | None = Field(description="Of a draft: the lines for the catalogue, to be completed there")


class VerdictsAnswer(Wire):
    """Verdicts, the newest first."""

    verdicts: list[VerdictOut]
