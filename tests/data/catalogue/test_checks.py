"""Checks: a contradiction is refused with its entry, its line and the known names."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.catalogue.checks import load_catalogue
from data.errors import CatalogueError, ConfigError
from tests.data.catalogue.small import SMALL, Content, written


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
