"""`GET /v1/catalogue`: sectors, topics, agencies and places that the serving classifier decides by."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from serving.api.v1.catalogue_types import AgencyOut, CatalogueAnswer, PlaceOut, SectorOut, TopicOut
from serving.api.v1.shared_types import ModelVersion
from serving.http.csv_answer import json_response
from serving.http.routes import NO_BODY, limited
from serving.runtime import CurrentRuntime

router = APIRouter(tags=["complaints"])


@router.get("/catalogue", summary="What complaints are sorted by", response_model=CatalogueAnswer)
@limited(NO_BODY)
def catalogue(
    runtime: CurrentRuntime,
    municipality: Annotated[
        str | None, Query(max_length=300, description="Agencies of topics are those that answer there")
    ] = None,
) -> Response:
    """The catalogue that the serving classifier was trained for: a newer file counts from the next training on."""
    champion = runtime.champions.classifier
    own = champion.model.catalogue
    (place,) = own.municipality_ids([municipality])
    sectors = [
        SectorOut(
            name=sector.name,
            topics=[
                TopicOut(
                    id=own.topic_id(sector.name, topic.name),
                    name=topic.name,
                    description=topic.description,
                    deadline_hours=topic.deadline_hours,
                    agencies=own.agencies_for(sector.name, topic.name, place),
                )
                for topic in sector.topics
            ],
        )
        for sector in own.sectors
    ]
    answer = CatalogueAnswer(
        model=ModelVersion(name=champion.name, version=champion.version),
        region=runtime.region.id,
        drafted=own.drafted,
        sectors=sectors,
        agencies=[AgencyOut(id=each.id, name=each.name, level=each.level) for each in own.agencies],
        municipalities=[PlaceOut(id=each.id, name=each.name, kind=each.kind) for each in own.municipalities],
    )
    return json_response(answer)
