"""Query parameters that several resources share, and what a place named there is called."""

from datetime import date
from typing import Annotated

from fastapi import Query

from data.errors import TsurError
from serving.http.error_docs import documented
from serving.runtime import Runtime

MunicipalityQuery = Annotated[str | None, Query(max_length=300, description="Only this municipality")]
SectorQuery = Annotated[str | None, Query(max_length=300, description="Only this sector")]
AsOfQuery = Annotated[date | None, Query(description="The last day looked at; default: the last whole day known")]
UNKNOWN_SERIES = documented(
    404, "No such series", unknown_series="no series of municipality 'Кижи': known are Верхнереченск, Каменный Брод"
)


def municipality_name(runtime: Runtime, municipality: str | None) -> str | None:
    """The catalogue's name of a place given by name, id or alias; what it does not know is left as it is."""
    if municipality is None:
        return None
    try:
        catalogue = runtime.champions.classifier.model.catalogue
        place_id = catalogue.municipality_id(municipality)
    except TsurError:
        return municipality
    return next(place.name for place in catalogue.municipalities if place.id == place_id)
