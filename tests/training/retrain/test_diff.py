"""The difference of two versions: what joined, left, changed and by whom; a renaming is no change."""

import json

from data.store.corrections import Labels
from tests.training.retrain.small_region import HOLES, SIGNS, build, catalogue, complaint, complaints, correction
from training.retrain.diff import Relabelled, diff_text, diff_versions


def test_rows_and_labels_that_changed_are_told_with_who_says_so(tmp_path):
    first = build(tmp_path, complaints(30)).version
    rows = [*complaints(40)[2:], complaint(100, SIGNS)]
    rows[3] = rows[3].model_copy(update={"text": "Другой текст"})
    words = [
        correction(1, "3", corrected=Labels(*SIGNS, None)),
        correction(2, "6", corrected=Labels(*HOLES, None)),
        correction(3, "9", corrected=Labels(None, None, "Администрация Севера")),
    ]
    second = build(tmp_path, rows, corrections=words).version
    diff = diff_versions(first, second)
    assert (diff.first, diff.second, diff.rows) == (first.name, second.name, (30, 39))
    assert (diff.joined, diff.left, diff.erased, diff.texts) == (11, 2, 0, 1)
    assert diff.joined_origins == {"file": 33}
    assert set(diff.relabelled) == {
        Relabelled("topic", "Ямы", "Знаки", "corrected", 1),
        Relabelled("agency", "Дорожный комитет", "Администрация Севера", "corrected", 1),
    }
    assert diff.confirmed == 3, "the sector of 3, the sector and the topic of 6"
    assert json.loads(json.dumps(diff.as_json()))["relabelled"][0]["rows"] == 1
    text = diff_text(diff)
    assert "joined 11, left 2, erased 0; 1 have another text or place" in text
    assert "  1 × topic: Ямы → Знаки (corrected)" in text


def test_a_renamed_topic_is_told_as_such_and_no_label_changed(tmp_path):
    first = build(tmp_path, complaints(30)).version
    sectors = [
        {"name": "Дороги", "topics": [{"name": name, "deadline_hours": 1, "routes": [{"agency": "roads"}]}]}
        for name in ("Дефекты",)
    ]
    sectors[0]["topics"].append({"name": "Знаки", "deadline_hours": 1, "routes": [{"agency": "roads"}]})
    sectors.append(
        {"name": "Дворы", "topics": [{"name": "Ямы", "deadline_hours": 1, "routes": [{"agency": "administration"}]}]}
    )
    renamed = {
        "day": "2026-04-01",
        "was": [{"sector": "Дороги", "topic": "Ямы"}],
        "now": [{"sector": "Дороги", "topic": "Дефекты"}],
    }
    path = catalogue(tmp_path / "later", sectors=sectors, migrations=[renamed])
    diff = diff_versions(first, build(tmp_path, complaints(30), catalogue_path=path).version)
    assert diff.relabelled == ()
    assert diff.renamed == {"Дороги · Ямы": "Дороги · Дефекты"}
    assert "renamed: Дороги · Ямы → Дороги · Дефекты" in diff_text(diff)


def test_a_version_and_itself_differ_in_nothing(tmp_path):
    version = build(tmp_path, complaints(30)).version
    diff = diff_versions(version, version)
    assert (diff.joined, diff.left, diff.texts, diff.relabelled, diff.confirmed) == (0, 0, 0, (), 0)
    assert "no label has another share" in diff_text(diff)
