"""What the messages of several resources have in common: their base class, names, ids, the model that answered.

Requests refuse unknown fields. Checks that need the catalogue or the config (labels, municipalities,
tighter limits) are the endpoints'; shape and size are checked in the types beside them.
"""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"\S", strip_whitespace=True)]
Identifier = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$",
        strip_whitespace=True,
    ),
]
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _number(value: Any) -> Any:
    """JSON's numbers are numbers; "7" and true are none."""
    if isinstance(value, str | bool):
        raise ValueError("send a number, without quotes")
    return value


def _iso(value: Any) -> Any:
    """A string that begins with a date, as the schema says; "0" would be read as the first second of 1970."""
    if isinstance(value, bool) or (isinstance(value, str) and not _ISO_DATE.match(value)):
        raise ValueError("send a date as 2026-11-20 or 2026-11-20T10:00:00+03:00")
    return value


def _day(value: Any) -> Any:
    """A date and no Unix time, which a day has none of."""
    if isinstance(value, int | float):
        raise ValueError("send a date as 2026-11-20")
    return _iso(value)


JsonNumber = BeforeValidator(_number)
IsoDate = BeforeValidator(_iso)
IsoDay = BeforeValidator(_day)


class Wire(BaseModel):
    """A frozen message that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelVersion(Wire):
    """Which registered model answered."""

    name: str = Field(examples=["verkhnerechye.complaint-classifier"])
    version: str = Field(examples=["3"])
