"""The columns of a file of daily counts as options of a command.

In: a command that takes `columns: Columns`. Out: the same command with an option a column in its place, so that all
commands on counts name them alike.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

Columns = dict[str, str | None]
"""What a count file's column is called: `date`, `sector`, `count`, and `municipality`, which may be absent."""
USUAL: Columns = {"date": "date", "sector": "sector", "count": "count", "municipality": None}
HELP = {
    "date": "Column of the day.",
    "sector": "Column of the sector or category.",
    "count": "Column of the number of complaints.",
    "municipality": "Column of the municipality; absent: one region.",
}


def with_count_columns(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter `columns` is an option a column: `--date-column`, and in short `--date`.

    The short name stays with a command that has an option of that name itself, such as the sector of `tsur surges`.
    """
    signature = inspect.signature(command)
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        options = [_option(field, f"{field}_column", field not in signature.parameters) for field in USUAL]
        parameters += options if parameter.name == "columns" else [parameter]

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        columns = {field: given.pop(f"{field}_column") for field in USUAL}
        command(columns=columns, **given)

    with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return with_options


def _option(field: str, name: str, short: bool) -> inspect.Parameter:
    names = [f"--{field}-column", *([f"--{field}"] if short else [])]
    kind: Any = str if USUAL[field] is not None else str | None
    return inspect.Parameter(
        name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=USUAL[field],
        annotation=Annotated[kind, typer.Option(*names, help=HELP[field])],
    )
