"""`GET /v1/map`: the outlines of the region's municipalities, as SVG draws them."""

from fastapi import APIRouter, Response

from data.regions.region_map import load_map
from serving.api.v1.region_map_types import MapAnswer, OutlineOut
from serving.http.csv_answer import json_response
from serving.http.routes import NO_BODY, limited
from serving.runtime import CurrentRuntime

router = APIRouter(tags=["analytics"])


@router.get("/map", summary="Outlines of the region's municipalities", response_model=MapAnswer)
@limited(NO_BODY)
def region_map(runtime: CurrentRuntime) -> Response:
    """From `municipalities.geojson` in the region's folder, north above, `width` × `height` units."""
    drawn = load_map(runtime.region)
    outlines = [OutlineOut(**vars(outline)) for outline in drawn.outlines]
    return json_response(MapAnswer(width=drawn.width, height=drawn.height, outlines=outlines))
