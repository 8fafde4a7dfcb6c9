"""Outcomes: stored once however often they are told, judged by the order of their times, each on its own."""

from datetime import timedelta

import pytest

from data.errors import RequestError, UnknownComplaintError
from data.store.outcomes import Event, Outcome
from data.store.store import Store
from tests.data.store.rows import NOON, OTHER, REGION, decision, rows


@pytest.fixture()
def decided(store: Store) -> Store:
    store.decisions.save([decision(id="1"), decision(id="2"), decision(id="1", region=OTHER)])
    return store


def after(hours: float, event: Event, complaint: str = "1", **changes: object) -> Outcome:
    values = {"region": REGION, "source": "pos", "agency": None, "nth": 1} | changes
    return Outcome(complaint_id=complaint, event=event, at=NOON + timedelta(hours=hours), **values)


def told(store: Store, *events: Outcome) -> list[bool | str]:
    return [str(answer) if isinstance(answer, Exception) else answer for answer in store.outcomes.save(events)]


def test_a_whole_story_is_stored_once_and_in_each_region_apart(decided: Store, url: str) -> None:
    story = [after(1, "sent"), after(2, "rerouted"), after(5, "answered"), after(9, "closed"), after(20, "reopened")]
    assert told(decided, *story) == [True] * 5
    assert told(decided, *story, after(1, "sent", region=OTHER)) == [False] * 5 + [True]
    assert told(decided, story[0], story[0]) == [False, False]
    assert rows(url, "select region, count(*) from outcomes group by region order by region") == [
        (REGION, 5),
        (OTHER, 1),
    ]


def test_events_may_be_told_late_and_out_of_order(decided: Store) -> None:
    assert told(decided, after(9, "closed")) == [True]
    assert told(decided, after(5, "answered"), after(1, "sent")) == [True, True]


@pytest.mark.parametrize(
    ("before", "event", "why"),
    [
        ([(9, "closed")], (10, "answered"), "answered at 2026-11-10 22:00:00 UTC cannot come after closed at"),
        ([(9, "closed")], (10, "closed"), "closed at .* cannot come after closed at"),
        ([(1, "sent")], (2, "sent"), "sent at .* cannot come after sent at"),
        ([(5, "sent")], (2, "sent"), "sent at .* cannot come after sent at 2026-11-10 14:00"),
        ([(1, "sent")], (2, "reopened"), "reopened at .* cannot come after sent"),
        ([], (2, "reopened"), "cannot come with nothing before it"),
        ([], (-1, "sent"), "lies before the complaint came, at 2026-11-10 12:00:00 UTC"),
        ([], (24 * 3650, "sent"), "lies in the future"),
    ],
)
def test_what_cannot_have_happened_is_refused_and_the_rest_stays(decided: Store, before, event, why: str) -> None:
    assert told(decided, *(after(*each) for each in before)) == [True] * len(before)
    answers = decided.outcomes.save([after(*event), after(1, "sent", "2")])
    assert isinstance(answers[0], RequestError)
    with pytest.raises(RequestError, match=why):
        raise answers[0]
    assert answers[1] is True


def test_clocks_that_differ_by_a_little_are_forgiven(decided: Store) -> None:
    assert told(decided, after(-0.05, "sent")) == [True]


def test_a_complaint_that_was_never_decided_here_is_unknown_in_its_region(decided: Store) -> None:
    unknown, known = decided.outcomes.save([after(1, "sent", "2", region=OTHER), after(1, "sent", "2")])
    assert isinstance(unknown, UnknownComplaintError)
    assert known is True


def test_reroutings_that_are_only_counted_are_kept_without_a_time(decided: Store, url: str) -> None:
    events = [Outcome(REGION, "pos", "1", "rerouted", None, nth=nth) for nth in (1, 2)]
    assert told(decided, *events) == [True, True]
    assert told(decided, *events, Outcome(REGION, "pos", "1", "rerouted", None, nth=3)) == [False, False, True]
    assert rows(url, "select count(*) from outcomes where at is null") == [(3,)]


def test_an_agency_is_masked(decided: Store, url: str) -> None:
    assert told(decided, after(1, "sent", agency="Комитет, Иванов Пётр Сергеевич, 8 900 765-43-21")) == [True]
    ((agency,),) = rows(url, "select agency from outcomes")
    assert "Иванов" not in agency
    assert "765" not in agency
