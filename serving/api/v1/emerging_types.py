"""The answer of `GET /v1/emerging`: proposed topics, and what was looked at."""

from datetime import date

from pydantic import Field

from serving.api.v1.shared_types import ModelVersion, Wire
from serving.api.v1.verdicts_types import VerdictOut


class ComplaintKey(Wire):
    """Which complaint."""

    source: str
    id: str


class EmergingTopicOut(Wire):
    """Complaints that fit no known topic, look alike and have become more."""

    summary_ru: str = Field(description="One sentence for the official who decides")
    words: list[str] = Field(description="What they speak of and others do not", examples=[["самокаты", "тротуар"]])
    size: int = Field(description="Complaints of the last days in it")
    since: date = Field(description="When it began to grow")
    per_day_before: float
    per_day_now: float
    p_value: float = Field(description="The chance that so clear a group comes up where nothing is new")
    confidence: float = Field(description="The classifier's mean confidence in the topic it named")
    nearest: str = Field(description="The known topic named most often")
    cohesion: float = Field(description="Mean cosine to the group's centre")
    municipalities: dict[str, int] = Field(description="Places and their complaints, the most first")
    examples: list[str] = Field(description="The most typical complaints, masked and shortened")
    complaints: list[ComplaintKey] = Field(description="All of them")
    verdict: VerdictOut | None = Field(default=None, description="What was decided about it; null where nothing was")


class EmergingAnswer(Wire):
    """Proposed topics, the clearest first, and what was looked at."""

    model: ModelVersion
    start: date
    end: date
    recent: int = Field(description="Complaints of the last days that were looked at")
    past: int = Field(description="Complaints of the past that they were compared with")
    doubtful: int = Field(description="Recent ones that fit no known topic")
    enough_past: bool = Field(description="False: there is too little past to call anything new")
    unread: int = Field(description="Complaints of an earlier classifier not read yet; the next requests read them")
    topics: list[EmergingTopicOut]
