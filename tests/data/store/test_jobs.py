"""Jobs and leases: one worker at a time, another one when it dies, and nothing from one whose lease is lost."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from data.store import job_leases
from data.store.job_leases import LeaseLostError
from data.store.jobs import NewJob
from data.store.store import Store
from tests.data.store.rows import OTHER, REGION, rows

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def add(store: Store, id: str = "a", **changes: Any) -> None:
    values: dict[str, Any] = {"region": REGION, "key_id": "k", "name": "n.csv", "file": "upload.csv", "bytes": 10}
    store.jobs.add(NewJob(**({"id": id, "source": "generic", "date": None} | values | changes)))


def change(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def status(store: Store, id: str = "a") -> str:
    job = store.jobs.get(REGION, id)
    assert job is not None
    return job.status


def test_jobs_are_leased_in_the_order_of_their_coming_and_once_each(store: Store) -> None:
    for id in ("a", "b"):
        add(store, id)
    leases = [store.leases.claim() for _ in range(3)]
    assert [lease and lease.job.id for lease in leases] == ["a", "b", None]
    assert status(store) == "running"


def test_of_many_workers_that_ask_at_once_one_gets_the_job(store: Store) -> None:
    add(store)
    begin, got = threading.Barrier(8), []

    def ask() -> None:
        begin.wait()
        got.append(store.leases.claim())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([lease for lease in got if lease is not None]) == 1


def test_a_lease_that_ran_out_goes_to_another_and_its_first_holder_writes_nothing(store: Store, url: str) -> None:
    add(store)
    dead = store.leases.claim()
    assert dead is not None
    change(url, "update jobs set leased_until = '2026-01-01 00:00:00'")
    alive = store.leases.claim()
    assert alive is not None
    assert alive.token == dead.token + 1
    for write in (
        lambda: store.leases.renew(dead, {"read": 5}),
        lambda: store.leases.give_back(dead),
        lambda: store.leases.end(dead, "done", rows=5),
    ):
        with pytest.raises(LeaseLostError):
            write()
    store.leases.renew(alive, {"read": 7, "rows": 7})
    store.leases.end(alive, "done")
    assert rows(url, "select status, read, rows, leased_until from jobs") == [("done", 7, 7, None)]


def test_a_renewed_lease_stays_and_a_clock_turned_back_leaves_none_for_ever(store: Store, url: str) -> None:
    add(store)
    lease = store.leases.claim()
    assert lease is not None
    store.leases.renew(lease, {})
    assert store.leases.claim() is None
    change(url, "update jobs set leased_until = '2099-01-01 00:00:00'")
    assert store.leases.claim() is not None


def test_a_cancelled_job_is_nobodys(store: Store, url: str) -> None:
    for id in ("a", "b"):
        add(store, id)
    lease = store.leases.claim()
    assert lease is not None
    cancelled = store.jobs.cancel(REGION, "a")
    assert cancelled is not None
    assert cancelled.status == "cancelled"
    with pytest.raises(LeaseLostError):
        store.leases.end(lease, "done")
    assert store.jobs.cancel(REGION, "b") is not None
    assert store.leases.claim() is None
    assert store.jobs.cancel(OTHER, "a") is None


def test_what_has_ended_cannot_be_cancelled(store: Store) -> None:
    add(store)
    lease = store.leases.claim()
    assert lease is not None
    store.leases.end(lease, "done")
    assert store.jobs.cancel(REGION, "a") is not None
    assert status(store) == "done"


def test_a_job_that_every_worker_dies_of_is_given_up_unless_it_gets_on(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_leases, "MAX_FRUITLESS", 3)
    add(store)
    for number in range(5):
        lease = store.leases.claim()
        assert lease is not None
        store.leases.renew(lease, {"read": 10 * (number + 1)})
        change(url, "update jobs set leased_until = '2026-01-01 00:00:00'")
    for _ in range(3):
        assert store.leases.claim() is not None
        change(url, "update jobs set leased_until = '2026-01-01 00:00:00'")
    assert store.leases.claim() is None
    assert rows(url, "select status, error_code from jobs") == [("failed", "internal")]


def test_time_left_follows_from_the_pace_since_the_job_was_taken_over(store: Store, url: str) -> None:
    add(store)
    lease = store.leases.claim()
    assert lease is not None
    store.leases.renew(lease, {"read_before": 100, "read": 300, "expected": 1000})
    change(url, "update jobs set running_since = '2026-11-20 11:59:50'")
    job = store.jobs.get(REGION, "a")
    assert job is not None
    assert job.seconds_left(NOW) == pytest.approx(35)
    store.leases.end(lease, "done")
    ended = store.jobs.get(REGION, "a")
    assert ended is not None
    assert ended.seconds_left(NOW) is None


def test_pages_go_on_where_they_ended_and_regions_are_apart(store: Store) -> None:
    for number in range(5):
        add(store, str(number))
    add(store, "other", region=OTHER)
    first = store.jobs.page(REGION, None, 2)
    add(store, "late")
    second = store.jobs.page(REGION, first[-1].number, 10)
    assert [job.id for job in first + second] == ["4", "3", "2", "1", "0"]
    assert store.jobs.get(REGION, "other") is None


def test_ended_jobs_are_kept_for_a_while(store: Store, url: str) -> None:
    for id in ("old", "new", "open"):
        add(store, id)
    for _ in ("old", "new"):
        lease = store.leases.claim()
        assert lease is not None
        store.leases.end(lease, "done")
    change(url, "update jobs set finished_at = '2026-01-01 00:00:00' where id = 'old'")
    store.jobs.remove_ended(datetime.now(UTC) - timedelta(days=7))
    assert store.jobs.ids() == {"new": "done", "open": "queued"}


def test_it_is_told_since_when_jobs_wait_that_nobody_works_on(store: Store) -> None:
    assert store.jobs.waiting_since() is None
    add(store)
    assert store.jobs.waiting_since() is not None
    assert store.leases.claim() is not None
    assert store.jobs.waiting_since() is None
