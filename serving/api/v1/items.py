"""Items of a request that holds many: each is checked alone, and a wrong one is answered as such beside the others.

In: an item as it came. Out: the item, or a `Refusal` with all that is wrong there; the OpenAPI schema is the item's
own. An answer holds a `RefusedItem` in the place of each. Where no item at all is good, nothing was done, and the
request is refused as a whole, in the one error shape.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError, WrapValidator

from data.complaints.identifiers import why_refused
from data.errors import RequestError, TsurError
from serving.api.v1.shared_types import Wire
from serving.http.errors import Error, problems_of

Good = TypeVar("Good")
"""What an item is read as where nothing is wrong with it."""


class RefusedItem(Wire):
    """What is wrong with one item; nothing of it was decided or stored."""

    index: int = Field(ge=0, description="Its place in the request's `items`, from 0", examples=[1])
    id: str | None = Field(description="Its id, where it has one that may be repeated", examples=["2026-002"])
    error: Error


@dataclass(frozen=True)
class BadItem:
    """An item that does not fit its schema.

    Attributes:
        id: as it was sent, if it is one.
        problems: what is wrong, by field; "" stands for the item itself.
    """

    id: str | None
    problems: dict[str, str]


@dataclass(frozen=True)
class Refusal:
    """An item that is not answered, and why."""

    index: int
    id: str | None
    error: TsurError

    @property
    def answer(self) -> RefusedItem:
        """As it goes over the wire."""
        return RefusedItem(index=self.index, id=self.id, error=Error.of(self.error))


def checked_alone(kind: type[BaseModel]) -> WrapValidator:
    """The validator of one item, for `Annotated[kind | BadItem, …]`; pydantic's own would refuse the whole list."""

    def check(value: Any, _: Callable[[Any], Any]) -> BaseModel | BadItem:
        try:
            return kind.model_validate(value)
        except ValidationError as error:
            problems = problems_of(error.errors(include_url=False, include_input=False, include_context=False))
            return BadItem(_repeatable(value), {problem.where: problem.problem for problem in problems})

    return WrapValidator(check, json_schema_input_type=kind)


def _repeatable(value: Any) -> str | None:
    """The id of an item that is wrong, if it is one and no personal data."""
    given = value.get("id") if isinstance(value, dict) else None
    return given if isinstance(given, str) and given.isprintable() and why_refused(given) is None else None


def bad_item(index: int, problems: dict[str, str]) -> RequestError:
    """The error of an item whose fields do not fit."""
    details = {f"items.{index}.{name}".rstrip("."): problem for name, problem in problems.items()}
    where, problem = next(iter(details.items()))
    return RequestError(f"{where}: {problem}", **details)


def refused(index: int, item: BadItem) -> Refusal:
    """The refusal of an item that does not fit its schema."""
    return Refusal(index, item.id, bad_item(index, item.problems))


def good_ones(read: Sequence[Good | Refusal]) -> list[Good]:
    """The items that are answered, of all that were read.

    Raises:
        TsurError: there is none: the first one's error, with the details of all.
    """
    good = [item for item in read if not isinstance(item, Refusal)]
    if good:
        return good
    refusals = [item for item in read if isinstance(item, Refusal)]
    first = refusals[0].error
    details = {where: problem for refusal in refusals for where, problem in refusal.error.details.items()}
    raise type(first)(first.message, **details)
