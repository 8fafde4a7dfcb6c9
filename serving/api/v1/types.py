"""What goes over the wire: every request and answer of `/v1`, as OpenAPI describes them.

Requests refuse unknown fields. Checks that need the catalogue or the config (labels,
municipalities, tighter limits) are the endpoints'; shape and size are checked here.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from data.complaints.schema import MAX_CHARACTERS, SourceName
from serving.config import MAX_ITEMS

Name = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", strip_whitespace=True)
]
EARLIEST_YEAR = 2000
LATEST_AHEAD = timedelta(days=2)
MAX_EXPLAINED = 8
"""Complaints in one request with `explain`: each costs up to 65 classifications."""


class Wire(BaseModel):
    """A frozen message that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(Wire):
    """One thing that is wrong, and where; a complaint's text is never repeated."""

    where: str = Field(examples=["items.0.text"])
    problem: str = Field(examples=["the text is empty"])


class Error(Wire):
    """What went wrong: a stable code for machines, one sentence for people."""

    code: str = Field(examples=["bad_request"])
    message: str = Field(examples=["items.0.text: the text is empty"])
    details: list[Problem] = []


class ErrorAnswer(Wire):
    """The one shape of every error."""

    error: Error


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


class ModelVersion(Wire):
    """Which registered model answered."""

    name: str = Field(examples=["complaint-classifier"])
    version: str = Field(examples=["3"])


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


class FeedbackItem(Wire):
    """An operator's correction; a `topic` is named together with its `sector`."""

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
    """Corrections; either all are stored or none."""

    items: list[FeedbackItem] = Field(min_length=1, max_length=MAX_ITEMS)


class FeedbackAnswer(Wire):
    """How many corrections were stored."""

    stored: int


class ForecastRequest(Wire):
    """Which series, which days; null means the sum over all municipalities or sectors."""

    municipality: Name | None = Field(default=None, examples=["Верхнереченск"])
    sector: Name | None = Field(default=None, examples=["ЖКХ"])
    horizon: int = Field(default=14, description="Days", examples=[14])
    start: date | None = Field(default=None, description="First day; default: the day after the history ends")
    levels: list[Annotated[float, Field(gt=0, lt=1)]] | None = Field(
        default=None,
        min_length=1,
        max_length=9,
        description="Central intervals: 0.8 gives the quantiles q10 and q90; default: the forecaster's",
        examples=[[0.5, 0.8]],
    )


class ForecastDay(Wire):
    """One day of a forecast."""

    date: date
    mean: float
    quantiles: dict[str, int] = Field(examples=[{"q10": 21, "q25": 25, "q75": 36, "q90": 41}])


class HistoryDay(Wire):
    """One day of the past; null where the source was silent."""

    date: date
    count: int | None


class ForecastAnswer(Wire):
    """A forecast beside the end of its series' history."""

    model: ModelVersion
    municipality: str
    sector: str
    method: str = Field(description="The contender that won this series' backtest", examples=["prophet"])
    days: list[ForecastDay]
    history: list[HistoryDay]


class SurgeOut(Wire):
    """One event: counts clearly above what season, weekday and calendar explain, or about to be."""

    kind: Literal["observed", "expected"]
    state: Literal["open", "closed", "expected"] = Field(description="It goes on, is over, or is still to come")
    municipality: str = Field(description="A place, or all of the region")
    sector: str
    places: list[str] = Field(description="Of an event of the region: where it surges, the largest excess first")
    sectors: list[str] = Field(description="Of an event over all sectors: which of them surge")
    start: date
    end: date = Field(description="Its last day so far; of an expected surge, the seventh of the coming days")
    since: date | None = Field(description="Since when the counts run above expectation; null for an expected surge")
    noticed: date | None = Field(description="The day on which the evidence was enough")
    closed: date | None = Field(description="The day on which it was found to be over; null while it is not")
    expected: float = Field(description="What is usual for these days")
    observed: int | None
    forecast: float | None
    excess: float = Field(description="Complaints beyond the usual")
    ratio: float = Field(description="How many times the usual")
    level: float | None = Field(description="The total that an expected surge passes")
    probability: float
    reasons: list[str] = Field(description="Why, in Russian: calendar, trend, neighbours, bulk entry left out")


class SurgesAnswer(Wire):
    """Surges, one an event, the clearest first."""

    model: ModelVersion
    as_of: date = Field(description="The last day counted")
    surges: list[SurgeOut]


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


class HeatCell(Wire):
    """One municipality × sector: what was observed beside what was expected."""

    municipality: str
    sector: str
    observed: int | None = Field(description="Null where the source was silent")
    expected: float
    ratio: float | None = Field(description="Observed by expected; null where nothing was expected")
    z: float | None = Field(description="Standard deviations above the expectation")
    surge: date | None = Field(default=None, description="Since when an open surge goes on there; null without one")


class HeatmapAnswer(Wire):
    """The heat map of the region's problems."""

    model: ModelVersion
    start: date
    end: date
    cells: list[HeatCell]
