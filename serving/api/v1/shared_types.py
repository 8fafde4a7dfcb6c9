"""What the messages of several resources have in common: their base class, names, ids, the model that answered.

Requests refuse unknown fields. Checks that need the catalogue or the config (labels, municipalities,
tighter limits) are the endpoints'; shape and size are checked in the types beside them.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", strip_whitespace=True)
]


class Wire(BaseModel):
    """A frozen message that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelVersion(Wire):
    """Which registered model answered."""

    name: str = Field(examples=["verkhnerechye.complaint-classifier"])
    version: str = Field(examples=["3"])
