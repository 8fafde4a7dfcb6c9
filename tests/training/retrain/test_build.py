"""Building a version: frozen whole, once, with a split that stays, or refused in one sentence."""

import json
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from data.complaints.files import read_complaints
from data.errors import InputError
from data.store.corrections import Labels
from tests.training.retrain.small_region import (
    HOLES,
    QUICK,
    SIGNS,
    YARDS,
    build,
    catalogue,
    complaint,
    complaints,
    correction,
)
from training.classifier.splits import fingerprint, text_keys
from training.retrain.versions import find_version, locked, newest_version, read_version, version_folders


def topics(version) -> dict[str, str]:
    return dict(zip(version.rows["id"], version.rows["topic"], strict=True))


def test_a_version_holds_its_rows_split_origins_report_and_where_they_come_from(tmp_path):
    said = correction(5, "1", corrected=Labels(*HOLES, None))
    built = build(tmp_path, complaints(60), corrections=[said])
    version = read_version(built.version.folder)
    assert built.is_new
    assert version.name == version.folder.name
    assert re.fullmatch("0001-[0-9a-f]{16}", version.name)
    assert topics(version)["1"] == "Ямы"
    assert version.rows["topic_origin"].value_counts().to_dict() == {"file": 59, "confirmed": 1}
    manifest = version.manifest
    assert (manifest.parent, manifest.corrections, manifest.inputs[0].rows) == (None, 5, 60)
    assert manifest.test_share == QUICK.test_share
    assert {path.name for path in version.folder.iterdir()} == {
        *("rows.jsonl", "row_list.jsonl", "version.json", "findings.csv", "report.md", "report.json")
    }
    report = json.loads((version.folder / "report.json").read_text(encoding="utf-8"))
    assert report["test_rows"] == len(version.split.test) > 0
    assert (
        (version.folder / "report.md")
        .read_text(encoding="utf-8")
        .startswith(f"# Dataset {version.name} of oblast\n\n60 ")
    )


def test_training_reads_the_rows_and_calls_them_by_the_fingerprint_that_the_version_knows(tmp_path):
    version = build(tmp_path, complaints(60)).version
    rows = read_complaints(version.folder / "rows.jsonl")
    assert fingerprint(rows) == version.manifest.history[0].data_fingerprint


def test_the_same_rows_are_told_to_be_there_whatever_the_files_order_and_names(tmp_path):
    first, again = complaints(30), complaints(30, start=30)
    built = build(tmp_path, first, again)
    assert not build(tmp_path, again, first).is_new
    assert not build(tmp_path, [*again, *first]).is_new
    assert build(tmp_path, [*again, *first]).version.name == built.version.name
    assert len(version_folders(tmp_path / "versions")) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"municipality": "Юг"},
        {"agency": "Администрация Юга"},
        {"text": "Другое"},
        {"topic": "Знаки"},
        {"source": "hotline"},
    ],
)
def test_any_other_row_makes_the_next_version(tmp_path, change):
    first = build(tmp_path, complaints(30)).version
    rows = complaints(30)
    rows[0] = rows[0].model_copy(update=change)
    second = build(tmp_path, rows).version
    assert second.manifest.number == 2
    assert second.manifest.parent == first.name
    assert second.manifest.history[0].fingerprint != first.manifest.history[0].fingerprint


def test_a_confirmation_is_a_new_version_of_the_same_labels(tmp_path):
    first = build(tmp_path, complaints(30)).version
    second = build(tmp_path, complaints(30), corrections=[correction(1, "0", corrected=Labels(*HOLES, None))])
    assert second.is_new
    assert second.version.manifest.history[0].data_fingerprint == first.manifest.history[0].data_fingerprint


def test_no_row_changes_sides_in_any_later_version(tmp_path):
    sides: dict[str, str] = {}
    for count in (10, 40, 25, 60):
        version = build(tmp_path, complaints(count)).version
        for key, split in zip(text_keys(version.rows["text"]), version.rows["split"], strict=True):
            assert sides.setdefault(key, split) == split
    assert set(sides.values()) == {"test", "train"}


def test_another_test_share_is_refused_for_it_would_move_rows(tmp_path):
    build(tmp_path, complaints(30))
    with pytest.raises(InputError, match=r"test_share is 0\.3, but 0001-.* holds out 0\.15 for good"):
        build(tmp_path, complaints(40), arguments=QUICK.model_copy(update={"test_share": 0.3}))


def test_rows_are_added_to_the_version_before_with_the_origins_that_they_had(tmp_path):
    build(tmp_path, complaints(30), corrections=[correction(1, "0", corrected=Labels(*YARDS, None))])
    added = build(tmp_path, complaints(30, start=30), adding=True).version
    assert len(added.rows) == 60
    origins = dict(zip(added.rows["id"], added.rows["topic_origin"], strict=True))
    assert (origins["0"], topics(added)["0"], origins["31"]) == ("corrected", "Ямы", "file")
    assert not build(tmp_path, adding=True).is_new


