"""Migrations: an old store is taken over without loss, and the tables are those that the code declares."""

import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from data.settings import CHECKOUT
from data.store.corrections import Labels
from data.store.review_queue import QueueFilter
from data.store.session import MIGRATIONS
from data.store.store import Store
from data.store.tables import Table
from tests.data.store.handled import write_a_story
from tests.data.store.rows import OTHER, REGION, decision, rows

HEAD = ScriptDirectory(str(MIGRATIONS)).get_current_head()
OLD = sa.MetaData()
"""The tables as they were made before there were migrations."""
LABEL_COLUMNS = [
    column
    for head in ("sector", "topic", "agency")
    for column in (
        sa.Column(head, sa.String, nullable=False),
        sa.Column(f"{head}_confidence", sa.Double, nullable=False),
    )
]
DECISIONS = sa.Table(
    "decisions",
    OLD,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("text", sa.String, nullable=False),
    sa.Column("municipality", sa.String),
    sa.Column("created_at", sa.DateTime, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("received_at", sa.DateTime, nullable=False),
    sa.Column("decision", sa.String, nullable=False),
    sa.Column("reasons", sa.JSON, nullable=False),
    *LABEL_COLUMNS,
    sa.Column("model_version", sa.String, nullable=False),
    sa.Index("decisions_by_day", "day"),
)
CORRECTIONS = sa.Table(
    "corrections",
    OLD,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    *(sa.Column(name, sa.String, nullable=False) for name in ("source", "complaint_id")),
    *(sa.Column(name, sa.String) for name in ("sector", "topic", "agency", "operator")),
    sa.Column("received_at", sa.DateTime, nullable=False),
    sa.Index("corrections_by_complaint", "source", "complaint_id"),
)
FEATURES = sa.Table(
    "features",
    OLD,
    *(sa.Column(name, sa.String, primary_key=True) for name in ("source", "complaint_id")),
    sa.Column("model_version", sa.String, nullable=False),
    sa.Column("features", sa.LargeBinary, nullable=False),
)
NINE, TEN, ELEVEN = (datetime(2026, 11, 10, hour) for hour in (9, 10, 11))
DAY = date(2026, 11, 10)
VECTOR = np.array([0.5, -1.5], "<f2")


def old_store(url: str, filled: bool) -> None:
    """A store as `create_all` made it: three decisions, one of them replaced after its correction."""
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True)
    engine = sa.create_engine(url)
    OLD.create_all(engine)
    if filled:
        said = {"text": "Не вывозят мусор", "municipality": None, "created_at": NINE, "day": DAY}
        said |= {"decision": "review", "reasons": ["low_confidence", "several_problems"], "model_version": "3"}
        said |= {"sector": "ЖКХ", "topic": "Тема", "agency": "Орган"}
        said |= {f"{head}_confidence": 0.25 for head in ("sector", "topic", "agency")}
        keys = [("pos", "1", NINE), ("pos", "2", ELEVEN), ("hotline", "1", NINE)]
        silent = {"sector": None, "topic": None, "agency": None, "operator": None}
        with engine.begin() as connection:
            connection.execute(
                DECISIONS.insert(), [said | {"source": s, "id": i, "received_at": at} for s, i, at in keys]
            )
            corrections: list[dict[str, Any]] = [
                {"source": "pos", "complaint_id": "1", "sector": "Дороги", "operator": "7", "received_at": TEN},
                {"source": "pos", "complaint_id": "2", "topic": "Ямы", "received_at": TEN},
            ]
            connection.execute(CORRECTIONS.insert(), [silent | row for row in corrections])
            feature = {"model_version": "3", "features": VECTOR.tobytes()}
            connection.execute(FEATURES.insert(), [{"source": "pos", "complaint_id": "2"} | feature])
    engine.dispose()


