"""The answer of `GET /v1/models`: what serves, since when, and what was refused."""

from datetime import datetime

from pydantic import Field

from serving.api.v1.shared_types import Wire


class ServingModel(Wire):
    """A version that answers."""

    version: str = Field(examples=["3"])
    promoted_at: datetime | None = Field(description="Since when it is champion; null where nobody wrote it down")
    loaded_at: datetime = Field(description="Since when this process answers with it")
    card: str | None = Field(description="Its model card, Markdown in Russian and English; null where it has none")


class RefusedModel(Wire):
    """A newer champion that this service does not serve."""

    version: str = Field(examples=["4"])
    reason: str = Field(examples=["classifier bundle bundle: labels.json is broken: …"])
    refused_at: datetime


class ChallengerModel(Wire):
    """A version that decides in the shadow: what it says is stored and never returned."""

    version: str = Field(examples=["5"])
    loaded_at: datetime
    judged: int = Field(description="Complaints that it has decided too", examples=[1200])
    same_sector: int = Field(description="Of these, those with the champion's sector", examples=[1180])
    same_topic: int = Field(examples=[1120])
    same_agency: int = Field(examples=[1150])
    same_decision: int = Field(description="Routed or reviewed as by the champion", examples=[1100])
    dropped: int = Field(description="By this process, because too many waited", examples=[0])


class ModelOut(Wire):
    """One registered model of the region."""

    name: str = Field(examples=["verkhnerechye.complaint-classifier"])
    serving: ServingModel | None = Field(description="Null where none is loaded")
    missing: str | None = Field(description="Why none is; null where one is")
    refused: RefusedModel | None = Field(description="Null where the newest champion serves")
    challenger: ChallengerModel | None = Field(description="Null where none decides in the shadow")


class ModelsAnswer(Wire):
    """The models of the region."""

    region: str = Field(examples=["verkhnerechye"])
    models: list[ModelOut]