def test_a_row_of_a_version_keeps_its_topic_by_id_where_its_name_alone_would_be_ambiguous(tmp_path):
    """Complaint 0 is older than the split, and was labelled after it: the id knows which part is meant."""
    split = {
        "day": "2026-03-20",
        "was": [{"sector": "Дороги", "topic": "Ямы"}],
        "now": [{"sector": "Дороги", "topic": "Ямы"}, {"sector": "Дороги", "topic": "Знаки"}],
    }
    path = catalogue(tmp_path / "split", migrations=[split])
    said = correction(1, "0", corrected=Labels(*HOLES, None))
    first = build(tmp_path, complaints(30), corrections=[said], catalogue_path=path).version
    assert topics(first)["0"] == "Ямы"
    assert topics(first)["3"] is None, "nobody knows which part it is of"
    again = build(tmp_path, complaints(30, start=30), adding=True, catalogue_path=path).version
    assert topics(again)["0"] == "Ямы"


def test_a_renamed_topic_is_renamed_in_rows_of_files_and_of_versions(tmp_path):
    build(tmp_path, complaints(30))
    sectors = [
        {"name": "Дороги", "topics": [{"name": "Дефекты", "deadline_hours": 1, "routes": [{"agency": "roads"}]}]},
        {"name": "Дворы", "topics": [{"name": "Ямы", "deadline_hours": 1, "routes": [{"agency": "administration"}]}]},
    ]
    migrations = [
        {
            "day": "2026-04-01",
            "was": [{"sector": "Дороги", "topic": "Ямы"}],
            "now": [{"sector": "Дороги", "topic": "Дефекты"}],
        },
        {"day": "2026-04-01", "was": [{"sector": "Дороги", "topic": "Знаки"}]},
    ]
    path = catalogue(tmp_path / "later", sectors=sectors, migrations=migrations)
    added = build(tmp_path, complaints(3, start=30), adding=True, catalogue_path=path).version
    assert topics(added)["0"] == topics(added)["30"] == "Дефекты"
    assert topics(added)["1"] is None
    assert topics(added)["2"] == "Ямы"


def test_what_a_killed_build_left_counts_for_nothing_and_the_next_one_ends_the_same(tmp_path):
    expected = build(tmp_path / "whole", complaints(30)).version.name
    folder = tmp_path / "versions"
    left = folder / f"{expected}.elsewhere-1.partial"
    left.mkdir(parents=True)
    (left / "rows.jsonl").write_text("{", encoding="utf-8")
    assert newest_version(folder) is None
    assert build(tmp_path, complaints(30)).version.name == expected


def test_two_builds_at_once_are_one_and_a_killed_one_leaves_no_lock(tmp_path):
    folder = tmp_path / "versions"
    code = (
        "import sys, time; from pathlib import Path; from training.retrain.versions import locked\n"
        "with locked(Path(sys.argv[1])): print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        with pytest.raises(InputError, match="another command is at work"):
            build(tmp_path, complaints(30))
    finally:
        other.kill()
        other.wait()
    with locked(folder):
        pass
    assert build(tmp_path, complaints(30)).is_new


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda folder: (folder / "rows.jsonl").write_text("", encoding="utf-8"), "is not what was frozen"),
        (lambda folder: (folder / "row_list.jsonl").unlink(), "row_list.jsonl is missing"),
        (lambda folder: (folder / "version.json").write_text("{", encoding="utf-8"), "version.json is broken"),
        (shutil.rmtree, "no dataset version is there"),
    ],
)
def test_a_version_that_is_not_what_was_frozen_is_refused(tmp_path, break_it, sentence):
    version = build(tmp_path, complaints(30)).version
    break_it(version.folder)
    with pytest.raises(InputError, match=sentence):
        read_version(version.folder)


def test_a_version_is_found_by_folder_name_number_and_fingerprint(tmp_path):
    version = build(tmp_path, complaints(30)).version
    number, _, fingerprint_ = version.name.partition("-")
    for name in (version.name, number, "1", fingerprint_):
        assert find_version(version.folder.parent, name).name == version.name
    assert find_version(version.folder, "").name == version.name
    with pytest.raises(InputError, match=f"'7' is no dataset version of .*: known are {version.name}"):
        find_version(version.folder.parent, "7")


def test_nothing_to_read_and_nothing_to_add_to_are_refused(tmp_path):
    with pytest.raises(InputError, match="name files of complaints, or --from-store"):
        build(tmp_path)
    with pytest.raises(InputError, match="holds no version yet"):
        build(tmp_path, complaints(30), adding=True)


def test_an_empty_week_of_corrections_is_no_version(tmp_path):
    build(tmp_path, complaints(30), corrections=[])
    assert not build(tmp_path, complaints(30), corrections=[]).is_new


def test_the_report_names_what_a_person_should_look_at(tmp_path):
    build(tmp_path, complaints(60))
    words = [
        correction(1, "0", corrected=Labels(*SIGNS, None)),
        correction(2, "0", corrected=Labels(*YARDS, None), operator="operator-2"),
    ]
    flood = [complaint(1000 + number, SIGNS, text=f"Нет знака на улице {number}") for number in range(200)]
    strange = [complaint(2000, ("Дороги", "Космос"))]
    version = build(tmp_path, complaints(60), flood, strange, corrections=words).version
    text = (version.folder / "report.md").read_text(encoding="utf-8")
    assert "Look at these: 4 labels changed their share" in text
    assert "1 labels are not in the catalogue" in text
    assert "2 labels are disputed" in text
    assert "| operator-1 | 2 | 2 |" in text
    findings = pd.read_csv(version.folder / "findings.csv", sep=";", dtype=str)
    assert sorted(findings["kind"]) == ["conflict", "conflict", "unknown_label"]
    assert set(findings["text"]) == {"Яма на дороге у дома 0", "Непонятно что 2000"}
