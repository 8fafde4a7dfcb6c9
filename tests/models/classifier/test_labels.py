"""The label space: every label that a row has is learned, few rows make it rare, and which combinations remain."""

import pandas as pd
import pytest

from data.catalogue.model import Triple
from models.classifier.labels import HEADS, OTHER, LabelSpace, learn_label_space

SMALL = LabelSpace(
    {"sector": ("Дороги", "ЖКХ"), "topic": ("Ямы", OTHER), "agency": ("Дорожный комитет", "Мэрия", OTHER)}
)
"""Of an earlier recipe, which put rare labels together."""


def labels(**rows: list[str | None]) -> dict[str, list[str | None]]:
    return {head: rows.get(head, ["а"]) for head in HEADS}


@pytest.mark.parametrize(
    ("rows", "learned", "counted", "rare"),
    [
        (["б", "а", "б", "а"], ("а", "б"), (2, 2), set()),
        (["б", "а", "б", "а", "в"], ("а", "б", "в"), (2, 2, 1), {"в"}),
        (["б", "а", "б", "а", None], ("а", "б"), (2, 2), set()),
        (["в", "г"], ("в", "г"), (1, 1), {"в", "г"}),
        ([None, None], (), (), set()),
    ],
    ids=["sorted", "one row is enough", "unlabelled do not count", "all rare", "none"],
)
def test_every_label_with_a_row_is_learned_and_those_with_few_are_rare(
    rows: list[str | None], learned: tuple[str, ...], counted: tuple[int, ...], rare: set[str]
):
    space = learn_label_space(labels(sector=rows), min_rows=2)
    assert space.names["sector"] == learned
    assert space.rows["sector"] == counted
    assert space.rare["sector"] == rare | {OTHER}


def test_a_label_that_only_the_catalogue_names_is_learned_and_rare():
    space = learn_label_space(labels(topic=["Ямы"] * 5), catalogue=labels(topic=["Ямы", "Знаки"]))
    assert space.names["topic"] == ("Знаки", "Ямы")
    assert space.rows["topic"] == (0, 5)
    assert space.rare["topic"] == {"Знаки", OTHER}


def test_a_space_that_counted_no_rows_knows_no_rare_label_but_other():
    assert SMALL.rare == {head: {OTHER} for head in HEADS}


@pytest.mark.parametrize(
    ("head", "name", "index"),
    [
        ("sector", "ЖКХ", 1),
        ("agency", "Минздрав", 2),
        ("sector", "Здравоохранение", -100),
        ("sector", None, -100),
        ("agency", None, -100),
    ],
    ids=["known", "unknown is «Прочее»", "unknown where there is no «Прочее»", "none", "none is not «Прочее»"],
)
def test_index_of_a_label(head: str, name: str | None, index: int):
    assert SMALL.index(head, name) == index


def test_targets_of_rows_are_those_of_their_labels_one_by_one():
    space = learn_label_space(labels(sector=["ЖКХ", "Дороги", None], topic=["Ямы"], agency=["Мэрия"]))
    rows = pd.DataFrame(
        {"sector": ["ЖКХ", None, "Связь"], "topic": ["Ямы", "Ямы", None], "agency": [float("nan"), "Мэрия", "Мэрия"]}
    )
    targets = {head: of_head.tolist() for head, of_head in space.targets(rows).items()}
    assert targets == {"sector": [1, -100, -100], "topic": [0, 0, -100], "agency": [-100, 0, 0]}


def test_combinations_of_unlearned_labels_merge_into_other_or_are_left_out():
    possible = [
        Triple("Дороги", "Ямы", "Дорожный комитет"),
        Triple("Дороги", "Знаки", "Мэрия"),
        Triple("Дороги", "Мосты", "Мэрия"),
        Triple("ЖКХ", "Вода", "Водоканал"),
        Triple("Связь", "Интернет", "Мэрия"),
    ]
    assert SMALL.triples(possible).tolist() == [[0, 0, 0], [0, 1, 1], [1, 1, 2]]


def test_no_combination_at_all_has_the_same_shape():
    assert SMALL.triples([Triple("Связь", "Интернет", "Мэрия")]).shape == (0, 3)
