"""How quick the queue is with 100,000 stored complaints.

In: a folder. Out: of each question, milliseconds by the clock and of processor time (which other work on the machine
does not change), median and 95th percentile. Every third complaint went to an operator; of these, half were answered.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from data.store.decisions import DecisionRow
from data.store.review_queue import QueueFilter
from data.store.reviews import ReviewRow
from data.store.session import Database
from data.store.store import Store
from data.store.tables import naive_utc

REGION = "verkhnerechye"
TURNS = 60
HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def measure(folder: Path, complaints: int) -> dict[str, dict[str, float]]:
    """Figures by question: `p50_ms`, `p95_ms`, `cpu_p50_ms`, `cpu_p95_ms`."""
    url = f"sqlite:///{folder}/queue.db"
    database = Database(url, REGION)
    with database.writing() as connection:
        for rows in _rows(complaints):
            connection.execute(insert(DecisionRow), rows["decisions"])
            connection.execute(insert(ReviewRow), rows["reviews"])
    database.close()
    store = Store(url, REGION)
    some = QueueFilter(sector="Отрасль 3", municipality="Город 7")
    questions: dict[str, Callable[[int], object]] = {
        "counts": lambda _: store.queue.counts(REGION, QueueFilter()),
        "first page": lambda _: store.queue.page(REGION, QueueFilter(), 51),
        "filtered page": lambda _: store.queue.page(REGION, some, 51),
        "next complaint": lambda turn: store.claims.next(REGION, f"key-{turn}", [], QueueFilter(), HOUR),
        "next, filtered": lambda turn: store.claims.next(REGION, f"key-{turn}", [], some, HOUR),
        "one complaint": lambda turn: store.queue.of(REGION, "pos", str(6 * turn + 3)),
    }
    figures = {name: _timed(ask) for name, ask in questions.items()}
    store.close()
    return figures


def _timed(ask: Callable[[int], object]) -> dict[str, float]:
    clock, processor = [], []
    for turn in range(TURNS):
        begun = time.perf_counter(), time.thread_time()
        ask(turn)
        clock.append(1000 * (time.perf_counter() - begun[0]))
        processor.append(1000 * (time.thread_time() - begun[1]))
    (p50, p95), (cpu_p50, cpu_p95) = (map(float, np.quantile(each, [0.5, 0.95])) for each in (clock, processor))
    return {"p50_ms": p50, "p95_ms": p95, "cpu_p50_ms": cpu_p50, "cpu_p95_ms": cpu_p95}


def _rows(complaints: int, together: int = 5000) -> Iterator[dict[str, list[dict[str, Any]]]]:
    for first in range(0, complaints, together):
        numbers = range(first, min(first + together, complaints))
        yield {
            "decisions": [_decision(number) for number in numbers],
            "reviews": [_review(number) for number in numbers if number % 3 == 0],
        }


def _decision(number: int) -> dict[str, Any]:
    moment = naive_utc(BEGIN + number * timedelta(minutes=4))
    labels = {"sector": f"Отрасль {number % 16}", "topic": f"Тема {number % 90}", "agency": f"Орган {number % 40}"}
    confidences = {f"{name}_confidence": 0.5 for name in labels}
    kept = {"region": REGION, "source": "pos", "id": str(number), "municipality": f"Город {number % 29}"}
    times = {"created_at": moment, "received_at": moment, "day": date(2026, 1, 1), "due_at": None}
    said = {"decision": "route" if number % 3 else "review", "reasons": ["low_confidence"], "model_version": "1"}
    return {"number": number + 1, "text": f"Обращение {number} " * 10} | kept | labels | confidences | times | said


def _review(number: int) -> dict[str, Any]:
    due = naive_utc(BEGIN + number * timedelta(minutes=4) + timedelta(days=30))
    place = {"sector": f"Отрасль {number % 16}", "municipality": f"Город {number % 29}"}
    free = {"claimed_by": None, "claimed_until": None, "later_until": None}
    closed = None if number % 6 else due
    key = {"region": REGION, "source": "pos", "id": str(number), "decision": number + 1}
    return key | place | free | {"urgent_at": due, "closed_at": closed}
