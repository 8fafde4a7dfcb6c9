"""The label space: which names are learned, what becomes «Прочее», which combinations remain."""

import pytest

from data.catalogue.model import Triple
from models.classifier.labels import HEADS, OTHER, LabelSpace, learn_label_space

SMALL = LabelSpace(
    {"sector": ("Дороги", "ЖКХ"), "topic": ("Ямы", OTHER), "agency": ("Дорожный комитет", "Мэрия", OTHER)}
)


def labels(**rows: list[str | None]) -> dict[str, list[str | None]]:
    return {head: rows.get(head, ["а"]) for head in HEADS}


@pytest.mark.parametrize(
    ("rows", "learned"),
    [
        (["б", "а", "б", "а"], ("а", "б")),
        (["б", "а", "б", "а", "в"], ("а", "б", OTHER)),
        (["б", "а", "б", "а", None], ("а", "б")),
        (["а", "а", OTHER], ("а", OTHER)),
        (["а", "а", OTHER, OTHER, OTHER], ("а", OTHER)),
        (["в", "г"], (OTHER,)),
        ([None, None], ()),
    ],
    ids=["sorted", "rare last", "unlabelled do not count", "rare «Прочее»", "frequent «Прочее»", "all", "none"],
)
def test_labels_with_enough_rows_are_learned_and_the_rest_is_other(rows: list[str | None], learned: tuple[str, ...]):
    assert learn_label_space(labels(sector=rows), min_rows=2).names["sector"] == learned


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
