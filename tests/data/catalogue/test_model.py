"""The catalogue: the bundled one is whole, and one that contradicts itself never loads."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalogue.checks import load_catalogue
from data.catalogue.draft import draft_catalogue
from data.catalogue.model import Catalogue, Triple
from data.errors import CatalogueError, ConfigError, LabelError
from data.settings import CHECKOUT

Content = dict[str, Any]

SMALL: Content = {
    "region": "Область",
    "municipalities": [
        {"id": "north", "name": "Север", "aliases": ["Северный"], "administration": "north-hall"},
        {"id": "south", "name": "Юг", "administration": "south-hall"},
    ],
    "agencies": [
        {"id": "north-hall", "name": "Администрация Севера", "level": "municipal", "municipalities": ["north"]},
        {"id": "south-hall", "name": "Администрация Юга", "level": "municipal"},
        {"id": "roads", "name": "Дорожный комитет"},
    ],
    "sectors": [
        {
            "name": "Дороги",
            "topics": [
                {"name": "Ямы", "deadline_hours": 240, "routes": [{"agency": "roads"}]},
                {
                    "name": "Знаки",
                    "deadline_hours": 72,
                    "routes": [{"agency": "administration"}, {"agency": "roads", "municipalities": ["south"]}],
                },
            ],
        },
        {"name": "Дворы", "topics": [{"name": "Ямы", "deadline_hours": 48, "routes": [{"agency": "administration"}]}]},
    ],
}


@pytest.fixture(scope="module")
def bundled() -> Catalogue:
    """The catalogue of the sample region."""
    return load_catalogue(CHECKOUT / "configs" / "regions" / "verkhnerechye" / "catalogue.yaml")


def written(folder: Path, content: Content) -> Path:
    path = folder / "catalogue.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


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


def topic(content: Content, sector: int, number: int) -> Content:
    found: Content = content["sectors"][sector]["topics"][number]
    return found


CONTRADICTIONS: dict[str, tuple[Callable[[Content], Any], str, list[str]]] = {
    "agency twice": (
        lambda c: c["agencies"].append({"id": "roads", "name": "Другой"}),
        "- id: roads\n  name: Другой",
        ['agency "roads"', "given twice"],
    ),
    "agency name twice": (
        lambda c: c["agencies"].append({"id": "other", "name": "Дорожный комитет"}),
        "- id: other",
        ['agency name "Дорожный комитет"', "given twice"],
    ),
    "municipality twice": (
        lambda c: c["municipalities"].append({"id": "north", "name": "Другой"}),
        "- id: north\n  name: Другой",
        ['municipality "north"', "given twice"],
    ),
    "alias of two": (
        lambda c: c["municipalities"][1].update(aliases=["СЕВЕРНЫЙ"]),
        "- id: south\n  name: Юг",
        ['municipality "Юг"', '"СЕВЕРНЫЙ"', '"north"'],
    ),
    "sector twice": (
        lambda c: c["sectors"].append(copy.deepcopy({**c["sectors"][1], "name": "Дороги"})),
        "- name: Дороги\n  topics:\n  - name: Ямы\n    deadline_hours: 48",
        ['sector "Дороги"', "given twice"],
    ),
    "topic twice": (
        lambda c: topic(c, 0, 1).update(name="Ямы"),
        "- name: Ямы\n    deadline_hours: 72",
        ['topic of "Дороги" "Ямы"', "given twice"],
    ),
    "administration unknown": (
        lambda c: c["municipalities"][1].update(administration="east-hall"),
        "- id: south\n  name: Юг",
        ['municipality "Юг"', 'agency "east-hall"', "known are north-hall, roads, south-hall"],
    ),
    "agency serves an unknown place": (
        lambda c: c["agencies"][0].update(municipalities=["north", "east"]),
        "- id: north-hall",
        ['agency "north-hall"', 'municipality "east"', "known are north, south"],
    ),
    "route to an unknown agency": (
        lambda c: topic(c, 1, 0).update(routes=[{"agency": "road"}]),
        "- name: Ямы\n    deadline_hours: 48",
        ['topic "Ямы"', 'agency "road"', "known are north-hall, roads, south-hall"],
    ),
    "route in an unknown place": (
        lambda c: topic(c, 0, 1)["routes"][1].update(municipalities=["south", "east"]),
        "- name: Знаки",
        ['topic "Знаки"', 'municipality "east"', "known are north, south"],
    ),
    "route to an agency that serves elsewhere": (
        lambda c: topic(c, 0, 1)["routes"][1].update(agency="north-hall"),
        "- name: Знаки",
        ['topic "Знаки"', '"south"', '"north-hall"', "does not serve it"],
    ),
    "region-wide route to an agency of one place": (
        lambda c: topic(c, 0, 0).update(routes=[{"agency": "north-hall"}]),
        "- name: Ямы\n    deadline_hours: 240",
        ['topic "Ямы"', '"south"', '"north-hall"', "does not serve it"],
    ),
    "a place has no administration": (
        lambda c: c["municipalities"][1].pop("administration"),
        "- name: Ямы\n    deadline_hours: 48",
        ['topic "Ямы"', '"south"', "no administration"],
    ),
    "no places, but administrations answer": (
        lambda c: [
            c.update(municipalities=[]), c["agencies"][0].pop("municipalities"), topic(c, 0, 1)["routes"].pop()
        ],
        "- name: Знаки",
        ['topic "Знаки"', "no administration"],
    ),
    "a name in braces": (
        lambda c: topic(c, 0, 0).update(name="{line} {0}", routes=[{"agency": "road"}]),
        "- name: '{line} {0}'",
        ['topic "{line} {0}"', 'agency "road"'],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_contradiction_is_refused_with_its_entry_line_and_the_known_names(tmp_path: Path, case: str):
    contradict, entry, parts = CONTRADICTIONS[case]
    content = copy.deepcopy(SMALL)
    contradict(content)
    path = written(tmp_path, content)
    lines = path.read_text(encoding="utf-8").split(entry)
    assert len(lines) == 2, "the table must name one entry"
    line = lines[0].count("\n") + 1
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(path)
    for part in ["catalogue.yaml: ", f"(line {line})", *parts]:
        assert part in str(caught.value)
    assert caught.value.code == "bad_catalogue"


def test_a_local_agency_may_answer_in_its_place_where_others_have_another(tmp_path: Path):
    content = copy.deepcopy(SMALL)
    topic(content, 0, 0)["routes"] = [
        {"agency": "north-hall"},
        {"agency": "roads", "municipalities": ["south"]},
    ]
    assert load_catalogue(written(tmp_path, content)).agencies_for("Дороги", "Ямы", "north") == ["Администрация Севера"]


@pytest.mark.parametrize(
    ("break_it", "parts"),
    [
        (lambda c: c.update(sectors=[]), ["sectors"]),
        (lambda c: topic(c, 0, 0).update(routes=[]), ["sectors.0.topics.0.routes"]),
        (lambda c: topic(c, 0, 0).update(deadline_hours=-1), ["sectors.0.topics.0.deadline_hours", "-1"]),
        (lambda c: topic(c, 0, 0).update(deadlines=1), ["deadlines", "did you mean 'deadline_hours'?", "routes"]),
        (lambda c: c["agencies"][0].update(level="village"), ["agencies.0.level", "municipal", "village"]),
        (lambda c: c.pop("region"), ["region", "required"]),
    ],
    ids=["no sectors", "no routes", "negative deadline", "unknown key", "unknown level", "no region"],
)
def test_what_is_no_catalogue_is_refused_with_the_key(
    tmp_path: Path, break_it: Callable[[Content], Any], parts: list[str]
):
    content = copy.deepcopy(SMALL)
    break_it(content)
    with pytest.raises(ConfigError) as caught:
        load_catalogue(written(tmp_path, content))
    for part in ["catalogue.yaml", *parts]:
        assert part in str(caught.value)


names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=12)
rows = st.lists(
    st.tuples(st.sampled_from(["ЖКХ", "Дороги", "Да"]), names, names, st.sampled_from(["Север", "Юг", None])),
    min_size=1,
    max_size=20,
)


def table(labelled: list[tuple[str | None, ...]]) -> pd.DataFrame:
    return pd.DataFrame(labelled, columns=["sector", "topic", "agency", "municipality"], dtype=object)


@settings(max_examples=40, deadline=None)
@given(labelled=rows)
def test_a_drafted_catalogue_holds_exactly_the_combinations_seen(
    tmp_path_factory: pytest.TempPathFactory, labelled: list[tuple[str | None, ...]]
):
    path = tmp_path_factory.mktemp("draft") / "catalogue.yaml"
    path.write_text(draft_catalogue(table(labelled), "Область"), encoding="utf-8")
    catalogue = load_catalogue(path)
    assert {tuple(triple) for triple in catalogue.triples()} == {row[:3] for row in labelled}
    assert {place.name for place in catalogue.municipalities} == {row[3] for row in labelled} - {None}


def test_a_draft_keeps_a_topic_in_both_of_its_sectors_and_the_commoner_agency_first(tmp_path: Path):
    labelled = [
        ("Дороги", "Освещение", "Комитет", "Север"),
        ("Дороги", "Освещение", "Мэрия", "Север"),
        ("Дороги", "Освещение", "Мэрия", None),
        ("Дворы", "Освещение", "Комитет", "Юг"),
        ("Дворы", None, "Комитет", "Восток"),
    ]
    path = tmp_path / "catalogue.yaml"
    path.write_text(draft_catalogue(table(labelled), "Область", deadline_hours=72), encoding="utf-8")
    catalogue = load_catalogue(path)
    assert catalogue.agencies_for("Дороги", "Освещение") == ["Мэрия", "Комитет"]
    assert catalogue.agencies_for("Дворы", "Освещение") == ["Комитет"]
    assert catalogue.topic("Дворы", "Освещение").deadline_hours == 72
    assert catalogue.municipality_id("восток")


@pytest.mark.parametrize(
    "name", ["да", "no", "123", "1e3", "~", "a: b", "# x", "- y", "«Ель»\n«Сосна»", "я" * 200, "😡"]
)
def test_names_that_yaml_would_misread_survive_a_draft(tmp_path: Path, name: str):
    path = tmp_path / "catalogue.yaml"
    path.write_text(draft_catalogue(table([(name, name, name, name)]), name), encoding="utf-8")
    catalogue = load_catalogue(path)
    assert catalogue.triples() == [Triple(name, name, name)]
    assert (catalogue.region, catalogue.municipalities[0].name) == (name, name)
