"""The store: masked texts, one row a complaint, corrections that count, local days."""

import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from data.errors import ConfigError, StoreError, UnknownComplaintError
from data.store.store import Correction, Decision, Store, masked


@pytest.fixture()
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/new/store.db")


def decision(**changes: Any) -> Decision:
    values: dict[str, Any] = {
        "source": "pos",
        "id": "1",
        "text": masked("Не вывозят мусор"),
        "municipality": "Верхнереченск",
        "created_at": datetime(2026, 11, 10, 12, tzinfo=UTC),
        "decision": "route",
        "reasons": [],
        "sector": "ЖКХ",
        "topic": "Тема",
        "agency": "Орган",
        "model_version": "1",
    }
    values |= {f"{head}_confidence": 0.9 for head in ("sector", "topic", "agency")}
    return Decision(**(values | changes))


def correction(**changes: Any) -> Correction:
    empty: dict[str, Any] = {"sector": None, "topic": None, "agency": None, "operator": None}
    return Correction(**({"source": "pos", "complaint_id": "1"} | empty | changes))


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(str(store._engine.url.database)) as connection:
        return connection.execute(query).fetchall()


def counts(store: Store, after: date = date(2026, 1, 1)) -> list[tuple[Any, ...]]:
    frame = store.delivered(after)
    assert list(frame.columns) == ["date", "source", "municipality", "sector", "count"]
    found = [(str(row[0].date()), *row[1:]) for row in frame.itertuples(index=False)]
    return sorted(found, key=str)


def test_a_text_is_masked_once_and_stored_as_it_was_classified(store: Store) -> None:
    text = masked("<p>Петрова Анна Ивановна, тел. 8 900 123-45-67, нет воды</p>")
    assert text == "[ИМЯ], тел. [ТЕЛЕФОН], нет воды"
    store.save_decisions([decision(text=text)])
    assert rows(store, "select text from decisions") == [(text,)]


def test_sending_a_complaint_again_replaces_its_decision_within_its_source(store: Store) -> None:
    store.save_decisions([decision(), decision(source="hotline")])
    store.save_decisions([decision(sector="Дороги")])
    assert rows(store, "select source, sector from decisions order by source") == [
        ("hotline", "ЖКХ"),
        ("pos", "Дороги"),
    ]


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 10, 20, 59, tzinfo=UTC), "2026-11-10"),
        (datetime(2026, 11, 10, 21, 0, tzinfo=UTC), "2026-11-11"),
    ],
)
def test_a_day_ends_at_midnight_in_moscow(store: Store, moment: datetime, day: str) -> None:
    store.save_decisions([decision(created_at=moment)])
    assert counts(store) == [(day, "pos", "Верхнереченск", "ЖКХ", 1)]


def test_what_was_delivered_is_by_day_source_place_and_sector_after_a_day(store: Store) -> None:
    store.save_decisions([decision(id=str(n)) for n in range(3)])
    store.save_decisions([decision(id="7", municipality=None), decision(id="8", sector="Дороги")])
    store.save_decisions([decision(source="hotline")])
    assert counts(store) == [
        ("2026-11-10", "hotline", "Верхнереченск", "ЖКХ", 1),
        ("2026-11-10", "pos", "Верхнереченск", "Дороги", 1),
        ("2026-11-10", "pos", "Верхнереченск", "ЖКХ", 3),
        ("2026-11-10", "pos", None, "ЖКХ", 1),
    ]
    assert counts(store, date(2026, 11, 10)) == []


def test_the_last_corrected_sector_is_the_one_that_counts(store: Store) -> None:
    store.save_decisions([decision()])
    store.save_corrections([correction(sector="Дороги"), correction(agency="Другой")])
    store.save_corrections([correction(sector="Связь", operator="operator-7")])
    store.save_corrections([correction(agency="Третий")])
    assert counts(store) == [("2026-11-10", "pos", "Верхнереченск", "Связь", 1)]


def test_a_correction_of_an_unknown_complaint_stores_nothing(store: Store) -> None:
    store.save_decisions([decision()])
    with pytest.raises(UnknownComplaintError, match="'2'"):
        store.save_corrections([correction(sector="Дороги"), correction(complaint_id="2", sector="Дороги")])
    assert rows(store, "select count(*) from corrections") == [(0,)]


def test_an_empty_store_has_no_counts(store: Store) -> None:
    assert counts(store) == []


def test_the_journal_is_written_ahead(store: Store) -> None:
    store.prepare()
    assert rows(store, "pragma journal_mode") == [("wal",)]


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="try again"):
        Store(f"sqlite:///{tmp_path}/file/store.db").save_decisions([decision()])


def test_a_store_comes_back_when_its_disk_does(tmp_path: Path) -> None:
    blocked = tmp_path / "later"
    blocked.write_text("not a folder yet")
    store = Store(f"sqlite:///{blocked}/store.db")
    with pytest.raises(StoreError):
        store.save_decisions([decision()])
    blocked.unlink()
    store.save_decisions([decision()])
    assert len(counts(store)) == 1


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("nonsense", "SQLAlchemy URL"),
        ("mysql://user:secret@host/db", "neither sqlite nor postgresql"),
        ("postgresql+nodriver://user:secret@host/db", "SQLAlchemy URL"),
    ],
)
def test_a_bad_url_is_a_config_error_without_its_password(url: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part) as caught:
        Store(url)
    assert "secret" not in caught.value.message
