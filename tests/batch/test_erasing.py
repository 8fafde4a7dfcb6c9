"""Erasing from the files of jobs: the complaint's rows go, all others stay byte for byte."""

from pathlib import Path

import pytest

from batch.classify import COLUMNS, REJECT_COLUMNS
from batch.erasing import erase_from_results
from batch.jobs import JobFolder
from data.store.jobs import Job, NewJob
from data.store.store import Store
from data.tables.csv_writer import csv_header, csv_lines
from tests.serving.bundles import REGION

IDS = ["17", "170", "=17", "x-17"]


@pytest.fixture()
def job(tmp_path: Path) -> Job:
    store = Store(f"sqlite:///{tmp_path}/store.db", REGION)
    made = store.jobs.add(NewJob("j", REGION, "key", "a.csv", "upload.csv", 1, "generic", None))
    store.close()
    folder = JobFolder(tmp_path, "j")
    folder.make()
    folder.result.write_text(csv_header(COLUMNS) + lines(IDS), encoding="utf-8", newline="")
    rejects = [["3", "text is empty", '{"id": "17", "text": ""}'], ["4", "text is empty", '{"id": "170", "text": ""}']]
    folder.rejects.write_text(csv_header(REJECT_COLUMNS) + csv_lines(rejects), encoding="utf-8", newline="")
    return made


def lines(ids: list[str]) -> str:
    return csv_lines([[id, "", "route", "", "ЖКХ", 0.5, "Ямы; и «прочее»", 0.25] for id in ids])


def test_only_the_rows_of_the_complaint_go(job: Job, tmp_path: Path) -> None:
    folder = JobFolder(tmp_path, "j")
    assert erase_from_results(tmp_path, [job], "17") == 2
    assert folder.result.read_bytes().decode() == csv_header(COLUMNS) + lines(["170", "=17", "x-17"])
    assert folder.rejects.read_text(encoding="utf-8").count("id") == 1
    assert erase_from_results(tmp_path, [job], "=17") == 1, "written behind an apostrophe, for Excel"
    assert erase_from_results(tmp_path, [job], "17") == 0
    assert sorted(path.name for path in folder.path.iterdir()) == ["decisions.csv", "decisions.rejects.csv"]
