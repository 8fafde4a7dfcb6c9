"""The audit: what is written is found by who, when, where, which address and which complaint."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from data.store import audit
from data.store.audit import AuditEntry, AuditFilter, command_entry
from data.store.store import Store
from tests.data.store.rows import NOON, OTHER, REGION

ENTRY = AuditEntry(
    at=NOON,
    key_id="key-1",
    key_name="ПОС",
    role="routing",
    region=REGION,
    method="POST",
    route="/v1/classify",
    status=200,
    request_id="a1",
    complaints=(("pos", "17"), ("hotline", "18")),
)
REFUSED = replace(ENTRY, at=NOON + timedelta(hours=1), key_id="key-2", status=403, complaints=())
ELSEWHERE = replace(
    ENTRY, at=NOON + timedelta(hours=2), region=OTHER, route="/v1/feedback", complaints=(("pos", "17"),)
)


def test_entries_come_back_the_newest_first_with_the_complaints_in_order(store: Store) -> None:
    store.audit.save([ENTRY, REFUSED])
    store.audit.save([ELSEWHERE])
    store.audit.save([])
    assert list(store.audit.entries(AuditFilter())) == [ELSEWHERE, REFUSED, ENTRY]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"since": NOON + timedelta(hours=1)}, [ELSEWHERE, REFUSED]),
        ({"until": NOON + timedelta(hours=1)}, [ENTRY]),
        ({"key_id": "key-2"}, [REFUSED]),
        ({"region": OTHER}, [ELSEWHERE]),
        ({"route": "/v1/feedback"}, [ELSEWHERE]),
        ({"complaint_id": "17"}, [ELSEWHERE, ENTRY]),
        ({"complaint_id": "18", "region": REGION}, [ENTRY]),
        ({"complaint_id": "1"}, []),
    ],
)
def test_entries_are_found_by_what_is_asked_for(store: Store, wanted: dict[str, Any], found: list[AuditEntry]) -> None:
    store.audit.save([ENTRY, REFUSED, ELSEWHERE])
    assert list(store.audit.entries(AuditFilter(**wanted))) == found


def test_many_entries_are_read_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 3)
    made = [replace(ENTRY, request_id=str(n)) for n in range(7)]
    store.audit.save(made)
    assert list(store.audit.entries(AuditFilter())) == made[::-1]


def test_a_command_is_an_entry_of_whoever_sits_at_the_machine() -> None:
    entry = command_entry("tsur keys revoke 3", REGION)
    assert (entry.method, entry.route, entry.region, entry.key_id) == (
        "command",
        "tsur keys revoke 3",
        REGION,
        "command-line",
    )
    assert entry.key_name
