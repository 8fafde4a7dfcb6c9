"""Management decisions: recorded with their evidence as it was shown, changed and counted, each region's own."""

from datetime import UTC, date, datetime, timedelta

import pytest

from data.errors import UnknownDecisionError
from data.store.management_decisions import STATUSES, Evidence
from data.store.scanning import Scanner
from data.store.store import Store
from tests.data.store.rows import OTHER, REGION

SURGE = Evidence(
    "surge",
    "Всплеск: ЖКХ, Верхнереченск",
    "surges?since=2026-11-16",
    {
        "observed": 40,
        "expected": 12.5,
        "note": "звонил 8 900 765-43-21",
        "complaints": [{"source": "pos", "id": "17"}],
        "weeks": [{"id": "17", "count": 3}],
    },
)


def test_a_decision_keeps_its_evidence_without_the_complaints_behind_it(store: Store) -> None:
    kept = store.management_decisions.add(
        REGION, "Усилить вывоз", "Петрова А. В.", date(2026, 12, 1), SURGE, "Аналитик"
    )
    assert (kept.status, kept.due_on, kept.author, kept.closed_at) == ("open", date(2026, 12, 1), "Аналитик", None)
    assert kept.evidence is not None
    assert (kept.evidence.kind, kept.evidence.link) == ("surge", "surges?since=2026-11-16")
    assert kept.evidence.data == {
        "observed": 40,
        "expected": 12.5,
        "note": "звонил [ТЕЛЕФОН]",
        "weeks": [{"count": 3}],
    }
    assert list(store.scan(Scanner(["17"]))) == []


def test_it_is_done_reopened_and_changed_and_its_evidence_stays(store: Store) -> None:
    kept = store.management_decisions.add(REGION, "Усилить вывоз", "Комитет", None, SURGE, "Аналитик")
    done = store.management_decisions.change(
        REGION, kept.number, {"status": "done", "result": "Вывезено, 8 900 765-43-21"}
    )
    assert (done.status, done.result, done.evidence) == ("done", "Вывезено, [ТЕЛЕФОН]", kept.evidence)
    assert done.closed_at is not None
    assert store.management_decisions.change(REGION, kept.number, {"status": "open"}).closed_at is None
    later = store.management_decisions.change(REGION, kept.number, {"due_on": date(2026, 12, 9)})
    assert (later.due_on, later.what) == (date(2026, 12, 9), "Усилить вывоз")


def test_a_region_sees_and_changes_its_own_only(store: Store) -> None:
    kept = store.management_decisions.add(REGION, "Усилить вывоз", "Комитет", None, None, "Аналитик")
    assert store.management_decisions.newest(OTHER, STATUSES, 10) == []
    with pytest.raises(UnknownDecisionError, match=f"'{OTHER}' has no management decision {kept.number}"):
        store.management_decisions.change(OTHER, kept.number, {"status": "done"})
    with pytest.raises(UnknownDecisionError):
        store.management_decisions.get(OTHER, kept.number)


def test_they_are_listed_newest_first_and_counted_with_and_without_evidence(store: Store) -> None:
    for evidence in (SURGE, None, None):
        store.management_decisions.add(REGION, "Решение", "Комитет", None, evidence, "Аналитик")
    store.management_decisions.change(REGION, 2, {"status": "dropped"})
    assert [each.number for each in store.management_decisions.newest(REGION, STATUSES, 2)] == [3, 2]
    assert [each.number for each in store.management_decisions.newest(REGION, ["open"], 10)] == [3, 1]
    now = datetime.now(UTC).replace(tzinfo=None)
    hour = timedelta(hours=1)
    assert store.management_decisions.count(REGION, now - hour, now + hour) == (1, 3)
    assert store.management_decisions.count(REGION, now + hour, now + 2 * hour) == (0, 0)
