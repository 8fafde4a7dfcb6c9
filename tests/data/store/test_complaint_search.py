"""Searching decided complaints: each filter, the operator's word, and pages that stand still while rows come in."""

from datetime import date
from typing import Any

import pytest

from data.complaints.masking import masked
from data.store.complaint_search import ComplaintFilter
from data.store.outcomes import Outcome
from data.store.store import Store
from tests.data.store.handled import write_a_story
from tests.data.store.rows import NOON, OTHER, REGION, correction, decision

FIR = masked("Ёлка УПАЛА на 100% дома")


def ids(store: Store, **wanted: Any) -> list[str]:
    return [each.id for each in store.search.page(REGION, ComplaintFilter(**wanted), 100).complaints]


@pytest.fixture()
def filled(store: Store) -> Store:
    store.decisions.save(
        [
            decision(id="1"),
            decision(id="2", sector="Дороги", topic="Ямы", agency="Дорожный комитет", decision="review"),
            decision(id="3", municipality="Каменный Брод", day=date(2026, 11, 12), text=FIR),
            decision(id="4", region=OTHER),
            decision(id="5", sector="Дороги"),
        ]
    )
    store.corrections.save(
        [correction(complaint_id="5", sector="Связь"), correction(complaint_id="1", agency="Орган 2")]
    )
    return store


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["5", "3", "2", "1"]),
        ({"since": date(2026, 11, 11)}, ["3"]),
        ({"until": date(2026, 11, 10)}, ["5", "2", "1"]),
        ({"municipality": "Каменный Брод"}, ["3"]),
        ({"sector": "Дороги"}, ["2"]),
        ({"sector": "Связь"}, ["5"]),
        ({"topic": "Ямы"}, ["2"]),
        ({"agency": "Орган 2"}, ["1"]),
        ({"decision": "review"}, ["2"]),
        ({"corrected": True}, ["5", "1"]),
        ({"corrected": False}, ["3", "2"]),
        ({"words": ("ёлка", "Упал")}, ["3"]),
        ({"words": ("100%",)}, ["3"]),
        ({"words": ("1%0",)}, []),
        ({"words": ("мусор",), "sector": "ЖКХ"}, ["1"]),
    ],
)
def test_each_filter_finds_its_complaints_by_the_labels_that_stand(
    filled: Store, wanted: dict[str, Any], expected: list[str]
) -> None:
    assert ids(filled, **wanted) == expected


def test_a_complaint_tells_what_was_decided_and_what_stands(filled: Store) -> None:
    (found,) = filled.search.page(REGION, ComplaintFilter(sector="Связь"), 1).complaints
    assert (found.decided.sector, found.stands.sector, found.corrected) == ("Дороги", "Связь", True)
    assert found.stands.topic == found.decided.topic


def test_pages_hold_every_complaint_once_while_others_come_in_and_are_sent_again(store: Store) -> None:
    store.decisions.save([decision(id=str(number)) for number in range(10)])
    pages, as_of, below = [], None, None
    while True:
        page = store.search.page(REGION, ComplaintFilter(), 3, as_of, below)
        pages += [each.id for each in page.complaints]
        store.decisions.save([decision(id=f"new{len(pages)}"), decision(id="0"), decision(id="9")])
        as_of, below = page.as_of, page.next_below
        if below is None:
            break
    assert pages == [str(number) for number in range(9, -1, -1)]


def test_a_later_page_shows_complaints_as_they_stood_when_the_first_one_was_asked_for(store: Store) -> None:
    store.decisions.save([decision(id="1"), decision(id="2"), decision(id="3")])
    store.corrections.save([correction(complaint_id="1", topic="Ямы", agency="Орган 2")])
    first = store.search.page(REGION, ComplaintFilter(), 1)
    store.decisions.save([decision(id="1", sector="Дороги", topic="Снег", agency="Орган 3", decision="review")])
    later = store.search.page(REGION, ComplaintFilter(decision="route"), 5, first.as_of, first.next_below)
    assert [each.id for each in later.complaints] == ["2", "1"]
    stands = later.complaints[-1].stands
    assert (stands.sector, stands.topic, stands.agency) == ("ЖКХ", "Ямы", "Орган 2")
    assert [each.stands.sector for each in store.search.page(REGION, ComplaintFilter(topic="Ямы"), 5).complaints] == [
        "Дороги"
    ]


def test_the_agency_that_stands_is_what_was_decided_or_said_whoever_has_it_now(store: Store) -> None:
    write_a_story(store)
    store.corrections.save([correction(complaint_id="1", agency="Орган 2")])
    store.outcomes.save([Outcome(REGION, "pos", "3", "sent", NOON, "Ведомство")])
    standing = store.search.page(REGION, ComplaintFilter(), 5).complaints
    assert {each.id: each.stands.agency for each in standing} == {"1": "Орган 2", "2": "Орган", "3": "Орган"}
    assert ids(store, agency="Орган 2") == ["1"]
    assert ids(store, agency="Ведомство") == []


def test_an_empty_region_has_one_empty_page(store: Store) -> None:
    page = store.search.page(REGION, ComplaintFilter(), 3)
    assert (page.complaints, page.next_below) == ([], None)
