"""`GET /v1/models/history`: the last versions with the gate's words, promotions, and the last report on drift."""

from fastapi import APIRouter, Response

from data.settings import settings
from data.store.promotions import Promotion
from registry.drift_reports import last_report
from registry.taking_back import WHY
from serving.analytics.endpoint import in_analytics
from serving.api.v1.model_history_types import (
    DriftOut,
    GateOut,
    HistoryAnswer,
    ModelHistory,
    PromotionOut,
    VersionOut,
)
from serving.http.csv_answer import json_response
from serving.http.routes import NO_BODY, limited
from serving.runtime import CurrentRuntime, Runtime

router = APIRouter(tags=["service"])
MOST = 10
"""Versions and promotions of each model."""


@router.get("/models/history", summary="Retrains, promotions, drift", response_model=HistoryAnswer)
@limited(NO_BODY)
@in_analytics
def history(runtime: CurrentRuntime) -> Response:
    """What MLflow's registry, the store and `tsur drift` have kept, the newest first."""
    region = runtime.region.id
    drift = last_report(settings().home, region)
    answer = HistoryAnswer(
        region=region,
        mlflow_url=runtime.config.console.mlflow_url,
        models=[_history(runtime, state.name) for state in runtime.champions.states],
        drift=None if drift is None else DriftOut(**vars(drift)),
    )
    return json_response(answer)


def _history(runtime: Runtime, name: str) -> ModelHistory:
    versions = [
        VersionOut(
            version=each.number,
            run=each.run,
            registered_at=each.registered_at,
            gate=None if each.gate is None else GateOut(**vars(each.gate)),
        )
        for each in runtime.champions.history(name, MOST)
    ]
    promotions = runtime.store.promotions.of(runtime.region.id, name)[-MOST:]
    return ModelHistory(name=name, versions=versions, promotions=[_promotion(each) for each in reversed(promotions)])


def _promotion(each: Promotion) -> PromotionOut:
    return PromotionOut(
        version=each.version,
        previous=each.previous_version,
        promoted_at=each.promoted_at,
        promoted_by=each.promoted_by,
        why=str(each.evidence.get(WHY) or ""),
    )
