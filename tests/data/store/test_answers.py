"""Answers under a name: the work is done once, whoever asks at once, and another request with the name is refused."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from data.errors import IdempotencyError
from data.store import answers
from data.store.answers import Answer, NamedRequest
from data.store.decisions import write_decisions
from data.store.store import Store
from tests.data.store.rows import OTHER, REGION, decision, rows

REQUEST = NamedRequest(region=REGION, key_id="key-1", name="n1", content="c1")


def work(connection: Connection) -> Answer:
    """Store one more decision; its text says how many there are."""
    (row,) = write_decisions(connection, [decision(id=str(datetime.now(UTC).timestamp()))])
    return Answer(f"decision {row.number}", [("pos", "17"), ("pos", 'ко"т')])


def test_the_work_of_a_named_request_is_done_once(store: Store, url: str) -> None:
    assert store.answers.given(REQUEST) is None
    first = store.answers.once(REQUEST, work)
    assert store.answers.given(REQUEST) == first
    assert store.answers.once(REQUEST, work) == first
    assert rows(url, "select count(*) from decisions") == [(1,)]


def test_a_request_without_a_name_is_done_each_time(store: Store, url: str) -> None:
    for _ in range(2):
        store.answers.once(None, work)
    assert store.answers.given(None) is None
    assert rows(url, "select (select count(*) from decisions), (select count(*) from answers)") == [(2, 0)]


@pytest.mark.parametrize("change", [{"region": OTHER}, {"key_id": "key-2"}, {"name": "n2"}])
def test_names_of_other_senders_and_regions_are_others(store: Store, change: dict[str, str]) -> None:
    first = store.answers.once(REQUEST, work)
    assert store.answers.once(replace(REQUEST, **change), work) != first


def test_a_name_with_another_content_is_refused_and_nothing_is_done(store: Store, url: str) -> None:
    store.answers.once(REQUEST, work)
    other = replace(REQUEST, content="c2")
    for ask in (store.answers.given, lambda request: store.answers.once(request, work)):
        with pytest.raises(IdempotencyError, match="another request"):
            ask(other)
    assert rows(url, "select count(*) from decisions") == [(1,)]


def test_work_that_fails_leaves_neither_rows_nor_an_answer(store: Store, url: str) -> None:
    def fail(connection: Connection) -> Answer:
        work(connection)
        raise IdempotencyError("no")

    with pytest.raises(IdempotencyError):
        store.answers.once(REQUEST, fail)
    assert rows(url, "select count(*) from decisions") == [(0,)]
    assert store.answers.given(REQUEST) is None


def test_many_that_ask_at_once_get_one_answer(store: Store, url: str) -> None:
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda _: store.answers.once(REQUEST, work), range(30)))
    assert len({answer.text for answer in found}) == 1
    assert rows(url, "select count(*) from decisions") == [(1,)]


def test_answers_go_after_a_day(store: Store, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store.answers.once(REQUEST, work)
    monkeypatch.setattr(answers, "KEPT", timedelta(0))
    store.answers.once(replace(REQUEST, name="n2"), work)
    assert rows(url, "select name from answers") == [("n2",)]


@pytest.mark.parametrize("name", ["17", 'ко"т'])
def test_answers_about_an_erased_complaint_go_with_it(store: Store, url: str, name: str) -> None:
    store.decisions.save([decision(id=name), decision(id="7"), decision(id="_7")])
    for region in (REGION, OTHER):
        store.answers.once(replace(REQUEST, region=region), work)
    store.erasures.erase(REGION, "7", None, "tsur erase")
    store.erasures.erase(REGION, "_7", None, "tsur erase")
    assert rows(url, "select count(*) from answers") == [(2,)], "part of an id is another one"
    store.erasures.erase(REGION, name, None, "tsur erase")
    assert rows(url, "select region from answers") == [(OTHER,)]
