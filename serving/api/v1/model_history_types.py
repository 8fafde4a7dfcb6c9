"""The answer of `GET /v1/models/history`: retrains and what the gate said, promotions, the last report on drift."""

from datetime import datetime

from pydantic import Field

from serving.api.v1.shared_types import Wire


class GateOut(Wire):
    """What the promotion gate said of a version."""

    champion: int = Field(description="The version that it was held against")
    passed: bool
    says: str


class VersionOut(Wire):
    """One registered version."""

    version: int
    run: str | None = Field(description="MLflow's id of the run that made it")
    registered_at: datetime
    gate: GateOut | None = Field(description="Null where no retrain made it")


class PromotionOut(Wire):
    """That a version became champion."""

    version: int
    previous: int | None
    promoted_at: datetime
    promoted_by: str
    why: str = Field(description="A person's reason; empty where none was given")


class ModelHistory(Wire):
    """One registered model of the region, the newest first."""

    name: str
    versions: list[VersionOut]
    promotions: list[PromotionOut]


class DriftOut(Wire):
    """The last report of `tsur drift`."""

    at: datetime
    alarm: bool
    says: str
    report: str = Field(description="Markdown")


class HistoryAnswer(Wire):
    """How the models of the region came to serve."""

    region: str
    mlflow_url: str | None = Field(description="Of MLflow's interface, where `console.mlflow_url` names it")
    models: list[ModelHistory]
    drift: DriftOut | None = Field(description="Null where `tsur drift` was never run here")
