"""The store: masked texts, decisions that are appended, corrections that count, local days, regions apart."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.complaints.masking import masked
from data.errors import ConfigError, StoreError, UnknownComplaintError
from data.store.corrections import Labels
from data.store.promotions import Promotion
from data.store.store import Store
from tests.data.store.rows import NOON, OTHER, REGION, correction, decision, rows
from tests.postgresql import PostgreSQL

DAY = date(2026, 11, 10)


def counts(store: Store, after: date = date(2026, 1, 1), region: str = REGION) -> list[tuple[Any, ...]]:
    frame = store.complaints.counts(region, after)
    assert list(frame.columns) == ["date", "source", "municipality", "sector", "count"]
    found = [(str(row[0].date()), *row[1:]) for row in frame.itertuples(index=False)]
    return sorted(found, key=str)


def test_a_text_is_masked_once_and_stored_as_it_was_classified(store: Store, url: str) -> None:
    text = masked("<p>Петрова Анна Ивановна, тел. 8 900 123-45-67, нет воды</p>")
    assert text == "[ИМЯ], тел. [ТЕЛЕФОН], нет воды"
    store.decisions.save([decision(text=text)])
    assert rows(url, "select text from decisions") == [(text,)]


def test_sending_a_complaint_again_adds_a_decision_and_the_newest_one_counts(store: Store, url: str) -> None:
    store.decisions.save([decision(), decision(source="hotline")])
    store.decisions.save([decision(sector="Дороги", model_version="2")])
    assert rows(url, "select source, sector, model_version from decisions order by number") == [
        ("pos", "ЖКХ", "1"),
        ("hotline", "ЖКХ", "1"),
        ("pos", "Дороги", "2"),
    ]
    assert counts(store) == [
        ("2026-11-10", "hotline", "Верхнереченск", "ЖКХ", 1),
        ("2026-11-10", "pos", "Верхнереченск", "Дороги", 1),
    ]


def test_a_complaint_that_is_sent_again_unchanged_is_not_stored_again(store: Store, url: str) -> None:
    first, other = store.decisions.save([decision(arrived=True), decision(source="hotline")])
    later = NOON + timedelta(days=1)
    again, new = store.decisions.save([decision(arrived=True, created_at=later, day=later.date()), decision(id="2")])
    assert (again.number, again.created_at) == (first.number, NOON), "it keeps the time of its first coming"
    assert new.number > other.number
    assert store.decisions.save([decision()]) == [replace(first, repeated=True)]
    assert rows(url, "select count(*) from decisions") == [(3,)]


@pytest.mark.parametrize(
    "change",
    [
        {"text": masked("Опять не вывозят мусор")},
        {"municipality": None},
        {"model_version": "2"},
        {"decision": "review"},
        {"topic": "Другая"},
        {"created_at": NOON + timedelta(hours=1)},
        {"region": OTHER},
    ],
)
def test_a_complaint_that_is_sent_again_changed_is_decided_anew(store: Store, url: str, change: dict[str, Any]) -> None:
    store.decisions.save([decision()])
    store.decisions.save([decision(**change)])
    store.decisions.save([decision()])
    assert rows(url, "select count(*) from decisions") == [(2 if "region" in change else 3,)]


def test_a_correction_that_repeats_the_last_one_is_not_stored_again(store: Store, url: str) -> None:
    store.decisions.save([decision()])
    one, another = correction(sector="Дороги", operator="7"), correction(sector="Связь")
    for turn in ([one, one], [one], [another], [one], [correction(sector="Дороги", operator="8")]):
        store.corrections.save(turn)
    assert rows(url, "select sector, operator from corrections order by number") == [
        ("Дороги", "7"),
        ("Связь", None),
        ("Дороги", "7"),
        ("Дороги", "8"),
    ]
    store.decisions.save([decision(model_version="2")])
    store.corrections.save([correction(sector="Дороги", operator="8")])
    assert rows(url, "select count(*) from corrections") == [(5,)], "it is of another decision"


def test_a_complaint_sent_again_with_another_day_counts_on_that_day_only(store: Store) -> None:
    store.decisions.save([decision()])
    store.decisions.save([decision(day=date(2026, 11, 12), created_at=NOON + timedelta(days=2))])
    assert [row[0] for row in counts(store)] == ["2026-11-12"]
    assert store.complaints.of_days(REGION, DAY, DAY, "1", 10).empty


def test_numbers_are_given_in_the_order_of_the_decisions(store: Store, url: str) -> None:
    numbers = [row.number for row in store.decisions.save([decision(id=str(n)) for n in range(300)])]
    assert numbers == sorted(numbers)
    assert dict(rows(url, "select number, id from decisions")) == {n: str(i) for i, n in enumerate(numbers)}


def test_features_belong_to_one_decision_and_one_version(store: Store) -> None:
    first, second = np.array([0.5, 1.5], "f4"), np.array([2.5, 3.5], "f4")
    (row,) = store.decisions.save([decision(features=first)])

    def read(version: str) -> Any:
        return store.complaints.of_days(REGION, DAY, DAY, version, 10)["features"].tolist()

    np.testing.assert_array_equal(read("1"), [first])
    assert read("2") == [None]
    store.features.save("2", [(row.number, second)])
    np.testing.assert_array_equal(read("2"), [second])
    store.decisions.save([decision(text=masked("Нет света"))])
    assert read("2") == [None], "features of the text before are not those of the new one"


def test_what_was_delivered_is_by_day_source_place_and_sector_after_a_day(store: Store) -> None:
    store.decisions.save([decision(id=str(n)) for n in range(3)])
    store.decisions.save([decision(id="7", municipality=None), decision(id="8", sector="Дороги")])
    store.decisions.save([decision(source="hotline")])
    assert counts(store) == [
        ("2026-11-10", "hotline", "Верхнереченск", "ЖКХ", 1),
        ("2026-11-10", "pos", "Верхнереченск", "Дороги", 1),
        ("2026-11-10", "pos", "Верхнереченск", "ЖКХ", 3),
        ("2026-11-10", "pos", None, "ЖКХ", 1),
    ]
    assert counts(store, DAY) == []


def test_the_last_corrected_sector_is_the_one_that_counts(store: Store) -> None:
    store.decisions.save([decision()])
    store.corrections.save([correction(sector="Дороги"), correction(agency="Другой")])
    store.corrections.save([correction(sector="Связь", operator="operator-7")])
    store.corrections.save([correction(agency="Третий")])
    assert counts(store) == [("2026-11-10", "pos", "Верхнереченск", "Связь", 1)]
    store.decisions.save([decision(model_version="2")])
    assert counts(store) == [("2026-11-10", "pos", "Верхнереченск", "Связь", 1)], "an operator is right for good"


def test_an_operators_topic_counts_as_sure_and_is_known(store: Store) -> None:
    store.decisions.save([decision(reasons=["unlike_training"], topic_confidence=0.2)])
    (before,) = store.complaints.of_days(REGION, DAY, DAY, "1", 10).itertuples(index=False)
    store.corrections.save([correction(topic="Другая")])
    (after,) = store.complaints.of_days(REGION, DAY, DAY, "1", 10).itertuples(index=False)
    assert (before.topic, before.confidence, before.unlike) == ("Тема", 0.2, True)
    assert (after.topic, after.confidence, after.unlike) == ("Другая", 1.0, False)


def test_a_correction_of_an_unknown_complaint_stores_nothing(store: Store, url: str) -> None:
    store.decisions.save([decision()])
    with pytest.raises(UnknownComplaintError, match="'2'"):
        store.corrections.save([correction(sector="Дороги"), correction(complaint_id="2", sector="Дороги")])
    assert rows(url, "select count(*) from corrections") == [(0,)]


def test_corrections_are_read_back_with_the_decision_that_they_corrected_and_who_made_them(store: Store) -> None:
    before = datetime.now(UTC)
    store.decisions.save([decision()])
    store.corrections.save([correction(sector="Дороги", topic="Ямы", operator="Петрова Анна Ивановна, № 7")])
    store.decisions.save([decision(model_version="2", sector="Связь", text=masked("Опять не вывозят мусор"))])
    store.corrections.save([correction(agency="Другой", operator="operator-7")])
    first, second = store.corrections.since(REGION, before)
    assert (first.text, first.model_version) == ("Не вывозят мусор", "1")
    assert (first.decided, first.corrected) == (Labels("ЖКХ", "Тема", "Орган"), Labels("Дороги", "Ямы", None))
    assert (first.operator, first.municipality, first.created_at) == ("[ИМЯ], № 7", "Верхнереченск", NOON)
    assert (second.text, second.model_version, second.decided.sector) == ("Опять не вывозят мусор", "2", "Связь")
    assert (second.corrected, second.operator) == (Labels(None, None, "Другой"), "operator-7")
    assert before <= first.received_at <= second.received_at <= datetime.now(UTC)
    assert store.corrections.since(REGION, datetime.now(UTC) + timedelta(seconds=1)) == []


def test_rows_of_two_regions_never_mix(store: Store) -> None:
    store.decisions.save([decision(), decision(region=OTHER, sector="Дороги", model_version="9")])
    with pytest.raises(UnknownComplaintError):
        store.corrections.save([correction(region="третий", sector="Связь")])
    store.corrections.save([correction(region=OTHER, sector="Связь")])
    assert counts(store) == [("2026-11-10", "pos", "Верхнереченск", "ЖКХ", 1)]
    assert counts(store, region=OTHER) == [("2026-11-10", "pos", "Верхнереченск", "Связь", 1)]
    assert store.corrections.since(REGION, NOON - timedelta(days=999)) == []
    (corrected,) = store.corrections.since(OTHER, NOON - timedelta(days=999))
    assert (corrected.region, corrected.model_version, corrected.decided.sector) == (OTHER, "9", "Дороги")
    store.corrections.save([correction(topic="Своя")])
    assert store.complaints.of_days(OTHER, DAY, DAY, "9", 10)["topic"].tolist() == ["Тема"]
    assert store.complaints.of_days("третий", DAY, DAY, "9", 10).empty


def test_writers_that_read_first_wait_for_each_other(url: str) -> None:
    stores = [Store(url, REGION) for _ in range(4)]
    stores[0].decisions.save([decision(id=str(n)) for n in range(len(stores))])

    def write(n: int) -> None:
        for turn in range(20):
            stores[n].decisions.save([decision(id=str(n), model_version=str(turn))])
            stores[n].corrections.save([correction(complaint_id=str(n), topic=str(turn))])

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(write, range(len(stores))))
    found = stores[0].corrections.since(REGION, NOON)
    assert sorted((c.complaint_id, int(c.corrected.topic or "")) for c in found) == [
        (str(n), turn) for n in range(len(stores)) for turn in range(20)
    ]
    assert all(c.model_version == c.corrected.topic for c in found)
    for each in stores:
        each.close()


def test_promotions_are_kept_in_order_for_each_region_and_model(store: Store) -> None:
    def promotion(version: int, **changes: Any) -> Promotion:
        values: dict[str, Any] = {"region": REGION, "model": "m", "version": version, "previous_version": version - 1}
        evidence = {"test": {"agency": {"accuracy": 0.5}}, "почему": "лучше"}
        values |= {"evidence": evidence, "promoted_by": "operator-7", "promoted_at": NOON}
        return Promotion(**(values | changes))

    made = [promotion(1, previous_version=None), promotion(2)]
    for each in [*made, promotion(3, region=OTHER), promotion(4, model="other")]:
        store.promotions.save(each)
    assert store.promotions.of(REGION, "m") == made


def test_an_empty_store_has_no_counts(store: Store) -> None:
    assert counts(store) == []


def test_the_journal_of_sqlite_is_written_ahead(tmp_path: Path) -> None:
    Store(f"sqlite:///{tmp_path}/store.db", REGION).prepare()
    with sqlite3.connect(tmp_path / "store.db") as connection:
        assert connection.execute("pragma journal_mode").fetchall() == [("wal",)]


def test_a_new_store_waits_for_another_process_that_has_just_begun_to_write_the_file(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("create table begun (number integer)")
    other.execute("begin immediate")
    other.execute("insert into begun values (1)")
    release = threading.Timer(0.2, other.close)
    release.start()
    Store(f"sqlite:///{path}", REGION).prepare()
    release.join()
    assert rows(f"sqlite:///{path}", "PRAGMA journal_mode") == [("wal",)]


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="try again"):
        Store(f"sqlite:///{tmp_path}/file/store.db", REGION).decisions.save([decision()])


def test_a_store_comes_back_when_its_disk_does(tmp_path: Path) -> None:
    blocked = tmp_path / "later"
    blocked.write_text("not a folder yet")
    store = Store(f"sqlite:///{blocked}/store.db", REGION)
    with pytest.raises(StoreError):
        store.decisions.save([decision()])
    blocked.unlink()
    store.decisions.save([decision()])
    assert len(counts(store)) == 1


def test_a_server_that_was_gone_is_written_to_again_when_it_is_back(postgresql: PostgreSQL) -> None:
    store = Store(postgresql.schema(), REGION)
    store.decisions.save([decision()])
    postgresql.stop()
    try:
        with pytest.raises(StoreError, match="try again"):
            store.decisions.save([decision(id="2")])
    finally:
        postgresql.start()
    store.decisions.save([decision(id="3")])
    assert counts(store)[0][-1] == 2
    store.close()


@pytest.mark.parametrize(
    ("bad", "part"),
    [
        ("nonsense", "SQLAlchemy URL"),
        ("mysql://user:secret@host/db", "neither sqlite nor postgresql"),
        ("postgresql+nodriver://user:secret@host/db", "SQLAlchemy URL"),
    ],
)
def test_a_bad_url_is_a_config_error_without_its_password(bad: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part) as caught:
        Store(bad, REGION)
    assert "secret" not in caught.value.message
