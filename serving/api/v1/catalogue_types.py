"""The answer of `GET /v1/catalogue`: what complaints are sorted by."""

from pydantic import Field

from serving.api.v1.shared_types import ModelVersion, Wire


class TopicOut(Wire):
    """What exactly a complaint is about."""

    id: str = Field(description="Stays when the topic is renamed")
    name: str = Field(examples=["Вывоз мусора (ТКО)"])
    description: str
    deadline_hours: int = Field(ge=0, description="0: no answer is owed", examples=[72])
    agencies: list[str] = Field(description="Who may answer for it: in the municipality asked for, else somewhere")


class SectorOut(Wire):
    """An area of topics."""

    name: str = Field(examples=["ЖКХ"])
    topics: list[TopicOut]


class PlaceOut(Wire):
    """A municipality."""

    id: str = Field(examples=["verkhnerechensk"])
    name: str = Field(examples=["Верхнереченск"])
    kind: str


class AgencyOut(Wire):
    """A body that acts on complaints."""

    id: str
    name: str
    level: str = Field(examples=["regional"])


class CatalogueAnswer(Wire):
    """The catalogue that the serving classifier was trained for."""

    model: ModelVersion
    region: str = Field(examples=["verkhnerechye"])
    drafted: bool = Field(description="Its routes were seen in complaints and are nobody's rule")
    sectors: list[SectorOut]
    agencies: list[AgencyOut]
    municipalities: list[PlaceOut]
