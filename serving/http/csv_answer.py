"""Answers as JSON, or as CSV where a request asks for it: UTF-8, comma, a header line."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import Query, Request, Response
from pydantic import BaseModel

from data.tables.csv_writer import PLAIN, csv_text

Format = Annotated[Literal["json", "csv"] | None, Query(description="`csv`, or send `Accept: text/csv`")]
CSV_ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


def wants_csv(request: Request, asked: str | None) -> bool:
    """Whether to answer with a table; the query wins over the header."""
    if asked is not None:
        return asked == "csv"
    accepted = request.headers.get("accept", "")
    return "text/csv" in accepted and "application/json" not in accepted


def json_response(answer: BaseModel) -> Response:
    """A message that is checked already: FastAPI would check it once more, and in the event loop."""
    return Response(answer.model_dump_json(), media_type="application/json")


def csv_response(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> Response:
    """Rows as a CSV file; lists are joined by `; `."""
    flat = [{k: "; ".join(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows]
    frame = pd.DataFrame(flat, columns=list(columns) if not flat else None)
    return Response(csv_text(frame, PLAIN), media_type="text/csv; charset=utf-8")
