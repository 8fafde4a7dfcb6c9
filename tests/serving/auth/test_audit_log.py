"""The audit of a running service: who asked and which complaints were shown, no text, nothing lost that can be kept."""

import asyncio
from pathlib import Path

import pytest

from data.errors import StoreError
from data.store.audit import AuditEntry, AuditFilter, command_entry
from data.store.store import Store
from serving.auth import audit_log
from serving.auth.audit_log import AuditLog
from serving.regions.champions import Champions
from tests.data.store.rows import rows
from tests.serving.bundles import REGION
from tests.serving.inprocess import client_of, make_runtime

TEXT = "Третью неделю не вывозят мусор на Садовой"


def test_who_asked_and_which_complaints_were_shown_is_stored_without_a_text(
    champions: Champions, tmp_path: Path
) -> None:
    runtime = make_runtime(champions, tmp_path)
    number, key = runtime.store.keys.make("оператор 7", "operator", frozenset({REGION}), None)
    _, routing = runtime.store.keys.make("ПОС", "routing", None, None)
    runtime.keys.refresh()

    async def ask() -> None:
        async with client_of(runtime) as client:
            client.headers["X-API-Key"] = key
            items = [{"id": "17", "text": TEXT}, {"id": "18", "text": " "}, {"id": "19", "text": TEXT}]
            assert (await client.post("/v1/classify", json={"items": items})).status_code == 200
            feedback = {"items": [{"id": "17", "sector": "ЖКХ"}]}
            assert (await client.post("/v1/feedback", json=feedback)).status_code == 200
            assert (await client.get("/v1/heatmap")).status_code == 200
            assert (await client.get("/v1/people/17")).status_code == 404
            client.headers["X-API-Key"] = routing
            assert (await client.get("/v1/surges")).status_code == 403
            assert (await client.get("/livez")).status_code == 404
            del client.headers["X-API-Key"]
            assert (await client.get("/v1/surges")).status_code == 401

    asyncio.run(ask())
    runtime.store_thread.once()
    entries = list(runtime.store.audit.entries(AuditFilter()))[::-1]
    assert [(e.key_name, e.role, e.region, e.method, e.route, e.status, e.complaints) for e in entries] == [
        ("оператор 7", "operator", REGION, "POST", "/v1/classify", 200, (("other", "17"), ("other", "19"))),
        ("оператор 7", "operator", REGION, "POST", "/v1/feedback", 200, (("other", "17"),)),
        ("оператор 7", "operator", REGION, "GET", "/v1/heatmap", 200, ()),
        ("оператор 7", "operator", REGION, "GET", "(elsewhere)", 404, ()),
        ("ПОС", "routing", REGION, "GET", "/v1/surges", 403, ()),
    ]
    assert {e.key_id for e in entries[:4]} == {f"key-{number}"}
    assert len({e.request_id for e in entries}) == len(entries)
    url = f"sqlite:///{tmp_path}/store.db"
    assert "мусор" not in str(rows(url, "select * from audit") + rows(url, "select * from audit_complaints"))
    runtime.close()


def entry(request: int) -> AuditEntry:
    return command_entry(f"request {request}")


def test_entries_wait_while_the_store_is_gone_and_keep_their_order(tmp_path: Path) -> None:
    blocked = tmp_path / "later"
    blocked.write_text("not a folder yet")
    store = Store(f"sqlite:///{blocked}/store.db", REGION)
    log = AuditLog(store.audit)
    entries = [entry(n) for n in range(3)]
    for each in entries[:2]:
        log.add(each)
    with pytest.raises(StoreError):
        log.flush()
    assert len(log) == 2
    log.add(entries[2])
    blocked.unlink()
    log.close()
    assert len(log) == 0
    assert list(store.audit.entries(AuditFilter()))[::-1] == entries


def test_when_too_many_wait_the_oldest_are_given_up_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "MAX_WAITING", 3)
    monkeypatch.setattr(audit_log, "TOGETHER", 2)
    store = Store(f"sqlite:///{tmp_path}/store.db", REGION)
    log = AuditLog(store.audit)
    entries = [entry(n) for n in range(5)]
    for each in entries:
        log.add(each)
    assert log.lost == 2
    log.flush()
    assert list(store.audit.entries(AuditFilter()))[::-1] == entries[2:]