def test_an_old_store_is_taken_over_without_loss(url: str) -> None:
    old_store(url, filled=True)
    store = Store(url, OTHER)
    store.prepare()
    decided = "select region, source, id, text, reasons, sector, agency_confidence, model_version, day from decisions"
    assert [(*row[:4], *row[5:8]) for row in rows(url, f"{decided} order by source, id")] == [
        (OTHER, source, name, "Не вывозят мусор", "ЖКХ", 0.25, "3")
        for source, name in (("hotline", "1"), ("pos", "1"), ("pos", "2"))
    ]
    frame = store.complaints.of_days(OTHER, DAY, DAY, "3", 10)
    read = {(row.source, row.id): row for row in frame.itertuples(index=False)}
    np.testing.assert_array_equal(read["pos", "2"].features, VECTOR.astype("f4"))
    assert read["pos", "2"].topic == "Ямы"
    assert read["pos", "1"].features is None
    assert store.complaints.counts(OTHER, date(2026, 1, 1))["count"].sum() == 3
    of_the_row, of_a_lost_one = store.corrections.since(OTHER, datetime(2026, 1, 1))
    assert (of_the_row.model_version, of_the_row.decided.sector) == ("3", "ЖКХ")
    assert (of_the_row.corrected, of_the_row.operator) == (Labels("Дороги", None, None), "7")
    assert (of_a_lost_one.model_version, of_a_lost_one.decided) == (None, Labels(None, None, None))
    assert (of_a_lost_one.text, of_a_lost_one.corrected.topic) == ("Не вывозят мусор", "Ямы")
    assert [(each.source, each.id) for each in store.queue.page(OTHER, QueueFilter(), 9)] == [("hotline", "1")]
    tables = sa.inspect(sa.create_engine(url)).get_table_names()
    assert not [name for name in tables if name.startswith("old_")]
    store.close()


@pytest.mark.parametrize("old", [False, True])
def test_the_tables_are_those_that_the_code_declares(url: str, old: bool) -> None:
    if old:
        old_store(url, filled=False)
    Store(url, REGION).prepare()
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []
    engine.dispose()


def test_a_migrated_store_is_left_as_it_is(url: str) -> None:
    first = Store(url, REGION)
    first.decisions.save([decision()])
    first.close()
    second = Store(url, OTHER)
    second.prepare()
    second.close()
    assert rows(url, "select region, version_num from decisions, alembic_version") == [(REGION, HEAD)]


def test_the_handling_of_an_older_store_is_what_it_would_be_had_it_been_written_so(url: str) -> None:
    store = Store(url, REGION)
    write_a_story(store)
    written = rows(url, "select * from handling order by number")
    assert len(written) == 3
    with sa.create_engine(url).begin() as connection:
        connection.execute(sa.text("drop table handling"))
        connection.execute(sa.text("create index decisions_by_due on decisions (region, due_at)"))
        connection.execute(sa.text("create index decisions_by_number on decisions (region, number)"))
        connection.execute(sa.text("create index outcomes_by_time on outcomes (region, event, at)"))
        connection.execute(sa.text("drop index reviews_by_margin"))
        connection.execute(sa.text("alter table reviews drop column topic_margin"))
        connection.execute(sa.text("update alembic_version set version_num = '0025'"))
    Store(url, REGION).prepare()
    assert rows(url, "select * from handling order by number") == written
    store.close()


def test_several_workers_that_start_at_once_take_an_old_store_over_once(url: str) -> None:
    old_store(url, filled=True)
    _start_workers(url)
    assert rows(url, "select count(*), count(distinct model_version) from decisions") == [(3 + WORKERS * 10, 2)]
    assert rows(url, "select version_num from alembic_version") == [(HEAD,)]


def test_several_workers_that_start_at_once_make_one_new_store(url: str) -> None:
    _start_workers(url)
    assert rows(url, "select count(*) from decisions") == [(WORKERS * 10,)]


WORKERS = 4
WORKER = """
import sys
from data.store.store import Store
from tests.data.store.rows import REGION, decision
print("ready", flush=True)
sys.stdin.readline()
store = Store(sys.argv[1], REGION)
for n in range(10):
    store.decisions.save([decision(id=f"{sys.argv[2]}-{n}")])
"""


def _start_workers(url: str) -> None:
    """Processes that wait for each other, prepare the store and write into it."""
    command, pipe = [sys.executable, "-c", WORKER, url], subprocess.PIPE
    workers = [
        subprocess.Popen([*command, str(n)], cwd=CHECKOUT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        for n in range(WORKERS)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    outputs = [worker.communicate()[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * WORKERS, outputs
