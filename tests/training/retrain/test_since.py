"""What became of rows since the champion's version, and what the gate says of such data."""

import pandas as pd
import pytest

from tests.data.catalogue.test_migrations import RENAMED
from tests.training.retrain.small_region import HOLES, SIGNS, WORDS, YARDS, build, complaint, complaints
from training.retrain.gate_limits import GateLimits
from training.retrain.joined_checks import checks_of_data
from training.retrain.since import rows_since
from training.retrain.versions import DatasetVersion

LIMITS = GateLimits()


def versions(folder, changed) -> tuple[DatasetVersion, DatasetVersion]:
    """Sixty complaints, and a version to which these were added or which they replaced."""
    return build(folder, complaints()).version, build(folder, changed, adding=True).version


def failed(before: DatasetVersion, now: DatasetVersion) -> dict[str, str]:
    checks = checks_of_data(now.rows, rows_since(before.rows, now.rows), LIMITS)
    return {check.name: check.says for check in checks if not check.passed}


def test_rows_that_joined_and_labels_that_changed_are_told_with_what_is_in_play(tmp_path):
    before, now = versions(tmp_path, [complaint(0, SIGNS), complaint(100, YARDS)])
    since = rows_since(before.rows, now.rows)
    assert now.rows["id"][since.joined].tolist() == ["100"]
    assert now.rows["id"][since.relabelled["topic"]].tolist() == ["0"]
    assert not since.relabelled["agency"].any()
    assert since.labels_in_play(now.rows)["topic"] == {"Знаки", "Ямы"}
    assert since.tested == len(before.split.test)
    assert not rows_since(before.rows, before.rows).changed.any()


def test_a_topic_that_took_a_recorded_migration_is_not_relabelled(tmp_path):
    before, now = versions(tmp_path, [complaint(100)])
    renamed = now.rows.assign(topic=now.rows["topic"].mask(now.rows["sector"] == "Дороги", "Дефекты покрытия"))
    holes = (now.rows["sector"] == HOLES[0]) & (now.rows["topic"] == HOLES[1]) & (now.rows["id"] != "100")
    plain, migrated = rows_since(before.rows, renamed), rows_since(before.rows, renamed, [RENAMED])
    assert plain.relabelled["topic"][holes].all()
    assert not migrated.relabelled["topic"][holes].any()


def test_honest_rows_pass_and_nothing_new_is_nothing_to_check(tmp_path):
    before, now = versions(tmp_path, complaints(40, start=100))
    assert failed(before, now) == {}
    assert checks_of_data(before.rows, rows_since(before.rows, before.rows), LIMITS) == []


POISON = {
    "a flood of copies": (
        [complaint(100 + n, text=WORDS[HOLES]) for n in range(30)],
        "copies",
        "stands in 30 of the 30",
    ),
    "a topic called another": (
        [complaint(n, SIGNS) for n in range(0, 45, 3)],
        "relabelled",
        "topic Ямы: 15 of 40 rows became Знаки",
    ),
    "random labels": (
        [complaint(100 + n, YARDS, text=f"{WORDS[(HOLES, SIGNS)[n % 2]]} и так {n}") for n in range(30)],
        "sector agrees with earlier rows",
        "sector: earlier rows speak against 30 of 30 new labels «all labels»",
    ),
}


@pytest.mark.parametrize("poison", POISON)
def test_what_test_rows_cannot_tell_is_refused_with_its_reason(tmp_path, poison):
    rows, check, says = POISON[poison]
    before, now = versions(tmp_path, rows)
    limits = LIMITS.model_copy(update={"most_relabelled": 0.3})
    checks = checks_of_data(now.rows, rows_since(before.rows, now.rows), limits)
    found = {each.name: each.says for each in checks if not each.passed}
    assert says in found.get(check, ""), found


def test_a_topic_that_nobody_has_met_is_no_surprise_in_its_sector(tmp_path):
    before = build(tmp_path, [complaint(n, (HOLES, YARDS)[n % 2]) for n in range(60)]).version
    like_yards = [complaint(100 + n, SIGNS, text=f"{WORDS[YARDS]} и так {n}") for n in range(30)]
    assert failed(before, build(tmp_path, like_yards, adding=True).version) == {}
    met = [complaint(200, SIGNS), *(complaint(100 + n, HOLES, text=f"{WORDS[YARDS]} и так {n}") for n in range(30))]
    assert "sector agrees with earlier rows" in failed(before, build(tmp_path, met, adding=True).version)


def test_a_known_topic_under_a_name_that_nobody_has_met_is_refused(tmp_path):
    before, now = versions(tmp_path, [complaint(100 + n, SIGNS) for n in range(10)])
    since = rows_since(before.rows, now.rows)
    renamed = now.rows.assign(topic=now.rows["topic"].mask(since.joined, "Указатели"))
    (other_name,) = [each for each in checks_of_data(renamed, since, LIMITS) if each.name == "topics not met"]
    assert other_name.says == "10 of 10 complaints on «Указатели», which nobody has met, look like «Знаки»"
    assert not other_name.passed


def test_dates_and_splits_play_no_part(tmp_path):
    before, now = versions(tmp_path, [complaint(0, created_at=pd.Timestamp("2020-01-01", tz="UTC"))])
    assert not rows_since(before.rows, now.rows).changed.any()
