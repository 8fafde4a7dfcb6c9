"""Erasing: of one complaint nothing is left, in rows, in the audit and in the database's files; of others all is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from data.complaints.masking import masked
from data.errors import InputError, UnknownComplaintError
from data.store.audit import AuditEntry, AuditFilter, erased_name
from data.store.erasure import TABLES, Erased
from data.store.outcomes import Outcome
from data.store.retention import Expired, Retention
from data.store.scanning import Scanner
from data.store.store import Store
from tests.data.store.rows import NOON, OTHER, REGION, correction, decision, rows
from tests.data.store.test_audit import ENTRY

WORDS = "Провалилась крышка люка у школы"
ID = "B-20261129-77"
NOW = datetime.now(UTC)


def fill(store: Store) -> None:
    """The complaint to erase, decided twice and corrected, and others with the same id or text."""
    vector = np.ones(3, "f4")
    ours = {"id": ID, "text": masked(WORDS), "features": vector}
    store.decisions.save([decision(**ours), decision(id="other", features=vector)])
    store.decisions.save([decision(**ours, model_version="2")])
    store.decisions.save([decision(id=ID, region=OTHER)])
    store.corrections.save([correction(complaint_id=ID, sector="Дороги"), correction(complaint_id="other", topic="Т")])
    store.outcomes.save([Outcome(REGION, "pos", name, "answered", NOON) for name in (ID, "other")])
    store.audit.save([ENTRY, *[_shown(region) for region in (REGION, OTHER)]])


def _shown(region: str) -> AuditEntry:
    return replace(ENTRY, region=region, complaints=(("pos", ID), ("pos", "other")))


def test_all_of_one_complaint_goes_and_all_of_the_others_stays(store: Store, url: str) -> None:
    fill(store)
    assert store.erasures.count() == 0
    gone = store.erasures.erase(REGION, ID, None, "tsur erase")
    once = dict.fromkeys(("corrections", "reviews", "outcomes", "handling"), 1)
    assert gone == Erased("pos", dict.fromkeys(TABLES, 0) | {"decisions": 2, "features": 2} | once)
    assert rows(url, "select region, id from decisions order by number") == [(REGION, "other"), (OTHER, ID)]
    assert rows(url, "select complaint_id from corrections") == [("other",)]
    assert rows(url, "select complaint_id from outcomes") == [("other",)]
    assert rows(url, "select count(*) from features") == [(1,)]
    assert store.erasures.count() == 1


def test_the_audit_says_who_saw_it_to_whoever_knows_its_id(store: Store, url: str) -> None:
    fill(store)
    store.erasures.erase(REGION, ID, "pos", "tsur erase")
    erased, *seen = store.audit.entries(AuditFilter(complaint_id=ID, region=REGION))
    assert (erased.method, erased.route, erased.complaints) == ("command", "tsur erase", (("pos", erased_name(ID)),))
    assert [entry.complaints for entry in seen] == [(("pos", erased_name(ID)), ("pos", "other"))]
    (elsewhere,) = store.audit.entries(AuditFilter(complaint_id=ID, region=OTHER))
    assert elsewhere.complaints[0] == ("pos", ID), "the other region's complaint is another one"
    assert (REGION, ID) not in rows(url, "select region, complaint_id from audit_complaints")


def test_entries_that_a_service_stored_late_lose_the_id_too(store: Store, url: str) -> None:
    fill(store)
    store.erasures.erase(REGION, ID, None, "tsur erase")
    store.audit.save([_shown(REGION)])
    store.erasures.rename_in_audit(REGION, ID)
    assert (REGION, ID) not in rows(url, "select region, complaint_id from audit_complaints")


def test_the_scanner_finds_it_before_and_not_after(store: Store) -> None:
    fill(store)
    store.erasures.erase(OTHER, ID, None, "tsur erase")
    before = {finding.where.split(",")[0] for finding in store.scan(Scanner([ID]))}
    columns = {f"{table}.complaint_id" for table in ("corrections", "outcomes", "audit_complaints")}
    assert before == {"decisions.id", "reviews.id", "handling.id", *columns}
    store.erasures.erase(REGION, ID, None, "tsur erase")
    assert list(store.scan(Scanner([ID]))) == []


def test_no_byte_of_it_is_left_in_the_files_of_sqlite(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.db", REGION)
    fill(store)
    store.erasures.erase(OTHER, ID, None, "tsur erase")

    def on_disk(text: str) -> bool:
        return any(text.encode() in path.read_bytes() for path in tmp_path.glob("store.db*"))

    assert on_disk(ID)
    assert on_disk(WORDS)
    store.erasures.erase(REGION, ID, None, "tsur erase")
    assert not on_disk(ID)
    assert not on_disk(WORDS)
    assert list(Scanner([ID]).files([tmp_path])) == []
    assert on_disk("other")


def test_a_complaint_that_is_none_or_several_is_not_erased(store: Store, url: str) -> None:
    store.decisions.save([decision(id=ID), decision(id=ID, source="hotline")])
    for region, name, source, sentence in (
        (REGION, "none", None, "holds no complaint 'none'"),
        (OTHER, ID, None, "holds no complaint"),
        (REGION, ID, "vk", "of source 'vk'"),
        (REGION, ID, None, "several sources: name one of hotline, pos"),
    ):
        with pytest.raises((InputError, UnknownComplaintError), match=sentence):
            store.erasures.erase(region, name, source, "tsur erase")
    assert rows(url, "select count(*) from decisions") == [(2,)]
    store.erasures.erase(REGION, ID, "hotline", "tsur erase")
    assert rows(url, "select source from decisions") == [("pos",)]


def test_what_was_erased_in_one_copy_is_erased_in_another_by_digest(store: Store, url: str, tmp_path: Path) -> None:
    fill(store)
    copy = Store(f"sqlite:///{tmp_path}/copy.db", REGION)
    fill(copy)
    copy.erasures.erase(REGION, ID, None, "tsur erase")
    assert store.erasures.repeat(copy.erasures.all()) == 1
    assert rows(url, "select region, id from decisions order by number") == [(REGION, "other"), (OTHER, ID)]
    assert (REGION, ID) not in rows(url, "select region, complaint_id from audit_complaints")
    assert store.erasures.repeat(copy.erasures.all()) == 0, "it is known to be erased"
    assert store.erasures.all() == copy.erasures.all()
    copy.close()


def test_a_complaint_is_as_old_as_the_last_that_was_decided_or_said_of_it(store: Store, url: str) -> None:
    store.decisions.save([decision(id=name) for name in ("old", "corrected", "again")])
    terms, later = Retention(complaints_days=30, audit_days=None), NOW + timedelta(days=31)
    assert store.expiry.expired(terms, NOW) == Expired(0, 0)
    assert store.expiry.expired(terms, later) == Expired(3, 0)
    assert store.expiry.expired(Retention(complaints_days=None), later).complaints == 0
    _move_back(url, "decisions", 31)
    store.corrections.save([correction(complaint_id="corrected", topic="Т")])
    store.decisions.save([decision(id="again", model_version="2")])
    assert store.expiry.apply(terms, datetime.now(UTC)) == Expired(1, 0)
    assert rows(url, "select distinct id from decisions order by id") == [("again",), ("corrected",)]


def test_entries_of_the_audit_go_when_their_term_is_over(store: Store, url: str) -> None:
    at = [NOW - timedelta(days=days) for days in (1100, 1000)]
    store.audit.save([replace(ENTRY, at=moment, request_id=str(n)) for n, moment in enumerate(at)])
    assert store.expiry.expired(Retention(), NOW) == Expired(0, 1)
    assert store.expiry.apply(Retention(), NOW) == Expired(0, 1)
    assert [entry.request_id for entry in store.audit.entries(AuditFilter())] == ["1"]
    assert rows(url, "select count(*) from audit_complaints") == [(len(ENTRY.complaints),)]


def test_many_complaints_go_some_at_a_time(store: Store, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.store.retention.TOGETHER", 3)
    store.decisions.save([decision(id=str(n)) for n in range(8)])
    _move_back(url, "decisions", 2)
    store.decisions.save([decision(id="5", model_version="2")])
    assert store.expiry.apply(Retention(complaints_days=1), datetime.now(UTC)).complaints == 7
    assert {row[0] for row in rows(url, "select id from decisions")} == {"5"}


def _move_back(url: str, table: str, days: int) -> None:
    """Let rows have come days before."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        moment = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)
        update = sa.text(f"update {table} set received_at = :moment")
        connection.execute(update.bindparams(sa.bindparam("moment", moment, sa.DateTime())))
    engine.dispose()
