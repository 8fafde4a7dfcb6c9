"""The answer of `/v1/session`: who is logged in, and what that opens."""

from datetime import datetime

from pydantic import Field

from serving.api.v1.shared_types import Wire
from serving.auth.roles import Role


class RegionOut(Wire):
    """A region that the key opens."""

    id: str = Field(examples=["verkhnerechye"])
    title: str = Field(examples=["Верхнереченская область"])


class SessionAnswer(Wire):
    """Who asks."""

    name: str = Field(description="Whose key it is", examples=["Иванова, ЦУР"])
    role: Role
    region: str = Field(description="The region that is meant where a request names none")
    regions: list[RegionOut] = Field(description="Those that may be named")
    may: list[str] = Field(description="What the role may ask, as method and address", examples=[["GET /v1/heatmap"]])
    today: str = Field(description="The date in the region", examples=["2026-11-20"])
    until: datetime | None = Field(description="When the session that was begun ends; null where none was begun")
    keyless: bool = Field(description="The service has no keys and answers this machine: there is nothing to log in")
