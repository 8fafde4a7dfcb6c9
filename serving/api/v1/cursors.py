"""Cursors: where the next page of a list begins, as a word that callers hand back and do not read.

In: the values by which the list is ordered, of the last row that was shown. Out: the word, and the values again. Rows
that come in meanwhile stand before the first page, so no page shows a row twice or leaves one out.
"""

import base64
import binascii
import json
from typing import Annotated

from fastapi import Query

from data.errors import RequestError

CursorQuery = Annotated[
    str | None, Query(max_length=300, description="`next` of the page before; absent: the first page")
]


def cursor_of(*values: float | str) -> str:
    """The word for these values."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def read_cursor(cursor: str, *kinds: type) -> list[float | str]:
    """The values of a word that `cursor_of` made, of these kinds.

    Raises:
        RequestError: it is none.
    """
    try:
        values = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError):
        values = None
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        problem = "this is no cursor: send `next` of the page before"
        raise RequestError(f"cursor: {problem}", cursor=problem)
    return values
