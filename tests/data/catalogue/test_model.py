"""The catalogue: the bundled one is whole, and one that contradicts itself never loads."""

from pathlib import Path

import pytest

from data.catalogue.checks import load_catalogue
from data.catalogue.model import Catalogue, Triple
from data.errors import LabelError
from data.settings import CHECKOUT
from tests.data.catalogue.small import SMALL, written


@pytest.fixture(scope="module")
def bundled() -> Catalogue:
    """The catalogue of the sample region."""
    return load_catalogue(CHECKOUT / "configs" / "regions" / "verkhnerechye" / "catalogue.yaml")


@pytest.fixture()
def small(tmp_path: Path) -> Catalogue:
    """Two places, three agencies, three topics."""
    return load_catalogue(written(tmp_path, SMALL))


@pytest.mark.parametrize(("what", "least"), [("sectors", 15), ("topics", 70), ("agencies", 25), ("municipalities", 12)])
def test_the_bundled_catalogue_is_as_wide_as_promised(bundled: Catalogue, what: str, least: int):
    topics = [topic for sector in bundled.sectors for topic in sector.topics]
    assert len(topics if what == "topics" else getattr(bundled, what)) >= least


def test_every_topic_has_an_agency_in_every_municipality_that_serves_it(bundled: Catalogue):
    serves = {agency.name: set(agency.municipalities) for agency in bundled.agencies}
    for place in bundled.municipalities:
        for sector in bundled.sectors:
            for topic in sector.topics:
                found = bundled.agencies_for(sector.name, topic.name, place.id)
                assert found, (place.id, topic.name)
                for agency in found:
                    assert not serves[agency] or place.id in serves[agency], (place.id, topic.name, agency)


def test_every_topic_of_the_bundled_catalogue_is_explained(bundled: Catalogue):
    for sector in bundled.sectors:
        for topic in sector.topics:
            assert topic.description, topic.name


def test_what_is_possible_in_a_place_is_possible_at_all(bundled: Catalogue):
    everywhere = set(bundled.triples())
    for place in bundled.municipalities:
        assert set(bundled.triples(place.id)) <= everywhere


@pytest.mark.parametrize(
    ("sector", "topic", "place", "agencies"),
    [
        ("Дороги", "Ямы", "north", ["Дорожный комитет"]),
        ("Дороги", "Знаки", "north", ["Администрация Севера"]),
        ("Дороги", "Знаки", "south", ["Дорожный комитет"]),
        ("Дороги", "Знаки", None, ["Администрация Севера", "Администрация Юга", "Дорожный комитет"]),
        ("Дворы", "Ямы", "south", ["Администрация Юга"]),
        ("Дворы", "Ямы", None, ["Администрация Севера", "Администрация Юга"]),
    ],
    ids=["region-wide", "administration", "the route for the place wins", "anywhere", "same name elsewhere", "all"],
)
def test_who_answers_for_a_topic_in_a_place(
    small: Catalogue, sector: str, topic: str, place: str | None, agencies: list[str]
):
    assert small.agencies_for(sector, topic, place) == agencies


def test_triples_are_all_possible_labellings(small: Catalogue):
    assert small.triples("south") == [
        Triple("Дороги", "Ямы", "Дорожный комитет"),
        Triple("Дороги", "Знаки", "Дорожный комитет"),
        Triple("Дворы", "Ямы", "Администрация Юга"),
    ]


def test_deadlines_are_of_the_topic_in_its_sector(small: Catalogue):
    assert (small.topic("Дороги", "Ямы").deadline_hours, small.topic("Дворы", "Ямы").deadline_hours) == (240, 48)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("beryozkinsky", "beryozkinsky"),
        ("Берёзкинский район", "beryozkinsky"),
        ("Березкинский район", "beryozkinsky"),
        ("  БЕРЁЗКИНСКИЙ   РАЙОН ", "beryozkinsky"),
        ("березкино", "beryozkinsky"),
        ("областной центр", "verkhnerechensk"),
        ("Кам. Брод", "kamenny-brod"),
    ],
    ids=["id", "name", "е for ё", "case and spaces", "alias, е for ё", "alias", "short alias"],
)
def test_a_municipality_is_found_by_id_name_or_alias(bundled: Catalogue, name: str, found: str):
    assert bundled.municipality_id(name) == found


def test_places_of_complaints_become_ids_and_the_unknown_none(small: Catalogue):
    given = ["Юг", None, "Север", "Москва", float("nan"), "Юг"]
    assert small.municipality_ids(given) == ["south", None, "north", None, None, "south"]


@pytest.mark.parametrize("name", ["Москва", "", "район", "Лунинский"])
def test_an_unknown_municipality_is_refused_with_the_known_ones(bundled: Catalogue, name: str):
    with pytest.raises(LabelError, match="Берёзкинский район") as caught:
        bundled.municipality_id(name)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "parts"),
    [
        (("Космос", None, None), ["'Космос'", "Дороги, Дворы"]),
        (("Космос", "Ямы", None), ["'Космос'", "Дороги, Дворы"]),
        (("Дворы", "Знаки", None), ["'Знаки'", "'Дворы'", "known are Ямы"]),
        (("Дороги", "Ямы", "Минздрав"), ["'Минздрав'", "Дорожный комитет"]),
        ((None, None, "Минздрав"), ["'Минздрав'", "Дорожный комитет"]),
    ],
    ids=["sector", "sector with topic", "topic of another sector", "agency", "agency alone"],
)
def test_unknown_labels_are_refused_with_the_known_ones(
    small: Catalogue, labels: tuple[str | None, str | None, str | None], parts: list[str]
):
    with pytest.raises(LabelError) as caught:
        small.check_labels(*labels)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("labels", [(None, None, None), ("Дороги", None, None), ("Дороги", "Ямы", "Дорожный комитет")])
def test_known_labels_pass(small: Catalogue, labels: tuple[str | None, str | None, str | None]):
    small.check_labels(*labels)
