"""A few complaints that were decided, corrected, taken back, sent on, answered and sent again."""

from datetime import timedelta

from data.store.outcomes import Outcome
from data.store.store import Store
from tests.data.store.rows import NOON, REGION, correction, decision

HOUR = timedelta(hours=1)


def write_a_story(store: Store) -> None:
    """Complaint 1 has all of it, 2 was only corrected, 3 only decided."""
    store.decisions.save([decision(id="1", due_at=NOON + HOUR, decision="review"), decision(id="2"), decision(id="3")])
    store.corrections.save([correction(complaint_id="1", sector="Дороги", agency="Орган", operator="7")])
    store.corrections.save([correction(complaint_id="1", topic="Ямы", operator="7"), correction(complaint_id="2")])
    store.decisions.save([decision(id="1", due_at=NOON + HOUR, decision="review", model_version="2")])
    last = store.operator_answers.of(REGION, "pos", "1")[0]
    store.operator_answers.undo(REGION, last.number, "7", timedelta(minutes=5))
    events = [
        Outcome(REGION, "pos", "1", "sent", NOON + HOUR / 2, "Ведомство"),
        Outcome(REGION, "pos", "1", "rerouted", None),
        Outcome(REGION, "pos", "1", "closed", NOON + HOUR),
        Outcome(REGION, "pos", "1", "reopened", NOON + 2 * HOUR),
        Outcome(REGION, "pos", "1", "answered", NOON + 3 * HOUR),
    ]
    assert all(answer is True for answer in store.outcomes.save(events))
