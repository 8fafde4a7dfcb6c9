"""KPIs of a small week, counted by hand: whose complaints count, what holds, and what is not counted yet."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from data.errors import RequestError
from data.kpi.definitions import BY_ID, DEFINITIONS, GROUPED
from data.kpi.kpi import FIGURES, compute_kpis
from data.kpi.span import Span, last_week
from data.regions.region import load_region
from data.settings import CHECKOUT
from data.store.complaint_search import ComplaintFilter
from data.store.handling_sums import ANSWERED, COUNTED, DUE, CountedIn
from data.store.management_decisions import Evidence
from data.store.outcomes import Outcome
from data.store.store import Store
from tests.data.store.rows import OTHER, REGION, correction, decision

WEEK = Span(date(2026, 11, 16), date(2026, 11, 22))
MONDAY = datetime(2026, 11, 16, 6, tzinfo=UTC)
AS_OF = datetime(2026, 11, 23, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture()
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path}/store.db", REGION)
    yield made
    made.close()


def save(store: Store, first: int, number: int, came: datetime = MONDAY, **changes: Any) -> list[str]:
    """So many complaints that came an hour apart; their ids."""
    names = [str(n) for n in range(first, first + number)]
    moments = [came + index * HOUR for index in range(number)]
    store.decisions.save(
        [
            decision(id=name, created_at=at, day=(at + 3 * HOUR).date(), **{"topic": f"Тема {name}"} | changes)
            for name, at in zip(names, moments, strict=True)
        ]
    )
    return names


def figures(store: Store, span: Span = WEEK, **options: Any) -> Any:
    return compute_kpis(store, load_region(), span, as_of=AS_OF, **options).figures


def test_volume_counts_local_days_once_a_complaint_and_its_own_region(store: Store):
    save(store, 0, 30)
    save(store, 0, 30, model_version="2")
    save(store, 100, 1, datetime(2026, 11, 15, 20, 59, tzinfo=UTC))
    save(store, 101, 1, datetime(2026, 11, 15, 21, 0, tzinfo=UTC))
    save(store, 102, 1, datetime(2026, 11, 22, 21, 0, tzinfo=UTC))
    save(store, 200, 10, region=OTHER)
    volume = figures(store)["volume"]
    assert (volume.value, volume.previous) == (31, 1)


def test_shares_of_routing_review_and_agreement(store: Store):
    save(store, 0, 30)
    reviewed = save(store, 30, 30, decision="review")
    store.corrections.save([correction(complaint_id=name, agency="Орган") for name in reviewed[:20]])
    store.corrections.save([correction(complaint_id=name, agency="Другой") for name in reviewed[:5]])
    result = figures(store)
    assert (result["routed"].value, result["routed"].n) == (0.5, 60)
    assert (result["reviewed"].value, result["reviewed"].n) == (20 / 30, 30)
    assert (result["corrected"].value, result["corrected"].n) == (5 / 60, 60)
    assert (result["agreement_agency"].value, result["agreement_agency"].n) == (15 / 20, 20)
    assert (result["agreement_topic"].value, result["agreement_topic"].n) == (None, 0)


def test_deadlines_are_of_what_came_due_in_the_span_and_is_due_by_now(store: Store):
    earlier = MONDAY - timedelta(days=20)
    due = {"due_at": MONDAY + timedelta(days=1)}
    met = save(store, 0, 15, earlier, **due)
    late = save(store, 20, 5, earlier, **due)
    save(store, 30, 5, earlier, **due)  # never answered
    save(store, 40, 30, due_at=AS_OF + HOUR)  # not due yet
    save(store, 80, 30)  # nobody knows when
    answers = [(name, MONDAY) for name in met] + [(name, MONDAY + timedelta(days=2)) for name in late]
    assert all(store.outcomes.save([Outcome(REGION, "pos", name, "answered", at) for name, at in answers]))
    result = figures(store)
    assert (result["deadlines_met"].value, result["deadlines_met"].n) == (15 / 25, 25)
    assert result["overdue"].value == 10
    assert result["answer_median"].n == 20
    assert result["answer_median"].value == pytest.approx(20 - 9 / 24 + 0, abs=1)


def test_only_the_first_answer_counts_and_closing_is_one(store: Store):
    names = save(store, 0, 25)
    hours = {name: 24 + index for index, name in enumerate(names)}
    events = [Outcome(REGION, "pos", name, "closed", MONDAY + HOUR * (index + 24)) for index, name in enumerate(names)]
    events += [Outcome(REGION, "pos", name, "reopened", MONDAY + HOUR * (hours[name] + 2)) for name in names]
    events += [Outcome(REGION, "pos", name, "answered", MONDAY + HOUR * (hours[name] + 3)) for name in names]
    assert all(answer is True for answer in store.outcomes.save(events))
    result = figures(store)
    assert (result["answer_median"].value, result["answer_p90"].value) == (1, 1)
    assert result["rerouted"].value == 0


def test_time_to_routing_is_by_what_happened(store: Store):
    routed = save(store, 0, 20)
    waiting = save(store, 20, 20, decision="review")
    sent = [Outcome(REGION, "pos", name, "sent", MONDAY + HOUR * (index + 2)) for index, name in enumerate(routed)]
    assert all(store.outcomes.save(sent))
    assert (figures(store)["routing_median"].value, figures(store)["routing_median"].n) == (2, 20)
    store.corrections.save([correction(complaint_id=name, agency="Орган") for name in waiting])
    assert figures(store)["routing_median"].n == 40


def test_repeats_are_of_one_place_and_topic_within_a_week(store: Store):
    save(store, 0, 1, MONDAY - timedelta(days=6), topic="Ямы")
    save(store, 1, 1, MONDAY - timedelta(days=16), topic="Свет")
    save(store, 2, 2, topic="Ямы")
    save(store, 4, 1, topic="Свет")
    save(store, 5, 1, topic="Ямы", municipality="Каменный Брод")
    save(store, 6, 20, municipality=None)
    save(store, 30, 16)
    repeats = figures(store)["repeats"]
    assert (repeats.value, repeats.n) == (2 / 20, 20)


def test_reroutings_count_whatever_is_known_of_them(store: Store):
    names = save(store, 0, 25)
    save(store, 50, 10)  # of these nothing is known
    events = [Outcome(REGION, "pos", name, "answered", MONDAY + 30 * HOUR) for name in names]
    events += [
        Outcome(REGION, "pos", name, "rerouted", None, "Новый орган", nth) for name in names[:5] for nth in (1, 2)
    ]
    assert all(answer is True for answer in store.outcomes.save(events))
    assert (figures(store)["rerouted"].value, figures(store)["rerouted"].n) == (5 / 25, 25)
    groups = {g.name: g.figures for g in compute_kpis(store, load_region(), WEEK, "agency", AS_OF).groups}
    assert {name: group["volume"].value for name, group in groups.items()} == {"Орган": 30, "Новый орган": 5}


def test_groups_have_their_own_figures_and_stand_by_size(store: Store):
    save(store, 0, 30)
    save(store, 30, 25, municipality="Каменный Брод", due_at=MONDAY)
    save(store, 60, 5, municipality=None)
    groups = compute_kpis(store, load_region(), WEEK, "municipality", AS_OF).groups
    assert [group.name for group in groups] == ["Верхнереченск", "Каменный Брод", "не указан"]
    assert [group.figures["deadlines_met"].n for group in groups] == [0, 25, 0]
    assert [group.figures["deadlines_met"].value for group in groups] == [None, 0, None]
    assert all(set(group.figures) == set(GROUPED) for group in groups)


@pytest.mark.parametrize("name", COUNTED)
def test_the_complaints_behind_a_figure_are_as_many_as_it_says(store: Store, name: CountedIn):
    save(store, 0, 25, MONDAY - timedelta(days=3), due_at=MONDAY + HOUR, topic="Ямы")
    names = save(store, 100, 30, decision="review", due_at=MONDAY + 40 * HOUR, topic="Ямы")
    save(store, 100, 5, decision="review", due_at=MONDAY + 40 * HOUR, topic="Ямы", model_version="2")  # sent again
    save(store, 200, 25)
    said = [(each, "Другой" if place < 11 else "Орган") for place, each in enumerate(names[:22])]
    store.corrections.save(
        [correction(complaint_id=each, sector="ЖКХ", topic="Ямы", agency=agency) for each, agency in said]
    )
    store.corrections.save([correction(complaint_id=each, sector="ЖКХ") for each in names[22:26]])
    events = [Outcome(REGION, "pos", each, "answered", MONDAY + 39 * HOUR) for each in names[:21]]
    events += [Outcome(REGION, "pos", each, "rerouted", None) for each in names[:3]]
    assert all(answer is True for answer in store.outcomes.save(events))
    figure = figures(store)[name]
    number = {"count": figure.value, "share": figure.value * figure.n}.get(BY_ID[name].unit, figure.n)
    begin, end = (each.replace(tzinfo=UTC) for each in WEEK.moments(load_region()))
    moments = {**dict.fromkeys(DUE, "due"), **dict.fromkeys(ANSWERED, "answered")}
    days = {moments[name]: (begin, end)} if name in moments else {"since": WEEK.first, "until": WEEK.last}
    page = store.search.page(REGION, ComplaintFilter(counted_in=name, **days), 1000)
    assert 0 < len(page.complaints) == pytest.approx(number)
    of_group = ComplaintFilter(counted_in=name, group=("municipality", "Верхнереченск"), **days)
    assert len(store.search.page(REGION, of_group, 1000).complaints) == len(page.complaints)
    elsewhere = ComplaintFilter(counted_in=name, group=("municipality", "не указан"), **days)
    assert store.search.page(REGION, elsewhere, 1000).complaints == []


def test_decisions_that_rest_on_evidence(store: Store):
    span = Span(date.today() - timedelta(days=1), date.today() + timedelta(days=1))
    evidence = Evidence("kpi", "Ответ в срок", "kpi", {"value": 0.5})
    for number in range(25):
        store.management_decisions.add(REGION, "Усилить", "Комитет", None, evidence if number < 20 else None, "Ключ")
    assert compute_kpis(store, load_region(), span).figures["evidence"].value == 20 / 25


def test_an_empty_store_has_no_figures_and_no_error(store: Store):
    result = compute_kpis(store, load_region(), WEEK, "sector", AS_OF)
    assert result.groups == []
    assert {name: figure.n for name, figure in result.figures.items() if figure.n} == {}


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("2026-11-22", "2026-11-21", "ask for 1 to 366"),
        ("2025-01-01", "2026-11-21", "ask for 1 to 366"),
        ("0001-01-01", "0001-01-02", "years 2000 to 2100"),
        ("9999-12-30", "9999-12-31", "years 2000 to 2100"),
    ],
)
def test_a_span_that_is_none_is_refused(store: Store, first: str, last: str, sentence: str):
    with pytest.raises(RequestError, match=sentence):
        figures(store, Span(date.fromisoformat(first), date.fromisoformat(last)))


def test_the_last_week_is_a_whole_one():
    for day in range(23, 30):
        assert last_week(date(2026, 11, day)) == WEEK


def test_every_figure_is_defined_and_every_formula_is_in_the_docs():
    assert {*FIGURES, "evidence"} == set(BY_ID)
    page = (CHECKOUT / "docs" / "kpi.md").read_text(encoding="utf-8")
    for each in DEFINITIONS:
        assert f"`{each.id}`" in page
        assert each.formula_ru in page
