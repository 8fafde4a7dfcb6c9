"""A store as of a working day: complaints to decide, complaints behind a surge, a topic that nobody knows yet.

What the console's tests look at; put there as `/v1/classify` would, with the masked texts of made-up complaints.
"""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from data.complaints.masking import masked
from data.store.decisions import Decision
from data.store.store import Store
from models.classifier.classifier import Classifier
from serving.auth.roles import ROLES, Role
from tests.serving.bundles import CALM_PLACE, REGION, SENTENCES, SURGE_DAYS, SURGE_PLACE, SURGE_SECTOR

NEW_TOPIC = "самокаты брошены на тротуаре, Кузнецова Мария Петровна, 8 900 765-43-21"
HOSTILE = '<img src=x onerror="document.title=1"> <b>жирный</b> \u202eтекст наоборот\u202c, звоните 8 900 765-43-21'
LONG_PLACE = "Городской округ " + "Верхне" * 30 + "реченск"
REVIEWED, BEHIND_THE_SURGE, PAST, RECENT, NEW = 30, 25, 260, 90, 15


def fill(store: Store, bundle: Path) -> None:
    """Put the day into the store, decided by version 1 of this classifier."""
    model = Classifier.load(bundle)
    now = datetime.now(UTC)
    surge_end = last_counted_day()
    rows: list[dict[str, Any]] = []
    for n in range(PAST + RECENT):
        age = 14 + n % 60 if n < PAST else n % 14
        text = f"{SENTENCES[n % 5]} {SENTENCES[n // 5 % 5]} и ещё {n}"
        rows.append(_row(f"usual-{n}", text, now - timedelta(days=age), topic_confidence=(0.9, 0.3)[n % 2]))
    for n in range(NEW):
        rows.append(_row(f"new-{n}", f"{NEW_TOPIC}, {n}", now - timedelta(days=n % 7), topic_confidence=0.2))
    for n in range(BEHIND_THE_SURGE):
        moment = datetime.combine(surge_end - timedelta(days=n % SURGE_DAYS), time(9), UTC)
        where = {"municipality": SURGE_PLACE, "sector": SURGE_SECTOR}
        rows.append(_row(f"surge-{n}", f"Нет воды на улице Садовой, дом {n}", moment, **where))
    for n in range(REVIEWED):
        moment = now - timedelta(days=n // 4, minutes=20 * n + 1)  # so few a day that no day is a surge of them
        text = HOSTILE if n == 0 else f"Яма на дороге у дома {n}, и фонари не горят"
        where = {"municipality": CALM_PLACE, "decision": "review", "reasons": ["low_confidence"]}
        rows.append(_row(f"review-{n}", text, moment, **where))
    texts = [masked(row["text"]) for row in rows]
    features = model.features(texts, [None] * len(texts))
    pairs = zip(rows, texts, features, strict=True)
    store.decisions.save([Decision(**row | {"text": text, "features": read}) for row, text, read in pairs])


def last_counted_day() -> date:
    """Where the counts that the forecaster knows end: a Sunday, eight to fourteen days ago, whatever today is."""
    today = datetime.now(UTC).date()
    return today - timedelta(days=8 + (today - timedelta(days=8)).isoweekday() % 7)


def make_keys(store: Store) -> dict[Role, str]:
    """A key of each role."""
    return {role: store.keys.make(f"Ключ {role}", role, frozenset({REGION}), None)[1] for role in ROLES}


def _row(identifier: str, text: str, moment: datetime, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"region": REGION, "source": "pos", "municipality": SURGE_PLACE, "decision": "route"}
    values |= {"reasons": [], "sector": "Дороги", "topic": "Ямы и выбоины", "agency": "Министерство транспорта"}
    values |= {"model_version": "1", "sector_confidence": 0.9, "agency_confidence": 0.9, "topic_confidence": 0.9}
    return values | {"id": identifier, "text": text, "created_at": moment, "day": moment.date()} | changes
