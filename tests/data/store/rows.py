"""Rows for the tests of the store."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import create_engine, text

from data.complaints.masking import masked
from data.store.corrections import Correction
from data.store.decisions import Decision

REGION = "verkhnerechye"
OTHER = "zarechye"
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


def decision(**changes: Any) -> Decision:
    values: dict[str, Any] = {
        "region": REGION,
        "source": "pos",
        "id": "1",
        "text": masked("Не вывозят мусор"),
        "municipality": "Верхнереченск",
        "created_at": NOON,
        "day": date(2026, 11, 10),
        "decision": "route",
        "reasons": [],
        "sector": "ЖКХ",
        "topic": "Тема",
        "agency": "Орган",
        "model_version": "1",
    }
    values |= {f"{head}_confidence": 0.9 for head in ("sector", "topic", "agency")}
    return Decision(**(values | changes))


def correction(**changes: Any) -> Correction:
    empty: dict[str, Any] = {"sector": None, "topic": None, "agency": None, "operator": None}
    return Correction(**({"region": REGION, "source": "pos", "complaint_id": "1"} | empty | changes))


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """What a query finds in the database itself."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        engine.dispose()
