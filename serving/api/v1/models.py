"""`GET /v1/models`: what serves per model, since when, its card, and whether a newer one was refused and why."""

from fastapi import APIRouter, Response

from registry.names import classifier_name
from serving.analytics.endpoint import in_analytics
from serving.api.v1.models_types import ChallengerModel, ModelOut, ModelsAnswer, RefusedModel, ServingModel
from serving.http.csv_answer import json_response
from serving.http.routes import NO_BODY, limited
from serving.regions.champions import SlotState
from serving.runtime import CurrentRuntime, Runtime

router = APIRouter(tags=["service"])


@router.get("/models", summary="What serves, and since when", response_model=ModelsAnswer)
@limited(NO_BODY)
@in_analytics
def models(runtime: CurrentRuntime) -> Response:
    """A newer champion that cannot be read, or decides otherwise on this processor, is refused; the former goes on."""
    shown = [model_out(runtime, state) for state in runtime.champions.states]
    return json_response(ModelsAnswer(region=runtime.region.id, models=shown))


def model_out(runtime: Runtime, state: SlotState) -> ModelOut:
    """One model as it goes over the wire."""
    champion, refusal = state.champion, state.refusal
    serving = None
    if champion is not None:
        promotions = runtime.store.promotions.of(runtime.region.id, state.name)
        moments = [each.promoted_at for each in promotions if str(each.version) == champion.version]
        serving = ServingModel(
            version=champion.version,
            promoted_at=max(moments, default=None),
            loaded_at=champion.loaded_at,
            card=champion.card,
        )
    return ModelOut(
        name=state.name,
        serving=serving,
        missing=None if champion is not None else state.absence.message,
        refused=None
        if refusal is None
        else RefusedModel(version=str(refusal.version), reason=refusal.reason, refused_at=refusal.at),
        challenger=challenger_out(runtime) if state.name == classifier_name(runtime.region.id) else None,
    )


def challenger_out(runtime: Runtime) -> ChallengerModel | None:
    """The challenger beside the champion, if there is one."""
    challenger = runtime.champions.challenger
    if challenger is None:
        return None
    same = runtime.store.shadows.agreement(runtime.region.id, challenger.version)
    return ChallengerModel(
        version=challenger.version,
        loaded_at=challenger.loaded_at,
        judged=same.judged,
        same_sector=same.sector,
        same_topic=same.topic,
        same_agency=same.agency,
        same_decision=same.outcome,
        dropped=runtime.shadow.dropped,
    )
