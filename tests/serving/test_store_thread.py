"""The thread beside the requests: one task's trouble is told and keeps no other from being done."""

import logging

import pytest

from data.errors import StoreError
from serving.store_thread import StoreThread

COMPLAINT = "Иванов просит"


def test_trouble_with_the_store_is_told_once_and_forgotten_when_it_answers(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []
    failing = [StoreError("the store cannot be read"), StoreError("the store cannot be read")]

    def first() -> None:
        if failing:
            raise failing.pop()
        done.append("first")

    thread = StoreThread([first, lambda: done.append("second")])
    with caplog.at_level(logging.INFO, logger="tsur.serving"):
        thread.once()
        thread.once()
        assert thread.trouble is not None
        thread.once()
    assert thread.trouble is None
    assert done == ["second", "second", "first", "second"]
    assert [record.message for record in caplog.records] == ["the store cannot be read", "the store answers again"]


def test_a_bug_in_one_task_does_not_end_the_others(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    def broken() -> None:
        raise RuntimeError(COMPLAINT)

    thread = StoreThread([broken, lambda: done.append("second")])
    thread.once()
    assert done == ["second"]
    assert "builtins.RuntimeError" in caplog.text
    assert COMPLAINT not in caplog.text
