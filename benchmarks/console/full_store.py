"""A store with so many complaints: the sample's, decided by the champion, again and again over the last weeks.

In: a running service on an empty store. Out: its store filled, with texts, labels, confidences and features as
they would be; only ids and days differ from one repetition to the next. One in four is corrected, and those old
enough are answered.
"""

from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
from rich.progress import track

from data.complaints.masking import masked
from data.errors import TsurError
from data.store.complaint_search import ComplaintFilter, DecidedComplaint
from data.store.corrections import Correction
from data.store.decisions import Decision
from data.store.outcomes import Outcome
from data.store.store import Store
from tsur.samples import sample_complaints

DECIDED = 512
"""Complaints that the champion decides; the others repeat them."""
TOGETHER = 64
DAYS = 74
"""What new topics look at: 14 days and the 60 before."""
ROWS = 2000
CORRECTED = 4
"""One of so many was corrected by an operator."""


def fill(client: httpx.Client, store: Store, region: str, rows: int) -> None:
    """Put `rows` decisions into the store of the service.

    Raises:
        TsurError: the service refused a complaint.
    """
    sample = sample_complaints().sample(DECIDED, random_state=0).to_dict("records")
    for start in range(0, DECIDED, TOGETHER):
        part = sample[start : start + TOGETHER]
        items = [
            {"id": f"seed-{start + n}", "text": row["text"], "source": row["source"]} for n, row in enumerate(part)
        ]
        answer = client.post("/v1/classify", json={"items": items})
        if answer.status_code != 200:
            raise TsurError(f"/v1/classify answered {answer.status_code}: {answer.text[:300]}")
    seeds = _seeds(store, region)
    numbers, now = count(), datetime.now(UTC)
    for _ in track(range(rows // ROWS), "filling the store"):
        decisions = [_again(seeds[n % len(seeds)], n, now) for n, _ in zip(numbers, range(ROWS), strict=False)]
        store.decisions.save(decisions)
        store.corrections.save([_corrected(each) for each in decisions[::CORRECTED]])
        store.outcomes.save([each for decision in decisions for each in _handled(decision, now)])


def _seeds(store: Store, region: str) -> list[Decision]:
    """What the champion decided, with the features it read."""
    today = datetime.now(UTC).date()
    read = store.complaints.of_days(region, today - timedelta(days=1), today + timedelta(days=1), "1", DECIDED)
    features = {(row["source"], row["id"]): row for row in read.to_dict("records")}
    page = store.search.page(region, ComplaintFilter(), DECIDED)
    return [_decision(each, region, features.get((each.source, each.id))) for each in page.complaints]


def _decision(each: DecidedComplaint, region: str, read: object) -> Decision:
    known = read if isinstance(read, dict) else {}
    labels = each.decided
    return Decision(
        region=region,
        source=each.source,
        id=each.id,
        text=masked(each.text),
        municipality=each.municipality,
        created_at=each.created_at,
        day=each.created_at.date(),
        decision=each.decision,
        reasons=each.reasons,
        sector=labels.sector or "",
        sector_confidence=each.confidence,
        topic=labels.topic or "",
        topic_confidence=float(known.get("confidence", each.confidence)),
        agency=labels.agency or "",
        agency_confidence=each.confidence,
        model_version=each.model_version,
        features=known.get("features"),
    )


def _corrected(decision: Decision) -> Correction:
    """What an operator said of a complaint: the same, but for the agency."""
    key = (decision.region, decision.source, decision.id)
    return Correction(*key, decision.sector, decision.topic, "Другой исполнитель", "Оператор")


def _handled(decision: Decision, now: datetime) -> list[Outcome]:
    """It was sent on at once, and answered within three weeks, if that is over."""
    key, came = (decision.region, decision.source, decision.id), decision.created_at
    answered = came + timedelta(days=len(decision.text) % 21)
    events = [Outcome(*key, "sent", came, decision.agency), Outcome(*key, "answered", answered)]
    return [event for event in events if event.at is not None and event.at <= now]


def _again(seed: Decision, number: int, now: datetime) -> Decision:
    moment = now - timedelta(days=number % DAYS, minutes=number % 600)
    changed = {"id": f"again-{number}", "created_at": moment, "day": moment.date()}
    return Decision(**vars(seed) | changed | {"due_at": moment + timedelta(days=number % 30)})
