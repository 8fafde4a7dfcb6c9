"""From events of series to one alert a surge: what is joined, what is explained, and what is told beside."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from data.counts.daily import REGION
from models.forecasting.series import ALL_SECTORS
from models.surges.events import merged
from models.surges.types import Surge

FIRST = date(2026, 10, 1)
A, B, C = "Алмазово", "Ольшаны", "Поляны"
HOUSING, ROADS, LINKS, NATURE = "ЖКХ", "Дороги", "Связь", "Экология"


def event(place: str, sector: str, excess: float = 30, first: int = 0, last: int = 4, **changes: object) -> Surge:
    """An open observed event of days `first` to `last`, noticed a day after its first."""
    day = [FIRST + timedelta(days=number) for number in (first, last, first + 1)]
    made = Surge("observed", place, sector, day[0], day[1], day[2], None, 10.0, 10.0 + excess, None, 0.9)
    return replace(made, **changes)  # type: ignore[arg-type]


def told(*surges: Surge) -> list[tuple[str, str]]:
    return sorted((surge.municipality, surge.sector) for surge in merged(list(surges)))


def test_without_events_there_is_nothing_to_tell():
    assert merged([]) == []


def test_one_event_is_told_as_it_is():
    alone = event(A, HOUSING)
    assert merged([alone]) == [alone]


def test_neighbours_are_counted_together_from_the_first_to_the_last_day():
    small = event(A, HOUSING, 20, first=1, last=6, noticed=None, probability=0.8)
    large = event(B, HOUSING, 50, first=3, last=5, probability=0.95)
    (surge,) = merged([small, large])
    assert (surge.municipality, surge.sector, surge.places) == (REGION, HOUSING, (B, A))
    assert (surge.start, surge.end) == (small.start, small.end)
    assert surge.noticed == large.noticed
    assert (surge.expected, surge.count, surge.excess) == (20.0, 90.0, 70.0)
    assert (surge.level, surge.probability) == (None, 0.95)


def test_an_event_of_several_is_open_while_one_is_and_closed_with_the_last():
    early, late = date(2026, 10, 9), date(2026, 10, 12)
    of_a, of_b = event(A, HOUSING, closed=early), event(B, HOUSING, closed=late)
    assert merged([of_a, of_b])[0].closed == late
    assert merged([of_a, replace(of_b, closed=None)])[0].closed is None


def test_an_event_of_several_recovers_when_all_that_are_open_do():
    over, ending, going_on = event(A, HOUSING, closed=date(2026, 10, 9)), event(B, HOUSING), event(C, HOUSING)
    ending = replace(ending, recovering=True)
    assert merged([over, ending])[0].recovering
    assert not merged([over, ending, going_on])[0].recovering


def test_the_earliest_notice_counts_and_none_is_none():
    of_a, of_b = event(A, HOUSING, first=2), event(B, HOUSING, first=0)
    assert merged([of_a, of_b])[0].noticed == of_b.noticed
    unnoticed = [replace(surge, kind="expected", noticed=None) for surge in (of_a, of_b)]
    assert merged(unnoticed)[0].noticed is None


@pytest.mark.parametrize(
    ("other", "events"),
    [
        (event(B, HOUSING, first=4, last=9), 1),  # begins on the last day of the first
        (event(B, HOUSING, first=5, last=9), 2),  # begins on the day after
        (event(B, HOUSING, first=0, last=0), 1),
        (event(B, ROADS), 2),
        (event(B, HOUSING, kind="expected", noticed=None), 2),
    ],
    ids=["touch", "do not touch", "one day", "another sector", "another kind"],
)
def test_only_what_overlaps_in_one_sector_and_kind_is_joined(other: Surge, events: int):
    for order in ([event(A, HOUSING), other], [other, event(A, HOUSING)]):
        assert len(merged(order)) == events


@pytest.mark.parametrize(("begins", "events"), [(7, 1), (8, 2)])
def test_what_begins_more_than_a_week_after_the_first_is_another_event(begins: int, events: int):
    assert len(merged([event(A, HOUSING, last=20), event(B, HOUSING, first=begins, last=20)])) == events


def test_a_chain_of_neighbours_reaches_a_week_from_its_first():
    chain = [event(A, HOUSING, last=5), event(B, HOUSING, first=5, last=9), event(C, HOUSING, first=9, last=12)]
    assert told(*chain) == sorted([(REGION, HOUSING), (C, HOUSING)])


@pytest.mark.parametrize(("excess", "expected"), [(60, [(A, HOUSING)]), (59, [(REGION, HOUSING)])])
def test_one_place_that_explains_three_fifths_of_the_regions_rise_is_told_alone(
    excess: float, expected: list[tuple[str, str]]
):
    assert told(event(A, HOUSING, excess), event(REGION, HOUSING, 100)) == expected


def test_the_regions_own_figures_are_told_with_the_places_that_surge():
    total = event(REGION, HOUSING, 100, first=1, last=7, level=150.0)
    (surge,) = merged([event(A, HOUSING, 20), event(B, HOUSING, 30), total])
    assert surge == replace(total, places=(B, A))


def test_a_rise_of_the_region_at_another_time_is_told_beside():
    later = event(REGION, HOUSING, 100, first=10, last=12)
    assert merged([event(A, HOUSING), later]) == [event(A, HOUSING), later]


SECTORS_OF_A = [event(A, HOUSING, 20), event(A, ROADS, 40), event(A, LINKS, 30)]


def test_three_sectors_of_a_place_are_one_event_of_the_place():
    place = event(A, ALL_SECTORS, 90)
    assert merged([*SECTORS_OF_A, place]) == [replace(place, sectors=(ROADS, LINKS, HOUSING))]


def test_what_happens_elsewhere_stays_beside_the_event_of_a_place():
    assert told(*SECTORS_OF_A, event(A, ALL_SECTORS, 90), event(B, NATURE)) == [(A, ALL_SECTORS), (B, NATURE)]


@pytest.mark.parametrize(
    ("excess", "with_the_place"), [(100, False), (101, True)], ids=["two explain it", "two do not explain it"]
)
def test_two_sectors_of_a_place_are_told_each_and_the_place_for_what_they_do_not_explain(
    excess: float, with_the_place: bool
):
    sectors = [event(A, HOUSING, 20), event(A, ROADS, 40)]
    expected = [(A, HOUSING), (A, ROADS)] + [(A, ALL_SECTORS)] * with_the_place
    assert told(*sectors, event(A, ALL_SECTORS, excess)) == sorted(expected)


def test_a_place_that_its_sectors_explain_hides_no_other_place():
    explained = [event(A, HOUSING, 20), event(A, ROADS, 40), event(A, ALL_SECTORS, 60)]
    assert (B, ALL_SECTORS) in told(*explained, event(B, ALL_SECTORS))


def test_a_rise_of_a_place_that_no_sector_shows_is_told():
    place = event(A, ALL_SECTORS)
    assert merged([place]) == [place]
    assert merged([event(A, HOUSING, first=10, last=12), place])[-1] == place


@pytest.mark.parametrize(("excess", "with_the_region"), [(50, False), (51, True)])
def test_the_region_is_told_for_what_nothing_inside_explains(excess: float, with_the_region: bool):
    surges = merged([event(A, HOUSING, 10), event(B, ROADS, 20), event(REGION, ALL_SECTORS, excess)])
    above = [surge for surge in surges if surge.sector == ALL_SECTORS]
    assert [surge.sectors for surge in above] == [(ROADS, HOUSING)] * with_the_region
    assert len(surges) == 2 + with_the_region


def test_a_rise_of_the_region_that_nothing_shows_is_told():
    assert told(event(REGION, ALL_SECTORS)) == [(REGION, ALL_SECTORS)]
