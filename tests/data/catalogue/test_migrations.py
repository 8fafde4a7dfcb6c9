"""Migrations: what old rows say is understood under today's catalogue, or given up where nobody can know."""

import copy
from datetime import date
from pathlib import Path

import pytest

from data.catalogue.checks import load_catalogue
from data.catalogue.migrations import Migrated, Migration, in_order, migrated, successors, topic_id
from data.errors import CatalogueError
from tests.data.catalogue.small import SMALL, written

BEFORE, AFTER = date(2026, 1, 15), date(2026, 12, 1)


def migration(day: str, was: list[str], now: list[str], sector: str = "Дороги") -> Migration:
    """Topics of one sector, or `sector/topic`."""

    def names(written: list[str]) -> list[dict[str, str]]:
        pairs = [name.rpartition("/") for name in written]
        return [{"sector": own or sector, "topic": topic} for own, _, topic in pairs]

    return Migration.model_validate({"day": day, "was": names(was), "now": names(now)})


RENAMED = migration("2026-02-01", ["Ямы"], ["Дефекты покрытия"])
MERGED = migration("2026-03-01", ["Разметка", "Знаки"], ["Знаки и разметка"])
SPLIT = migration("2026-04-01", ["Уборка"], ["Уборка", "Уборка снега"])
RETIRED = migration("2026-05-01", ["Шлагбаумы"], [])
MOVED = migration("2026-06-01", ["Дворы/Тротуары"], ["Дороги/Тротуары"])
TORN = migration("2026-07-01", ["Мосты"], ["Дороги/Мосты над дорогой", "Транспорт/Мосты над рекой"])
AGAIN = migration("2026-08-01", ["Дефекты покрытия"], ["Ремонт"])
ALL = in_order([AGAIN, TORN, MOVED, RETIRED, SPLIT, MERGED, RENAMED])


@pytest.mark.parametrize(
    ("what", "sector", "topic", "labelled", "now"),
    [
        ("renamed twice", "Дороги", "Ямы", BEFORE, ("Дороги", "Ремонт", "renamed")),
        ("renamed, and somebody still says the old name", "Дороги", "Ямы", AFTER, ("Дороги", "Ремонт", "renamed")),
        ("merged", "Дороги", "Знаки", BEFORE, ("Дороги", "Знаки и разметка", "merged")),
        ("split before the day: nobody knows", "Дороги", "Уборка", BEFORE, ("Дороги", None, "split")),
        ("split after the day: one of the parts", "Дороги", "Уборка", AFTER, ("Дороги", "Уборка", None)),
        ("the other part", "Дороги", "Уборка снега", AFTER, ("Дороги", "Уборка снега", None)),
        ("retired", "Дороги", "Шлагбаумы", AFTER, ("Дороги", None, "retired")),
        ("moved to another sector", "Дворы", "Тротуары", BEFORE, ("Дороги", "Тротуары", "renamed")),
        ("split over sectors", "Дороги", "Мосты", BEFORE, (None, None, "split")),
        ("of another sector", "Дворы", "Ямы", BEFORE, ("Дворы", "Ямы", None)),
        ("never migrated", "Дороги", "Светофоры", BEFORE, ("Дороги", "Светофоры", None)),
        ("a sector alone whose topics all moved", "Дворы", None, BEFORE, ("Дороги", None, None)),
        ("a sector alone", "Дороги", None, BEFORE, ("Дороги", None, None)),
        ("a topic alone", None, "Ямы", BEFORE, (None, "Ямы", None)),
        ("nothing", None, None, BEFORE, (None, None, None)),
    ],
)
def test_a_label_is_said_as_the_catalogue_says_it_today(what, sector, topic, labelled, now):
    assert migrated(ALL, sector, topic, labelled) == Migrated(*now), what


def test_an_old_models_topics_have_their_names_of_today():
    known = [("Дороги", "Ямы"), ("Дороги", "Знаки"), ("Дороги", "Светофоры")]
    assert successors(ALL, known) == {
        ("Дороги", "Ямы"): Migrated("Дороги", "Ремонт", "renamed"),
        ("Дороги", "Знаки"): Migrated("Дороги", "Знаки и разметка", "merged"),
    }


def test_an_id_stays_when_the_topic_is_renamed_and_is_new_for_what_is_new():
    assert topic_id(ALL, "Дороги", "Ремонт") == topic_id([], "Дороги", "Ямы")
    assert topic_id(ALL, "Дороги", "Тротуары") == topic_id([], "Дворы", "Тротуары")
    assert topic_id(ALL, "Дороги", "Знаки и разметка") != topic_id([], "Дороги", "Знаки и разметка")
    assert topic_id(ALL, "Дороги", "Уборка") != topic_id([], "Дороги", "Уборка"), "a part means less than the whole"
    into_one_of_them = [migration("2026-03-01", ["Разметка", "Знаки"], ["Знаки"])]
    assert topic_id(into_one_of_them, "Дороги", "Знаки") == topic_id([], "Дороги", "Знаки")


def with_migrations(tmp_path: Path, *migrations: Migration, topic_ids: tuple[str | None, ...] = ()) -> Path:
    content = copy.deepcopy(SMALL)
    content["migrations"] = [entry.model_dump() for entry in migrations]
    for topic, own in zip(content["sectors"][0]["topics"], topic_ids, strict=False):
        topic["id"] = own
    return written(tmp_path, content)


def test_a_catalogue_with_migrations_loads_and_knows_its_ids(tmp_path: Path):
    catalogue = load_catalogue(
        with_migrations(
            tmp_path,
            migration("2026-05-01", ["Провалы"], ["Ямы"]),
            migration("2026-04-01", ["Дыры"], ["Провалы"]),
            topic_ids=(None, "signs"),
        )
    )
    assert catalogue.topic_id("Дороги", "Ямы") == topic_id([], "Дороги", "Дыры")
    assert catalogue.topic_id("Дороги", "Знаки") == "signs"
    assert migrated(catalogue.ordered_migrations, "Дороги", "Дыры", BEFORE).topic == "Ямы"


def test_a_name_that_went_and_came_back_is_no_contradiction(tmp_path: Path):
    there = migration("2026-04-01", ["Ямы"], ["Провалы"])
    back = migration("2026-05-01", ["Провалы"], ["Ямы"])
    catalogue = load_catalogue(with_migrations(tmp_path, there, back))
    assert migrated(catalogue.ordered_migrations, "Дороги", "Ямы", BEFORE).topic == "Ямы"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (migration("2026-04-01", ["Ямы"], ["Знаки"]), 'gives up topic "Ямы" of "Дороги", which is still in the'),
        (migration("2026-04-01", ["Дыры"], ["Провалы"]), 'leads to topic "Провалы" of "Дороги", which is neither in'),
        (migration("2026-04-01", ["Дыры", "Лужи"], ["Ямы", "Знаки"]), "from several topics to several"),
        (migration("2026-04-01", ["Ямы"], ["Ямы"]), "leads from a topic to itself"),
    ],
)
def test_a_migration_that_leads_nowhere_is_refused_with_its_day_and_line(tmp_path: Path, wrong, sentence):
    with pytest.raises(CatalogueError, match=r"migration of 2026-04-01 \(line \d+\)") as caught:
        load_catalogue(with_migrations(tmp_path, wrong))
    assert sentence in str(caught.value)


def test_a_topic_id_given_twice_is_refused(tmp_path: Path):
    with pytest.raises(CatalogueError, match=r'topic id "holes" \(line \d+\) is given twice'):
        load_catalogue(with_migrations(tmp_path, topic_ids=("holes", "holes")))
