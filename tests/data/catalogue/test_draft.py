"""Drafts: a catalogue of the combinations that labelled rows have."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.catalogue.checks import load_catalogue
from data.catalogue.draft import draft_catalogue
from data.catalogue.model import Triple

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


def test_a_draft_says_that_it_is_one(tmp_path: Path):
    path = tmp_path / "catalogue.yaml"
    path.write_text(draft_catalogue(table([("Дороги", "Ямы", "Комитет", None)]), "Область"), encoding="utf-8")
    assert load_catalogue(path).drafted
    path.write_text(path.read_text(encoding="utf-8").replace("drafted: true\n", ""), encoding="utf-8")
    assert not load_catalogue(path).drafted, "an editor takes that line out"


def test_rows_that_lack_a_label_give_a_draft_those_they_have(tmp_path: Path):
    """A topic without any agency gets the commonest of its sector, or of all."""
    labelled = [
        ("Дороги", "Ямы", "Комитет", None),
        ("Дороги", "Ямы", "Комитет", None),
        ("Дороги", "Знаки", None, None),
        ("ЖКХ", "Вода", None, None),
        (None, None, "Мэрия", None),
        ("Дворы", None, None, None),
    ]
    path = tmp_path / "catalogue.yaml"
    path.write_text(draft_catalogue(table(labelled), "Область"), encoding="utf-8")
    catalogue = load_catalogue(path)
    assert {tuple(triple) for triple in catalogue.triples()} == {
        ("Дороги", "Ямы", "Комитет"), ("Дороги", "Знаки", "Комитет"), ("ЖКХ", "Вода", "Комитет")
    }  # fmt: skip
    assert set(catalogue.agency_names.values()) == {"Комитет", "Мэрия"}


@pytest.mark.parametrize(
    "name", ["да", "no", "123", "1e3", "~", "a: b", "# x", "- y", "«Ель»\n«Сосна»", "я" * 200, "😡"]
)
def test_names_that_yaml_would_misread_survive_a_draft(tmp_path: Path, name: str):
    path = tmp_path / "catalogue.yaml"
    path.write_text(draft_catalogue(table([(name, name, name, name)]), name), encoding="utf-8")
    catalogue = load_catalogue(path)
    assert catalogue.triples() == [Triple(name, name, name)]
    assert (catalogue.region, catalogue.municipalities[0].name) == (name, name)
